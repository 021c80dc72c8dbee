"""Divides a community into cells near a wished area along roads, water and block edges. No I/O.

Everything happens in degrees, so that the vertices of the community and of its neighbours stay what they are and no
sliver comes of moving them; metres are measured by the local length of a degree. Lines that lead nowhere divide
nothing. What is too small joins the neighbour with the longest common edge; what is too large is cut straight across
its longer side, for there is nothing to follow.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
import shapely.ops
from shapely import Polygon
from shapely.geometry.base import BaseGeometry

#: Shares of the wished area below which a piece joins a neighbour, and above which it is cut.
_SMALL, _LARGE = 0.4, 1.8
#: About a hundred metres, and a millimetre [°].
_MARGIN = 1e-3
_MILLIMETRE = 1e-8
#: A community of more cells than its codes can count is refused before the work is done.
MOST_CELLS = 999


@dataclass(frozen=True, slots=True)
class Scale:
    """Metres in a degree of longitude and of latitude at a place (WGS 84 series, within 1 mm)."""

    east: float
    north: float

    @classmethod
    def at(cls, latitude: float) -> "Scale":
        """At a latitude [°]."""
        phi = math.radians(latitude)
        north = 111132.92 - 559.82 * math.cos(2 * phi) + 1.175 * math.cos(4 * phi)
        east = 111412.84 * math.cos(phi) - 93.5 * math.cos(3 * phi) + 0.118 * math.cos(5 * phi)
        return cls(east, north)

    def area(self, shape: BaseGeometry) -> float:
        """The area of a shape in degrees [m²]."""
        return float(shape.area) * self.east * self.north

    def metres(self, shape: BaseGeometry) -> BaseGeometry:
        """The shape in metres from 0° 0°, for directions and lengths."""
        return shapely.transform(shape, lambda xy: xy * (self.east, self.north))


def divide(community: BaseGeometry, lines: Sequence[BaseGeometry], wished: float) -> list[Polygon]:
    """Cells (degrees) that cover the community exactly and share their vertices; ``wished`` [m²].

    ``lines`` may lie anywhere. Cells come in no order.
    """
    scale = Scale.at(float(community.centroid.y))
    faces = _faces(community, lines)
    groups = _joined(faces, scale, wished)
    cuts = [cut for shape in _dissolved(faces, groups) for cut in _cuts(shape, scale, wished)]
    if not cuts:
        return _dissolved(faces, groups)
    # The cuts are noded with everything else, so that neighbours share each new vertex.
    kept = [shape.boundary for shape in _dissolved(faces, groups)]
    faces = _faces(community, [*kept, *cuts])
    return _dissolved(faces, _joined(faces, scale, wished))


def _faces(community: BaseGeometry, lines: Sequence[BaseGeometry]) -> list[Polygon]:
    """The smallest pieces into which lines cut a community."""
    west, south, east, north = community.bounds
    # A little more than the community: a line that was cut at its very edge might end short of it by rounding.
    near = shapely.clip_by_rect(
        np.array(lines, dtype=object), west - _MARGIN, south - _MARGIN, east + _MARGIN, north + _MARGIN
    )
    noded = shapely.unary_union([community.boundary, *(line for line in near if not line.is_empty)])
    shapely.prepare(community)
    pieces = shapely.get_parts(shapely.polygonize(list(shapely.get_parts(noded))))
    return [piece for piece in pieces if community.covers(piece.representative_point())]


def _joined(faces: list[Polygon], scale: Scale, wished: float) -> list[int]:
    """The group of each face: the smallest joins the neighbour with which it shares the longest edge, of those that do
    not become too large by it, until all are large enough or have no neighbour."""
    least, most = _SMALL * wished, _LARGE * wished
    areas = [scale.area(face) for face in faces]
    edges = _common_edges(faces, scale)
    group = list(range(len(faces)))
    waiting = {n for n, area in enumerate(areas) if area < least}
    while waiting:
        small = min(waiting, key=lambda n: (areas[n], n))
        waiting.discard(small)
        near = edges[small]
        if not near or areas[small] >= least:
            continue
        into = max(near, key=lambda n: (areas[n] + areas[small] <= most, near[n], -n))
        group = [into if one == small else one for one in group]
        areas[into] += areas[small]
        for other, length in near.items():
            del edges[other][small]
            if other != into:
                edges[into][other] = edges[into].get(other, 0.0) + length
                edges[other][into] = edges[into][other]
        edges[small] = {}
        if areas[into] < least:
            waiting.add(into)
    return group


def _common_edges(faces: list[Polygon], scale: Scale) -> list[dict[int, float]]:
    """For each face the lengths of its common edges with others [m]."""
    edges: list[dict[int, float]] = [{} for _ in faces]
    metres = [scale.metres(face) for face in faces]
    tree = shapely.STRtree(faces)
    pairs = tree.query(faces, predicate="intersects").T
    for a, b in pairs[pairs[:, 0] < pairs[:, 1]].tolist():
        length = float(shapely.intersection(metres[a].boundary, metres[b].boundary).length)
        if length > 0:
            edges[a][b] = edges[b][a] = length
    return edges


def _dissolved(faces: list[Polygon], groups: list[int]) -> list[Polygon]:
    members: dict[int, list[Polygon]] = {}
    for face, group in zip(faces, groups, strict=True):
        members.setdefault(group, []).append(face)
    joined = [shapely.coverage_union_all(shapes) if len(shapes) > 1 else shapes[0] for shapes in members.values()]
    return [shape for shape in joined if isinstance(shape, Polygon)]


def _cuts(shape: Polygon, scale: Scale, wished: float) -> list[BaseGeometry]:
    """Straight lines that cut a shape into parts near the wished area."""
    area = scale.area(shape)
    if area <= _LARGE * wished:
        return []
    parts = max(2, round(area / wished))
    line = _across(shape, scale, (parts // 2) / parts)
    pieces = [p for p in shapely.get_parts(shapely.ops.split(shape, line)) if isinstance(p, Polygon)]
    if len(pieces) < 2:
        return []
    return [*_within(line, shape), *(cut for piece in pieces for cut in _cuts(piece, scale, wished))]


def _within(line: BaseGeometry, shape: Polygon) -> list[BaseGeometry]:
    """The parts of a line inside a shape, longer by a millimetre, so that they meet its edge whatever the rounding."""
    parts = shapely.get_parts(shapely.intersection(line, shape))
    return [_longer(part) for part in parts if part.length > 0]


def _longer(part: BaseGeometry) -> BaseGeometry:
    ends = shapely.get_coordinates(part)[[0, -1]]
    more = (ends[1] - ends[0]) / np.hypot(*(ends[1] - ends[0])) * _MILLIMETRE
    return shapely.LineString([ends[0] - more, ends[1] + more])


def _across(shape: Polygon, scale: Scale, share: float) -> BaseGeometry:
    """The line across the longer side of a shape that leaves a share of its area on one side."""
    metres = scale.metres(shape)
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(metres))
    sides = corners[1:3] - corners[:2]
    lengths = np.hypot(*sides.T)
    long, wide = (0, 1) if lengths[0] >= lengths[1] else (1, 0)
    along, aside = sides[long] / lengths[long], sides[wide] / lengths[wide]
    start = corners[0] if long == 0 else corners[1]
    low, high, reach = 0.0, float(lengths[long]), float(lengths[wide]) + 10.0
    for _ in range(40):
        middle = (low + high) / 2
        half = shapely.Polygon([
            start - aside * reach - along, start + aside * reach * 2 - along,
            start + aside * reach * 2 + along * middle, start - aside * reach + along * middle,
        ])  # fmt: skip
        low, high = (
            (middle, high) if shapely.area(shapely.intersection(metres, half)) < share * metres.area else (low, middle)
        )
    at = start + along * (low + high) / 2
    ends = np.array([at - aside * reach, at + aside * reach * 2]) / (scale.east, scale.north)
    return shapely.LineString(ends)


def in_reading_order(cells: Sequence[BaseGeometry], wished: float) -> list[int]:
    """The order in which cells are numbered: rows from north to south, each from west to east (domain facts §1).

    A row is as high as a square cell of the wished area [m²] is wide.
    """
    points = shapely.get_coordinates(shapely.point_on_surface(np.array(cells, dtype=object)))
    scale = Scale.at(float(points[:, 1].mean()))
    row = np.rint((points[:, 1].max() - points[:, 1]) * scale.north / math.sqrt(wished)).astype(int)
    return [int(n) for n in np.lexsort((-points[:, 1], points[:, 0], row))]
