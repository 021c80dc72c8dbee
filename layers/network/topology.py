"""Which ends of edges meet: the nodes of the network."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from layers.network.edges import Edges, Floats, Ints

#: Ends of edges within this distance [m] are one node. OpenStreetMap's grid is 11 mm, surveys keep millimetres.
TOLERANCE = 0.01
_EARTH = 6_371_007.0


@dataclass(frozen=True, slots=True)
class Topology:
    """``tail`` and ``head`` (E,): node at the first and last vertex of each edge; ``nodes`` (N, 2) [°]."""

    tail: Ints
    head: Ints
    nodes: Floats

    def node_at(self, lonlat: Floats) -> Ints:
        """The node within :data:`TOLERANCE` of each point (n, 2) [°], else -1."""
        if not len(self.nodes) or not len(lonlat):
            return np.full(len(lonlat), -1, dtype=np.int64)
        distance, node = cKDTree(_in_space(self.nodes)).query(_in_space(lonlat), distance_upper_bound=2 * TOLERANCE)
        return np.where(distance <= TOLERANCE, node, -1)


def topology_of(edges: Edges) -> Topology:
    """Join the ends of edges."""
    ends = np.ascontiguousarray(edges.lonlat[np.concatenate([edges.first, edges.last])])
    # Pairs of doubles as one complex number: NumPy sorts those ten times faster than rows.
    places, node = np.unique(ends.view(np.complex128).ravel(), return_inverse=True)
    nodes = places.view(np.float64).reshape(-1, 2)
    merged = _merged(nodes)
    node = merged[node]
    _, first = np.unique(merged, return_index=True)
    return Topology(node[: len(edges)], node[len(edges) :], nodes[first])


def _merged(places: Floats) -> Ints:
    """A node number for each place; places within the tolerance, also by way of others, share one."""
    if len(places) < 2:
        return np.arange(len(places))
    pairs = cKDTree(_in_space(places)).query_pairs(TOLERANCE, output_type="ndarray")
    if not len(pairs):
        return np.arange(len(places))
    near = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(places), len(places)))
    return np.asarray(connected_components(near, directed=False)[1], dtype=np.int64)


def _in_space(lonlat: Floats) -> Floats:
    """Points on a sphere in space [m], where a short chord is the distance, at any latitude."""
    lon, lat = np.radians(lonlat).T
    flat = np.cos(lat)
    return np.asarray(_EARTH * np.column_stack([flat * np.cos(lon), flat * np.sin(lon), np.sin(lat)]))
