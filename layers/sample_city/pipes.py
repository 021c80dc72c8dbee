"""Water, storm and sewage pipes under the streets of the sample city.

Each network is the streets' shifted aside by a few metres, so that it hangs together as they do and crosses the others
where they cross. Drains fall along the shortest way to the river, where storm water leaves by outfalls and sewage by
pumps; each part of the water network has its works.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely

from layers.sample_city.arterials import PRIMARY, SECONDARY
from layers.sample_city.axes import Floats, Ints
from layers.sample_city.roads import Roads
from layers.sample_city.streets import Streets

#: How far a valve lies from the crossing it closes a street at [m].
_VALVE = 5.0


@dataclass(frozen=True, slots=True)
class _System:
    """A kind of pipe: where it lies beside the streets' centre [m], how deep its inside's bottom [m], diameters [mm] of
    primary, secondary and residential streets, material, and who owns it."""

    kind: str
    aside: float
    depth: float
    diameters: tuple[float, float, float]
    material: str
    owner: str


_WATER = _System("JP", 4.0, 1.4, (600, 400, 200), "球墨铸铁", "云泽市自来水公司")
_STORM = _System("YS", -4.0, 2.6, (1200, 1000, 600), "钢筋混凝土", "云泽市排水公司")
_SEWAGE = _System("WS", 0.0, 3.2, (600, 500, 300), "HDPE", "云泽市排水公司")


@dataclass(slots=True)
class PipeColumns:
    """Columns of pipes and of their nodes; ``shapes`` and ``places`` in metres about the city's centre."""

    shapes: list[Any] = field(default_factory=list)
    pipes: dict[str, Any] = field(default_factory=dict)
    places: list[Any] = field(default_factory=list)
    nodes: dict[str, Any] = field(default_factory=dict)

    def pipe(self, shape: Any, **values: Any) -> None:
        """Add a pipe."""
        _add(self.shapes, self.pipes, shape, values)

    def node(self, place: Floats, **values: Any) -> None:
        """Add a node."""
        _add(self.places, self.nodes, shapely.Point(place), values)


def _add(shapes: list[Any], columns: dict[str, Any], shape: Any, values: dict[str, Any]) -> None:
    shapes.append(shape)
    for name, value in values.items():
        columns.setdefault(name, []).append(value)


def make_pipes(streets: Streets, roads: Roads, names: list[str | None], households: Ints, seed: int) -> PipeColumns:
    """All three networks. ``names`` are the road features', ``households`` those at each node of the streets."""
    made = PipeColumns()
    for system in (_STORM, _SEWAGE):
        _drains(made, system, streets, roads, names)
    _water(made, streets, roads, names, households, seed)
    return made


def _drains(made: PipeColumns, system: _System, streets: Streets, roads: Roads, names: list[str | None]) -> None:
    bottom = np.round(streets.ground - system.depth, 3)
    ends = set(streets.bank.tolist())
    storm = system is _STORM
    for n, place in enumerate(streets.at + system.aside):
        fitting = ("outfall" if storm else "pump") if n in ends else "manhole"
        made.node(place, **_node(system, n, fitting, streets.ground[n], bottom[n]))
    for s, line in enumerate(streets.lines):
        a, b = int(streets.tail[s]), int(streets.head[s])
        if (streets.way[a], a) < (streets.way[b], b):
            a, b, line = b, a, shapely.reverse(line)
        shape = shapely.transform(line, lambda xy: xy + system.aside)
        made.pipe(shape, **_pipe(system, a, b, bottom[a], bottom[b], *_under(streets, roads, names, s)))


def _water(
    made: PipeColumns, streets: Streets, roads: Roads, names: list[str | None], households: Ints, seed: int
) -> None:
    """A valve where each stretch leaves a crossing; one stretch in fifty lies too shallow."""
    rng = np.random.default_rng([seed, 11])
    lift = np.where(rng.random(len(streets.at)) < 0.02, 0.5, 0.0)
    bottom = np.round(streets.ground - _WATER.depth + lift, 3)
    works = _works(streets)
    for n, place in enumerate(streets.at + _WATER.aside):
        crossing = streets.arms[n] > 2
        fitting = "source" if n in works else "tee" if crossing else "meter" if households[n] else "joint"
        made.node(place, **_node(_WATER, n, fitting, streets.ground[n], bottom[n], int(households[n])))
    for s, whole in enumerate(streets.lines):
        a, b = int(streets.tail[s]), int(streets.head[s])
        line = shapely.transform(whole, lambda xy: xy + _WATER.aside)
        under = _under(streets, roads, names, s)
        if streets.arms[a] <= 2 or line.length < 3 * _VALVE:
            made.pipe(line, **_pipe(_WATER, a, b, bottom[a], bottom[b], *under))
            continue
        share = _VALVE / line.length
        level = round(float(bottom[a] + share * (bottom[b] - bottom[a])), 3)
        ground = round(float(streets.ground[a] + share * (streets.ground[b] - streets.ground[a])), 3)
        valve = f"v{s}"
        near, rest = _split(line, _VALVE)
        made.node(np.array(near.coords[-1]), **_node(_WATER, valve, "valve", ground, level))
        made.pipe(near, **_pipe(_WATER, a, valve, bottom[a], level, *under))
        made.pipe(rest, **_pipe(_WATER, valve, b, level, bottom[b], *under))


def _works(streets: Streets) -> set[int]:
    """Where the water comes from: the node of each part that is farthest from the river."""
    order = np.argsort(streets.way, kind="stable")
    last: dict[int, int] = dict(zip(streets.part[order].tolist(), order.tolist(), strict=True))
    return set(last.values())


def _node(
    system: _System, number: int | str, fitting: str, ground: float, bottom: float, customers: int = 0
) -> dict[str, Any]:
    return {
        "kind": system.kind, "fitting": fitting, "ground": ground, "bottom": bottom,
        "closed": False, "customers": customers, "demand": 0.4 * customers, "status": "in_use", "owner": system.owner,
        "source_id": _id(system, number),
    }  # fmt: skip


def _pipe(
    system: _System, a: int | str, b: int | str, start: float, end: float, road: int, name: str | None
) -> dict[str, Any]:
    diameter = system.diameters[0 if road == PRIMARY else 1 if road == SECONDARY else 2]
    pressed = system is _WATER
    return {
        "kind": system.kind, "from_node": _id(system, a), "to_node": _id(system, b),
        "diameter": diameter, "material": system.material, "start_invert": start, "end_invert": end,
        "flow": 0, "laying": "buried", "status": "in_use", "owner": system.owner, "road": name,
        "pressure": "0.35 MPa" if pressed else None,
    }  # fmt: skip


def _id(system: _System, number: int | str) -> str:
    return f"{system.kind}{number:06d}" if isinstance(number, int) else f"{system.kind}{number}"


def _under(streets: Streets, roads: Roads, names: list[str | None], stretch: int) -> tuple[int, str | None]:
    feature = int(streets.road[stretch])
    return int(roads.road[feature]), names[feature]


def _split(line: shapely.LineString, distance: float) -> tuple[shapely.LineString, shapely.LineString]:
    """The line cut so far from its start [m]."""
    cut = line.interpolate(distance)
    inner = [p for p in line.coords[1:-1] if line.project(shapely.Point(p)) > distance]
    before = [p for p in line.coords[1:-1] if line.project(shapely.Point(p)) < distance]
    return (
        shapely.LineString([line.coords[0], *before, cut.coords[0]]),
        shapely.LineString([cut.coords[0], *inner, line.coords[-1]]),
    )
