"""The pixel grids of tile matrix sets, on which aligned copies lie."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import morecantile
from affine import Affine
from pyproj import CRS

#: Aligned copies by tile matrix set: EPSG code of its CRS.
ALIGNED = {"WebMercatorQuad": 3857, "CGCS2000Quad": 4490}
_DEEPEST = 26


@dataclass(frozen=True, slots=True)
class PixelGrid:
    """Where the pixels of a raster lie: CRS (EPSG code or WKT), transform from (column, row) to (east, north), size."""

    crs: Any
    transform: Any  # an Affine; its types know numbers only, where arrays serve as well
    width: int
    height: int


@cache
def tile_matrix_set(name: str) -> morecantile.TileMatrixSet:
    """The tile matrix set: ``WebMercatorQuad`` (OGC 17-083r4 annex D.1), or ``CGCS2000Quad``, the same as its
    ``WorldCRS84Quad`` (annex D.2) with CGCS2000 for a datum."""
    if name == "CGCS2000Quad":
        degrees: morecantile.TileMatrixSet = morecantile.TileMatrixSet.custom(
            [-180, -90, 180, 90], CRS.from_epsg(4490), matrix_scale=[2, 1], id=name, maxzoom=_DEEPEST
        )
        return degrees
    return morecantile.tms.get(name)


def aligned_grid(name: str, bounds: tuple[float, float, float, float], resolution: float) -> PixelGrid | None:
    """The pixels of the zoom level nearest to ``resolution`` that cover ``bounds``, from tile corner to tile corner.

    Bounds (west, south, east, north) and resolution are in the set's CRS. None where the bounds lie outside the set.
    """
    tms = tile_matrix_set(name)
    west, south, east, north = tms.xy_bbox
    box = (max(bounds[0], west), max(bounds[1], south), min(bounds[2], east), min(bounds[3], north))
    if box[0] >= box[2] or box[1] >= box[3]:
        return None
    zoom = tms.zoom_for_res(resolution, max_z=_DEEPEST, zoom_level_strategy="auto")
    matrix = tms.matrix(zoom)
    side = matrix.cellSize * matrix.tileWidth
    first = (int((box[0] - west) / side), int((north - box[3]) / side))
    last = (-int(-(box[2] - west) // side), -int(-(north - box[1]) // side))
    columns, rows = (max(b - a, 1) for a, b in zip(first, last, strict=True))
    origin = Affine.translation(west + first[0] * side, north - first[1] * side)
    transform = origin @ Affine.scale(matrix.cellSize, -matrix.cellSize)
    return PixelGrid(ALIGNED[name], transform, columns * matrix.tileWidth, rows * matrix.tileHeight)
