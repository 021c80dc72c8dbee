"""宗地/地块 parcel: rings of 界址点 boundary points in one zone, as they were surveyed."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.crs import transformer
from planning.survey.zones import Zone

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BoundaryPoint:
    """界址点: its name, such as ``J1``, its survey X (north) and Y (east, without zone number) [m].

    ``line`` is where it stands in the file it came from, 0 if from none.
    """

    name: str
    north: float
    east: float
    line: int = 0

    @property
    def position(self) -> tuple[float, float]:
        """(north, east) [m]."""
        return self.north, self.east


type Ring = tuple[BoundaryPoint, ...]


@dataclass(frozen=True)
class Parcel:
    """地块. ``rings`` are open (the first point is not repeated): the first is the outline, the others are holes.

    ``number``, ``name``, ``kind`` (面), ``sheet`` 图幅号, ``use`` 地块用途 and ``land_code`` 地类编码 are the
    file's; ``stated_area`` is what the file says, in a unit that it does not tell.
    """

    rings: tuple[Ring, ...]
    zone: Zone
    number: str = ""
    name: str = ""
    kind: str = "面"
    sheet: str = ""
    use: str = ""
    land_code: str = ""
    stated_area: float | None = None
    line: int = 0

    @cached_property
    def polygon(self) -> Any:
        """The parcel in its zone as shapely, (east, north) [m] of ``zone.srid``."""
        outer, *holes = (self.positions(ring) for ring in self.rings)
        return shapely.Polygon(outer, holes)

    @cached_property
    def degrees(self) -> Any:
        """The parcel in EPSG:4490 as shapely, (longitude, latitude) [°], corner by corner."""
        return shapely.transform(self.polygon, transformer(self.zone.srid, 4490).transform, interleaved=False)

    @property
    def point_count(self) -> int:
        """Points of all rings, none counted twice."""
        return sum(map(len, self.rings))

    @staticmethod
    def positions(ring: Ring) -> Floats:
        """(n, 2) of east, north [m]."""
        return np.array([(point.east, point.north) for point in ring], np.float64)

    def renumbered(self) -> "Parcel":
        """The same ground with points J1, J2 … : each ring clockwise from its north-west, the outline first."""
        rings, first = [], 1
        for ring in self.rings:
            turned = clockwise_from_north_west(ring)
            rings.append(tuple(replace(p, name=f"J{first + i}", line=0) for i, p in enumerate(turned)))
            first += len(ring)
        return replace(self, rings=tuple(rings))


def clockwise_from_north_west(ring: Ring) -> Ring:
    """The ring, clockwise on the map, from the point nearest to the north-west corner of its box.

    Of two points equally near, the northern one comes first.
    """
    places = Parcel.positions(ring)
    turned = ring if _clockwise(places) else ring[::-1]
    places = Parcel.positions(turned)
    corner = np.array([places[:, 0].min(), places[:, 1].max()])
    away = np.hypot(*(places - corner).T).round(6)
    start = min(range(len(turned)), key=lambda i: (away[i], -places[i, 1], places[i, 0]))
    return turned[start:] + turned[:start]


def _clockwise(places: Floats) -> bool:
    x, y = (places - places[0]).T
    return bool(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) < 0)


def parcel_of(polygon: Any, zone: Zone, **facts: Any) -> Parcel:
    """A parcel from a shapely polygon (east, north) [m] of ``zone.srid``, rounded to a millimetre and renumbered."""
    rings = []
    for ring in (polygon.exterior, *polygon.interiors):
        places = np.round(shapely.get_coordinates(ring)[:-1], 3).tolist()
        rings.append(tuple(BoundaryPoint("", north, east) for east, north in places))
    return Parcel(tuple(rings), zone, **facts).renumbered()
