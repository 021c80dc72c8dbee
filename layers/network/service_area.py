"""What can be reached within a cost: roads cut at the exact place."""

from dataclasses import dataclass

import numpy as np

from layers.network.edges import Floats, Ints
from layers.network.graph import Graph
from layers.network.position import Places
from layers.network.search import reached
from layers.network.stretches import Piece, coordinates


@dataclass(frozen=True, slots=True)
class Stretches:
    """Reached parts of edges, (n,): ``edge`` from ``start`` to ``end`` [m] along it. An edge may have two."""

    edge: Ints
    start: Floats
    end: Floats

    @property
    def length(self) -> float:
        """Their length together [m]; a road counts once, also when it is reached in both directions."""
        return float((self.end - self.start).sum())


def service_area(graph: Graph, place: Places, limit: float, *, towards: bool = False) -> Stretches:
    """The stretches of road within ``limit`` [s or m] of one place; ``towards``: from which it is within the limit."""
    cost, entries = reached(graph, place, limit, towards=towards)
    arcs, length = graph.arcs, graph.network.length
    # Every arc is entered at its tail (towards: left at its head) with what is left of the limit there.
    left = limit - cost[arcs.head if towards else arcs.tail]
    near = np.flatnonzero(left > 0)
    metres = _metres(graph, near, left[near])
    from_start = arcs.forward[near] != towards
    low, high = np.zeros(len(length)), np.zeros(len(length))
    np.maximum.at(low, arcs.edge[near[from_start]], metres[from_start])
    np.maximum.at(high, arcs.edge[near[~from_start]], metres[~from_start])
    found = _stretches(low, high, length)
    own = _around(graph, place, entries.arc, limit, towards=towards)
    return found if own is None else _with(found, own, length)


def lines(graph: Graph, stretches: Stretches) -> list[Floats]:
    """The coordinates of each stretch, (k, 2) [°], whole edges first."""
    edges = graph.network.edges
    is_whole = (stretches.start <= 0) & (stretches.end >= graph.network.length[stretches.edge])
    whole = edges.take(stretches.edge[is_whole])
    cut = zip(stretches.edge[~is_whole], stretches.start[~is_whole], stretches.end[~is_whole], strict=True)
    drawn = (coordinates(edges, Piece(int(edge), float(start), float(end))) for edge, start, end in cut)
    return [*(np.split(whole.lonlat, whole.start[1:-1]) if len(whole) else ()), *drawn]


def _metres(graph: Graph, arcs: Ints, left: Floats) -> Floats:
    """How far along each arc one gets with what is left of the cost [m]."""
    length = graph.network.length[graph.arcs.edge[arcs]]
    return np.minimum(left / graph.cost[arcs], 1.0) * length


def _stretches(low: Floats, high: Floats, length: Floats) -> Stretches:
    """Edges reached so far from their starts and from their ends."""
    whole = low + high >= length
    a = np.flatnonzero((low > 0) & ~whole)
    b = np.flatnonzero((high > 0) & ~whole)
    w = np.flatnonzero(whole)
    return Stretches(
        np.concatenate([w, a, b]),
        np.concatenate([np.zeros(len(w) + len(a)), (length - high)[b]]),
        np.concatenate([length[w], low[a], length[b]]),
    )


def _around(graph: Graph, place: Places, arcs: Ints, limit: float, *, towards: bool) -> tuple[int, float, float] | None:
    """The stretch of the edge that the place itself lies within."""
    arcs = np.unique(arcs[arcs >= 0])
    if not len(arcs):
        return None
    edge, along = int(place.edge[0]), float(place.along[0])
    metres = limit / graph.cost[arcs] * graph.network.length[edge]
    ahead = graph.arcs.forward[arcs] != towards
    start = along - float(metres[~ahead].max(initial=0.0))
    end = along + float(metres[ahead].max(initial=0.0))
    return edge, max(start, 0.0), min(end, float(graph.network.length[edge]))


def _with(found: Stretches, own: tuple[int, float, float], length: Floats) -> Stretches:
    """The stretches with one more, joined to those of the same edge that it touches."""
    edge, start, end = own
    same = found.edge == edge
    apart = same & ((found.end < start) | (found.start > end))
    start = min([start, *found.start[same & ~apart].tolist()])
    end = max([end, *found.end[same & ~apart].tolist()])
    kept = ~same | apart
    return Stretches(
        np.append(found.edge[kept], edge), np.append(found.start[kept], start), np.append(found.end[kept], end)
    )
