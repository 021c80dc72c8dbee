"""What is upstream, downstream or connected, and what a burst takes out of service."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from layers.pipes.network import PipeNetwork
from layers.pipes.records import Flags, Floats, Ints

Way = Literal["upstream", "downstream", "connected"]
#: SciPy takes a stored 0 for no arc.
_LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Start:
    """Where a trace begins: at a node, or on a pipe so far along it [m]; the other is -1."""

    node: int = -1
    pipe: int = -1
    along: float = 0.0


@dataclass(frozen=True, slots=True)
class Reached:
    """``pipes`` (P,) reached, ``distance`` (P,) from the start to where each is entered [m], ``nodes`` (M,) reached."""

    pipes: Ints
    distance: Floats
    nodes: Ints


@dataclass(frozen=True, slots=True)
class Burst:
    """What a burst takes out of service.

    ``pipes`` between the valves; ``valves`` at their edge, of which the ``needed`` must be closed because water comes
    from beyond them (the others have only what this burst cuts off behind them, or are closed already); ``cut_off``
    the nodes that had water and have none; ``fed``: whether the network has a source at all, else none can be told.
    """

    pipes: Ints
    valves: Ints
    needed: Flags
    cut_off: Ints
    fed: bool


def trace(network: PipeNetwork, start: Start, way: Way, *, through_closed: bool = False) -> Reached:
    """The pipes in use that lie upstream or downstream of a start, or hang together with it.

    Upstream and downstream follow the pipes' directions (pipes without one either way); closed valves stop all three
    unless ``through_closed``.
    """
    arcs = _arcs(network, way)
    barrier = np.zeros(_count(network), bool) if through_closed else network.shut
    seeds, offsets = _seeds(network, start, way)
    if start.node >= 0:  # a closed valve does not stop what begins at it
        barrier = barrier & (np.arange(len(barrier)) != start.node)
    distance = _distances(network, arcs, barrier, seeds, offsets)
    return _reached(arcs, distance, barrier, start.pipe)


def burst(network: PipeNetwork, pipe: int, broken: Flags) -> Burst:
    """The valves to close when a pipe bursts, and what then has no water; ``broken`` (N,) valves cannot be closed."""
    arcs = _arcs(network, "connected")
    stops = (network.valve & ~broken) | network.shut
    ends = np.array([network.topology.tail[pipe], network.topology.head[pipe]])
    inside = _distances(network, arcs, stops, ends, np.zeros(2))
    within = _reached(arcs, inside, stops, pipe).pipes
    edge = np.flatnonzero(np.isfinite(inside) & stops)
    dry = np.isin(np.arange(len(inside)), np.flatnonzero(np.isfinite(inside) & ~stops))

    feeds = np.flatnonzero(network.feeds)
    before = np.isfinite(_distances(network, arcs, network.shut, feeds, np.zeros(len(feeds))))
    outside = arcs.only(~np.isin(arcs.pipe, within))
    left = feeds[~dry[feeds]]
    barrier = network.shut | np.isin(np.arange(len(inside)), edge)
    after = np.isfinite(_distances(network, outside, barrier, left, np.zeros(len(left))))
    cut = np.flatnonzero(before & (dry | ~after)) if len(feeds) else np.flatnonzero(dry)
    return Burst(within, edge, after[edge] & ~network.shut[edge], cut, bool(before[ends].any()))


@dataclass(frozen=True, slots=True)
class _Arcs:
    """Ways along pipes: ``start`` and ``end`` node, ``pipe``, each (A,)."""

    start: Ints
    end: Ints
    pipe: Ints

    def only(self, kept: Flags) -> "_Arcs":
        return _Arcs(self.start[kept], self.end[kept], self.pipe[kept])


def _arcs(network: PipeNetwork, way: Way) -> _Arcs:
    direction = np.zeros(len(network.pipes), np.int64) if way == "connected" else network.directed[0]
    direction = -direction if way == "upstream" else direction
    tail, head = network.topology.tail, network.topology.head
    ahead = np.flatnonzero(network.working & (direction >= 0))
    back = np.flatnonzero(network.working & (direction <= 0))
    return _Arcs(
        np.concatenate([tail[ahead], head[back]]),
        np.concatenate([head[ahead], tail[back]]),
        np.concatenate([ahead, back]),
    )


def _seeds(network: PipeNetwork, start: Start, way: Way) -> tuple[Ints, Floats]:
    """The nodes that a trace reaches first, and how far they are from the start [m]."""
    if start.node >= 0:
        return np.array([start.node]), np.zeros(1)
    direction = 0 if way == "connected" else int(network.directed[0][start.pipe])
    direction = -direction if way == "upstream" else direction
    tail, head = int(network.topology.tail[start.pipe]), int(network.topology.head[start.pipe])
    left = float(network.length[start.pipe]) - start.along
    ends = [(head, left)] * (direction >= 0) + [(tail, start.along)] * (direction <= 0)
    return np.array([node for node, _ in ends]), np.array([metres for _, metres in ends])


def _count(network: PipeNetwork) -> int:
    return len(network.topology.record)


def _distances(network: PipeNetwork, arcs: _Arcs, barrier: Flags, seeds: Ints, offsets: Floats) -> Floats:
    """How far each node is from the nearest seed [m], infinite where there is no way; none leads through a barrier."""
    size = _count(network)
    if not len(seeds):
        return np.full(size, np.inf)
    kept = arcs.only(~barrier[arcs.start])
    # A further node stands for the start: it leads to each seed at its offset.
    starts = np.concatenate([kept.start, np.full(len(seeds), size)])
    ends = np.concatenate([kept.end, seeds])
    metres = np.concatenate([network.length[kept.pipe], offsets]) + _LEAST
    order = np.lexsort((metres, ends, starts))  # of parallel pipes the shortest
    first = np.ones(len(order), bool)
    first[1:] = (np.diff(starts[order]) != 0) | (np.diff(ends[order]) != 0)
    use = order[first]
    matrix = coo_array((metres[use], (starts[use], ends[use])), shape=(size + 1, size + 1)).tocsr()
    return np.asarray(dijkstra(matrix, indices=size))[:size]


def _reached(arcs: _Arcs, distance: Floats, barrier: Flags, first: int) -> Reached:
    """The pipes that are entered from nodes that were reached, and the ``first`` one (-1: none)."""
    entered = np.where(barrier[arcs.start], np.inf, distance[arcs.start])
    hit = np.flatnonzero(np.isfinite(entered))
    best: dict[int, float] = {} if first < 0 else {first: 0.0}
    for pipe, metres in zip(arcs.pipe[hit].tolist(), entered[hit].tolist(), strict=True):
        if metres < best.get(pipe, np.inf):
            best[pipe] = metres
    order = sorted(best, key=lambda pipe: (best[pipe], pipe))
    pipes = np.array(order, dtype=np.int64)
    return Reached(pipes, np.array([best[pipe] for pipe in order]), np.flatnonzero(np.isfinite(distance)))
