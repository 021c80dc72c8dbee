"""山体阴影 hillshade, 坡度 slope and 坡向 aspect of any grid, worked out from heights as they are when it is read.

Each cell needs the heights around it, so a little more is read than is answered: grids that meet agree at their edge.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from layers.raster.mosaic import Grid
from layers.terrain.elevation import Elevation
from layers.terrain.relief import aspect, hillshade, slope

#: Cells that are read beyond each edge.
MARGIN = 2

#: Gives the heights [m] of a grid, masked where unknown (row, column).
type Heights = Callable[[Grid], Any]


def derived(which: str, grid: Grid, heights: Heights) -> Any:
    """``hillshade`` (1 dark to 255 bright), ``slope`` [°] or ``aspect`` [°] of a grid: (row, column), masked where the
    height is unknown, and for aspect where the ground is level."""
    wider = with_margin(grid, MARGIN)
    found = heights(wider)
    known = np.ma.filled(np.ma.asarray(found, dtype=np.float64), np.nan)
    ground = Elevation(known, wider.transform, grid.srid)
    inner = slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN)
    if which == "hillshade":
        values: Any = hillshade(ground)[inner]
        return np.ma.masked_array(values, mask=values == 0)
    values = (slope if which == "slope" else aspect)(ground)[inner].astype(np.float32)
    return np.ma.masked_invalid(values)


def with_margin(grid: Grid, cells: int) -> Grid:
    """The grid with so many more cells on each side. Raises as :class:`Grid` where that makes too many."""
    west, south, east, north = grid.bounds
    across, down = (east - west) / grid.width * cells, (north - south) / grid.height * cells
    bounds = (west - across, south - down, east + across, north + down)
    return Grid(bounds, grid.srid, grid.width + 2 * cells, grid.height + 2 * cells)
