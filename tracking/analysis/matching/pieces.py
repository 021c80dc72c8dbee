"""The way that was driven, as pieces of edges in order."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from tracking.analysis.matching.candidates import Candidates
from tracking.analysis.matching.transitions import Roads, Ways

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]


def pieces_of(roads: Roads, near: Candidates, found: Ways, first: Ints, second: Ints) -> dict[str, Any]:
    """The pieces of steps from fix ``first[i]`` to ``second[i]``, as :class:`tracking.analysis.matching.model.Matched`
    names them."""
    step, arc, rank = _between(roads, found)
    one = found.leaves < 0
    rows = np.flatnonzero(~one)
    a, b = near.edge[found.tail], near.edge[found.head]
    leaving, entering = near.along[found.tail], near.along[found.head]
    out = np.where(found.ahead, roads.length[a], 0.0)
    into = np.where(found.onward, 0.0, roads.length[b])
    edge, forward = roads.graph.arcs.edge[arc], roads.graph.arcs.forward[arc]
    length = roads.length[edge]
    parts = [
        (np.flatnonzero(one), a[one], leaving[one], entering[one], np.zeros(int(one.sum()))),
        (rows, a[rows], leaving[rows], out[rows], np.full(len(rows), -1)),
        (step, edge, np.where(forward, 0.0, length), np.where(forward, length, 0.0), rank),
        (rows, b[rows], into[rows], entering[rows], np.full(len(rows), 1_000_000)),
    ]
    steps, edges, starts, ends, ranks = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((ranks, steps))
    return {
        "piece_edge": edges[order],
        "piece_start": starts[order],
        "piece_end": ends[order],
        "piece_from": first[steps[order]],
        "piece_fix": second[steps[order]],
    }


def _between(roads: Roads, found: Ways) -> tuple[Ints, Ints, Ints]:
    """Whole arcs between the edges: number of the step, arc, and rank along the way."""
    step = np.flatnonzero((found.leaves >= 0) & (found.leaves != found.enters))
    at = found.enters[step]
    matrix = roads.graph.ahead
    arcs = csr_array((matrix.arc + 1, matrix.state, matrix.start), shape=(roads.graph.arcs.states,) * 2)
    steps, chosen, ranks = [], [], []
    rank = 999_999
    while len(step):
        before = np.empty(len(step), np.int64)
        for far, table in ((False, roads.near), (True, roads.far)):
            rows = np.flatnonzero(found.far[step] == far)
            if len(rows) and table is not None:
                before[rows] = table.before(found.leaves[step[rows]], at[rows])
        steps.append(step)
        chosen.append(np.asarray(arcs[before, at]).ravel() - 1)
        ranks.append(np.full(len(step), rank))
        on = before != found.leaves[step]
        step, at, rank = step[on], before[on], rank - 1
    none = np.zeros(0, np.int64)
    return tuple(np.concatenate([none, *column]) for column in (steps, chosen, ranks))  # type: ignore[return-value]
