"""Communities gathered into streets and towns, these into districts, these into the city (domain facts §1).

Codes: city 4 digits, district 6, street (街道 001–099, 镇 100–199) 9, community 12. Division 4297 is not in use in
GB/T 2260, so no real place is meant.
"""

import heapq
import math
from dataclasses import dataclass

import numpy as np
import shapely

from layers.sample_city.axes import Flags, Floats, Ints, Shapes
from layers.sample_city.names import CITY, NameBook
from layers.sample_city.plan import Plan

CITY_CODE = "4297"
#: Communities in a street: least, most, and streets in a city before they grow.
_STREET, _STREET_MOST, _STREETS = 9, 40, 250
#: Districts, and streets in one: 99 codes are free for 街道, and sizes vary.
_DISTRICTS, _DISTRICT_MOST = 12, 45


@dataclass(frozen=True, slots=True)
class Area:
    """One administrative area; ``level`` and ``parent`` as in the base layer, ``polygon`` [m]."""

    code: str
    name: str
    level: str
    parent: str | None
    polygon: shapely.Geometry
    population: int


@dataclass(frozen=True, slots=True)
class Admin:
    """All areas from the city down, and the code of every community by its ordinal."""

    areas: list[Area]
    codes: Shapes


def make_admin(plan: Plan, population: Ints, book: NameBook) -> Admin:
    """Areas of the plan; ``population`` is by community."""
    polygons, centres = _communities(plan)
    links = _links(plan)
    town = np.array(plan.town)
    inner = links[town[links[:, 0]] == town[links[:, 1]]]
    streets = _gather(centres, inner, min(max(len(town) / _STREETS, _STREET), _STREET_MOST))
    street_of = np.array([streets[i] for i in range(len(town))])
    middle = np.array([centres[street_of == s].mean(axis=0) for s in range(street_of.max() + 1)])
    between = np.unique(np.sort(street_of[links], axis=1), axis=0)
    between = between[between[:, 0] != between[:, 1]]
    districts = max(min(_DISTRICTS, max(3, round(len(middle) ** 0.5 / 1.6))), len(middle) // _DISTRICT_MOST)
    district_of = _gather(middle, between, max(len(middle) / districts, 1))
    return _areas(polygons, population, town, street_of, district_of, middle, book)


def _communities(plan: Plan) -> tuple[Shapes, Floats]:
    xy = plan.lattice.xy
    rings = np.stack([xy[:-1, :-1], xy[:-1, 1:], xy[1:, 1:], xy[1:, :-1]], axis=2).reshape(-1, 4, 2)
    cells = np.asarray(shapely.polygons(rings))
    owner = plan.community.ravel()
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(len(plan.town) + 1))
    polygons = np.empty(len(plan.town), dtype=object)
    for index in range(len(polygons)):
        polygons[index] = shapely.coverage_union_all(cells[order[starts[index] : starts[index + 1]]])
    return polygons, shapely.get_coordinates(shapely.centroid(polygons))


def _links(plan: Plan) -> Ints:
    """Pairs of communities that share a border, the river's middle left out."""
    owner, river = plan.community, plan.lattice.river_row
    up = np.stack([owner[:-1], owner[1:]], axis=-1)
    up = np.delete(up, river - 1, axis=0)
    across = np.stack([owner[:, :-1], owner[:, 1:]], axis=-1)
    pairs = np.unique(np.sort(np.concatenate([up.reshape(-1, 2), across.reshape(-1, 2)]), axis=1), axis=0)
    different: Ints = pairs[pairs[:, 0] != pairs[:, 1]]
    return different


def _gather(centres: Floats, links: Ints, target: float) -> Ints:
    """Group nodes into connected groups of about ``target``: seeds far apart, grown along links, centred thrice."""
    near: list[list[int]] = [[] for _ in centres]
    for a, b in links.tolist():
        near[a].append(b)
        near[b].append(a)
    group = np.full(len(centres), -1)
    count = 0
    for start in range(len(centres)):
        if group[start] < 0:
            members = np.array(sorted(_grow(centres, near, [start])))
            seeds = _far_apart(centres[members], max(1, round(len(members) / target)))
            for _ in range(4):
                grown = _grow(centres, near, members[seeds].tolist())
                label = np.array([grown[m] for m in members.tolist()])
                means = [centres[members[label == k]].mean(axis=0) for k in range(len(seeds))]
                seeds = [int(np.where(label == k, np.hypot(*(centres[members] - mean).T), np.inf).argmin())
                         for k, mean in enumerate(means)]
            group[members] = label + count
            count += len(seeds)
    return group


def _far_apart(points: Floats, count: int) -> list[int]:
    seeds = [0]
    distance = np.full(len(points), np.inf)
    while len(seeds) < count:
        distance = np.minimum(distance, np.hypot(*(points - points[seeds[-1]]).T))
        seeds.append(int(distance.argmax()))
    return seeds


def _grow(centres: Floats, near: list[list[int]], seeds: list[int]) -> dict[int, int]:
    """The seed nearest to each reachable node along links."""
    found: dict[int, int] = {}
    at = centres.tolist()
    queue = [(0.0, seed, label) for label, seed in enumerate(seeds)]
    heapq.heapify(queue)
    while queue:
        distance, node, label = heapq.heappop(queue)
        if node not in found:
            found[node] = label
            for other in near[node]:
                if other not in found:
                    step = math.dist(at[other], at[node])
                    heapq.heappush(queue, (distance + step, other, label))
    return found


def _areas(
    polygons: Shapes, population: Ints, town: Flags,
    street_of: Ints, district_of: Ints, middle: Floats, book: NameBook,
) -> Admin:
    codes = np.empty(len(polygons), dtype=object)
    levels: dict[str, list[Area]] = {"district": [], "street": [], "community": []}
    for number, district in enumerate(_from_centre(middle, district_of), start=2):
        district_code = f"{CITY_CODE}{number:02d}"
        streets: list[Ints] = []
        towns: list[Ints] = []
        for street in np.flatnonzero(district_of == district):
            members = np.flatnonzero(street_of == street)
            (streets if town[members[0]] else towns).append(members)
        made = []
        for first, kind, groups in ((1, "街道", streets), (100, "镇", towns)):
            for order, members in enumerate(groups, start=first):
                code = f"{district_code}{order:03d}"
                for place, member in enumerate(members, start=1):
                    codes[member] = f"{code}{place:03d}"
                    name = book.pair("admin") + "社区" if town[member] else book.village() + "村"
                    levels["community"].append(
                        Area(str(codes[member]), name, "community", code, polygons[member], int(population[member])))
                made.append(Area(code, book.pair("street") + kind, "street", district_code,
                                 shapely.coverage_union_all(polygons[members]), int(population[members].sum())))
        levels["street"] += made
        levels["district"].append(_union(district_code, book.pair("district") + "区", "district", CITY_CODE, made))
    city = _union(CITY_CODE, CITY + "市", "city", None, levels["district"])
    return Admin([city, *levels["district"], *levels["street"], *levels["community"]], codes)


def _from_centre(middle: Floats, district_of: Ints) -> list[int]:
    """Districts, the most central first."""
    reach = [np.hypot(*middle[district_of == d].mean(axis=0)) for d in range(district_of.max() + 1)]
    return [int(d) for d in np.argsort(reach, kind="stable")]


def _union(code: str, name: str, level: str, parent: str | None, parts: list[Area]) -> Area:
    polygon = shapely.coverage_union_all([part.polygon for part in parts])
    return Area(code, name, level, parent, polygon, sum(part.population for part in parts))



