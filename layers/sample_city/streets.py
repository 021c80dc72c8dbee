"""Streets as stretches between manholes: what pipes lie under and what crossings are watched."""

from dataclasses import dataclass

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components, dijkstra

from layers.sample_city.arterials import PRIMARY, RESIDENTIAL, SECONDARY
from layers.sample_city.axes import Floats, Ints, Shapes
from layers.sample_city.roads import Roads

#: Longest stretch between two manholes [m].
_LONGEST = 120.0
#: The ground rises so much per metre of the way to the nearest bank of the river.
_RISE = 0.0025
_BANK = 20.0
#: Nodes that no way leads to a bank from are so far from it [m].
_FAR = 4000.0
#: Parts of the network with fewer nodes have no pipes.
_PART = 12


@dataclass(frozen=True, slots=True)
class Streets:
    """S stretches between N nodes.

    ``lines`` (S,) [m], ``tail`` and ``head`` (S,) node at their ends, ``road`` (S,) number of the road feature.
    ``at`` (N, 2) [m]; ``bank`` (N,) the nodes where bridges begin; ``way`` (N,) length of the way to the nearest of
    these [m]; ``ground`` (N,) height of the ground [m]; ``arms`` (N,) number of road features that end there; ``part``
    (N,) the number of the part that hangs together.
    """

    lines: Shapes
    tail: Ints
    head: Ints
    road: Ints
    at: Floats
    bank: Ints
    way: Floats
    ground: Floats
    arms: Ints
    part: Ints


def make_streets(roads: Roads) -> Streets:
    """The main and residential streets from which a way leads to the river's banks, cut into stretches; bridges carry
    no pipes."""
    paved = np.isin(roads.road, (PRIMARY, SECONDARY, RESIDENTIAL))
    used = np.flatnonzero(paved & ~roads.bridge)
    lines, road = _cut(roads.lines[used], used)
    at, tail, head = _nodes(lines)
    bank = _bank(roads.lines[paved & roads.bridge], at)
    part = _parts(tail, head, len(at))
    drained = np.isin(part, np.flatnonzero(np.bincount(part) >= _PART)) & np.isin(part, part[bank])
    if drained[tail].any():
        lines, road = lines[drained[tail]], road[drained[tail]]
        at, tail, head = _nodes(lines)
        bank = _bank(roads.lines[paved & roads.bridge], at)
    size = len(at)
    graph = coo_array((shapely.length(lines), (tail, head)), shape=(size, size)).tocsr()
    way = dijkstra(graph, directed=False, indices=bank, min_only=True)
    way = np.where(np.isfinite(way), way, _FAR)
    ends = _numbers(shapely.get_coordinates(shapely.boundary(roads.lines[used])), at)
    arms = np.bincount(ends[ends >= 0], minlength=size)
    ground = np.round(_BANK + _RISE * way, 3)
    return Streets(lines, tail, head, road, at, bank, way, ground, arms, _parts(tail, head, size))


def _nodes(lines: Shapes) -> tuple[Floats, Ints, Ints]:
    """The places of the stretches' ends, and which of them each begins and ends at."""
    ends = [shapely.get_coordinates(shapely.get_point(lines, end)) for end in (0, -1)]
    at, node = np.unique(np.vstack(ends), axis=0, return_inverse=True)
    return at, node.ravel()[: len(lines)], node.ravel()[len(lines) :]


def _parts(tail: Ints, head: Ints, size: int) -> Ints:
    """The number of the part that each node hangs together with."""
    graph = coo_array((np.ones(len(tail)), (tail, head)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _cut(lines: Shapes, number: Ints) -> tuple[Shapes, Ints]:
    """Each line in equal stretches of at most :data:`_LONGEST`; to a millimetre, so that ends stay the same points."""
    length = shapely.length(lines)
    parts = np.maximum(1, np.ceil(length / _LONGEST - 1e-9)).astype(np.int64)
    of = np.repeat(np.arange(len(lines)), parts)
    place = np.arange(len(of)) - np.repeat(np.cumsum(parts) - parts, parts)
    pieces = zip(of.tolist(), place.tolist(), strict=True)
    cut = [_stretch(lines[i], k / parts[i], (k + 1) / parts[i]) for i, k in pieces]
    return shapely.set_precision(np.array(cut, dtype=object), 0.001, mode="pointwise"), number[of]


def _stretch(line: shapely.LineString, start: float, end: float) -> shapely.LineString:
    if start == 0 and end == 1:
        return line
    inner = [p for p in line.coords if start < line.project(shapely.Point(p), normalized=True) < end]
    ends = [line.interpolate(share, normalized=True).coords[0] for share in (start, end)]
    return shapely.LineString([ends[0], *inner, ends[1]])


def _bank(bridges: Shapes, at: Floats) -> Ints:
    """The nodes at the ends of bridges; in a city without any the southernmost."""
    ends = shapely.get_coordinates(shapely.set_precision(shapely.boundary(bridges), 0.001, mode="pointwise"))
    known = _numbers(ends, at) if len(ends) else np.zeros(0, np.int64)
    found = np.unique(known[known >= 0])
    return found if len(found) else np.array([int(at[:, 1].argmin())])


def _numbers(points: Floats, at: Floats) -> Ints:
    """The node at each point, to a millimetre; -1 for none."""
    order = {(round(x * 1000), round(y * 1000)): i for i, (x, y) in enumerate(at.tolist())}
    return np.array([order.get((round(x * 1000), round(y * 1000)), -1) for x, y in points.tolist()], np.int64)
