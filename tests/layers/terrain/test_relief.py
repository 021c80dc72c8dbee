"""Hillshade, slope and aspect against ``gdaldem``, cell by cell."""

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from affine import Affine

from layers.terrain.elevation import Elevation
from layers.terrain.errors import TerrainError
from layers.terrain.relief import aspect, gradient, hillshade, slope
from tests.layers.terrain.grids import ALEXANDRIA, SPAIN, SRTM, flat, gdal, read, write

PROJECTED = [SPAIN, ALEXANDRIA]


def but_corners(values: np.ndarray) -> np.ndarray:
    """GDAL extrapolates beyond a corner in one direction only: the four corner cells are left out."""
    values = np.asarray(values, float).copy()
    values[[0, 0, -1, -1], [0, -1, 0, -1]] = np.nan
    return values


@pytest.mark.parametrize("path", PROJECTED)
def test_slope_equals_gdaldem_in_every_cell(path: str, tmp_path: Path) -> None:
    expected = gdal(tmp_path, "gdaldem", "slope", "-compute_edges", path)
    ours = slope(read(path))
    assert np.array_equal(np.isnan(ours), np.isnan(expected))
    assert np.nanmax(but_corners(np.abs(ours - expected))) < 1e-3


@pytest.mark.parametrize("path", PROJECTED)
def test_aspect_equals_gdaldem_in_every_cell(path: str, tmp_path: Path) -> None:
    expected = gdal(tmp_path, "gdaldem", "aspect", "-compute_edges", path)
    grid = read(path)
    ours, steepness = aspect(grid), np.tan(np.radians(slope(grid)))
    assert np.nanmax(but_corners(steepness)[np.isnan(ours) != np.isnan(expected)], initial=0) < 1e-6
    turned = np.abs((ours - expected + 180) % 360 - 180)
    assert np.nanmax(but_corners(turned * steepness)) < 1e-3  # GDAL's float32 sums turn nearly level cells
    assert np.nanmax(but_corners(np.where(steepness > 0.05, turned, 0))) < 0.01


@pytest.mark.parametrize("path", PROJECTED)
@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ({}, []),
        ({"azimuth": 200.0, "altitude": 20.0}, ["-az", "200", "-alt", "20"]),
        ({"z_factor": 3.0}, ["-z", "3"]),
        ({"multidirectional": True}, ["-multidirectional"]),
    ],
)
def test_hillshade_is_within_one_grey_of_gdaldem(
    path: str, options: dict, arguments: list[str], tmp_path: Path
) -> None:
    expected = np.nan_to_num(gdal(tmp_path, "gdaldem", "hillshade", "-compute_edges", *arguments, path), nan=0)
    ours = hillshade(read(path), **options).astype(int)
    assert np.nanmax(but_corners(np.abs(ours - expected))) <= 1
    assert np.mean(ours != expected) < 0.001


def test_degrees_are_measured_on_the_ground_row_by_row(tmp_path: Path) -> None:
    """GDAL knows one scale for a whole grid: it judges three rows at a time, their cells given in metres."""
    grid = read(SRTM)
    ours, (width, height) = slope(grid), grid.cell_sizes()
    for row in (1, 400, 1199):
        strip = grid.heights[row - 1 : row + 2]
        path = write(tmp_path / "strip.tif", strip, Affine(width[row], 0, 0, 0, -height[row], 0), None)
        expected = gdal(tmp_path, "gdaldem", "slope", str(path))[1, 1:-1]
        assert np.nanmax(np.abs(ours[row, 1:-1] - expected)) < 1e-3


def test_cell_sizes_in_degrees_equal_the_geodesics_between_cells() -> None:
    from pyproj import Geod

    grid = read(SRTM)
    width, height = grid.cell_sizes()
    x, y = grid.eastings(), grid.northings()
    geod = Geod(ellps="WGS84")
    for row in (0, 600, 1200):
        _, _, across = geod.inv(x[0], y[row], x[1], y[row])
        _, _, along = geod.inv(x[0], y[row] - grid.transform.a / 2, x[0], y[row] + grid.transform.a / 2)
        assert width[row] == pytest.approx(across, rel=1e-8)
        assert height[row] == pytest.approx(along, rel=1e-8)


def test_a_web_mercator_grid_is_as_steep_as_the_ground(tmp_path: Path) -> None:
    """The same hills warped to Web Mercator, where a metre at 40° N is drawn 1.3 m long, keep their slope."""
    warped = tmp_path / "mercator.tif"
    subprocess.run(["gdalwarp", "-q", "-r", "cubic", "-t_srs", "EPSG:3857", SPAIN, warped], check=True)
    assert np.nanmedian(slope(read(warped))) == pytest.approx(np.nanmedian(slope(read(SPAIN))), rel=0.02)


def test_unknown_cells_stay_unknown_and_do_not_spread(tmp_path: Path) -> None:
    grid = read(SPAIN)
    heights = grid.heights.copy()
    heights[100:110, 200:230] = np.nan
    heights[0, 5] = np.nan
    holed = replace(grid, heights=heights)
    path = write(tmp_path / "holed.tif", heights, grid.transform, grid.srid)
    expected = gdal(tmp_path, "gdaldem", "slope", "-compute_edges", str(path))
    ours = slope(holed)
    assert np.array_equal(np.isnan(ours), np.isnan(heights))
    inner = np.s_[2:, :]  # beside a hole in the border row GDAL extrapolates from other cells
    assert np.nanmax(but_corners(np.abs(ours - expected))[inner]) < 1e-3
    assert np.array_equal(hillshade(holed) == 0, np.isnan(heights))


def test_a_plane_descends_where_it_was_tilted_to() -> None:
    x, y = np.meshgrid(np.arange(50.0), np.arange(50.0))
    grid = replace(flat(0, 50, 50), heights=100 - 0.5 * x)  # falls towards the east
    assert np.allclose(slope(grid), np.degrees(np.arctan(0.5)))
    assert np.allclose(aspect(grid), 90)
    assert np.allclose(aspect(replace(grid, heights=100 + 0.5 * y)), 0)  # rises towards the south
    assert np.all(np.isnan(aspect(flat(7))))
    assert np.all(hillshade(flat(7)) == 181)  # 1 + 254 sin 45°, rounded


def test_one_row_or_column_has_a_gradient_along_it() -> None:
    line = Elevation(np.array([[0.0, 1.0, 2.0]]), Affine(1, 0, 0, 0, -1, 1), 4547)
    east, south = gradient(line)
    assert np.allclose(east, 1) and np.allclose(south, 0)


def test_a_rotated_or_empty_grid_is_refused() -> None:
    with pytest.raises(TerrainError, match="rotated"):
        Elevation(np.zeros((2, 2)), Affine(1, 0.5, 0, 0, -1, 0), 4547)
    with pytest.raises(TerrainError, match="rows and columns"):
        Elevation(np.zeros((0, 2)), Affine(1, 0, 0, 0, -1, 0), 4547)
