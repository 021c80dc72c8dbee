"""Reads a COG on a grid that shares its pixel lines, without warping: what tiles of an aligned copy are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.enums import MaskFlags
from rasterio.enums import Resampling as Warp
from rasterio.windows import Window

from layers.raster.coverage import Resampling
from layers.raster.grids import PixelGrid

#: Share of a pixel by which lines may miss each other.
_TOLERANCE = 1e-3


def read_aligned(
    cog: Any, grid: PixelGrid, indexes: list[int], resampling: Resampling
) -> tuple[NDArray[Any], NDArray[np.bool_]] | None:
    """Values and validity (band, row, column) on a grid in the COG's own CRS, from its overviews.

    None where the edges of the COG do not fall on lines between the grid's pixels: then it must be warped.
    """
    if any((cog.transform.b, cog.transform.d, grid.transform.b, grid.transform.d)):
        return None
    to_grid = ~grid.transform @ cog.transform
    west, north = to_grid @ (0, 0)
    east, south = to_grid @ (cog.width, cog.height)
    left, top = max(west, 0), max(north, 0)
    right, bottom = min(east, grid.width), min(south, grid.height)
    values = np.zeros((len(indexes), grid.height, grid.width), cog.dtypes[0])
    valid = np.zeros(values.shape, bool)
    if left >= right or top >= bottom:
        return values, valid
    lines = np.array([left, right, top, bottom])
    if np.abs(lines - lines.round()).max() > _TOLERANCE:
        return None
    first, last, up, down = (int(line) for line in lines.round())
    if first == last or up == down:
        return values, valid
    to_cog = ~to_grid
    from_column, from_row = map(_line, to_cog @ (first, up))
    to_column, to_row = map(_line, to_cog @ (last, down))
    window = Window(from_column, from_row, to_column - from_column, to_row - from_row)
    shape = (len(indexes), down - up, last - first)
    values[:, up:down, first:last] = cog.read(indexes, window=window, out_shape=shape, resampling=Warp[resampling])
    valid[:, up:down, first:last] = _validity(cog, indexes, window, values[:, up:down, first:last])
    return values, valid


def _line(place: float) -> float:
    """A place between pixels, exactly on a line that it means: GDAL would shift all pixels by the difference."""
    return round(place) if abs(place - round(place)) < _TOLERANCE else place


def _validity(cog: Any, indexes: list[int], window: Window, values: NDArray[Any]) -> NDArray[np.bool_] | bool:
    """Where values that were read are valid; the mask of a COG is one for all of its bands."""
    flags = cog.mask_flag_enums[indexes[0] - 1]
    if MaskFlags.all_valid in flags:
        return True
    if cog.nodata is None:
        mask: NDArray[np.bool_] = cog.read_masks(indexes[0], window=window, out_shape=values.shape[1:]) != 0
        return mask
    return ~np.isnan(values) if np.isnan(cog.nodata) else values != cog.nodata
