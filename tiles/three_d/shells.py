"""Walls and roofs as city models drew them, as triangles."""

from typing import Any

import mapbox_earcut
import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.three_d.geodesy import Floats, Place
from tiles.three_d.solids import Mesh

#: Points no higher than this [m] above a building's lowest stand on the lowest ground below it.
_FOOT = 0.005
#: Faces that lean at least so much [cosine of their slope] to the sky are roofs.
_ROOF = 0.05
#: The axes that are left when a face is looked at along x, y or z, in the order in which its turn stays the same.
_SEEN_ALONG = ((1, 2), (2, 0), (0, 1))


def raise_shells(shells: NDArray[Any], owners: NDArray[np.int64], below: Floats, lowest: Floats, place: Place) -> Mesh:
    """The faces of shells (MultiPolygon Z: degrees, and metres above the building's lowest point) over the ground.

    ``owners`` are the buildings that the mesh says they are; ``below`` and ``lowest`` [m] are the mean and the least
    height of the ground below each shell.
    """
    faces, of = shapely.get_parts(shells, return_index=True)
    rings, face_of = shapely.get_rings(faces, return_index=True)
    points, ring_of = shapely.get_coordinates(rings, include_z=True, return_index=True)
    shell = of[face_of[ring_of]]
    heights = np.where(points[:, 2] > _FOOT, below[shell] + points[:, 2], lowest[shell])
    local = place.local(points[:, 0], points[:, 1], heights)
    starts = np.searchsorted(ring_of, np.arange(len(rings) + 1))
    first_ring = np.searchsorted(face_of, np.arange(len(faces) + 1))
    pieces = [
        _face([local[starts[ring] : starts[ring + 1] - 1] for ring in range(first_ring[face], first_ring[face + 1])])
        for face in range(len(faces))
    ]
    return _mesh(pieces, owners[of])


def _face(rings: list[Floats]) -> tuple[Floats, Floats, NDArray[np.uint32]] | None:
    """Corners, unit normal and triangles of a plane face; None for one without an area."""
    normal = np.sum([_area_vector(ring) for ring in rings], axis=0)
    length = float(np.linalg.norm(normal))
    if length < 1e-6:
        return None
    corners = np.vstack(rings)
    along = int(np.argmax(np.abs(normal)))
    seen = np.ascontiguousarray(corners[:, _SEEN_ALONG[along]] - corners[0, _SEEN_ALONG[along]])
    ends = np.cumsum([len(ring) for ring in rings], dtype=np.uint32)
    three = mapbox_earcut.triangulate_float64(seen, ends).reshape(-1, 3)
    a, b, c = (seen[three[:, n]] for n in range(3))
    turn = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    flipped = np.where((turn * normal[along] < 0)[:, np.newaxis], three[:, ::-1], three)[turn != 0]
    return (corners, normal / length, flipped) if len(flipped) else None


def _area_vector(ring: Floats) -> Floats:
    """Normal of a ring, as long as its area [m²] (Newell's method)."""
    moved = ring - ring[0]
    found: Floats = np.cross(moved, np.roll(moved, -1, axis=0)).sum(axis=0) / 2
    return found


def _mesh(pieces: list[tuple[Floats, Floats, NDArray[np.uint32]] | None], owners: NDArray[np.int64]) -> Mesh:
    drawn = [(piece, owner) for piece, owner in zip(pieces, owners.tolist(), strict=True) if piece is not None]
    counts = np.array([len(piece[0]) for piece, _ in drawn], np.int64)
    firsts = np.concatenate([[0], np.cumsum(counts)[:-1]]) if len(counts) else counts
    normals = np.array([piece[1] for piece, _ in drawn]).reshape(-1, 3)
    indices = [piece[2] + np.uint32(first) for (piece, _), first in zip(drawn, firsts, strict=True)]
    return Mesh(
        np.vstack([np.empty((0, 3)), *(piece[0] for piece, _ in drawn)]).astype(np.float32),
        np.repeat(normals, counts, axis=0).astype(np.float32),
        np.repeat(np.array([owner for _, owner in drawn], np.int64), counts),
        np.repeat(normals[:, 2] > _ROOF, counts),
        np.concatenate([np.empty((0, 3), np.uint32), *indices]).ravel().astype(np.uint32),
    )
