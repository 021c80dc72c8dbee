"""Terrain tiles of a coverage of heights: found, read on the tile's cells, packed."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from layers.catalogue import Layer
from layers.database import Reader
from layers.raster.mosaic import Grid
from layers.raster.store import RasterStore
from layers.terrain.derived import with_margin
from layers.terrain.errors import TerrainError
from tiles.matrix_sets import MatrixSet
from tiles.raster.drawing import heights
from tiles.raster.look import Format
from tiles.raster.pictures import lossless
from tiles.raster.sources import find
from tiles.rendered import Rendered
from tiles.terrain.mesh import CELLS, MEDIA_TYPE, nodes, quantized_mesh
from tiles.terrain.rgb import Encoding

type Place = tuple[MatrixSet, int, int, int]


def render_height_tile(
    reader: Reader, store: RasterStore, layers: Sequence[Layer], place: Place, size: int, how: Encoding, format_: Format
) -> Rendered:
    """Heights as colours, ``size`` pixels a side. Raises :class:`TerrainError` for a coverage that has no heights."""
    grid, z, y, x = place
    snapshot, found = _read(reader, store, layers, Grid(grid.box(z, y, x), grid.srid, size, size))
    body, media_type = lossless(how.pack(found), format_)
    return Rendered(body, snapshot, media_type)


def render_mesh_tile(reader: Reader, store: RasterStore, layers: Sequence[Layer], place: Place) -> Rendered:
    """The tile as triangles; the grid's units must be degrees. Raises :class:`TerrainError`."""
    grid, z, y, x = place
    bounds = grid.box(z, y, x)
    wider = with_margin(Grid(bounds, grid.srid, CELLS, CELLS), 1)
    snapshot, found = _read(reader, store, layers, wider)
    cell = grid.cell_metres(z) * 256 / CELLS
    return Rendered(quantized_mesh(nodes(found), bounds, cell), snapshot, MEDIA_TYPE)


def _read(reader: Reader, store: RasterStore, layers: Sequence[Layer], grid: Grid) -> tuple[str, NDArray[np.float64]]:
    found = find(reader, layers, grid, None, None)
    if found.shown.nature != "elevation":
        raise TerrainError(f"the pixels of {layers[0].id!r} are no heights; choose a coverage of elevation, as 'dem'")
    known = np.ma.asarray(heights(store, found, grid), dtype=np.float64)
    return found.snapshot, np.ma.filled(known, np.nan)
