"""Cheapest ways between places: costs from many to many, the nearest of many, and one way in full.

Dijkstra's algorithm of SciPy on the graph's matrix. A place within an edge becomes a further state with a part of the
edge's cost to its ends, so costs are exact and not those of the nearest node. SciPy looks no further than a limit:
it is guessed from the straight line, and widened until what was found lies within.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import dijkstra

from layers.network.edges import Flags, Floats, Indices, Ints
from layers.network.graph import Graph, as_csr
from layers.network.position import Places
from layers.network.stretches import Piece

#: Searches at once: a row of costs takes 8 bytes per state.
_ROWS = 32
#: SciPy's mark of a state that none precedes.
_NONE = -9999


@dataclass(frozen=True, slots=True)
class Ranked:
    """One of the candidates, by its number, and what it costs to get from or to it [s or m]."""

    number: int
    cost: float


@dataclass(frozen=True, slots=True)
class Entries:
    """How places hang on the graph, sorted by place: ``place`` number, ``state`` next to it, ``cost`` between them, and
    the ``arc`` on which (-1: none, the place is a node). Each (n,)."""

    place: Ints
    state: Ints
    cost: Floats
    arc: Ints


def costs(graph: Graph, sources: Places, targets: Places, limit: float = np.inf) -> Floats:
    """What each target costs from each source [s or m], (S, T); infinite beyond ``limit`` or without a way."""
    backwards = len(targets) < len(sources)
    starts, ends = (targets, sources) if backwards else (sources, targets)
    found = np.full((len(starts), len(ends)), np.inf)
    for first in range(0, len(starts) if len(ends) else 0, _ROWS):
        some = slice(first, first + _ROWS)
        found[some] = _costs_from(graph, starts.take(some), ends, limit, backwards=backwards)
    return found.T if backwards else found


def nearest_of(
    graph: Graph, place: Places, candidates: Places, count: int = 1, limit: float = np.inf, *, towards: bool = True
) -> list[Ranked]:
    """The ``count`` cheapest candidates within ``limit``, cheapest first; ties in the order given.

    ``towards``: the cost from each candidate to the (one) place, as of units on their way to an incident; else from it.
    """
    count = min(count, len(candidates))
    for bound in _limits(graph, place, candidates, count, limit) if count else ():
        row = _costs_from(graph, place, candidates, bound, backwards=towards)[0]
        within = int(np.isfinite(row).sum())
        if within >= count or bound >= limit:
            order = np.argsort(row, kind="stable")[: min(count, within)]
            return [Ranked(int(i), float(row[i])) for i in order]
    return []


def cheapest(graph: Graph, source: Places, target: Places) -> tuple[float, list[Piece]] | None:
    """The cost of the cheapest way from one place to another and its pieces in order; None when there is none."""
    if source.node[0] >= 0 and source.node[0] == target.node[0]:
        return 0.0, []
    direct = float(_along_one_edge(graph, source, target)[0])
    leave, reach = _departures(graph, source), _arrivals(graph, target)
    matrix = as_csr(graph.ahead, leave.place, leave.state, leave.cost, 1)
    for bound in _limits(graph, source, target, 1, np.inf):
        cost, previous = dijkstra(matrix, indices=graph.arcs.states, limit=bound, return_predecessors=True)
        totals = cost[reach.state] + reach.cost
        best = int(np.argmin(totals)) if len(totals) else -1
        found = float(totals[best]) if len(totals) else np.inf
        if min(found, direct) > bound:
            continue
        if min(found, direct) == np.inf:
            return None
        if direct <= found:
            return direct, [Piece(int(source.edge[0]), float(source.along[0]), float(target.along[0]))]
        states = _states(previous, int(reach.state[best]))
        return found, _pieces(graph, source, target, leave, states, int(reach.arc[best]))
    return None


def reached(graph: Graph, place: Places, limit: float, *, towards: bool = False) -> tuple[Floats, Entries]:
    """The cost of each state within ``limit`` from one place, or ``towards`` it, and the place's entries."""
    entries = _arrivals(graph, place) if towards else _departures(graph, place)
    matrix = as_csr(graph.back if towards else graph.ahead, entries.place, entries.state, entries.cost, 1)
    cost = dijkstra(matrix, indices=graph.arcs.states, limit=limit)
    return np.asarray(cost[: graph.arcs.states]), entries


def _costs_from(graph: Graph, starts: Places, ends: Places, limit: float, *, backwards: bool) -> Floats:
    """Costs (S, E) from starts to ends, or ``backwards`` from ends to starts; infinite beyond the limit."""
    leave, reach = (_arrivals, _departures) if backwards else (_departures, _arrivals)
    extra, entries = leave(graph, starts), reach(graph, ends)
    states = graph.arcs.states
    matrix = as_csr(graph.back if backwards else graph.ahead, extra.place, extra.state, extra.cost, len(starts))
    cost = dijkstra(matrix, indices=np.arange(states, states + len(starts)), limit=limit)
    first = np.searchsorted(entries.place, np.arange(len(ends)))
    found = np.minimum.reduceat(cost[:, entries.state] + entries.cost, first, axis=1)
    for i in range(len(starts)):
        same = np.flatnonzero(ends.edge == starts.edge[i])
        if len(same):
            pair = (starts.only(i), ends.take(same))
            direct = _along_one_edge(graph, *(pair[::-1] if backwards else pair))
            found[i, same] = np.minimum(found[i, same], direct)
    found[found > limit] = np.inf
    return found


def _departures(graph: Graph, places: Places) -> Entries:
    """States that are reached from a place before any other."""
    place, arc = _arcs_at(graph, places)
    along = places.along[place]
    left = np.where(graph.arcs.forward[arc], graph.network.length[places.edge[place]] - along, along)
    at_node = np.flatnonzero(places.node >= 0)
    return _entries(graph, (place, graph.arcs.head[arc], left, arc), (at_node, places.node[at_node]))


def _arrivals(graph: Graph, places: Places) -> Entries:
    """States from which a place is reached before any other; of a node its copies behind restricted roads too."""
    place, arc = _arcs_at(graph, places)
    along = places.along[place]
    past = np.where(graph.arcs.forward[arc], along, graph.network.length[places.edge[place]] - along)
    at_node = np.flatnonzero(places.node >= 0)
    nodes = len(graph.network.topology.nodes)
    copies = nodes + np.flatnonzero(np.isin(graph.arcs.node[nodes:], places.node[at_node]))
    copy, of = np.nonzero(graph.arcs.node[copies, None] == places.node[None, at_node])
    number = np.concatenate([at_node, at_node[of]])
    state = np.concatenate([places.node[at_node], copies[copy]])
    return _entries(graph, (place, graph.arcs.tail[arc], past, arc), (number, state))


def _arcs_at(graph: Graph, places: Places) -> tuple[Ints, Ints]:
    """The arcs of the edges that places lie within: place number, arc."""
    within = np.flatnonzero(places.node < 0)
    first, end = graph.arcs.first[places.edge[within]], graph.arcs.first[places.edge[within] + 1]
    counts = end - first
    skipped = np.repeat(first - np.cumsum(counts) + counts, counts)
    return np.repeat(within, counts), skipped + np.arange(counts.sum())


def _entries(graph: Graph, within: tuple[Ints, Ints, Floats, Ints], at_node: tuple[Ints, Ints]) -> Entries:
    place, state, metres, arc = within
    number, node = at_node
    cost = graph.cost[arc] * metres / graph.network.length[graph.arcs.edge[arc]]
    order = np.argsort(np.concatenate([place, number]), kind="stable")
    free = np.zeros(len(number))
    return Entries(
        np.concatenate([place, number])[order],
        np.concatenate([state, node])[order],
        np.concatenate([cost, free])[order],
        np.concatenate([arc, free.astype(np.int64) - 1])[order],
    )


def _along_one_edge(graph: Graph, sources: Places, targets: Places) -> Floats:
    """The cost from source to target along the edge that both lie on; infinite when they do not, or it leads back.

    One of the two may be a single place.
    """
    arcs, edge = graph.arcs, int(sources.edge[0])
    metres = targets.along - sources.along
    found = np.full(metres.shape, np.inf)
    for arc in range(int(arcs.first[edge]), int(arcs.first[edge + 1])):
        fits: Flags = (metres >= 0) if arcs.forward[arc] else (metres <= 0)
        fits = fits & (sources.edge == targets.edge)
        found[fits] = graph.cost[arc] * np.abs(metres[fits]) / graph.network.length[edge]
    return found


def _limits(graph: Graph, place: Places, others: Places, count: int, limit: float) -> Iterator[float]:
    """Limits of a search, each wider than the one before, up to ``limit``."""
    east, north = ((others.lonlat - place.lonlat) * 111_320.0).T
    straight = np.hypot(east * np.cos(np.radians(place.lonlat[0, 1])), north)
    bound = (100.0 + 1.5 * float(np.partition(straight, count - 1)[count - 1])) * graph.per_metre
    yield from (wider for wider in (bound, 4 * bound) if wider < limit)
    yield limit


def _states(previous: Indices, last: int) -> list[int]:
    """The states of a way; the first is the further one that stands for its start."""
    states = [last]
    while (state := int(previous[states[-1]])) != _NONE:
        states.append(state)
    return states[::-1]


def _pieces(
    graph: Graph, source: Places, target: Places, leave: Entries, states: Sequence[int], last: int
) -> list[Piece]:
    """The stretches of edges from the source through the states to the target."""
    arcs = [graph.ahead.arc_between(tail, head) for tail, head in zip(states[1:], states[2:], strict=False)]
    whole = [_piece(graph, arc) for arc in arcs]
    first = min((e for e in range(len(leave.state)) if leave.state[e] == states[1]), key=lambda e: float(leave.cost[e]))
    if leave.arc[first] >= 0:
        start = _piece(graph, int(leave.arc[first]))
        whole.insert(0, Piece(start.edge, float(source.along[0]), start.end))
    if last >= 0:
        end = _piece(graph, last)
        whole.append(Piece(end.edge, end.start, float(target.along[0])))
    return whole


def _piece(graph: Graph, arc: int) -> Piece:
    edge = int(graph.arcs.edge[arc])
    length = float(graph.network.length[edge])
    return Piece(edge, 0.0, length) if graph.arcs.forward[arc] else Piece(edge, length, 0.0)
