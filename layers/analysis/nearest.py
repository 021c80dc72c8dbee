"""The nearest 最近 of many, straight on the plane or along the roads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection

from layers.analysis.features import Objects
from layers.network.current import current_network
from layers.network.graph import CostKind
from layers.network.modes import ModeId
from layers.network.position import nearest as snap_all
from layers.network.search import costs

type Ints = NDArray[np.int64]
type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Found:
    """Pairs, sorted by feature and cost: ``of`` which feature, ``candidate``, and ``cost`` [m or s]."""

    of: Ints
    candidate: Ints
    cost: Floats


def nearest_straight(shapes: Objects, candidates: Objects, count: int, within: float) -> Found:
    """The ``count`` nearest candidates of each shape within a distance [m]; of equally near ones the first."""
    tree = shapely.STRtree(candidates)
    count = min(count, len(candidates))
    parts: list[tuple[NDArray[Any], NDArray[Any], NDArray[Any]]] = []
    left = np.arange(len(shapes))
    radius = _first_guess(candidates, count) if count else within
    while len(left) and count:
        radius = min(radius, within)
        of, candidate = tree.query(shapes[left], predicate="dwithin", distance=radius)
        enough = np.bincount(of, minlength=len(left)) >= count
        done = enough if radius < within else np.ones(len(left), bool)
        chosen = done[of]
        index, other = left[of[chosen]], candidate[chosen]
        parts.append((index, other, shapely.distance(shapes[index], candidates[other])))
        left, radius = left[~done], radius * 3
    found = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else [np.zeros(0)] * 3
    return _best(found[0], found[1], found[2], count)


def nearest_by_road(
    conn: Connection, points: Sequence[tuple[float, float]], candidates: Sequence[tuple[float, float]], count: int,
    within: float, mode: ModeId, by: CostKind, reach: float,
) -> Found:  # fmt: skip
    """The ``count`` candidates that are reached first from each point within a cost [m or s]; places [°] farther than
    ``reach`` [m] from a road of the mode are not reached."""
    graph = current_network(conn).graph(mode, by)
    starts, ends = snap_all(graph, points), snap_all(graph, candidates)
    cost = costs(graph, starts, ends, within)
    cost[starts.distance > reach] = np.inf
    cost[:, ends.distance > reach] = np.inf
    of, candidate = np.nonzero(np.isfinite(cost))
    return _best(of, candidate, cost[of, candidate], count)


def _first_guess(candidates: Objects, count: int) -> float:
    """A radius within which ``count`` of evenly spread candidates lie [m]."""
    west, south, east, north = shapely.total_bounds(candidates)
    area = max((east - west) * (north - south), 1.0)
    return max(1.0, 2 * float(np.sqrt(area * count / max(len(candidates), 1) / np.pi)))


def _best(of: NDArray[Any], candidate: NDArray[Any], cost: Floats, count: int) -> Found:
    """Of each feature its ``count`` cheapest."""
    order = np.lexsort((candidate, cost, of))
    of, candidate, cost = of[order].astype(np.int64), candidate[order].astype(np.int64), cost[order]
    kept = np.arange(len(of)) - np.searchsorted(of, of) < count
    return Found(of[kept], candidate[kept], cost[kept])
