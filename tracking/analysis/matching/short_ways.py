"""Ways along the roads from many states to all states near them, kept for the next track in the same streets."""

import threading
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from layers.network.graph import Graph, Network, as_csr
from layers.network.modes import ModeId
from tracking.analysis.matching.ends import Ends

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

#: How far the ways that are kept go [m], and of how many states they are kept: some kilobytes each.
NEAR = 600.0
_MOST = 15_000
#: Searches at once: each takes 12 bytes a state while it runs.
_ROWS = 64
_NONE = np.zeros(0, np.int64)


class ShortWays:
    """Shortest ways up to ``limit`` [m] from the states that were asked for; several threads may ask."""

    def __init__(self, graph: Graph, limit: float) -> None:
        #: How far they go [m].
        self.limit = limit
        self._matrix = as_csr(graph.ahead, _NONE, _NONE, np.zeros(0), 0)
        self._lock = threading.Lock()
        self._states = self._matrix.shape[0]
        self._clear()

    def costs(self, tail: Ints, head: Ints) -> Floats:
        """Length of the way from each state to another [m], (n,); infinite where there is none up to the limit."""
        with self._lock:
            rows = self._rows(tail)
            # The table holds lengths plus one, since what it lacks reads as nought.
            found = np.asarray(self._costs[rows, head] if len(rows) else np.zeros(0)).ravel()
        return np.where(found > 0, found - 1.0, np.inf)

    def before(self, tail: Ints, head: Ints) -> Ints:
        """The state before the last one on those ways; -1 where tail and head are the same or there is no way."""
        with self._lock:
            rows = self._rows(tail)
            found = np.asarray(self._before[rows, head] if len(rows) else np.zeros(0)).ravel()
        return found.astype(np.int64) - 1

    def _clear(self) -> None:
        self._row = np.full(self._states, -1)
        self._costs = self._before = csr_array((0, self._states))

    def _rows(self, tail: Ints) -> Ints:
        wanted = np.unique(tail)
        missing = wanted[self._row[wanted] < 0]
        if len(missing):
            if self._costs.shape[0] + len(missing) > _MOST:
                self._clear()
                missing = wanted
            self._add(missing)
        return np.asarray(self._row[tail])

    def _add(self, states: Ints) -> None:
        first = self._costs.shape[0]
        counts, heads, costs, before = [], [], [], []
        for at in range(0, len(states), _ROWS):
            some = states[at : at + _ROWS]
            cost, previous = dijkstra(self._matrix, indices=some, limit=self.limit, return_predecessors=True)
            row, head = np.nonzero(np.isfinite(cost))
            counts.append(np.bincount(row, minlength=len(some)))
            heads.append(head)
            costs.append(cost[row, head] + 1.0)
            before.append((np.maximum(previous[row, head], -1) + 1).astype(np.int32))
        start = np.concatenate([self._costs.indptr, self._costs.indptr[-1] + np.cumsum(np.concatenate(counts))])
        head = np.concatenate([self._costs.indices, *heads])
        shape = (first + len(states), self._states)
        self._costs = csr_array((np.concatenate([self._costs.data, *costs]), head, start), shape=shape)
        self._before = csr_array((np.concatenate([self._before.data, *before]), head, start), shape=shape)
        self._row[states] = first + np.arange(len(states))


_KEPT: "WeakKeyDictionary[Network, dict[ModeId, tuple[Ends, ShortWays]]]" = WeakKeyDictionary()
_LOCK = threading.Lock()


def near_ways(network: Network, mode: ModeId) -> tuple[Ends, ShortWays]:
    """The ends of edges and the ways up to :data:`NEAR` of a means of travel, kept as long as the network."""
    with _LOCK:
        kept = _KEPT.setdefault(network, {})
        if mode not in kept:
            graph = network.graph(mode, "length")
            kept[mode] = Ends(graph), ShortWays(graph, NEAR)
        return kept[mode]
