"""Road features: runs of lattice edges between junctions, with bridges as features of their own."""

from dataclasses import dataclass

import numpy as np
import shapely

from layers.sample_city.arterials import MOTORWAY, PRIMARY, TRUNK
from layers.sample_city.axes import RIVER, Flags, Floats, Ints, Shapes
from layers.sample_city.parcels import creek_half_width
from layers.sample_city.plan import Plan

#: By class ordinal: lanes of a two-way road, of one carriageway, and the speed limit [km/h].
LANES = np.array([0, 4, 6, 6, 4, 2, 2, 1, 1, 1])
CARRIAGEWAY_LANES = np.array([0, 3, 3, 3, 2, 1, 1, 1, 1, 1])
SPEED: Floats = np.array([0, 100, 80, 60, 50, 40, 30, 15, 20, 5])


@dataclass(frozen=True, slots=True)
class Roads:
    """Features: ``lines`` [m], class ordinal ``road``, ``name`` ordinal or -1, ``oneway``, ``bridge``."""

    lines: Shapes
    road: Ints
    name: Ints
    oneway: Ints
    bridge: Flags


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Straight pieces in running order; ``group`` is the lattice line, ``joint`` whether the end is a junction."""

    start: Floats
    end: Floats
    group: Ints
    road: Ints
    name: Ints
    oneway: Ints
    bridge: Flags
    joint: Flags


def make_roads(plan: Plan) -> Roads:
    """The plan's roads, split where they meet."""
    degree = _degrees(plan)
    runs = [_runs(pieces) for pieces in (_across(plan, degree), _up(plan, degree), _diagonals(plan, degree))]
    return Roads(*(np.concatenate([getattr(run, key) for run in runs])
                   for key in ("lines", "road", "name", "oneway", "bridge")))


def _ends(plan: Plan) -> tuple[tuple[Ints, Ints], tuple[Ints, Ints], tuple[Ints, Ints]]:
    """Start and end vertices of all edges with roads: across, up, diagonal."""
    lattice, d = plan.lattice, plan.network.diagonals
    row, column = np.nonzero(plan.network.across.road)
    row_up, column_up = np.nonzero(plan.network.up.road.T)[::-1]
    rising = d[:, 2] == 1
    return (
        (lattice.vertex(row, column), lattice.vertex(row, column + 1)),
        (lattice.vertex(row_up, column_up), lattice.vertex(row_up + 1, column_up)),
        (lattice.vertex(d[:, 0], d[:, 1] + ~rising), lattice.vertex(d[:, 0] + 1, d[:, 1] + rising)),
    )


def _degrees(plan: Plan) -> Ints:
    count = plan.lattice.xy.shape[0] * plan.lattice.xy.shape[1]
    every = [vertex for pair in _ends(plan) for vertex in pair]
    return np.bincount(np.concatenate(every), minlength=count)


def _across(plan: Plan, degree: Ints) -> _Pieces:
    """Edges that run east, cut a few metres before and behind each creek."""
    start, end = _ends(plan)[0]
    lattice, edges = plan.lattice, plan.network.across
    row, column = np.nonzero(edges.road)
    points = lattice.xy.reshape(-1, 2)
    a, b = points[start], points[end]
    before, after = _creek_reach(plan, row, column), _creek_reach(plan, row, column + 1)
    length = np.hypot(*(b - a).T)
    ahead = (b - a) / length[:, None]
    # a crossing cannot take more than its edge: the middle piece keeps a quarter of it at least
    near = a + ahead * np.minimum(before, 0.37 * length)[:, None]
    far = b - ahead * np.minimum(after, 0.37 * length)[:, None]
    parts = [(0, np.flatnonzero(before > 0), a, near, True), (1, np.arange(len(row)), near, far, False),
             (2, np.flatnonzero(after > 0), far, b, True)]
    index = np.concatenate([of for _, of, *_ in parts])
    place = np.concatenate([np.full(len(of), step) for step, of, *_ in parts])
    order = np.lexsort((place, index))
    last = np.where(place == 1, after[index] == 0, place == 2)
    joint = last & (degree[end[index]] != 2)
    r, c = row[index], column[index]
    return _Pieces(
        np.concatenate([s[of] for _, of, s, _, _ in parts])[order],
        np.concatenate([e[of] for _, of, _, e, _ in parts])[order],
        r[order], edges.road[r, c][order], edges.name[r, c][order], edges.oneway[r, c][order],
        np.concatenate([np.full(len(of), bridge) for _, of, _, _, bridge in parts])[order], joint[order])


def _creek_reach(plan: Plan, row: Ints, column: Ints) -> Floats:
    """How far a bridge reaches from each vertex, 0 away from creeks [m]."""
    lattice, reach = plan.lattice, np.zeros(len(row))
    for creek, first, last in lattice.creeks:
        on = (column == creek) & (row >= first) & (row <= last)
        half = creek_half_width(row, lattice.river_row, lattice.rows.count)
        reach = np.where(on, half * 1.4 + 6, reach)
    return reach


def _up(plan: Plan, degree: Ints) -> _Pieces:
    start, end = _ends(plan)[1]
    edges = plan.network.up
    row, column = np.nonzero(edges.road.T)[::-1]
    points = plan.lattice.xy.reshape(-1, 2)
    return _Pieces(points[start], points[end], column, edges.road[row, column], edges.name[row, column],
                   edges.oneway[row, column], plan.lattice.rows.gap[row] == RIVER, degree[end] != 2)


def _diagonals(plan: Plan, degree: Ints) -> _Pieces:
    start, end = _ends(plan)[2]
    d = plan.network.diagonals
    order = np.lexsort((d[:, 0], d[:, 3]))
    points, start, end = plan.lattice.xy.reshape(-1, 2), start[order], end[order]
    flat = np.zeros(len(d), np.int64)
    return _Pieces(points[start], points[end], d[order, 3], np.full(len(d), TRUNK), d[order, 3], flat,
                   np.zeros(len(d), bool), degree[end] != 2)


def _runs(pieces: _Pieces) -> Roads:
    """Join pieces that follow each other without a junction or a change."""
    same = np.ones(max(len(pieces.group) - 1, 0), bool)
    for values in (pieces.group, pieces.road, pieces.name, pieces.oneway, pieces.bridge):
        same &= values[1:] == values[:-1]
    follows = (pieces.start[1:] == pieces.end[:-1]).all(axis=1) & same & ~pieces.joint[:-1]
    first = np.flatnonzero(np.concatenate([[True], ~follows]))
    run = np.cumsum(np.concatenate([[True], ~follows])) - 1
    points = np.concatenate([pieces.start[first], pieces.end])
    owner = np.concatenate([np.arange(len(first)), run])
    order = np.argsort(owner, kind="stable")
    lines = np.asarray(shapely.linestrings(points[order], indices=owner[order]))
    return Roads(lines, pieces.road[first], pieces.name[first], pieces.oneway[first], pieces.bridge[first])


def lanes(roads: Roads) -> Ints:
    """Lanes of each feature."""
    one = (roads.oneway != 0) & np.isin(roads.road, (MOTORWAY, TRUNK, PRIMARY))
    return np.where(one, CARRIAGEWAY_LANES[roads.road], LANES[roads.road])



