"""The outline of cells, as polygons along their edges."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import shapes

from layers.terrain.elevation import Elevation


def outline(chosen: NDArray[np.bool_], grid: Elevation) -> Any:
    """The area of the chosen cells as a shapely MultiPolygon in the grid's CRS; cells that touch at a corner only are
    parts of their own."""
    found = shapes(chosen.astype(np.uint8), mask=chosen, connectivity=4, transform=grid.transform)
    return shapely.multipolygons(np.array([shapely.geometry.shape(part) for part, _ in found], object))
