"""Elevation profiles against GDAL's and PROJ's own answers."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest
from pyproj import Geod, Transformer

from layers.terrain.elevation import Elevation
from layers.terrain.errors import AnalysisTooLarge, TerrainError
from layers.terrain.profile import Profile
from layers.terrain.sight import heights_at
from layers.terrain.stations import stations
from tests.layers.terrain.grids import SPAIN, SRTM, flat, read


def profile(grid: Elevation, line: np.ndarray, step: float) -> Profile:
    points = stations(line, step)
    return Profile(points, heights_at(grid, points.longitudes, points.latitudes))


LINE = np.array([(1.2, 42.3), (1.5, 42.5), (1.7, 42.45)])


def test_stations_lie_on_the_geodesic_at_most_a_step_apart_and_hold_every_vertex() -> None:
    points = stations(LINE, 250.0)
    geod = Geod(ellps="WGS84")
    _, _, apart = geod.inv(points.longitudes[:-1], points.latitudes[:-1], points.longitudes[1:], points.latitudes[1:])
    assert apart.max() <= 250.001 and np.allclose(apart, np.diff(points.distances), atol=1e-4)
    assert points.length == pytest.approx(geod.line_length(*LINE.T), abs=1e-3)
    for lon, lat in LINE:
        assert np.hypot(points.longitudes - lon, points.latitudes - lat).min() < 1e-10


def test_heights_equal_gdals_at_cells_it_can_name() -> None:
    """gdallocationinfo reads whole cells: stations are put on cells' centres."""
    grid = read(SRTM)
    row = 500
    line = np.array([(grid.eastings()[100], grid.northings()[row]), (grid.eastings()[101], grid.northings()[row])])
    got = profile(grid, line, 1000.0).heights
    asked = "\n".join(f"{x} {y}" for x, y in line)
    told = subprocess.run(["gdallocationinfo", "-valonly", "-wgs84", SRTM], input=asked, capture_output=True, text=True)
    assert got == pytest.approx([float(v) for v in told.stdout.split()], abs=0.05)


def test_ascent_and_descent_count_every_rise_and_fall() -> None:
    grid = read(SPAIN)
    lon, lat = Transformer.from_crs(grid.srid, 4490, always_xy=True).transform(
        grid.eastings()[[50, 550]], grid.northings()[[50, 380]]
    )
    found = profile(grid, np.column_stack([lon, lat]), 25.0)
    rises = np.diff(found.heights)
    assert found.ascent == pytest.approx(rises[rises > 0].sum())
    assert found.ascent - found.descent == pytest.approx(found.heights[-1] - found.heights[0])
    assert found.ascent > 100


def test_a_gap_in_the_ground_is_no_rise() -> None:
    grid = flat(5.0, 100, 100)
    heights = grid.heights + np.arange(100) * 0.1
    heights[:, 40:60] = np.nan
    grid = replace(grid, heights=heights)
    lon, lat = Transformer.from_crs(4547, 4490, always_xy=True).transform([500001, 500099], [3360050, 3360050])
    found = profile(grid, np.column_stack([lon, lat]), 1.0)
    assert np.isnan(found.heights).any()
    assert found.ascent == pytest.approx(9.8 - 2.1, abs=0.15)


def test_lines_without_length_or_with_too_many_stations_are_refused() -> None:
    with pytest.raises(TerrainError, match="no length"):
        stations(np.array([(1.0, 42.0), (1.0, 42.0)]), 10.0)
    with pytest.raises(AnalysisTooLarge, match="longer step"):
        stations(LINE, 0.05)
