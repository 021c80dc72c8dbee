"""The recipe ``contours``: lines of equal height, cell by cell of 0.02°, each as fine as the elevation there."""

import math

import numpy as np
import shapely
from sqlalchemy import Connection

from layers.catalogue import CGCS2000, Layer
from layers.derived.model import Cell, Derivation
from layers.derived.queries import replace_contours
from layers.raster.images import find_images
from layers.raster.mosaic import Grid, read
from layers.raster.registry import coverage_of
from layers.raster.store import RasterStore
from layers.terrain.contours import contours
from layers.terrain.elevation import Elevation

#: Steps along a side of a cell: powers of two, so that cells of different fineness share points of their edges.
_FEWEST, _MOST = 32, 2048
#: Degrees to which an image may change what is read beside it.
MARGIN = 0.001
#: Corners that lie so near a line [degrees, a centimetre] are left out.
_STRAIGHT = 1e-7
_METRES_PER_DEGREE = 111_320.0


def draw(conn: Connection, store: RasterStore, derivation: Derivation, layers: dict[str, Layer], cell: Cell) -> None:
    """Draw the contours of a cell anew; it has none where elevation is unknown."""
    dem = coverage_of(conn, layers[derivation.layer.inputs[0]])
    images = find_images(conn, dem, cell.box)
    lines: list[tuple[float, bool, bytes]] = []
    if images:
        steps = _steps(min(image.resolution for image in images))
        grid = _nodes(cell, steps)
        heights = read(conn, store, dem, grid, resampling="bilinear", dtype="float64").values[0].filled(np.nan)
        known = Elevation(heights, grid.transform, CGCS2000)
        every = int(derivation.parameters.get("index_every", 5))
        for found in contours(known, derivation.parameters.get("interval", 5.0), every):
            line = shapely.simplify(found.line, _STRAIGHT, preserve_topology=False)
            lines.append((found.elevation, found.index, shapely.to_wkb(line)))
    replace_contours(conn, derivation.layer, cell.name, cell.box, lines)


def _steps(resolution: float) -> int:
    """Steps along a side: two or more in the finest pixel [m], if that can be, so that no summit falls between them."""
    wanted = 2 * 0.02 * _METRES_PER_DEGREE / max(resolution, 0.01)
    return min(_MOST, max(_FEWEST, 1 << math.ceil(math.log2(max(wanted, 1.0)))))


def _nodes(cell: Cell, steps: int) -> Grid:
    """The grid whose cells' centres lie on the corners and edges of a cell, and at steps between."""
    west, south, east, north = cell.box
    half = (east - west) / steps / 2
    return Grid((west - half, south - half, east + half, north + half), CGCS2000, steps + 1, steps + 1)
