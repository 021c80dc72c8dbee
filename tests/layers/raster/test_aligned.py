"""Tiles of aligned copies, read without warping, against GDAL's own warper on the same copy."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from sqlalchemy import Connection

from layers.raster import mosaic
from layers.raster.images import find_images
from layers.raster.mosaic import Grid, read
from layers.raster.registry import load_coverage
from layers.raster.store import RasterStore
from tests.layers.raster.conftest import Take, write_tif

HALF = 20037508.342789244


def tiles(west: float, south: float, east: float, north: float, z: int) -> list[Grid]:
    """The WebMercatorQuad tiles that meet a box in EPSG:3857."""
    side = 2 * HALF / 2**z
    columns = range(int((west + HALF) // side), int((east + HALF) // side) + 1)
    rows = range(int((HALF - north) // side), int((HALF - south) // side) + 1)
    return [
        Grid((c * side - HALF, HALF - (r + 1) * side, (c + 1) * side - HALF, HALF - r * side), 3857, 256, 256)
        for c in columns
        for r in rows
    ]


def test_tiles_equal_the_pixels_of_the_copy(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, columns = np.mgrid[0:1500, 0:1500]
    smooth = (128 + 60 * np.sin(columns / 90) + 40 * np.cos(rows / 70)).astype("u1")
    turned = Affine(0.5, 0, 586400, 0, -0.5, 3364800) @ Affine.rotation(10)
    take(
        "imagery",
        write_tif(tmp_path / "a.tif", np.stack([smooth] * 3), turned),
        acquired=datetime(2024, 1, 1, tzinfo=UTC),
    )
    coverage = load_coverage(conn, "imagery")
    [image] = find_images(conn, coverage)
    copy = store.path(image.folder, "WebMercatorQuad")
    with rasterio.open(copy) as cog:
        bounds, full, mask = tuple(cog.bounds), cog.read(), cog.dataset_mask() > 0
        deepest = round(np.log2(2 * HALF / cog.transform.a / 256))
    inner = (bounds[0] + 1, bounds[1] + 1, bounds[2] - 1, bounds[3] - 1)
    whole = np.zeros_like(full)
    for grid in tiles(*inner, deepest):
        raster = read(conn, store, coverage, grid, bands=image.bands, aligned=True)
        column, row = (
            round((grid.bounds[0] - bounds[0]) * full.shape[2] / (bounds[2] - bounds[0])),
            round((bounds[3] - grid.bounds[3]) * full.shape[1] / (bounds[3] - bounds[1])),
        )
        whole[:, row : row + 256, column : column + 256] = raster.values.filled(0)
    assert np.array_equal(whole, np.where(mask, full, 0)) and mask.any() and not mask.all()
    monkeypatch.setattr(mosaic, "read_aligned", lambda *_: None)
    for z in (deepest - 1, deepest - 3, deepest + 1):
        for grid in tiles(*inner, z)[:4]:
            warped = read(conn, store, coverage, grid, bands=image.bands, aligned=True).values
            monkeypatch.undo()
            ours = read(conn, store, coverage, grid, bands=image.bands, aligned=True).values
            monkeypatch.setattr(mosaic, "read_aligned", lambda *_: None)
            both = ~np.ma.getmaskarray(ours) & ~np.ma.getmaskarray(warped)
            assert (np.ma.getmaskarray(ours) == np.ma.getmaskarray(warped)).mean() > 0.98
            assert not both.any() or np.abs(ours.astype(int) - warped.astype(int))[both].max() <= 8
