"""Viewshed against ``gdal_viewshed`` cell by cell, and against sight lines walked one by one."""

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio

from layers.terrain.elevation import Elevation
from layers.terrain.errors import OutsideElevation
from layers.terrain.viewshed import HIDDEN, UNKNOWN, VISIBLE, viewshed
from tests.layers.terrain.grids import ALEXANDRIA, SPAIN, flat, on_real_ground, read, write

OBSERVERS = [(200, 300), (50, 500), (350, 100), (100, 100), (5, 5), (405, 300)]


def of_gdal(
    tmp_path: Path, grid: Elevation, at: tuple[int, int], radius: float, refraction: float, oz: float, tz: float
) -> np.ndarray:
    """GDAL's answer on the same cells, -1 where out of range."""
    row, column = at
    path = write(tmp_path / "surface.tif", grid.heights, grid.transform, grid.srid)
    target = tmp_path / "seen.tif"
    place = ["-ox", str(grid.eastings()[column]), "-oy", str(grid.northings()[row]), "-oz", str(oz), "-tz", str(tz)]
    marks = ["-vv", "1", "-iv", "0", "-ov", "255", "-md", str(radius), "-cc", str(1 - refraction)]
    subprocess.run(["gdal_viewshed", "-q", *place, *marks, path, target], check=True, timeout=60)
    answer = np.full(grid.shape, UNKNOWN, int)
    with rasterio.open(target) as source:
        top = round((grid.transform.f - source.transform.f) / -grid.transform.e)
        left = round((source.transform.c - grid.transform.c) / grid.transform.a)
        seen = source.read(1).astype(int)
    answer[top : top + seen.shape[0], left : left + seen.shape[1]] = np.where(seen == 255, UNKNOWN, seen)
    return answer


def of_ours(grid: Elevation, at: tuple[int, int], radius: float, refraction: float, oz: float, tz: float) -> np.ndarray:
    return viewshed(grid, grid.eastings()[at[1]], grid.northings()[at[0]], oz, tz, radius, refraction)


def lifted(grid: Elevation, at: tuple[int, int]) -> Elevation:
    """The six cells north and south of the observer no lower than its ground. GDAL 3.6 takes them for hidden otherwise,
    and raises what lies behind them: it lets the observer's own ground stand before its eye."""
    row, column = at
    heights = grid.heights.copy()
    for beside in (row - 1, row + 1):
        part = heights[beside, column - 1 : column + 2]
        part[:] = np.maximum(part, heights[at])
    return replace(grid, heights=heights)


@pytest.mark.parametrize("at", OBSERVERS)
@pytest.mark.parametrize(("refraction", "oz", "tz"), [(1.0, 1.8, 0.0), (1 / 7, 1.8, 0.0), (0.13, 30.0, 2.0)])
def test_every_cell_equals_gdals(at: tuple[int, int], refraction: float, oz: float, tz: float, tmp_path: Path) -> None:
    grid = lifted(read(SPAIN), at)
    expected = of_gdal(tmp_path, grid, at, 5000, refraction, oz, tz)
    ours = of_ours(grid, at, 5000, refraction, oz, tz)
    assert np.mean(ours[expected >= 0] == expected[expected >= 0]) > 0.9999  # ties of floats
    assert np.array_equal(ours == UNKNOWN, expected == UNKNOWN)


@on_real_ground
def test_four_in_a_thousand_cells_at_most_differ_where_gdal_hides_the_cells_beside_the_observer(tmp_path: Path) -> None:
    grid, shares = read(SPAIN), []
    for at in ((200, 300), (50, 500), (350, 100)):
        expected, ours = (f(at) for f in (
            lambda at: of_gdal(tmp_path, grid, at, 5000, 1 / 7, 1.8, 0), lambda at: of_ours(grid, at, 5000, 1 / 7, 1.8, 0),
        ))  # fmt: skip
        differs = (ours != expected) & (expected >= 0)
        assert np.all(ours[differs] == VISIBLE)
        shares.append(differs.sum() / (expected >= 0).sum())
    assert max(shares) < 0.004


def test_a_fine_grid_with_a_pit_equals_gdals(tmp_path: Path) -> None:
    grid = read(ALEXANDRIA)
    grid = lifted(replace(grid, heights=np.nan_to_num(grid.heights, nan=10.0)), (100, 100))
    expected = of_gdal(tmp_path, grid, (100, 100), 300, 1 / 7, 1.5, 0)
    ours = of_ours(grid, (100, 100), 300, 1 / 7, 1.5, 0)
    assert np.mean(ours[expected >= 0] == expected[expected >= 0]) > 0.9995


def test_nearly_all_cells_are_as_a_sight_line_of_their_own_says() -> None:
    """The rings carry the steepest slope on by interpolation; walking each line over the ground itself is the truth."""
    grid, at = read(SPAIN), (200, 300)
    ours = of_ours(grid, at, 2500, 0.13, 10.0, 0.0)
    rng = np.random.default_rng(2)
    cells = rng.permutation(np.argwhere(ours != UNKNOWN))[:3000]
    agree = [ours[tuple(cell)] == walked(grid, at, tuple(cell), 10.0) for cell in cells]
    assert np.mean(agree) > 0.97


def walked(grid: Elevation, at: tuple[int, int], cell: tuple[int, int], oz: float) -> int:
    (r0, c0), (r1, c1) = at, cell
    steps = max(abs(r1 - r0), abs(c1 - c0))
    if steps < 2:
        return VISIBLE
    share = np.arange(1, steps + 1) / steps
    x = grid.eastings()[c0] + (grid.eastings()[c1] - grid.eastings()[c0]) * share
    y = grid.northings()[r0] + (grid.northings()[r1] - grid.northings()[r0]) * share
    away = np.hypot(x - grid.eastings()[c0], y - grid.northings()[r0])
    slope = (grid.at(x, y) - 0.87 * away**2 / (2 * 6371008.8) - grid.heights[at] - oz) / away
    return VISIBLE if slope[-1] >= slope[:-1].max() else HIDDEN


def test_a_wall_hides_what_is_behind_it_up_to_the_sight_line_over_its_top() -> None:
    grid = flat(0.0, 41, 201)
    heights = grid.heights.copy()
    heights[:, 50] = 5.0  # 50 m east of the observer, whose eye is at 2 m: the line over it rises 3 m in 50 m
    walled = replace(grid, heights=heights)
    x, y = grid.eastings()[0], grid.northings()[20]
    seen = viewshed(walled, x, y, 2.0, 0.0, 500.0, refraction=1.0)
    assert np.all(seen[20, :51] == VISIBLE) and np.all(seen[20, 51:] == HIDDEN)
    behind = [viewshed(walled, x, y, 2.0, tall, 500.0, refraction=1.0)[20, 150] for tall in (10.99, 11.01)]
    assert behind == [HIDDEN, VISIBLE]  # 2 + 3 / 50 × 150 = 11 m


def test_the_earths_curvature_hides_a_plain_beyond_the_horizon() -> None:
    grid = flat(0.0, 3, 1000, cell=20.0)
    x, y = grid.eastings()[0], grid.northings()[1]
    row = viewshed(grid, x, y, 1.7, 0.0, 20_000.0, refraction=0.0)[1]
    horizon = np.sqrt(2 * 6371008.8 * 1.7)  # 4654 m
    assert 20 * np.flatnonzero(row == HIDDEN)[0] == pytest.approx(horizon, rel=0.01)
    bent = viewshed(grid, x, y, 1.7, 0.0, 20_000.0, refraction=0.13)[1]
    assert np.sum(bent == VISIBLE) > np.sum(row == VISIBLE)


def test_unknown_cells_hide_nothing_and_an_observer_needs_ground() -> None:
    grid = flat(0.0, 21, 21)
    heights = grid.heights.copy()
    heights[:, 12] = np.nan
    holed = replace(grid, heights=heights)
    seen = viewshed(holed, grid.eastings()[10], grid.northings()[10], 1.5, 0.0, 100.0)
    assert np.all(seen[:, 12] == UNKNOWN) and np.all(np.delete(seen, 12, axis=1) == VISIBLE)
    with pytest.raises(OutsideElevation):
        viewshed(holed, grid.eastings()[12], grid.northings()[10], 1.5, 0.0, 100.0)
    with pytest.raises(OutsideElevation):
        viewshed(holed, grid.eastings()[0] - 5, grid.northings()[10], 1.5, 0.0, 100.0)
