"""A store in a directory of the test's own, and small rasters written for it."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from sqlalchemy import Connection

from layers.raster.imported import ImportedImage
from layers.raster.ingest import ImageOptions, import_images
from layers.raster.registry import load_coverage
from layers.raster.store import RasterStore

REAL = Path(__file__).parents[4] / "shared" / "data" / "04_raster"
Take = Callable[..., ImportedImage]


@pytest.fixture
def store(tmp_path: Path) -> RasterStore:
    return RasterStore(tmp_path / "rasters")


@pytest.fixture
def committed(store: RasterStore) -> Callable[[Connection], None]:
    """What the end of the transaction does to the files, in a transaction that the test rolls back."""

    def commit(conn: Connection) -> None:
        conn.dispatch.commit(conn)

    return commit


@pytest.fixture
def take(conn: Connection, store: RasterStore) -> Take:
    """Import a file and let its files appear."""

    def take(coverage: str, path: Path, **options: Any) -> ImportedImage:
        [image] = import_images(
            conn, store, load_coverage(conn, coverage), path, ImageOptions(**options), lambda _share, _text: None
        )
        conn.dispatch.commit(conn)
        return image

    return take


def write_tif(path: Path, values: Any, transform: Affine, crs: Any = "EPSG:4547", **more: Any) -> Path:
    """A GeoTIFF of values (band, row, column) or (row, column); ``mask`` (row, column) is written into it."""
    values = np.atleast_3d(values) if np.ndim(values) == 3 else np.asarray(values)[None]
    mask, names, colours = more.pop("mask", None), more.pop("names", None), more.pop("colours", None)
    profile = dict(driver="GTiff", width=values.shape[2], height=values.shape[1], count=len(values),
                   dtype=values.dtype, crs=crs, transform=transform) | more  # fmt: skip
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK="YES"), rasterio.open(path, "w", **profile) as file:
        file.write(values)
        if mask is not None:
            file.write_mask(mask)
        if names:
            file.descriptions = names
        if colours:
            file.colorinterp = colours
    return path


def gdal(tool: str, *arguments: Any) -> str:
    """The output of one of GDAL's own programs (the system's GDAL, not the one that the server uses)."""
    done = subprocess.run([tool, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
