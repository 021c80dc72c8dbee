"""Clearance 净距 between pipes: side by side (in plan, between outsides) and where they cross (in height) [m].

Pairs that meet in a node are no conflict, nor are those of which the city's table says nothing.
"""

from dataclasses import dataclass

import numpy as np
import shapely

from layers.pipes.levels import Levels, between
from layers.pipes.network import PipeNetwork
from layers.pipes.records import Flags, Floats, Ints, Objects

#: Distances smaller than asked for by less than this [m] are rounding.
_ROUNDING = 1e-4


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of pipes by their numbers among those asked for, (n,) each: ``distance`` between outsides and what is
    ``required`` [m], and ``at`` which place on the plane; NaN distance where levels are unknown."""

    one: Ints
    other: Ints
    distance: Floats
    required: Floats
    at: Floats

    def conflicts(self) -> Flags:
        """Which are too close."""
        return self.distance < self.required - _ROUNDING


def side_by_side(network: PipeNetwork, rows: Ints, shapes: Objects) -> Pairs:
    """Pairs that do not cross in plan and might be too close; ``shapes`` of the rows on the plane [m]."""
    half = np.nan_to_num(network.size[rows, 0]) / 2
    widest = float(half.max(initial=0.0))
    reach = max((c.horizontal or 0.0 for c in network.standards.clearances.values()), default=0.0) + 2 * widest
    one, other = _pairs(network, rows, shapes, reach)
    required = _required(network, rows, one, other, "horizontal")
    gap = shapely.distance(shapes[one], shapes[other])
    apart = np.isfinite(required) & (gap > 0)
    one, other, gap, required = one[apart], other[apart], gap[apart], required[apart]
    at = shapely.get_coordinates(shapely.get_point(shapely.shortest_line(shapes[one], shapes[other]), 0)).reshape(-1, 2)
    return Pairs(one, other, gap - half[one] - half[other], required, at)


def crossing(network: PipeNetwork, rows: Ints, shapes: Objects, levels: Levels) -> Pairs:
    """Pairs that cross in plan, with the height between the lower one's top and the upper one's bottom; negative where
    they run into each other."""
    one, other = _pairs(network, rows, shapes, 0.0)
    required = _required(network, rows, one, other, "vertical")
    known = np.isfinite(required)
    one, other, required = one[known], other[known], required[known]
    met = shapely.intersection(shapes[one], shapes[other])
    parts, of = shapely.get_parts(met, return_index=True)
    at = shapely.point_on_surface(parts)
    one, other, required = one[of], other[of], required[of]
    lower, upper = [], []
    for index in (one, other):
        share = shapely.line_locate_point(shapes[index], at, normalized=True)
        lower.append(between(levels.bottom[index], share))
        upper.append(between(levels.top[index], share))
    gap = np.maximum(lower[0] - upper[1], lower[1] - upper[0])
    return Pairs(one, other, gap, required, shapely.get_coordinates(at).reshape(-1, 2))


def _pairs(network: PipeNetwork, rows: Ints, shapes: Objects, reach: float) -> tuple[Ints, Ints]:
    """Numbers of pairs within reach of each other that share no node, each once."""
    tree = shapely.STRtree(shapes)
    one, other = tree.query(shapes, predicate="dwithin", distance=reach) if reach else tree.query(shapes, "intersects")
    tail, head = network.topology.tail[rows], network.topology.head[rows]
    shared = (tail[one] == tail[other]) | (tail[one] == head[other]) | (head[one] == tail[other])
    kept = (one < other) & ~shared & (head[one] != head[other])
    return np.asarray(one[kept], np.int64), np.asarray(other[kept], np.int64)


def _required(network: PipeNetwork, rows: Ints, one: Ints, other: Ints, sense: str) -> Floats:
    """What the table asks for between the kinds of each pair [m]; NaN where it says nothing."""
    kinds, number = np.unique(np.array([str(kind) for kind in network.pipes["kind"][rows]]), return_inverse=True)
    table = np.full((len(kinds), len(kinds)), np.nan)
    for i, a in enumerate(kinds.tolist()):
        for j, b in enumerate(kinds.tolist()):
            found = network.standards.clearance(a, b)
            asked = getattr(found, sense) if found else None
            table[i, j] = np.nan if asked is None else asked
    return np.asarray(table[number[one], number[other]])
