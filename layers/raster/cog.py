"""Writes cloud-optimised GeoTIFFs: tiled, with overviews, lossless, block by block so that memory stays flat.

Compression is ZSTD with a predictor (differences of neighbours; of the bytes of floats): nothing is lost, and it
unpacks faster than DEFLATE. rio-cogeo's ``cog_translate`` tells its caller nothing while it works and cannot be
stopped, so the loop over blocks is ours; the layout is GDAL's, as rio-cogeo lets GDAL write it, and rio-cogeo judges it
in the tests.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.enums import Resampling as Warp
from rasterio.rio.overview import get_maximum_overview_level
from rasterio.shutil import copy
from rasterio.windows import Window

from layers.raster.grids import PixelGrid

BLOCK = 512
#: Bytes of pixels in hand at once.
_IN_HAND = 16 * 2**20
_WRITE_OPTIONS: dict[str, Any] = {"GDAL_TIFF_INTERNAL_MASK": "YES", "GDAL_PAM_ENABLED": "NO"}

#: Told after each block: the share that is written, 0 to 1. May raise, to stop the writing.
Tell = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Pixels:
    """What a COG is made of. ``read`` gives for a window the values (band, row, column) and, if ``masked``, the
    validity (row, column; 0 invalid). ``codes``: values are codes, which overviews pick and do not average."""

    grid: PixelGrid
    bands: tuple[str, ...]
    dtype: str
    nodata: float | None
    masked: bool
    codes: bool
    read: Callable[[Window], tuple[NDArray[Any], NDArray[np.uint8] | None]]
    colormap: dict[int, tuple[int, int, int, int]] | None = None


def write_cog(pixels: Pixels, path: Path, tell: Tell) -> None:
    """Write the pixels as a COG. What ``tell`` raises stops the writing and leaves no file behind."""
    with NamedTemporaryFile(dir=path.parent, suffix=".tif") as draft, rasterio.Env(**_WRITE_OPTIONS):
        _write_draft(pixels, Path(draft.name), tell)
        copy(draft.name, path, driver="GTiff", copy_src_overviews=True, **_layout(pixels.dtype, level=9))
    tell(1)


def _write_draft(pixels: Pixels, path: Path, tell: Tell) -> None:
    grid = pixels.grid
    profile = {
        **_layout(pixels.dtype, level=1),
        "driver": "GTiff",
        "width": grid.width,
        "height": grid.height,
        "count": len(pixels.bands),
        "dtype": pixels.dtype,
        "crs": grid.crs,
        "transform": grid.transform,
        "nodata": pixels.nodata,
        "sparse_ok": True,
    }
    with rasterio.open(path, "w", **profile) as draft:
        draft.descriptions = pixels.bands
        draft.colorinterp = _colours(pixels)
        if pixels.colormap:
            draft.write_colormap(1, pixels.colormap)
        windows = list(_windows(grid, len(pixels.bands), np.dtype(pixels.dtype).itemsize))
        for done, window in enumerate(windows):
            tell(0.8 * done / len(windows))
            values, validity = pixels.read(window)
            draft.write(values, window=window)
            if validity is not None:
                draft.write_mask(validity, window=window)
        tell(0.8)
        levels = get_maximum_overview_level(grid.width, grid.height, minsize=BLOCK)
        if levels:
            kind = Warp.nearest if pixels.codes else Warp.average
            draft.build_overviews([2**level for level in range(1, levels + 1)], kind)
    tell(0.9)


def _layout(dtype: str, level: int) -> dict[str, Any]:
    return {
        "tiled": True,
        "blockxsize": BLOCK,
        "blockysize": BLOCK,
        "interleave": "pixel",
        "compress": "ZSTD",
        "zstd_level": level,
        "predictor": 3 if dtype.startswith("float") else 2,
        "bigtiff": "IF_SAFER",
        "num_threads": 2,
    }


def _colours(pixels: Pixels) -> list[ColorInterp]:
    if pixels.colormap:
        return [ColorInterp.palette]
    named = {"red": ColorInterp.red, "green": ColorInterp.green, "blue": ColorInterp.blue}
    if len(pixels.bands) == 1:
        return [ColorInterp.gray]
    return [named.get(band, ColorInterp.undefined) for band in pixels.bands]


def _windows(grid: PixelGrid, bands: int, size: int) -> Iterator[Window]:
    """Windows of whole blocks, as wide as what may be in hand allows: strips of the source are then decoded once."""
    blocks = max(1, _IN_HAND // (BLOCK * BLOCK * bands * size))
    width = min(blocks, math.ceil(grid.width / BLOCK)) * BLOCK
    height = max(1, blocks * BLOCK // width) * BLOCK
    for row in range(0, grid.height, height):
        for column in range(0, grid.width, width):
            yield Window(column, row, min(width, grid.width - column), min(height, grid.height - row))
