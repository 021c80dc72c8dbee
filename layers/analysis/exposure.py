"""Exposure 暴露: who and what lies in the ground that a hazard reaches.

People are estimated: the inhabitants of each community are spread over its dwellings by floor area (footprint times
floors), and those of the dwellings' share inside are counted; in a community without dwellings, by ground. A plain
area-weighting of communities would count people into lakes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.analysis.features import Features, Objects

#: Height of a floor where a building tells its height only [m].
_FLOOR = 3.0

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class People:
    """People inside, of how many communities, and how many of these were spread by ground."""

    people: float
    communities: int
    by_ground: int


@dataclass(frozen=True, slots=True)
class Buildings:
    """Buildings that the ground touches: how many, by use, and their floor area inside [m²]."""

    count: int
    by_use: Mapping[str, int]
    floor_area: float


def buildings_in(zone: Any, buildings: Features) -> Buildings:
    """The buildings that a zone touches."""
    inside = shapely.intersects(zone, buildings.shapes)
    uses: dict[str, int] = {}
    for i in np.flatnonzero(inside).tolist():
        use = str(buildings.properties[i].get("use") or "other")
        uses[use] = uses.get(use, 0) + 1
    area = shapely.area(shapely.intersection(buildings.shapes[inside], zone)) * floors_of(buildings)[inside]
    return Buildings(int(inside.sum()), dict(sorted(uses.items())), float(area.sum()))


def people_in(zone: Any, communities: Features, dwellings: Features) -> People:
    """How many people live in a zone; ``dwellings`` are all those of the communities that it touches."""
    population = np.array([about.get("population") or 0 for about in communities.properties], np.float64)
    centres = shapely.point_on_surface(dwellings.shapes)
    of = _within(centres, communities.shapes)
    floor_area = shapely.area(dwellings.shapes) * floors_of(dwellings)
    whole = shapely.area(dwellings.shapes)
    share = shapely.area(shapely.intersection(dwellings.shapes, zone)) / np.where(whole > 0, whole, 1)
    known = of >= 0
    total = np.bincount(of[known], floor_area[known], len(communities))
    inside = np.bincount(of[known], (floor_area * share)[known], len(communities))
    ground = shapely.area(communities.shapes)
    by_ground = shapely.area(shapely.intersection(communities.shapes, zone)) / np.where(ground > 0, ground, 1)
    spread = np.where(total > 0, inside / np.where(total > 0, total, 1), by_ground)
    touched = shapely.intersects(zone, communities.shapes)
    return People(float((population * spread)[touched].sum()), int(touched.sum()), int((touched & (total == 0)).sum()))


def floors_of(buildings: Features) -> Floats:
    """Floors of each building: its own, else its height by 3 m, else one."""
    found = []
    for about in buildings.properties:
        floors, height = about.get("floors"), about.get("height")
        found.append(float(floors) if floors else max(1.0, round(float(height) / _FLOOR)) if height else 1.0)
    return np.array(found)


def _within(points: Objects, areas: Objects) -> NDArray[np.int64]:
    """The first area that each point lies in; -1 for none."""
    of = np.full(len(points), -1, np.int64)
    area, point = shapely.STRtree(points).query(areas, predicate="intersects")
    of[point[::-1]] = area[::-1]
    return of
