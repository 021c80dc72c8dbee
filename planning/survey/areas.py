"""Areas of parcels as survey rules want them: in the plane of the parcel's zone and on the ellipsoid, to 0.01 m².

The ellipsoid is CGCS2000's: a = 6 378 137 m, 1/f = 298.257 222 101. A side of a parcel is straight in its zone's
plane; it is cut to pieces of at most 100 m before it is laid on the ellipsoid, where a piece and the geodesic between
its ends differ by less than a micrometre.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from pyproj import Geod

from layers.crs import transformer
from planning.survey.parcel import Floats, Parcel

ELLIPSOID = Geod(a=6_378_137.0, rf=298.257222101)
#: One 亩 [m²]: exactly 10 000 / 15.
MU = 10_000 / 15
_PIECE = 100.0


@dataclass(frozen=True, slots=True)
class Areas:
    """Areas of one parcel. ``plane`` and ``ellipsoidal`` [m²] to 0.01; the others are made of ``plane``."""

    plane: float
    ellipsoidal: float
    hectares: float
    mu: float
    perimeter: float


@dataclass(frozen=True, slots=True)
class ZoneShare:
    """What of a parcel lies in a zone: ``area`` on the ellipsoid [m²] and its share of the parcel."""

    zone: int
    meridian: int
    area: float
    share: float


def areas_of(parcel: Parcel) -> Areas:
    """All areas of a parcel; ``perimeter`` in the plane, holes included [m]."""
    plane = plane_area(parcel)
    length = sum(_length(parcel.positions(ring)) for ring in parcel.rings)
    ellipsoidal = round(ellipsoidal_area(parcel.polygon, parcel.zone.srid), 2)
    return Areas(plane, ellipsoidal, round(plane / 10_000, 4), round(plane / MU, 2), round(length, 3))


def plane_area(parcel: Parcel) -> float:
    """Area in the plane of the parcel's own zone [m²], to 0.01: S = ½ |Σ (xᵢ yᵢ₊₁ − xᵢ₊₁ yᵢ)|, holes taken away."""
    outer, *holes = (_shoelace(parcel.positions(ring)) for ring in parcel.rings)
    return round(outer - math.fsum(holes), 2)


def ellipsoidal_area(shape: Any, srid: int) -> float:
    """Area on the ellipsoid [m²] of a shapely polygon or collection of them with straight sides in EPSG ``srid``."""
    cut = shapely.segmentize(shape, _PIECE)
    degrees = shapely.transform(cut, transformer(srid, 4490).transform, interleaved=False)
    return math.fsum(_on_ellipsoid(part) for part in shapely.get_parts(degrees) if part.geom_type == "Polygon")


def zone_shares(parcel: Parcel) -> tuple[ZoneShare, ...]:
    """The 3° zones that a parcel lies in, from the west; more than one where a border of zones crosses it."""
    west, _, east, _ = parcel.degrees.bounds
    first, last = (int((longitude + 1.5) // 3) for longitude in (west, east))
    if first == last or east - (3 * last - 1.5) < 1e-9:
        found = [(first, ellipsoidal_area(parcel.polygon, parcel.zone.srid))]
    else:
        found = [(number, _area_within(parcel, number)) for number in range(first, last + 1)]
    whole = math.fsum(area for _, area in found)
    return tuple(ZoneShare(n, 3 * n, round(area, 2), round(area / whole, 6)) for n, area in found if area > 0)


def _area_within(parcel: Parcel, number: int) -> float:
    """Area of the part between the borders of a 3° zone, which are meridians: cut in degrees."""
    cut = shapely.segmentize(parcel.polygon, _PIECE)
    degrees = shapely.transform(cut, transformer(parcel.zone.srid, 4490).transform, interleaved=False)
    _, south, _, north = degrees.bounds
    part = shapely.intersection(degrees, shapely.box(3 * number - 1.5, south - 1, 3 * number + 1.5, north + 1))
    return math.fsum(_on_ellipsoid(piece) for piece in shapely.get_parts(part) if piece.geom_type == "Polygon")


def _on_ellipsoid(polygon: Any) -> float:
    outer, *holes = (
        abs(ELLIPSOID.polygon_area_perimeter(*shapely.get_coordinates(ring).T)[0])
        for ring in (polygon.exterior, *polygon.interiors)
    )
    return float(outer - math.fsum(holes))


def _shoelace(places: Floats) -> float:
    """Twice the sum would lose digits of eastings of 8 digits, so it is taken about the first point."""
    x, y = (places - places[0]).T
    return abs(math.fsum((x * np.roll(y, -1) - np.roll(x, -1) * y).tolist())) / 2


def _length(places: Floats) -> float:
    return math.fsum(np.hypot(*(np.roll(places, -1, axis=0) - places).T).tolist())
