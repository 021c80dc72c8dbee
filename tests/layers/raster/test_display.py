"""Pictures: stretched between stored percentiles, heights and classes in colours, nothing where nothing is valid."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from affine import Affine
from sqlalchemy import Connection

from layers.raster.display import picture
from layers.raster.mosaic import Grid
from layers.raster.registry import load_coverage
from layers.raster.store import RasterStore
from tests.layers.raster.conftest import Take, write_tif

HERE = Affine(2, 0, 586400, 0, -2, 3364800)
GRID = Grid((586400, 3364600, 586600, 3364800), 4547, 100, 100)


def test_sixteen_bits_are_stretched_and_bytes_shown_as_they_are(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    random = np.random.default_rng(3)
    deep = random.integers(100, 3000, (4, 100, 100), dtype="u2")
    path = write_tif(tmp_path / "deep.tif", deep, HERE)
    take("imagery", path, acquired=datetime(2020, 5, 1, tzinfo=UTC), bands=("blue", "green", "red", "nir"))
    drawn = picture(conn, store, load_coverage(conn, "imagery"), GRID)
    assert drawn.shape == (4, 100, 100) and (drawn[3] == 255).all()
    for n, band in enumerate((2, 1, 0)):
        low, high = np.percentile(deep[band], (2, 98))
        assert np.array_equal(drawn[n], np.clip((deep[band] - low) / (high - low) * 255, 0, 255).astype("u1"))
    grey = picture(conn, store, load_coverage(conn, "imagery"), GRID, bands=("nir",))
    assert np.array_equal(grey[0], grey[2]) and not np.array_equal(grey[0], drawn[0])
    plain = random.integers(0, 255, (3, 100, 100), dtype="u1")
    plain[:, :50] = 0
    path = write_tif(tmp_path / "plain.tif", plain, HERE, nodata=0)
    take("imagery", path, acquired=datetime(2021, 5, 1, tzinfo=UTC), bands=("red", "green", "blue"))
    above = picture(conn, store, load_coverage(conn, "imagery"), GRID)
    assert np.array_equal(above[:3, 50:], plain[:, 50:])
    assert np.array_equal(above[:3, :50], drawn[:3, :50])


def test_heights_and_classes_get_colours_and_nothing_is_transparent(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    heights = np.tile(np.linspace(0, 500, 50, dtype="f4"), (50, 1))
    take("dem", write_tif(tmp_path / "dem.tif", heights, HERE))
    drawn = picture(conn, store, load_coverage(conn, "dem"), GRID)
    assert (drawn[3, :50, :50] == 255).all() and (drawn[3, 50:] == 0).all()
    assert drawn[:3, 5, 0].tolist() == [38, 115, 77] and drawn[:3, 5, 49].tolist() == [255, 255, 255]
    codes = np.where(np.arange(100) < 50, 10, 80) * np.ones((100, 1), int)
    take("land-cover", write_tif(tmp_path / "codes.tif", codes.astype("u1"), HERE))
    drawn = picture(conn, store, load_coverage(conn, "land-cover"), GRID)
    assert len({tuple(colour) for colour in drawn[:3].reshape(3, -1).T}) == 2
    assert picture(conn, store, load_coverage(conn, "drg"), GRID).max() == 0
