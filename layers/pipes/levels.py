"""How high pipes lie: bottoms, tops and cover, from inverts or depths and the ground."""

from dataclasses import dataclass

import numpy as np
import shapely
from sqlalchemy import Connection

from layers.pipes.network import PipeNetwork
from layers.pipes.records import Floats, Ints
from layers.raster.registry import load_coverage
from layers.raster.sampling import sample
from layers.raster.store import RasterStore
from layers.registry import LayerNotFound


@dataclass(frozen=True, slots=True)
class Levels:
    """Of some pipes, at start and end (P, 2) [m]: ``bottom`` of the inside, ``top``, ``ground``; NaN unknown.

    Walls are not counted: their thickness is no field, so distances between outsides come out larger by two walls.
    """

    bottom: Floats
    top: Floats
    ground: Floats

    @property
    def cover(self) -> Floats:
        """Ground above the top [m], (P, 2)."""
        return self.ground - self.top


def levels_of(conn: Connection, store: RasterStore, network: PipeNetwork, rows: Ints, dem: str) -> Levels:
    """The levels of the pipes of these rows. The bottom is the invert, else ground less depth, measured as the kind's
    depths are; the ground is the node's, else that of the coverage ``dem``."""
    ends = np.column_stack([network.topology.tail[rows], network.topology.head[rows]])
    ground = np.append(network.nodes["ground"], np.nan)[network.topology.record[ends]]
    lacking = np.isnan(ground)
    if lacking.any():
        points = np.stack([_ends(network, rows, 0), _ends(network, rows, -1)], axis=1)
        ground = ground.copy()
        ground[lacking] = ground_at(conn, store, dem, points[lacking])
    height = np.repeat(network.size[rows, 1:2], 2, axis=1)
    depth = np.column_stack([network.pipes["start_depth"][rows], network.pipes["end_depth"][rows]])
    to_top = np.array([network.standards.kind(kind).depth_to == "top" for kind in network.pipes["kind"][rows]], bool)
    there = ground - depth
    inverts = network.inverts[rows]
    unknown = np.isnan(inverts)
    bottom = np.where(unknown, there - np.where(to_top[:, None], height, 0.0), inverts)
    return Levels(bottom, np.where(unknown & to_top[:, None], there, bottom + height), ground)


def ground_at(conn: Connection, store: RasterStore, dem: str, lonlat: Floats) -> Floats:
    """The coverage's heights at points [°]; NaN where it has none, or there is no such coverage."""
    try:
        coverage = load_coverage(conn, dem)
    except LayerNotFound:
        return np.full(len(lonlat), np.nan)
    found = sample(conn, store, coverage, np.ascontiguousarray(lonlat), 4490, method="bilinear").values
    return np.asarray(found[:, 0].filled(np.nan)) if found.shape[1] else np.full(len(lonlat), np.nan)


def between(ends: Floats, share: Floats) -> Floats:
    """Values at a share of the way between those of start and end (n, 2)."""
    return ends[:, 0] + (ends[:, 1] - ends[:, 0]) * share


def _ends(network: PipeNetwork, rows: Ints, end: int) -> Floats:
    return np.asarray(shapely.get_coordinates(shapely.get_point(network.pipes.shapes[rows], end))).reshape(-1, 2)
