"""contours: lines of the elevation as it is, whole across the cells in which they are worked out."""

import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.windows import Window
from sqlalchemy import Connection, text

from layers.derived.model import Cell, cells_of
from layers.derived.registry import stale
from tests.layers.derived.conftest import CELL, slope, slope_tif
from tests.layers.raster.conftest import write_tif
from tests.layers.terrain.grids import RASTERS, rough

Take = Callable[..., int]
BringUp = Callable[[], int]


def drawn(conn: Connection) -> geopandas.GeoDataFrame:
    found = conn.execute(text("SELECT elevation, index, cell, ST_AsBinary(geom) AS geom FROM city.contours")).all()
    lines = shapely.from_wkb([bytes(row.geom) for row in found])
    facts = {
        "elevation": [r.elevation for r in found],
        "index": [r.index for r in found],
        "cell": [r.cell for r in found],
    }
    return geopandas.GeoDataFrame(facts, geometry=list(lines))


def test_every_point_of_a_contour_lies_at_its_height(
    conn: Connection, take: Take, bring_up: BringUp, tmp_path: Path
) -> None:
    take(slope_tif(tmp_path / "ground.tif"))
    bring_up()
    found = drawn(conn)
    assert set(found.elevation) == {
        float(z) for z in range(5, 120, 5) if slope(114.86, 30.36) < z < slope(114.94, 30.44)
    }
    for elevation, line in zip(found.elevation, found.geometry, strict=True):
        # in the image's outermost half pixel its height goes on
        x, y = shapely.get_coordinates(shapely.clip_by_rect(line, 114.8602, 30.3602, 114.9398, 30.4398)).T
        assert slope(x, y) == pytest.approx(elevation, abs=0.01)
    assert set(found.elevation[found["index"]]) == {z for z in set(found.elevation) if z % 25 == 0}


def test_lines_go_on_across_the_cells_in_which_they_are_worked_out(
    conn: Connection, take: Take, bring_up: BringUp, tmp_path: Path
) -> None:
    take(slope_tif(tmp_path / "ground.tif", lambda x, y: 8 * np.sin(x * 900) * np.cos(y * 700)))
    bring_up()
    found = drawn(conn)
    assert found.cell.nunique() == 16
    west, south, east, north = 114.86, 30.36, 114.94, 30.44
    for elevation, of in found.groupby("elevation"):
        ends = np.vstack([shapely.get_coordinates(line)[[0, -1]] for line in of.geometry if not line.is_closed])
        edge = 2 * CELL
        inner = ends[
            (ends[:, 0] > west + edge)
            & (ends[:, 0] < east - edge)
            & (ends[:, 1] > south + edge)
            & (ends[:, 1] < north - edge)
        ]
        for end in inner:  # each end within the image is the beginning of the line beyond the edge, to a millimetre
            assert (np.hypot(*(inner - end).T) < 1e-8).sum() >= 2, (elevation, end)


def test_they_are_gdals_contours(conn: Connection, take: Take, bring_up: BringUp, tmp_path: Path) -> None:
    """Real ground where there is some. Lines lie within a pixel of GDAL's, and as long; both draw the same heights."""
    take(ground := _ground(tmp_path))
    bring_up()
    ours = drawn(conn)
    subprocess.run(["gdal_contour", "-q", "-a", "z", "-i", "5", ground, tmp_path / "theirs.shp"], check=True)
    theirs = geopandas.read_file(tmp_path / "theirs.shp")
    with rasterio.open(ground) as file:
        pixel, bounds = file.transform.a, shapely.box(*file.bounds).buffer(-2 * file.transform.a)
    missing = set(theirs.z) - set(ours.elevation)
    assert all(z - theirs.z.min() < 10 or theirs.z.max() - z < 10 for z in missing), missing
    lengths = []
    for level in sorted(set(theirs.z))[1:-1:7]:
        a = shapely.intersection(shapely.union_all(ours.geometry[ours.elevation == level].values), bounds)
        b = shapely.intersection(shapely.union_all(theirs.geometry[theirs.z == level].values), bounds)
        lengths.append((a.length, b.length))
        if a.is_empty:
            continue
        near = shapely.distance(shapely.points(shapely.get_coordinates(a)), b)
        assert np.quantile(near, 0.99) < pixel, level
    assert np.sum(lengths, axis=0)[0] == pytest.approx(np.sum(lengths, axis=0)[1], rel=0.03)


def _ground(folder: Path) -> Path:
    """A tenth of a degree of SRTM over Andorra, or made-up ground of the same kind."""
    path = folder / "ground.tif"
    if not RASTERS.is_dir():
        return write_tif(
            path,
            rough(120, 120, 900, 2400, 5).astype("f4"),
            rasterio.Affine(1 / 1200, 0, 1.5, 0, -1 / 1200, 42.6),
            "EPSG:4326",
        )
    with zipfile.ZipFile(RASTERS / "srtm_N42E001.hgt.zip") as archive:
        [name] = [n for n in archive.namelist() if n.endswith("hgt")]
        archive.extract(name, folder)
    with rasterio.open(folder / name) as file:
        window = Window(600, 480, 60, 60)
        return write_tif(path, file.read(window=window), file.window_transform(window), "EPSG:4326")


def test_new_elevation_draws_its_cells_anew_and_no_others(
    conn: Connection, take: Take, bring_up: BringUp, tmp_path: Path
) -> None:
    take(slope_tif(tmp_path / "ground.tif"))
    bring_up()
    before = _rows(conn)
    take(slope_tif(tmp_path / "raised.tif", 2.5, 40, 114.885, 30.396), priority=1)
    assert [note.layer for note in stale(conn, "contours", 9)] == ["contours"]
    bring_up()
    after = _rows(conn)
    changed = {cell for id, cell in set(before) ^ set(after)}
    assert changed == {cell.name for cell in cells_of((114.885, 30.388, 114.893, 30.396))} and len(changed) == 1
    inside = drawn(conn).cx[114.887:114.892, 30.389:30.395]
    for elevation, line in zip(inside.elevation, inside.geometry, strict=True):
        x, y = shapely.get_coordinates(shapely.clip_by_rect(line, 114.887, 30.389, 114.892, 30.395)).T
        assert slope(x, y) + 2.5 == pytest.approx(elevation, abs=0.01)


def test_contours_go_with_the_elevation(conn: Connection, take: Take, bring_up: BringUp, tmp_path: Path) -> None:
    take(slope_tif(tmp_path / "ground.tif"))
    bring_up()
    assert len(_rows(conn))
    conn.execute(text("DELETE FROM city.dem"))
    bring_up()
    assert not _rows(conn)
    assert not stale(conn, "contours", 9)


def _rows(conn: Connection) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in conn.execute(text("SELECT id, cell FROM city.contours"))]


def test_cells_cover_a_box_without_gaps_or_overlaps() -> None:
    cells = list(cells_of((114.85, 30.33, 114.93, 30.37)))
    area = shapely.union_all([shapely.box(*cell.box) for cell in cells])
    assert area.covers(shapely.box(114.85, 30.33, 114.93, 30.37))
    assert area.area == pytest.approx(len(cells) * 0.0004)
    assert Cell(14745, 6018).box == pytest.approx((114.9, 30.36, 114.92, 30.38))
