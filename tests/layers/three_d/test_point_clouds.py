"""Grids of point clouds against a slow, plain reading of the same points, and heights of buildings from surfaces."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import laspy
import numpy as np
import pandas as pd
import pytest
import rasterio
import rasterio.mask
from geopandas import GeoDataFrame
from shapely.geometry import shape
from sqlalchemy import Connection, text

from layers.importing.errors import UnknownCrs, UnreadableFile, UnsafeFile
from layers.processing import UploadedFile, Workspace
from layers.raster.registry import load_coverage
from layers.raster.sampling import sample
from layers.raster.store import RasterStore
from layers.three_d.point_cloud import MAX_CELLS, grids, look
from layers.three_d.processes import import_point_cloud
from tests.layers.terrain.grids import RASTERS
from tests.layers.three_d.test_city_models import REAL, real

Take = Callable[..., int]


class Job:
    def progress(self, percent: float, message: Any = None) -> None:
        assert 0 <= percent <= 100

    def cancelled(self) -> bool:
        return False


def cloud(path: Path, points: Any, classes: Any, epsg: int | None = 4547, scale: float = 0.001) -> Path:
    """A LAS or LAZ file of points (n, 3)."""
    header = laspy.LasHeader(point_format=6, version="1.4")
    header.scales, header.offsets = np.full(3, scale), np.floor(np.min(points, axis=0))
    if epsg:
        from pyproj import CRS

        header.add_crs(CRS.from_epsg(epsg))
    file = laspy.LasData(header)
    file.x, file.y, file.z = np.asarray(points, float).T
    file.classification = np.asarray(classes, np.uint8)
    file.write(str(path))
    return path


def block(path: Path, **more: Any) -> Path:
    """Ground at 20 m every half metre over 40 × 40 m, a roof of 12 × 12 m at 32 m, and one bird."""
    x, y = (
        a.ravel() for a in np.meshgrid(np.arange(586_000.25, 586_040, 0.5), np.arange(3_364_000.25, 3_364_040, 0.5))
    )
    roof = (abs(x - 586_020) < 6) & (abs(y - 3_364_020) < 6)
    points = np.column_stack([x, y, np.where(roof, 32.0, 20.0)])
    bird = [[586_005.2, 3_364_005.2, 90.0]]
    return cloud(path, np.vstack([points, bird]), [*np.where(roof, 6, 2), 7], **more)


def plain(path: Path, resolution: float) -> pd.DataFrame:
    """Highest point and mean of ground points by cell, column by column of a table."""
    file = laspy.read(path)
    columns = {name: np.array(axis, float) for name, axis in (("x", file.x), ("y", file.y), ("z", file.z))}
    found = pd.DataFrame(columns | {"c": np.array(file.classification, int)})
    found = found[~found.c.isin([7, 18])]
    found["column"], found["row"] = np.floor(found.x / resolution), np.floor(found.y / resolution)
    by = found.groupby(["column", "row"])
    return pd.DataFrame({"high": by.z.max(), "ground": found[found.c == 2].groupby(["column", "row"]).z.mean()})


@real
@pytest.mark.parametrize("name", ["Megaplot", "Topography"])
def test_every_cell_has_its_highest_point_and_the_mean_of_its_ground(name: str) -> None:
    path, resolution = REAL / f"{name}.laz", 2.0
    made = grids(look(path, "EPSG:26917"), resolution, lambda _share: None)
    expected = plain(path, resolution)
    column = (expected.index.get_level_values("column") - made.transform.c / resolution).astype(int)
    row = (made.transform.f / resolution - 1 - expected.index.get_level_values("row")).astype(int)
    np.testing.assert_allclose(made.surface[row, column], expected.high.to_numpy(), atol=1e-3)
    assert np.isfinite(made.surface).sum() == len(expected)
    known = expected.ground.notna().to_numpy()
    np.testing.assert_allclose(made.ground[row, column][known], expected.ground[known].to_numpy(), atol=1e-3)
    assert made.used == {"Megaplot": 81_590, "Topography": 73_403}[name]


def test_ground_is_told_on_below_a_roof_and_noise_is_left_out(tmp_path: Path) -> None:
    made = grids(look(block(tmp_path / "block.laz"), None), 1.0, lambda _share: None)
    assert made.surface.shape == (40, 40) and made.transform.c == 586_000 and made.transform.f == 3_364_040
    assert made.surface.max() == 32.0 and (made.surface == 32.0).sum() == 144
    np.testing.assert_allclose(made.ground, 20.0, atol=1e-3)


def test_a_cloud_becomes_images_of_the_surface_and_of_the_ground(
    conn: Connection,
    store: RasterStore,
    tmp_path: Path,
) -> None:
    path = block(tmp_path / "block.las")
    done = import_point_cloud(conn, Job(), store, Workspace(tmp_path), UploadedFile(path, "block.las"), resolution=0.5)  # type: ignore[arg-type]
    conn.dispatch.commit(conn)
    assert (done.ground_points, done.points) == (6400 - 576, 6400) and done.ground and not done.warnings
    inside, outside = (586_020.0, 3_364_020.0), (586_003.0, 3_364_003.0)
    for layer, values in (("dsm", (32.0, 20.0)), ("dem", (20.0, 20.0))):
        found = sample(conn, store, load_coverage(conn, layer), np.array([inside, outside]), 4547).values[:, 0]
        assert list(found) == pytest.approx(values, abs=0.01), layer


def test_a_cloud_without_ground_says_so(conn: Connection, store: RasterStore, tmp_path: Path) -> None:
    path = cloud(
        tmp_path / "roofs.las", [[586_000 + i, 3_364_000 + j, 30] for i in range(9) for j in range(9)], [6] * 81
    )
    upload = UploadedFile(path, "roofs.las")
    done = import_point_cloud(conn, Job(), store, Workspace(tmp_path), upload, dry_run=True)  # type: ignore[arg-type]
    assert done.ground is None and done.surface.id is None and "ground" in done.warnings[0].en


def test_heights_in_feet_become_metres(tmp_path: Path) -> None:
    points = [[6_000_000 + i, 2_000_000 + j, 100.0] for i in range(5) for j in range(5)]
    made = grids(look(cloud(tmp_path / "feet.las", points, [2] * 25, epsg=2227), None), 5.0, lambda _share: None)
    np.testing.assert_allclose(made.surface[np.isfinite(made.surface)], 100 * 1200 / 3937, atol=1e-3)


def test_what_is_no_cloud_or_too_large_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.laz").write_bytes(b"LASF" + bytes(400))
    with pytest.raises(UnreadableFile):
        look(tmp_path / "bad.laz", None)
    with pytest.raises(UnknownCrs):
        look(block(tmp_path / "bare.las", epsg=None), None)
    with pytest.raises(UnknownCrs):
        look(block(tmp_path / "degrees.las"), "EPSG:4490")
    whole = block(tmp_path / "whole.laz").read_bytes()
    (tmp_path / "cut.laz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableFile):
        grids(look(tmp_path / "cut.laz", None), 1.0, lambda _share: None)
    wide = cloud(tmp_path / "wide.las", [[500_000, 3_000_000, 1], [999_000, 3_900_000, 1]], [2, 2])
    with pytest.raises(UnsafeFile, match=str(MAX_CELLS)):
        grids(look(wide, None), 0.1, lambda _share: None)


@real
@pytest.mark.skipif(not RASTERS.is_dir(), reason="no real surfaces")
def test_buildings_of_alexandria_are_as_high_as_the_surface_stands_above_the_ground(
    conn: Connection,
    take: Take,
    bring_up: Callable[[], int],
    tmp_path: Path,
) -> None:
    """Against the 70th percentile of all pixels whose centre lies in the footprint, and against the surveyed HEIGHT."""
    take(RASTERS / "alexandria_dtm_2m.tif")
    take(RASTERS / "alexandria_dsm_2m.tif", "dsm")
    document = json.loads((REAL / "alexandria_buildings.geojson").read_text())
    known = {}
    for feature in document["features"]:
        statement = text(
            "INSERT INTO city.buildings (geom) VALUES (ST_Multi(ST_SetSRID(ST_GeomFromGeoJSON(:g), 4490))) RETURNING id"
        )
        id = conn.execute(statement, {"g": json.dumps(feature["geometry"])}).scalar_one()
        known[id] = (shape(feature["geometry"]), feature["properties"].get("HEIGHT"))
    bring_up()
    found = {r.id: r for r in conn.execute(text("SELECT id, height, height_from, ground FROM city.buildings_3d"))}
    frame = GeoDataFrame({"id": list(known)}, geometry=[s for s, _ in known.values()], crs=4326).to_crs(26918)
    with (
        rasterio.open(RASTERS / "alexandria_dsm_2m.tif") as dsm,
        rasterio.open(RASTERS / "alexandria_dtm_2m.tif") as dtm,
    ):
        above, surveyed = [], []
        for id, footprint in zip(frame.id, frame.geometry, strict=True):
            if not all(
                r.bounds.left < footprint.bounds[0]
                and footprint.bounds[2] < r.bounds.right
                and r.bounds.bottom < footprint.bounds[1]
                and footprint.bounds[3] < r.bounds.top
                for r in (dsm, dtm)
            ):
                continue
            high, _ = rasterio.mask.mask(dsm, [footprint], crop=True, filled=False)
            low, _ = rasterio.mask.mask(dtm, [footprint], crop=True, filled=False)
            pixels = (high - low)[0].compressed()
            if len(pixels) > 20 and found[id].height_from == "surface":
                above.append((found[id].height, np.quantile(pixels, 0.7)))
                surveyed.append((found[id].height, known[id][1]))
    ours, theirs = np.array(above).T
    assert len(ours) > 30 and np.median(abs(ours - theirs)) < 0.25 and np.quantile(abs(ours - theirs), 0.9) < 1.5
    heights, told = np.array([pair for pair in surveyed if pair[1]], float).T
    assert np.corrcoef(heights, told)[0, 1] > 0.8
