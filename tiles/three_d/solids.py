"""Footprints raised to solids: walls and level roofs as triangles."""

from dataclasses import dataclass
from typing import Any

import mapbox_earcut
import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.three_d.geodesy import Floats, Place


@dataclass(frozen=True, slots=True)
class Mesh:
    """Triangles of many solids: per vertex where it is and where it faces (metres east, north, up of a place), which
    solid it is of, and whether of its roof; three ``indices`` per triangle, counter-clockwise from outside."""

    positions: NDArray[np.float32]
    normals: NDArray[np.float32]
    owners: NDArray[np.int64]
    roofs: NDArray[np.bool_]
    indices: NDArray[np.uint32]


def raise_solids(shapes: NDArray[Any], bases: Floats, tops: Floats, place: Place) -> Mesh:
    """The solids over footprints (polygons in degrees) from their bases to their tops [m]."""
    parts, owners = shapely.get_parts(shapes, return_index=True)
    parts = shapely.orient_polygons(shapely.force_2d(parts))
    walls = _walls(parts, owners, bases, tops, place)
    roofs = _roofs(parts, owners, tops, place)
    return joined(walls, roofs)


def joined(one: Mesh, other: Mesh) -> Mesh:
    """Both in one."""
    return Mesh(
        np.vstack([one.positions, other.positions]),
        np.vstack([one.normals, other.normals]),
        np.concatenate([one.owners, other.owners]),
        np.concatenate([one.roofs, other.roofs]),
        np.concatenate([one.indices, other.indices + np.uint32(len(one.positions))]),
    )


def _walls(parts: NDArray[Any], owners: NDArray[np.intp], bases: Floats, tops: Floats, place: Place) -> Mesh:
    """Four vertices per edge. Outlines run counter-clockwise and holes clockwise: outside is on the right of both."""
    rings, ring_part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    start = np.flatnonzero((ring[:-1] == ring[1:]) & np.any(points[:-1] != points[1:], axis=1))
    owner = owners[ring_part[ring[start]]]
    corners = [
        place.local(points[at, 0], points[at, 1], height[owner])
        for at, height in ((start, bases), (start + 1, bases), (start + 1, tops), (start, tops))
    ]
    along = corners[1] - corners[0]
    facing = np.column_stack([along[:, 1], -along[:, 0], np.zeros(len(start))])
    length = np.linalg.norm(facing, axis=1, keepdims=True)
    facing = np.divide(facing, length, out=np.tile([1.0, 0.0, 0.0], (len(start), 1)), where=length > 0)
    first = np.arange(len(start), dtype=np.uint32)[:, np.newaxis] * 4
    return Mesh(
        np.stack(corners, axis=1).reshape(-1, 3).astype(np.float32),
        np.repeat(facing, 4, axis=0).astype(np.float32),
        np.repeat(owner, 4),
        np.zeros(4 * len(start), bool),
        (first + np.array([0, 1, 2, 0, 2, 3], np.uint32)).ravel(),
    )


def _roofs(parts: NDArray[Any], owners: NDArray[np.intp], tops: Floats, place: Place) -> Mesh:
    points, indices, owner = [], [], []
    count = 0
    for part, of in zip(parts, owners, strict=True):
        rings = [shapely.get_coordinates(ring)[:-1] for ring in (part.exterior, *part.interiors)]
        corners = np.vstack(rings)
        triangles = mapbox_earcut.triangulate_float64(
            corners - corners[0], np.cumsum([len(ring) for ring in rings], dtype=np.uint32)
        )
        points.append(corners)
        indices.append(_facing_up(corners, triangles) + np.uint32(count))
        owner.append(np.full(len(corners), of))
        count += len(corners)
    if not count:
        return Mesh(
            np.empty((0, 3), np.float32), np.empty((0, 3), np.float32), np.empty(0, np.int64), np.empty(0, bool),
            np.empty(0, np.uint32),
        )  # fmt: skip
    flat, owned = np.vstack(points), np.concatenate(owner)
    return Mesh(
        place.local(flat[:, 0], flat[:, 1], tops[owned]).astype(np.float32),
        np.tile(np.array([0, 0, 1], np.float32), (count, 1)),
        owned,
        np.ones(count, bool),
        np.concatenate(indices).astype(np.uint32),
    )


def _facing_up(corners: Floats, triangles: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The triangles that have an area, each counter-clockwise from above."""
    three = triangles.reshape(-1, 3)
    a, b, c = (corners[three[:, n]] for n in range(3))
    turn = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    flipped = np.where((turn < 0)[:, np.newaxis], three[:, ::-1], three)
    return np.asarray(flipped[turn != 0].ravel(), np.uint32)
