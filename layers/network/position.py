"""Places on the network: points snapped to their nearest edge."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import shapely

from layers.network.edges import Floats, Ints, Objects, geodesic, to_plane
from layers.network.errors import FarFromRoads
from layers.network.graph import Graph, Network
from layers.network.topology import TOLERANCE

Point = tuple[float, float]
#: How far from a road a point may lie by default [m].
REACH = 1000.0


@dataclass(frozen=True, slots=True)
class Places:
    """Places on edges of one graph; they are numbers of that graph, and mean nothing in another.

    Each (n,): ``edge``; ``along`` its line [m]; ``node`` when it is at an end, else -1; ``distance`` [m] from the point
    that was asked for. ``lonlat`` (n, 2) CGCS2000 [°].
    """

    edge: Ints
    along: Floats
    node: Ints
    lonlat: Floats
    distance: Floats

    def __len__(self) -> int:
        return len(self.edge)

    def take(self, index: slice | Ints) -> "Places":
        """The places of these numbers."""
        return Places(*(getattr(self, field.name)[index] for field in fields(self)))

    def only(self, number: int) -> "Places":
        """One of them."""
        return self.take(slice(number, number + 1))


def snap(graph: Graph, points: Sequence[Point], reach: float = REACH, name: str = "points") -> Places:
    """The nearest place on a road of this mode for each point (longitude, latitude) [°].

    Raises :class:`FarFromRoads`, naming the input ``name``, when a point has no road within ``reach`` [m].
    """
    if not len(graph.open_edges):
        raise FarFromRoads(f"input {name!r}: the layer roads has no road that this mode may use")
    places = nearest(graph, points)
    for number in np.flatnonzero(places.distance > reach)[:1]:
        lon, lat = points[number]
        raise FarFromRoads(
            f"input {name!r}, number {number + 1} ({lon:g}, {lat:g}): the nearest road is "
            f"{places.distance[number]:.0f} m away, more than {reach:g} m"
        )
    return places


def nearest(graph: Graph, points: Sequence[Point]) -> Places:
    """The nearest place on a road of this mode for each point, however far. The graph has a road at least."""
    network = graph.network
    asked = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    # On Mercator's plane the poles are infinitely far: no road is nearer to them than to 89.9°.
    onto = np.asarray(shapely.points(to_plane(np.column_stack([asked[:, 0], asked[:, 1].clip(-89.9, 89.9)]))), object)
    edge = graph.open_edges[graph.tree.nearest(onto)]
    along, lonlat = located(network, edge, onto)
    at_end = along >= network.length[edge] - TOLERANCE
    topology = network.topology
    node = np.where(along <= TOLERANCE, topology.tail[edge], np.where(at_end, topology.head[edge], -1))
    return Places(edge, along, node, lonlat, geodesic(asked, lonlat))


def located(network: Network, edge: Ints, onto: Objects) -> tuple[Floats, Floats]:
    """The place on each edge nearest to a point on the plane: how far along [m] (n,), and where [°] (n, 2)."""
    edges = network.edges
    place = network.plane_along[edges.first[edge]] + shapely.line_locate_point(edges.lines[edge], onto)
    after = np.searchsorted(network.plane_along, place, side="right").clip(edges.first[edge] + 1, edges.last[edge])
    step = network.plane_along[after] - network.plane_along[after - 1]
    part = ((place - network.plane_along[after - 1]) / np.where(step > 0, step, 1.0)).clip(0.0, 1.0)
    lonlat = edges.lonlat[after - 1] + (edges.lonlat[after] - edges.lonlat[after - 1]) * part[:, None]
    return edges.along[after - 1] + (edges.along[after] - edges.along[after - 1]) * part, lonlat


def at_nodes(graph: Graph, nodes: Ints) -> Places:
    """The places of nodes where roads of this mode meet."""
    topology, arcs = graph.network.topology, graph.arcs
    edge = np.full(len(topology.nodes), -1)
    edge[topology.head[arcs.edge]] = arcs.edge
    edge[topology.tail[arcs.edge]] = arcs.edge
    at = edge[nodes]
    along = np.where(topology.tail[at] == nodes, 0.0, graph.network.length[at])
    return Places(at, along, np.asarray(nodes), topology.nodes[nodes], np.zeros(len(nodes)))
