"""Tiles of a cloud-optimised GeoTIFF in any grid, warped as they are asked for."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import RasterioError
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds

from layers.raster.opened import OpenFiles
from tiles.archives.content import SIZE
from tiles.archives.errors import ArchiveUnreadable
from tiles.archives.facts import Facts
from tiles.matrix_sets import METRES_PER_DEGREE, MatrixSet
from tiles.raster.pictures import encode

#: Pixels along the longer side above which a file without overviews would be read whole for a small scale.
_WITHOUT_OVERVIEWS = 4096
_IDLE = 4
_PERCENTILES = (2, 98)
_BACKED = 1024


class GeotiffArchive:
    """A COG as pictures: bytes as they are, other values between the 2nd and the 98th percentile of each band.

    Raises :class:`ArchiveUnreadable`.
    """

    grids: tuple[str, ...] | None = None

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = OpenFiles(_IDLE)
        try:
            with self._files.dataset(path) as dataset:
                self._check(dataset)
                self._bands = _colours(dataset)
                self._ranges = None if dataset.dtypes[0] == "uint8" else _ranges(dataset, self._bands)
                self.facts = _facts(path, dataset)
        except RasterioError as error:
            raise ArchiveUnreadable(f"{path.name} cannot be read: {error}") from error

    def tile(self, grid: MatrixSet, z: int, y: int, x: int) -> bytes | None:
        """The tile as a picture; None beside the image."""
        bounds = grid.box(z, y, x)
        transform = from_bounds(*bounds, SIZE, SIZE)
        with (
            self._files.dataset(self._path) as dataset,
            WarpedVRT(
                dataset, crs=CRS.from_epsg(grid.srid), transform=transform, width=SIZE, height=SIZE,
                resampling=Resampling.bilinear, add_alpha=_needs_alpha(dataset),
            ) as warped,
        ):  # fmt: skip
            values = warped.read(self._bands)
            mask = warped.dataset_mask()
        if not mask.any():
            return None
        picture = np.empty((SIZE, SIZE, 4), np.uint8)
        picture[..., :3] = np.moveaxis(self._shown(values), 0, -1)
        picture[..., 3] = mask
        return encode(picture, "webp")[0]

    def close(self) -> None:
        """Close the file."""
        self._files.close()

    def _shown(self, values: NDArray[Any]) -> NDArray[Any]:
        if self._ranges is None:
            return values
        low, high = (np.array(side, np.float32)[:, None, None] for side in zip(*self._ranges, strict=True))
        shown: NDArray[Any] = (values.astype(np.float32) - low) * (255 / np.maximum(high - low, 1e-12)) + 0.5
        return shown.clip(0, 255)

    @staticmethod
    def _check(dataset: rasterio.DatasetReader) -> None:
        name = Path(dataset.name).name
        if dataset.crs is None or dataset.transform.is_identity:
            raise ArchiveUnreadable(f"{name} does not say where it lies")
        large = max(dataset.width, dataset.height) > _WITHOUT_OVERVIEWS
        if large and not (dataset.overviews(1) and dataset.profile.get("tiled")):
            raise ArchiveUnreadable(f"{name} has no tiles and overviews; `rio cogeo create` makes a COG of it")


def _colours(dataset: rasterio.DatasetReader) -> list[int]:
    """Three bands as red, green and blue, or the first as grey."""
    named = {kind: n for n, kind in enumerate(dataset.colorinterp, 1)}
    rgb = [named.get(kind) for kind in (ColorInterp.red, ColorInterp.green, ColorInterp.blue)]
    return [n for n in rgb if n] if all(rgb) else [1]


def _needs_alpha(dataset: rasterio.DatasetReader) -> bool:
    return dataset.nodata is None and ColorInterp.alpha not in dataset.colorinterp


def _ranges(dataset: rasterio.DatasetReader, bands: list[int]) -> list[tuple[float, float]]:
    """From which value to which each band is shown, of a small copy."""
    shrink = max(1, math.ceil(max(dataset.width, dataset.height) / _BACKED))
    small = dataset.read(bands, out_shape=(len(bands), dataset.height // shrink, dataset.width // shrink), masked=True)
    ranges = []
    for band in small:
        known = band.compressed()
        low, high = np.nanpercentile(known, _PERCENTILES) if known.size else (0.0, 1.0)
        ranges.append((float(low), float(high)))
    return ranges


def _facts(path: Path, dataset: rasterio.DatasetReader) -> Facts:
    west, south, east, north = transform_bounds(dataset.crs, CRS.from_epsg(4490), *dataset.bounds)
    degrees = (east - west) / dataset.width
    finest = degrees * METRES_PER_DEGREE
    deepest = max(0, min(24, math.ceil(math.log2(METRES_PER_DEGREE * 360 / 256 / finest))))
    return Facts(path.stem, "", "image/webp", 0, deepest, (west, south, east, north))
