"""The network as matrices: what each means of travel pays from node to node."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from scipy.sparse import csr_array

from layers.network.edges import Edges, Floats, Indices, Ints
from layers.network.modes import MODES, Mode, ModeId
from layers.network.topology import Topology, topology_of
from layers.network.turns import Arcs, Restriction, arcs_of, barred_turns

#: What a road costs: seconds, or metres.
CostKind = Literal["time", "length"]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Costs between states as compressed rows; of parallel arcs the cheapest. ``arc``: the arc of each entry."""

    start: Indices
    state: Indices
    cost: Floats
    arc: Ints

    def arc_between(self, tail: int, head: int) -> int:
        """The cheapest arc from one state to another."""
        row = slice(int(self.start[tail]), int(self.start[tail + 1]))
        return int(self.arc[row][np.flatnonzero(self.state[row] == head)[0]])


@dataclass(frozen=True)
class Graph:
    """The network for one means of travel and one kind of cost; never changed, so threads share it.

    ``cost`` (A,) of each whole arc; ``speed`` (E,) on each edge [m/s], 0 where it is closed. ``ahead`` leads from tails
    to heads, ``back`` from heads to tails.
    ``tree`` holds the lines of ``open_edges``. ``per_metre``: what a metre of road costs in the median.
    """

    network: "Network"
    mode: Mode
    arcs: Arcs
    cost: Floats
    speed: Floats
    ahead: Matrix
    back: Matrix
    open_edges: Ints
    tree: shapely.STRtree
    per_metre: float


class Network:
    """Edges that meet at nodes, and the graphs of each means of travel, made when first asked for."""

    def __init__(self, edges: Edges, restrictions: Sequence[Restriction] = ()) -> None:
        self.edges = edges
        self.topology: Topology = topology_of(edges)
        self.barred, self.unused_restrictions = barred_turns(edges, self.topology, restrictions)
        #: Distance on the plane from the first vertex of all, through every edge in turn.
        self.plane_along = _plane_along(edges)
        self.length = edges.length
        self._graphs: dict[tuple[ModeId, CostKind], Graph] = {}
        self._lock = threading.Lock()

    def graph(self, mode: ModeId = "drive", by: CostKind = "time") -> Graph:
        """The graph of that means of travel."""
        with self._lock:
            if (mode, by) not in self._graphs:
                sibling = next((g for (m, _), g in self._graphs.items() if m == mode), None)
                self._graphs[mode, by] = _graph(self, MODES[mode], by, sibling)
            return self._graphs[mode, by]

    def nbytes(self) -> int:
        """Size of the arrays [bytes]. The process grows by twice to thrice of it: lines, names, remains of reading."""
        own = self.edges.nbytes() + self.plane_along.nbytes + self.topology.nodes.nbytes + 16 * len(self.edges)
        return own + sum(
            g.cost.nbytes * 6 + 2 * (g.ahead.cost.nbytes * 3 + g.ahead.start.nbytes) + 64 * len(g.open_edges)
            for g in self._graphs.values()
        )


def _graph(network: Network, mode: Mode, by: CostKind, sibling: Graph | None) -> Graph:
    """``sibling``: the same means of travel at the other cost, whose arcs and tree serve again."""
    edges = network.edges
    speed = mode.speed(edges)
    if sibling is None:
        along, against = mode.directions(edges)
        arcs = arcs_of(network.topology, along, against, network.barred if mode.bound else {})
        open_edges = np.flatnonzero(along | against)
        tree = shapely.STRtree(edges.lines[open_edges])
        # Building waits for the first query; that one shall not be two threads' at once.
        tree.query(shapely.Point(0, 0))
    else:
        arcs, open_edges, tree = sibling.arcs, sibling.open_edges, sibling.tree
    length = network.length[arcs.edge]
    cost = length / speed[arcs.edge] if by == "time" else length
    ahead = _matrix(arcs.tail, arcs.head, cost, arcs.states)
    back = _matrix(arcs.head, arcs.tail, cost, arcs.states)
    per_metre = float(np.median(cost / length)) if len(cost) else 1.0
    return Graph(network, mode, arcs, cost, speed, ahead, back, open_edges, tree, per_metre)


def _matrix(rows: Ints, columns: Ints, cost: Floats, states: int) -> Matrix:
    order = np.lexsort((cost, columns, rows))
    rows, columns = rows[order], columns[order]
    cheapest = np.ones(len(order), dtype=bool)
    cheapest[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
    order, rows, columns = order[cheapest], rows[cheapest], columns[cheapest]
    start = np.searchsorted(rows, np.arange(states + 1)).astype(np.int32)
    return Matrix(start, columns.astype(np.int32), cost[order], order)


def _plane_along(edges: Edges) -> Floats:
    points = shapely.get_coordinates(edges.lines)
    steps = np.zeros(len(points))
    steps[1:] = np.hypot(*(points[1:] - points[:-1]).T)
    steps[edges.first] = 0.0
    return np.asarray(np.cumsum(steps))


def as_csr(matrix: Matrix, row: Ints, state: Ints, cost: Floats, rows: int) -> csr_array:
    """SciPy's matrix with ``rows`` further states; further state ``row[i]`` leads to ``state[i]`` at ``cost[i]``."""
    size = len(matrix.start) - 1 + rows
    start = np.concatenate([matrix.start, matrix.start[-1] + np.searchsorted(row, np.arange(1, rows + 1))])
    states = np.concatenate([matrix.state, state.astype(np.int32)])
    return csr_array((np.concatenate([matrix.cost, cost]), states, start.astype(np.int32)), shape=(size, size))
