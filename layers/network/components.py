"""Which parts of the network hang together."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from layers.network.edges import Ints
from layers.network.graph import Graph

Connection = Literal["strong", "weak"]


@dataclass(frozen=True, slots=True)
class Component:
    """A part that hangs together: its nodes, its edges and their length [m], and where one of its nodes is [°]."""

    nodes: int
    edges: int
    length: float
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Connectivity:
    """``strong``: within each, every place is reached from every other. ``weak``: the same if no street were one-way.

    Largest first, by length. Weak parts other than the largest are islands or gaps between lines; strong ones beside
    the largest of their weak part are traps of one-way streets.
    """

    strong: tuple[Component, ...]
    weak: tuple[Component, ...]


def connectivity(graph: Graph, at_most: int = 1000) -> Connectivity:
    """The parts of the network, turn restrictions aside; ``at_most`` of each kind."""
    return Connectivity(_components(graph, "strong", at_most), _components(graph, "weak", at_most))


def labels(graph: Graph, connection: Connection) -> Ints:
    """The number of each node's ``strong`` or ``weak`` part; closed roads' nodes are parts by themselves."""
    arcs, topology = graph.arcs, graph.network.topology
    size = len(topology.nodes)
    links = coo_array((np.ones(len(arcs.edge)), (arcs.node[arcs.tail], arcs.node[arcs.head])), shape=(size, size))
    return np.asarray(connected_components(links.tocsr(), connection=connection)[1], dtype=np.int64)


def _components(graph: Graph, connection: Connection, at_most: int) -> tuple[Component, ...]:
    label, topology = labels(graph, connection), graph.network.topology
    open_edges = graph.open_edges
    tail, head = topology.tail[open_edges], topology.head[open_edges]
    used = np.unique(np.concatenate([tail, head]))
    parts, first, nodes = np.unique(label[used], return_index=True, return_counts=True)
    within = label[tail] == label[head]
    number = np.searchsorted(parts, label[tail[within]])
    edges = np.bincount(number, minlength=len(parts))
    length = np.bincount(number, weights=graph.network.length[open_edges[within]], minlength=len(parts))
    order = np.lexsort((-nodes, -length))[:at_most]
    place = topology.nodes[used[first]]
    return tuple(
        Component(int(nodes[i]), int(edges[i]), float(length[i]), float(place[i, 0]), float(place[i, 1])) for i in order
    )
