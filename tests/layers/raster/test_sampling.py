"""Values at points, against GDAL's own gdallocationinfo and a formula that bilinear interpolation meets exactly."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from affine import Affine
from pyproj import Transformer
from sqlalchemy import Connection

from layers.raster.mosaic import RasterTooLarge
from layers.raster.registry import load_coverage
from layers.raster.sampling import sample
from layers.raster.store import RasterStore
from tests.layers.raster.conftest import Take, write_tif

HERE = Affine(2, 0, 586400, 0, -2, 3364800)


def points_within(count: int, side: float, seed: int = 3) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.column_stack([586400 + random.uniform(3, side - 3, count), 3364800 - random.uniform(3, side - 3, count)])


def test_nearest_samples_equal_gdallocationinfo(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    values = np.random.default_rng(5).integers(1, 250, (2500, 2500), dtype="u1")
    values[1000:1200] = 0
    path = write_tif(tmp_path / "in.tif", values, HERE, nodata=0)
    take("imagery", path, acquired=datetime(2024, 1, 1, tzinfo=UTC))
    points = points_within(3000, 5000)
    found = sample(conn, store, load_coverage(conn, "imagery"), points, 4547, method="nearest")
    asked = "\n".join(f"{x!r} {y!r}" for x, y in points.tolist())
    told = subprocess.run(
        ["gdallocationinfo", "-valonly", "-geoloc", path], input=asked, capture_output=True, text=True, check=True
    )
    expected = np.array(list(map(float, told.stdout.split())))
    # A point within a micrometre of a pixel's edge may fall to either side.
    edge = np.abs((points - [586400, 3364800]) / 2 % 1 - 0.5) > 0.5 - 1e-6
    same = found.values[:, 0].filled(0) == expected
    assert np.all(same | edge.any(axis=1)) and same.mean() > 0.999
    assert ((expected == 0) == (found.source == -1))[same].all() and (expected == 0).any()


@pytest.mark.parametrize("srid", [4547, 4490, 3857])
def test_bilinear_samples_are_exact_on_a_plane(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path, srid: int
) -> None:
    rows, columns = np.mgrid[0:300, 0:300]
    plane = 10 + 0.5 * (columns + 0.5) * 2 - 0.25 * (rows + 0.5) * 2  # per metre east and south
    take("dem", write_tif(tmp_path / "plane.tif", plane, HERE))
    points = points_within(500, 600)
    asked = (
        points
        if srid == 4547
        else np.column_stack(Transformer.from_crs(4547, srid, always_xy=True).transform(*points.T))
    )
    found = sample(conn, store, load_coverage(conn, "dem"), asked, srid)
    expected = 10 + 0.5 * (points[:, 0] - 586400) - 0.25 * (3364800 - points[:, 1])
    assert np.abs(found.values[:, 0] - expected).max() < 1e-4
    assert found.images[0].name == "plane" and not found.values.mask.any()


def test_samples_fall_through_holes_to_the_image_below(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    fine = np.full((50, 50), 3.0, "f4")
    fine[20:30, 20:30] = -9999
    take("dem", write_tif(tmp_path / "fine.tif", fine, HERE, nodata=-9999))
    take("dem", write_tif(tmp_path / "coarse.tif", np.full((30, 30), 8, "i2"), HERE @ Affine.scale(5)))
    points = np.array(
        [[586410.0, 3364790.0], [586450.0, 3364750.0], [586650.0, 3364600.0], [590000.0, 3364600.0], [np.nan, 0]]
    )
    found = sample(conn, store, load_coverage(conn, "dem"), points, 4547)
    assert found.values[:, 0].tolist() == [3, 8, 8, None, None]
    assert [found.images[i].name if i >= 0 else None for i in found.source] == ["fine", "coarse", "coarse", None, None]


def test_beside_a_hole_bilinear_weighs_only_what_is_valid(
    conn: Connection, store: RasterStore, take: Take, tmp_path: Path
) -> None:
    values = np.array([[10, 20], [30, -9999]], "f4")
    take("dem", write_tif(tmp_path / "in.tif", values, HERE, nodata=-9999))
    middle = np.array([[586402.0, 3364798.0]])
    found = sample(conn, store, load_coverage(conn, "dem"), middle, 4547)
    assert found.values[0, 0] == pytest.approx(20)


def test_sampling_is_bounded(conn: Connection, store: RasterStore) -> None:
    with pytest.raises(RasterTooLarge, match="the bound is"):
        sample(conn, store, load_coverage(conn, "dem"), np.zeros((1_000_001, 2)), 4490)
    assert sample(conn, store, load_coverage(conn, "dem"), np.zeros((0, 2)), 4490).values.shape == (0, 1)
