"""Line of sight 通视: whether a target is seen from an observer, over terrain and buildings.

Seen from the observer, the ground falls away by ``(1 - k) d² / 2R`` at the distance d: the earth's curvature, less the
bending of light, k (0.13 after Gauss; 1/7 in GDAL). Everything is compared by the slope of its sight line:
the target is visible where none before it is steeper than its own.
"""

from dataclasses import dataclass

import numpy as np
import shapely

from layers.crs import transformer
from layers.terrain.elevation import Elevation, Floats
from layers.terrain.errors import OutsideElevation, TerrainError
from layers.terrain.obstacles import Obstacles
from layers.terrain.stations import Stations, stations

#: Mean radius of the earth [m] (IUGG R1).
EARTH_RADIUS = 6_371_008.8
#: Refraction coefficient of light near the ground, in usual daytime conditions (Gauss).
REFRACTION = 0.13
#: Slopes that differ by less are the same: 1 mm at 1 km.
_EQUAL = 1e-6


@dataclass(frozen=True, slots=True)
class Obstruction:
    """What stands highest in the way: how far from the observer [m], its height and the sight line's there [m]."""

    distance: float
    longitude: float
    latitude: float
    height: float
    sight_height: float
    building: int | None


@dataclass(frozen=True, slots=True)
class Sight:
    """Whether the target is seen. ``needed_height`` [m above its ground] is what a target must have to be seen, at
    least 0; ``clearance`` [m] the least height of the sight line above what lies between, negative where hidden.

    ``first`` is the nearest point that hides the target; ``unknown`` the share of the way whose ground is not known.
    """

    visible: bool
    distance: float
    observer_ground: float
    target_ground: float
    needed_height: float
    clearance: float | None
    first: Obstruction | None
    unknown: float


@dataclass(frozen=True, slots=True)
class _Between:
    """What lies between: distances [m], heights [m] and the building, -1 for the terrain."""

    distances: Floats
    heights: Floats
    buildings: np.ndarray[tuple[int], np.dtype[np.int64]]


def fall(distance: Floats, refraction: float) -> Floats:
    """How far [m] the ground at a distance [m] has sunk below the observer's level."""
    return np.asarray((1 - refraction) * np.square(distance) / (2 * EARTH_RADIUS), np.float64)


def line_of_sight(
    elevation: Elevation,
    observer: tuple[float, float],
    target: tuple[float, float],
    observer_height: float,
    target_height: float,
    refraction: float = REFRACTION,
    obstacles: Obstacles | None = None,
) -> Sight:
    """Whether ``target`` is seen from ``observer``, both longitude and latitude [°], heights [m] above their ground.

    Terrain is sampled at a quarter of its cell, and where the line passes between two rows or columns. A building in
    which observer or target stands hides nothing: they are at its window or on its roof. Raises
    :class:`OutsideElevation` where the ground at either end is unknown, and what
    :func:`layers.terrain.stations.stations` raises.
    """
    wide, high = elevation.cell_sizes()
    line = _with_creases(elevation, stations(np.array([observer, target]), float(min(wide.min(), high.min())) / 4))
    ground = heights_at(elevation, line.longitudes, line.latitudes)
    for name, height in (("observer", ground[0]), ("target", ground[-1])):
        if np.isnan(height):
            raise OutsideElevation(f"the ground under the {name} is not known; move it, or import elevation there")
    eye, length = float(ground[0]) + observer_height, line.length
    between = _terrain(line, ground)
    if obstacles is not None:
        between = _joined(between, _buildings(line, obstacles, eye, refraction))
    slopes = (between.heights - fall(between.distances, refraction) - eye) / between.distances
    sunk = float(fall(np.array(length), refraction))
    slope = (float(ground[-1]) + target_height - sunk - eye) / length
    hiding = np.flatnonzero(slopes > slope + _EQUAL)
    needed = eye + float(slopes.max(initial=-np.inf)) * length + sunk - float(ground[-1])
    clearance = (slope - slopes) * between.distances
    return Sight(
        visible=not hiding.size,
        distance=length,
        observer_ground=float(ground[0]),
        target_ground=float(ground[-1]),
        needed_height=max(needed, 0.0),
        clearance=float(clearance.min()) if clearance.size else None,
        first=_obstruction(line, between, int(hiding[0]), clearance, obstacles) if hiding.size else None,
        unknown=float(np.isnan(ground).mean()),
    )


def heights_at(elevation: Elevation, longitudes: Floats, latitudes: Floats) -> Floats:
    """Heights [m] at points given in degrees, bilinear; NaN where unknown."""
    x, y = transformer(4490, elevation.srid).transform(longitudes, latitudes)
    return elevation.at(np.asarray(x), np.asarray(y))


def _with_creases(elevation: Elevation, line: Stations) -> Stations:
    """The stations, and those where the bilinear ground has an edge: on the lines that join the cells' centres."""
    x, y = transformer(4490, elevation.srid).transform(line.longitudes, line.latitudes)
    found = [line.distances]
    for place in elevation.position(np.asarray(x), np.asarray(y)):
        edge = np.maximum(np.floor(place[:-1]), np.floor(place[1:]))
        crossing = np.floor(place[:-1]) != np.floor(place[1:])
        share = (edge - place[:-1])[crossing] / np.diff(place)[crossing]
        found.append(line.distances[:-1][crossing] + share * np.diff(line.distances)[crossing])
    distances = np.unique(np.concatenate(found))
    return Stations(
        np.interp(distances, line.distances, line.longitudes),
        np.interp(distances, line.distances, line.latitudes),
        distances,
    )


def _terrain(line: Stations, ground: Floats) -> _Between:
    """The known ground between the two ends."""
    known = np.isfinite(ground[1:-1])
    distances, heights = line.distances[1:-1][known], ground[1:-1][known]
    return _Between(distances, heights, np.full(len(distances), -1))


def _buildings(line: Stations, obstacles: Obstacles, eye: float, refraction: float) -> _Between:
    """Where each building on the way stands highest before the observer's eye."""
    x, y = transformer(4490, obstacles.srid).transform(line.longitudes, line.latitudes)
    path = shapely.LineString(np.column_stack([x, y]))
    near = shapely.STRtree(obstacles.footprints).query(path, predicate="intersects")
    ends = shapely.MultiPoint([path.coords[0], path.coords[-1]])
    near = near[~shapely.intersects(obstacles.footprints[near], ends)]
    parts, owner = shapely.get_parts(shapely.intersection(path, obstacles.footprints[near]), return_index=True)
    bounds = [shapely.line_locate_point(path, shapely.get_point(parts, end)) for end in (0, -1)]
    if not len(parts):
        return _Between(np.empty(0), np.empty(0), np.empty(0, int))
    scale = line.length / path.length
    first, last = np.fmin(*bounds) * scale, np.fmax(*bounds) * scale
    tops = obstacles.tops[near[owner]]
    # (top - eye) / d - c d is greatest at d² = (eye - top) / c: a lower building's far edge may rise into view.
    bend = (1 - refraction) / (2 * EARTH_RADIUS)
    highest = np.sqrt(np.maximum(eye - tops, 0) / bend) if bend > 0 else np.where(tops < eye, np.inf, 0)
    distances = np.clip(highest, first, last)
    touched = np.isfinite(distances) & (distances > 0)
    return _Between(distances[touched], tops[touched], near[owner][touched])


def _joined(one: _Between, other: _Between) -> _Between:
    distances = np.concatenate([one.distances, other.distances])
    order = np.argsort(distances, kind="stable")
    heights = np.concatenate([one.heights, other.heights])
    return _Between(distances[order], heights[order], np.concatenate([one.buildings, other.buildings])[order])


def _obstruction(
    line: Stations, between: _Between, i: int, clearance: Floats, obstacles: Obstacles | None
) -> Obstruction:
    distance, height = float(between.distances[i]), float(between.heights[i])
    if not 0 < distance < line.length:
        raise TerrainError("an obstruction lies between observer and target")
    building = int(between.buildings[i])
    return Obstruction(
        distance,
        float(np.interp(distance, line.distances, line.longitudes)),
        float(np.interp(distance, line.distances, line.latitudes)),
        height,
        height + float(clearance[i]),
        obstacles.ids[building] if obstacles is not None and building >= 0 else None,
    )
