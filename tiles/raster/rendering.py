"""A raster tile, or any other picture of a coverage: found, drawn, encoded."""

from collections.abc import Sequence

from layers.catalogue import Layer
from layers.database import Reader
from layers.raster.mosaic import Grid
from layers.raster.store import RasterStore
from tiles.matrix_sets import MatrixSet
from tiles.raster.drawing import draw
from tiles.raster.look import Look
from tiles.raster.pictures import encode
from tiles.raster.sources import find
from tiles.rendered import Rendered

type Place = tuple[MatrixSet, int, int, int]


def render_raster_tile(
    reader: Reader, store: RasterStore, layers: Sequence[Layer], look: Look, place: Place, size: int
) -> Rendered:
    """The tile (grid, z, y, x) of a coverage; ``layers`` are its own and its inputs', ``size`` its side [pixels].

    Raises :class:`~tiles.matrix_sets.NoSuchTile`, and as :func:`draw`.
    """
    grid, z, y, x = place
    pixels = Grid(grid.box(z, y, x), grid.srid, size, size)
    found = find(reader, layers, pixels, look.time, look.as_of)
    photographic = found.shown.nature == "imagery" and look.expression is None
    body, media_type = encode(draw(store, found, pixels, look), look.format, photographic=photographic)
    return Rendered(body, found.snapshot, media_type)
