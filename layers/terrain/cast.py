"""阴影 shadows that buildings cast on the ground: each footprint swept away from the sun.

What a point of height h throws onto level ground lies h / tan(altitude) from below it, away from the sun. The shadow of
a building from its base to its top is its footprint swept between the two: both ends, and what every side passes over
(the Minkowski sum with a segment), so it is exact for any footprint, with courts and raised buildings too. On ground
that is not level each corner is swept as far as its own ray goes before it meets the ground.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.terrain.elevation import Elevation, Floats

#: The sun is not reckoned with below this [°]: a building of 100 m would throw 5.7 km.
LOWEST = 1.0
#: On ground that is not level sides are cut to this [m], and a ray is followed in so many steps at most, so far [m].
_SIDE, _STEPS, _FARTHEST = 5.0, 128, 6000.0

#: How far [m] from points (rows of east, north) what is so high [m] above the building's ground throws its shadow.
type Throw = Callable[[Floats, float], Floats]


@dataclass(frozen=True, slots=True)
class Sun:
    """Where the sun stands: ``azimuth`` clockwise from the plane's north [°], ``altitude`` without refraction [°]."""

    azimuth: float
    altitude: float

    @property
    def away(self) -> Floats:
        """The way of the shadows: east and north of a step of one metre."""
        away = np.radians(self.azimuth + 180)
        return np.array([np.sin(away), np.cos(away)])

    @property
    def fall(self) -> float:
        """How far a ray falls on one metre of its way [m]."""
        return float(np.tan(np.radians(self.altitude)))


@dataclass(frozen=True, slots=True)
class Shadow:
    """A shadow (shapely polygons [m]) and how far its farthest point lies from what throws it [m]."""

    shape: Any
    length: float


def level(sun: Sun) -> Throw:
    """Shadows on level ground, as at the building."""
    return lambda points, height: np.full(len(points), height / sun.fall)


def on_ground(sun: Sun, terrain: Elevation, stands: float) -> Throw:
    """Shadows on the terrain, of a building whose ground has the elevation ``stands`` [m].

    A ray ends at the first ground that it meets, found between samples of the terrain's cell (bilinear), coarser for
    long ways. Where the terrain is not known it goes on level, at ``stands``.
    """
    lowest = min(float(np.nanmin(terrain.heights)), stands)

    def throw(points: Floats, height: float) -> Floats:
        top = stands + height
        if height <= 0:
            return np.zeros(len(points))
        farthest = min((top - lowest) / sun.fall, _FARTHEST)
        step = max(terrain.transform.a / 2, farthest / _STEPS)
        way = np.arange(int(np.ceil(farthest / step)) + 1) * step
        x = points[:, :1] + way * sun.away[0]
        y = points[:, 1:] + way * sun.away[1]
        ground = terrain.at(x, y)
        over = top - way * sun.fall - np.where(np.isnan(ground), stands, ground)
        met = over <= 0
        at = np.where(met.any(axis=1), met.argmax(axis=1), len(way) - 1)
        before = np.maximum(at - 1, 0)
        rows = np.arange(len(points))
        above, below = over[rows, before], over[rows, at]
        share = np.where(above > below, above / np.where(above > below, above - below, 1), 0.0)
        return np.asarray(np.where(at == 0, 0.0, way[before] + np.clip(share, 0, 1) * step))

    return throw


def shadow_of(footprint: Any, base: float, top: float, sun: Sun, throw: Throw | None = None) -> Shadow:
    """The shadow of a building (shapely polygons [m]) from ``base`` to ``top`` above its ground [m]; on level ground
    unless ``throw`` says how far it falls."""
    if throw is None:
        throw = level(sun)
    else:
        footprint = shapely.segmentize(footprint, _SIDE)
    pieces: list[Any] = []
    length = 0.0
    for part in shapely.get_parts(footprint):
        rings = [shapely.get_coordinates(ring) for ring in (part.exterior, *part.interiors)]
        lows = [ring + throw(ring, base)[:, np.newaxis] * sun.away for ring in rings]
        far = [throw(ring, top) for ring in rings]
        highs = [ring + way[:, np.newaxis] * sun.away for ring, way in zip(rings, far, strict=True)]
        length = max(length, *(float(way.max()) for way in far))
        pieces += [[_area(lows), _area(highs)]]
        pieces += [_swept(low, high) for low, high in zip(lows, highs, strict=True)]
    return Shadow(shapely.union_all([piece for group in pieces for piece in np.atleast_1d(group)]), length)


def _area(rings: list[Floats]) -> Any:
    """A part of the footprint as its rings came down; rough ground may have folded them."""
    found = shapely.Polygon(rings[0], rings[1:])
    return found if found.is_valid else shapely.buffer(found, 0)


def _swept(low: Floats, high: Floats) -> NDArray[Any]:
    """What each side of a ring passes over; sides along the way of the sun pass over nothing."""
    corners = np.stack([low[:-1], low[1:], high[1:], high[:-1], low[:-1]], axis=1)
    across, down = corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1]
    area = np.abs(across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0])  # twice that of a quadrangle
    return np.asarray(shapely.polygons(corners[area > 1e-9]), dtype=object)
