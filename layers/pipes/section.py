"""Sections 断面: along a way of pipes (纵断面), and across the pipes that a line crosses (横断面)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from layers.crs import transformer
from layers.pipes.errors import NoSuchPipe, PipeError
from layers.pipes.levels import Levels, between
from layers.pipes.locating import node_row, projected
from layers.pipes.network import ELLIPSOID, PipeNetwork
from layers.pipes.records import Floats, Ints


@dataclass(frozen=True, slots=True)
class Way:
    """Pipes in order: ``rows`` (P,), whether each is ``reversed`` (followed from its end to its start), and the
    ``distance`` of their ends from the way's start (P + 1,) [m]."""

    rows: Ints
    reversed: Ints
    distance: Floats


@dataclass(frozen=True, slots=True)
class Crossing:
    """A pipe that a line crosses: its ``row``, at which ``distance`` along the line [m] and ``share`` of its own
    length, at what ``angle`` between the two [°, 0 … 90], and where [°]."""

    row: int
    distance: float
    share: float
    angle: float
    place: tuple[float, float]


def way_of_pipes(network: PipeNetwork, rows: Sequence[int]) -> Way:
    """The way over pipes that follow each other. Raises :class:`PipeError` for two that do not."""
    tail, head = network.topology.tail, network.topology.head
    turned = []
    at: int | None = None
    for place, row in enumerate(rows):
        ends = (int(tail[row]), int(head[row]))
        if at is None:
            following = {int(tail[rows[1]]), int(head[rows[1]])} if len(rows) > 1 else {ends[1]}
            at = ends[0] if ends[1] in following else ends[1]
        if at not in ends:
            before, this = (int(network.pipes.feature[r]) for r in (rows[place - 1], row))
            raise PipeError(f"input 'pipes': pipe {this} does not go on from pipe {before}")
        turned.append(int(at == ends[1] and ends[0] != ends[1]))
        at = ends[0] if turned[-1] else ends[1]
    index = np.array(rows, dtype=np.int64)
    distance = np.concatenate([[0.0], np.cumsum(network.length[index])])
    return Way(index, np.array(turned, dtype=np.int64), distance)


def way_between(network: PipeNetwork, start: str, end: str) -> Way:
    """The shortest way over pipes in use from one node to another. Raises :class:`NoSuchPipe` where there is none."""
    a, b = node_row(network, start), node_row(network, end)
    rows = np.flatnonzero(network.working)
    tail, head = network.topology.tail[rows], network.topology.head[rows]
    order = np.argsort(-network.length[rows], kind="stable")  # of parallel pipes the shortest is written last
    size = len(network.topology.record)
    of = {}
    for i in order.tolist():
        of[int(tail[i]), int(head[i])] = of[int(head[i]), int(tail[i])] = int(rows[i])
    pairs = np.array(list(of), dtype=np.int64).reshape(-1, 2)
    metres = network.length[list(of.values())] + 1e-9
    graph = coo_array((metres, (pairs[:, 0], pairs[:, 1])), shape=(size, size)).tocsr()
    cost, previous = dijkstra(graph, indices=a, return_predecessors=True)
    if a == b or not np.isfinite(cost[b]):
        raise NoSuchPipe(f"no way over pipes leads from node {start[:60]!r} to {end[:60]!r}")
    nodes = [b]
    while nodes[-1] != a:
        nodes.append(int(previous[nodes[-1]]))
    nodes.reverse()
    found = [of[pair] for pair in zip(nodes, nodes[1:], strict=False)]
    turned = [int(network.topology.tail[row] != node) for row, node in zip(found, nodes, strict=False)]
    index = np.array(found, dtype=np.int64)
    return Way(index, np.array(turned), np.concatenate([[0.0], np.cumsum(network.length[index])]))


def line_of(network: PipeNetwork, way: Way) -> shapely.LineString:
    """The way as one line [°]."""
    parts = [
        shapely.reverse(network.pipes.shapes[row]) if turned else network.pipes.shapes[row]
        for row, turned in zip(way.rows.tolist(), way.reversed.tolist(), strict=True)
    ]
    points = np.vstack([shapely.get_coordinates(part) for part in parts])
    moved = np.ones(len(points), bool)
    moved[1:] = (points[1:] != points[:-1]).any(axis=1)
    return shapely.LineString(points[moved])


def crossings(
    network: PipeNetwork, line: shapely.LineString, srid: int, left_out: Ints | None = None
) -> list[Crossing]:
    """The pipes in use that a line [°] crosses, in order along it; measured in EPSG ``srid``."""
    rows = np.flatnonzero(network.working & network.pipes.meeting([line.bounds]))
    rows = rows if left_out is None else rows[~np.isin(rows, left_out)]
    flat = projected(np.array([line], dtype=object), srid)[0]
    shapes = projected(network.pipes.shapes[rows], srid)
    if not np.isfinite(flat.length):
        raise PipeError(f"input 'line' lies where EPSG:{srid}, in which this city measures, does not reach")
    scale = length_of(line) / flat.length if flat.length else 1.0
    found = []
    for row, shape, met in zip(rows.tolist(), shapes, shapely.intersection(shapes, flat), strict=True):
        for point in shapely.get_parts(met):
            if point.geom_type == "Point":
                found.append(_crossing(network, row, shape, flat, point, scale, srid))
    return sorted(found, key=lambda crossing: (crossing.distance, crossing.row))


def _crossing(
    network: PipeNetwork, row: int, shape: shapely.LineString, line: shapely.LineString, point: shapely.Point,
    scale: float, srid: int,
) -> Crossing:  # fmt: skip
    angle = abs(_heading(shape, point) - _heading(line, point)) % 180
    lon, lat = shapely.transform(point, transformer(srid, 4490).transform, interleaved=False).coords[0]
    return Crossing(
        row,
        float(line.project(point)) * scale,
        float(shape.project(point, normalized=True)),
        min(angle, 180 - angle),
        (round(lon, 8), round(lat, 8)),
    )


def _heading(line: shapely.LineString, point: shapely.Point) -> float:
    """The direction of a line where it passes a point [°]."""
    at = line.project(point)
    (x, y), (u, v) = (line.interpolate(max(0.0, at + step)).coords[0] for step in (-0.05, 0.05))
    return float(np.degrees(np.arctan2(v - y, u - x)))


def length_of(line: shapely.LineString) -> float:
    """Length of a line in degrees on the ellipsoid [m]."""
    return float(ELLIPSOID.geometry_length(line))


def level_at(levels: Levels, index: int, share: float) -> tuple[float, float, float]:
    """Bottom, top and ground at a share of the way along one of the pipes [m]; NaN unknown."""
    at = np.array([share])
    pick = slice(index, index + 1)
    bottom, top, ground = (between(v[pick], at)[0] for v in (levels.bottom, levels.top, levels.ground))
    return float(bottom), float(top), float(ground)
