"""The pipe network in memory: pipes, nodes, how they hang together, and which way the water runs."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pyproj
import shapely

from layers.pipes.records import Flags, Floats, Ints, Records
from layers.pipes.standards import Standards
from layers.pipes.topology import Topology, topology_of

#: CGCS2000's ellipsoid; GRS 80 differs in the tenth digit.
ELLIPSOID = pyproj.Geod(a=6378137.0, rf=298.257222101)
#: Inverts that differ by less say nothing of the direction [m].
_LEVEL = 0.001
#: Nodes that feed a network under pressure.
_FEEDS = ("source", "tank", "plant")

DirectionBy = Literal["flow", "inverts", "drawn", "none"]
DIRECTIONS: tuple[DirectionBy, ...] = ("flow", "inverts", "drawn", "none")


@dataclass(frozen=True, eq=False)
class PipeNetwork:
    """Pipes and nodes as arrays; made once per state of the layers and shared."""

    pipes: Records
    nodes: Records
    standards: Standards

    @cached_property
    def topology(self) -> Topology:
        """Which ends meet."""
        return topology_of(self.pipes, self.nodes, self.standards)

    @cached_property
    def length(self) -> Floats:
        """Length of each pipe [m] on the ellipsoid."""
        points, of = shapely.get_coordinates(self.pipes.shapes, return_index=True)
        if not len(points):
            return np.zeros(0)
        same = of[1:] == of[:-1]
        steps = np.asarray(ELLIPSOID.inv(*points[:-1].T, *points[1:].T)[2])
        return np.bincount(of[1:][same], steps[same], len(self.pipes))

    @cached_property
    def gravity(self) -> Flags:
        """Whether the pipe's water runs by gravity."""
        return np.array([self.standards.kind(kind).flow == "gravity" for kind in self.pipes["kind"]], dtype=bool)

    @cached_property
    def working(self) -> Flags:
        """Whether the pipe is in use: abandoned ones carry nothing."""
        return np.array([status != "abandoned" for status in self.pipes["status"]], dtype=bool)

    @cached_property
    def inverts(self) -> Floats:
        """Bottom of the inside at start and end (E, 2) [m]: the pipe's own, else of drains the node's; NaN unknown."""
        own = np.column_stack([self.pipes["start_invert"], self.pipes["end_invert"]])
        ends = np.column_stack([self.topology.tail, self.topology.head])
        bottoms = np.append(self.nodes["bottom"], np.nan)[self.topology.record[ends]]
        return np.where(np.isnan(own) & self.gravity[:, None], bottoms, own)

    @cached_property
    def directed(self) -> tuple[Ints, Ints]:
        """Per pipe the direction (1 from start to end, -1 back, 0 either way), and by what it is known: an index into
        :data:`DIRECTIONS`. A surveyed direction comes first, then of drains the fall of the inverts, then of those
        that are level or unknown the order in which they were drawn."""
        flow = np.nan_to_num(self.pipes["flow"]).astype(np.int64)
        fall = np.nan_to_num(self.inverts[:, 0] - self.inverts[:, 1])
        falls = self.gravity & (np.abs(fall) >= _LEVEL)
        by = np.select([flow != 0, falls, self.gravity], [0, 1, 2], 3)
        return np.select([by == 0, by == 1, by == 2], [flow, np.sign(fall).astype(np.int64), 1], 0), by

    @cached_property
    def size(self) -> Floats:
        """Width and height of each pipe [m], (E, 2); NaN unknown."""
        round_ = self.pipes["diameter"]
        wide = np.where(np.isnan(self.pipes["width"]), round_, self.pipes["width"])
        high = np.where(np.isnan(self.pipes["height"]), round_, self.pipes["height"])
        return np.column_stack([wide, high]) / 1000

    def fitting(self, node: int) -> str | None:
        """What a node is, if it has a record."""
        record = int(self.topology.record[node])
        found: str | None = self.nodes["fitting"][record] if record >= 0 else None
        return found

    @cached_property
    def valve(self) -> Flags:
        """Whether each node is a valve."""
        return self._with("fitting", ("valve",))

    @cached_property
    def shut(self) -> Flags:
        """Whether each node is a valve that is closed."""
        return self.valve & self._with("closed", (True,))

    @cached_property
    def feeds(self) -> Flags:
        """Whether each node feeds the network."""
        return self._with("fitting", _FEEDS)

    def _with(self, column: str, wanted: tuple[object, ...]) -> Flags:
        has = np.array([value in wanted for value in self.nodes[column]] + [False], dtype=bool)
        return has[self.topology.record]
