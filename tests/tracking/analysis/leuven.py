"""The same network and the same fixes for Leuven's map matcher."""

import logging
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.network.graph import Network
from tests.tracking.driven import Drive
from tracking.analysis.plane import on_plane, scale_of

with warnings.catch_warnings():  # of its docstrings' backslashes
    warnings.simplefilter("ignore")
    from leuvenmapmatching.map.inmem import InMemMap
    from leuvenmapmatching.matcher.distance import DistanceMatcher

type Node = tuple[str, int]


class Leuven:
    """Every stretch between two vertices is an edge there; what it answers is the road that this belongs to."""

    def __init__(self, network: Network, drives: list[Drive]) -> None:
        logging.getLogger("be.kuleuven.cs.dtai.mapmatching").setLevel(logging.ERROR)
        self._scale = float(scale_of(float(np.mean(drives[0].lat))))
        edges, graph = network.edges, network.graph("drive", "length")
        places = self._plane(edges.lonlat[:, 0], edges.lonlat[:, 1])
        self._map = InMemMap("roads", use_latlon=False)
        self._road: dict[tuple[Node, Node], int] = {}
        for edge in self._near(network, drives):
            first, end = int(edges.start[edge]), int(edges.start[edge + 1])
            inner: list[Node] = [("vertex", n) for n in range(first + 1, end - 1)]
            nodes = [("node", int(network.topology.tail[edge])), *inner, ("node", int(network.topology.head[edge]))]
            for number, node in zip(range(first, end), nodes, strict=True):
                self._map.add_node(node, tuple(places[number]))
            arcs = slice(int(graph.arcs.first[edge]), int(graph.arcs.first[edge + 1]))
            for forward in set(graph.arcs.forward[arcs].tolist()):
                for pair in zip(nodes, nodes[1:], strict=False):
                    a, b = pair if forward else pair[::-1]
                    self._map.add_edge(a, b)
                    self._road[a, b] = edge

    def roads(self, drive: Drive, noise: float) -> NDArray[np.int64]:
        """The road of each fix, -1 for none."""
        matcher = DistanceMatcher(
            self._map, max_dist=50, max_dist_init=50, obs_noise=noise, non_emitting_states=True, only_edges=True,
            max_lattice_width=10,
        )  # fmt: skip
        matcher.match([tuple(place) for place in self._plane(drive.lon, drive.lat)])
        found = np.full(len(drive.lon), -1)
        for state in matcher.lattice_best or ():
            found[state.obs] = self._road.get((state.edge_m.l1, state.edge_m.l2), -1)
        return found

    def _plane(self, lon: Any, lat: Any) -> Any:
        return on_plane(lon, lat) / self._scale

    @staticmethod
    def _near(network: Network, drives: list[Drive]) -> list[int]:
        """Roads within some hundred metres of the drives: it looks at every one for each fix."""
        west, south, east, north = network.edges.bounds().T
        found: set[int] = set()
        for drive in drives:
            close = (
                (east > drive.lon.min() - 0.005) & (west < drive.lon.max() + 0.005)
                & (north > drive.lat.min() - 0.005) & (south < drive.lat.max() + 0.005)
            )  # fmt: skip
            found |= set(np.flatnonzero(close).tolist())
        return sorted(found & set(network.graph("drive", "length").open_edges.tolist()))
