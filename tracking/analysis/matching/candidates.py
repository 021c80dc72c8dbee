"""Places on roads near fixes."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.network.graph import Graph
from layers.network.position import located
from tracking.analysis.plane import on_plane, scale_of

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Places sorted by fix, nearest first; each (c,) or (c, 2).

    ``fix``: its number. ``edge``, ``along`` [m], ``lonlat`` [°], ``distance`` [m] from the fix. ``start`` (n + 1,):
    those of fix i are ``start[i]:start[i + 1]``.
    """

    fix: Ints
    edge: Ints
    along: Floats
    lonlat: Floats
    distance: Floats
    start: Ints


def candidates(graph: Graph, lon: Floats, lat: Floats, radius: float, most: int) -> Candidates:
    """The places within ``radius`` [m] of each fix, one for each road, at most ``most`` of the nearest."""
    onto = np.asarray(shapely.points(on_plane(lon, lat)), object)
    scale = scale_of(lat)
    fix, number = graph.tree.query(onto, predicate="dwithin", distance=radius * scale)
    edge = graph.open_edges[number]
    distance = shapely.distance(graph.network.edges.lines[edge], onto[fix]) / scale[fix]
    order = np.lexsort((edge, distance, fix))
    fix, edge, distance = fix[order], edge[order], distance[order]
    start = np.searchsorted(fix, np.arange(len(lon) + 1))
    kept = np.arange(len(fix)) - start[fix] < most
    fix, edge, distance = fix[kept], edge[kept], distance[kept]
    along, lonlat = located(graph.network, edge, onto[fix])
    return Candidates(fix, edge, along, lonlat, distance, np.searchsorted(fix, np.arange(len(lon) + 1)))
