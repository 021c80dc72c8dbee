"""阴影 shadows that buildings cast on level ground: each footprint swept away from the sun.

What a point of height h throws lies h / tan(altitude) from below it, away from the sun. The shadow of a building from
its base to its top is its footprint swept between the two: both ends, and what every side passes over (the Minkowski
sum with a segment), so it is exact for any footprint, with courts and raised buildings too.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.terrain.elevation import Floats

#: The sun is not reckoned with below this [°]: a building of 100 m would throw 5.7 km.
LOWEST = 1.0


@dataclass(frozen=True, slots=True)
class Sun:
    """Where the sun stands: ``azimuth`` clockwise from the plane's north [°], ``altitude`` without refraction [°]."""

    azimuth: float
    altitude: float

    @property
    def per_metre(self) -> Floats:
        """How far a point one metre up throws its shadow: east and north [m]."""
        away = np.radians(self.azimuth + 180)
        return np.asarray(np.array([np.sin(away), np.cos(away)]) / np.tan(np.radians(self.altitude)))


def shadow_of(footprint: Any, base: float, top: float, sun: Sun) -> Any:
    """The shadow of a building (shapely polygons [m]) from ``base`` to ``top`` above its ground [m]."""
    low, high = base * sun.per_metre, top * sun.per_metre
    pieces: list[Any] = [_moved(footprint, low), _moved(footprint, high)]
    for part in shapely.get_parts(footprint):
        for ring in (part.exterior, *part.interiors):
            pieces.append(_swept(shapely.get_coordinates(ring), low, high))
    flat = [piece for group in pieces for piece in np.atleast_1d(group)]
    return shapely.union_all(flat)


def _moved(shape: Any, by: Floats) -> Any:
    return shapely.transform(shape, lambda points: points + by)


def _swept(ring: Floats, low: Floats, high: Floats) -> NDArray[Any]:
    """What each side of a ring passes over; sides along the way of the sun pass over nothing."""
    start, end = ring[:-1], ring[1:]
    corners = np.stack([start + low, end + low, end + high, start + high, start + low], axis=1)
    (across, up), way = (end - start).T, high - low
    area = np.abs(across * way[1] - up * way[0])
    return np.asarray(shapely.polygons(corners[area > 1e-9]), dtype=object)
