"""Sunlight 日照 at points: when the sun reaches a window, past buildings and hills (GB 50180-2018, GB/T 50947-2014).

A building is its footprint stood up to a level top. A point is in its shadow when the way towards the sun, as far as it
stays below the top, meets the footprint: exact for any step of time. Hills are sampled along that way.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.crs import transformer
from layers.terrain.elevation import Elevation, Floats
from layers.terrain.errors import AnalysisTooLarge
from layers.terrain.obstacles import Obstacles
from layers.terrain.sight import REFRACTION, fall
from layers.terrain.solar import SunPath

#: Most pairs of a point and a time.
MAX_RAYS = 500_000
#: Rays whose obstacles are looked up at once: the unit of memory.
_BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Receptors:
    """Points in a projected CRS, ``z`` [m] as the terrain's heights; ``facing`` is where a window looks [° from true
    north], NaN for a point that sees all around."""

    x: Floats
    y: Floats
    z: Floats
    facing: Floats

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, slots=True)
class Interval:
    """Sun without a break, from and to [h of true solar time]."""

    start: float
    end: float

    @property
    def hours(self) -> float:
        """How long [h]."""
        return self.end - self.start


def sunlit(
    receptors: Receptors, sun: SunPath, obstacles: Obstacles, terrain: Elevation, reach: float, wall_angle: float = 0.0
) -> NDArray[np.bool_]:
    """Whether the sun reaches each receptor (row) at each time (column).

    Buildings and hills further than ``reach`` [m] are not looked at. A window takes no sun that comes closer to its
    wall than ``wall_angle`` [°]. Receptors, obstacles and terrain are in one projected CRS. Raises
    :class:`AnalysisTooLarge` for more than 500 000 points × times.
    """
    if len(receptors) * len(sun.hours) > MAX_RAYS:
        rays = f"{len(receptors)} points × {len(sun.hours)} times"
        raise AnalysisTooLarge(f"{rays} are more than {MAX_RAYS}; take fewer points or a longer step")
    north = true_north(terrain.srid, receptors)
    turned = (sun.azimuths - receptors.facing[:, np.newaxis] + 180) % 360 - 180
    lit = (sun.altitudes > 0) & ~(np.abs(turned) >= 90 - wall_angle)
    towards = np.radians(sun.azimuths + north[:, np.newaxis])
    steep = np.tan(np.radians(np.maximum(sun.altitudes, 0.01)))
    lit &= ~_behind_hills(receptors, towards, steep, lit, terrain, reach)
    return lit & ~_behind_buildings(receptors, towards, steep, lit, obstacles, reach)


def intervals(lit: NDArray[np.bool_], sun: SunPath, shortest: float = 0.0) -> tuple[Interval, ...]:
    """The times with sun of one receptor; those shorter than ``shortest`` [min] are left out."""
    changes = np.flatnonzero(np.diff(np.concatenate(([False], lit, [False]))))
    first = sun.hours[0] - sun.step / 2
    bounds = [(float(first + a * sun.step), float(first + b * sun.step)) for a, b in changes.reshape(-1, 2)]
    return tuple(Interval(a, b) for a, b in bounds if (b - a) * 60 >= shortest - 1e-6)


def true_north(srid: int, receptors: Receptors) -> Floats:
    """The direction of true north at each receptor [° clockwise from the grid's north]."""
    to_degrees, back = transformer(srid, 4490), transformer(4490, srid)
    lon, lat = to_degrees.transform(receptors.x, receptors.y)
    x, y = back.transform(lon, np.asarray(lat) + 1e-4)
    return np.degrees(np.arctan2(np.asarray(x) - receptors.x, np.asarray(y) - receptors.y))


def _behind_buildings(
    receptors: Receptors, towards: Floats, steep: Floats, lit: NDArray[np.bool_], obstacles: Obstacles, reach: float
) -> NDArray[np.bool_]:
    hidden = np.zeros(lit.shape, bool)
    if not len(obstacles):
        return hidden
    tree, highest = shapely.STRtree(obstacles.footprints), float(obstacles.tops.max())
    shapely.prepare(obstacles.footprints)
    points, times = np.nonzero(lit & (receptors.z[:, np.newaxis] < highest))
    for start in range(0, len(points), _BATCH):
        point, time = points[start : start + _BATCH], times[start : start + _BATCH]
        far = np.minimum((highest - receptors.z[point]) / steep[time], reach)
        rays = _rays(receptors, point, towards[point, time], far)
        ray, building = tree.query(rays)
        below = np.minimum((obstacles.tops[building] - receptors.z[point[ray]]) / steep[time[ray]], reach)
        rising = below > 0
        ray, building, below = ray[rising], building[rising], below[rising]
        ways = _rays(receptors, point[ray], towards[point[ray], time[ray]], below)
        met = ray[shapely.intersects(obstacles.footprints[building], ways)]
        hidden[point[met], time[met]] = True
    return hidden


def _rays(receptors: Receptors, point: NDArray[np.intp], towards: Floats, length: Floats) -> NDArray[Any]:
    x, y = receptors.x[point], receptors.y[point]
    ends = np.stack([x, y, x + length * np.sin(towards), y + length * np.cos(towards)], axis=1)
    return np.asarray(shapely.linestrings(ends.reshape(-1, 2, 2)))


def _behind_hills(
    receptors: Receptors, towards: Floats, steep: Floats, lit: NDArray[np.bool_], terrain: Elevation, reach: float
) -> NDArray[np.bool_]:
    """Whether the ground rises above the ray, sampled at the terrain's cell, from the second cell on."""
    hidden = np.zeros(lit.shape, bool)
    if not np.isfinite(terrain.heights).any():
        return hidden
    highest, cell = float(np.nanmax(terrain.heights)), max(terrain.transform.a, -terrain.transform.e)
    for time in np.flatnonzero(lit.any(axis=0)):
        point = np.flatnonzero(lit[:, time] & (receptors.z < highest))
        if not len(point):
            continue
        far = min(float((highest - receptors.z[point]).max() / steep[time]), reach)
        away = np.arange(2 * cell, far + cell, cell)
        x = receptors.x[point, np.newaxis] + away * np.sin(towards[point, time])[:, np.newaxis]
        y = receptors.y[point, np.newaxis] + away * np.cos(towards[point, time])[:, np.newaxis]
        ray = receptors.z[point, np.newaxis] + away * steep[time] + fall(away, REFRACTION)
        hidden[point, time] = (terrain.at(x, y) > ray).any(axis=1)
    return hidden
