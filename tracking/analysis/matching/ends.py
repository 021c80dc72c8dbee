"""By which states of a graph each of its edges is left and entered."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from layers.network.graph import Graph

type Ints = NDArray[np.int64]
type Flags = NDArray[np.bool_]


class Ends:
    """``exits``: the state by which each edge (E,) is left, -1 where it is not, along its vertices and against.
    ``entries``: states by which it is entered, and whether along its vertices; more than two where a turn is barred."""

    def __init__(self, graph: Graph) -> None:
        arcs = graph.arcs
        rank = np.arange(len(arcs.edge)) - arcs.first[arcs.edge]
        size = (int(rank.max(initial=0)) + 1, len(graph.network.edges))
        tails, heads, forward = np.full(size, -1), np.full(size, -1), np.zeros(size, bool)
        tails[rank, arcs.edge], heads[rank, arcs.edge] = arcs.tail, arcs.head
        forward[rank, arcs.edge] = arcs.forward
        # The arcs of one direction leave an edge alike.
        self.exits: Sequence[tuple[Ints, bool]] = tuple(
            (np.where(forward == ahead, heads, -1).max(axis=0), ahead) for ahead in (True, False)
        )
        self.entries: Sequence[tuple[Ints, Flags]] = tuple(zip(tails, forward, strict=True))
