"""Contours against ``gdal_contour``: every line lies on GDAL's, and is as long."""

import subprocess
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from layers.terrain.contours import contours
from layers.terrain.elevation import Elevation
from layers.terrain.errors import AnalysisTooLarge, TerrainError
from tests.layers.terrain.grids import ALEXANDRIA, SPAIN, SRTM, flat, read


def of_gdal(tmp_path: Path, path: str | Path, interval: float, offset: float) -> dict[float, shapely.Geometry]:
    target = tmp_path / "contours.gpkg"
    target.unlink(missing_ok=True)
    options = ["-q", "-i", str(interval), "-off", str(offset), "-a", "z", "-f", "GPKG"]
    subprocess.run(["gdal_contour", *options, path, target], check=True, timeout=120)
    lines = geopandas.read_file(target)
    return {float(z): shapely.union_all(group.geometry.array) for z, group in lines.groupby("z")}


def of_ours(grid: Elevation, interval: float, offset: float) -> dict[float, shapely.Geometry]:
    by_level: dict[float, list[shapely.LineString]] = {}
    for contour in contours(grid, interval, base=offset):
        by_level.setdefault(contour.elevation, []).append(contour.line)
    return {z: shapely.union_all(lines) for z, lines in by_level.items()}


def inside(grid: Elevation, cells: float = 1.0) -> shapely.Polygon:
    """GDAL goes on for half a cell beyond the outermost centres: compared is what lies between centres."""
    west, south, east, north = grid.bounds
    a = grid.transform.a * cells
    return shapely.box(west + a, south + a, east - a, north - a)


@pytest.mark.parametrize(("path", "interval"), [(SPAIN, 50.0), (ALEXANDRIA, 1.0), (SRTM, 500.0)])
def test_contours_lie_where_gdals_lie_and_are_as_long(path: str, interval: float, tmp_path: Path) -> None:
    """At heights that no cell has: there both divide the ground alike."""
    grid, offset = read(path), interval * 0.375
    expected, ours = of_gdal(tmp_path, path, interval, offset), of_ours(grid, interval, offset)
    assert sorted(expected) == pytest.approx(sorted(ours))
    frame, cell = inside(grid), grid.transform.a
    for (_, theirs), (z, mine) in zip(sorted(expected.items()), sorted(ours.items()), strict=True):
        if np.isfinite(grid.heights).all():
            assert mine.intersection(frame).length == pytest.approx(theirs.intersection(frame).length, rel=5e-3), z
        apart = distances(mine.intersection(frame), theirs)
        assert apart.max(initial=0) < 0.5 * cell, z  # where four cells make a saddle, each may join them its own way
        assert np.mean(apart < 1e-4 * cell) > 0.999, z


def distances(line: shapely.Geometry, other: shapely.Geometry) -> np.ndarray:
    vertices = shapely.points(shapely.get_coordinates(line))
    shapely.prepare(other)
    parts = shapely.get_parts(other)
    tree = shapely.STRtree(parts)
    return (
        tree.query_nearest(vertices, return_distance=True, all_matches=False)[1]
        if len(parts)
        else np.full(len(vertices), np.inf)
    )


def test_every_fifth_contour_is_an_index_contour() -> None:
    drawn = {c.elevation: c.index for c in contours(read(SPAIN), 20.0)}
    assert min(drawn) == 520 and max(drawn) == 2400
    assert [z for z, index in drawn.items() if index][:3] == [600, 700, 800]
    every_second = {c.elevation for c in contours(read(SPAIN), 20.0, index_every=2, base=10) if c.index}
    assert {(z - 10) % 40 for z in every_second} == {0}


def test_a_cones_contours_are_circles_with_the_higher_ground_on_their_right() -> None:
    grid = flat(0, 201, 201)
    x, y = np.meshgrid(grid.eastings() - grid.eastings()[100], grid.northings() - grid.northings()[100])
    cone = replace(grid, heights=100 - np.hypot(x, y))
    for contour in contours(cone, 10.0, base=5):
        if contour.elevation < 5:
            continue
        assert contour.line.is_closed and not shapely.is_ccw(shapely.LinearRing(contour.line))
        assert contour.line.length == pytest.approx(2 * np.pi * (100 - contour.elevation), rel=5e-3)


def test_no_line_is_drawn_where_the_ground_is_unknown() -> None:
    x, _ = np.meshgrid(np.arange(50.0), np.arange(50.0))
    heights = 100 - x
    heights[20:30, :] = np.nan
    grid = replace(flat(0, 50, 50), heights=heights)
    lines = [c.line for c in contours(grid, 10.0, base=5.5)]
    south, north = grid.northings()[30], grid.northings()[19]
    assert lines and all(line.bounds[1] >= north or line.bounds[3] <= south for line in lines)
    assert list(contours(replace(grid, heights=np.full((5, 5), np.nan)), 1.0)) == []
    assert list(contours(flat(3.0, 1, 5), 1.0)) == []


def test_contours_at_the_height_of_a_plain_are_not_drawn_across_it() -> None:
    assert list(contours(flat(10.0), 5.0)) == []


def test_too_fine_or_impossible_intervals_are_refused() -> None:
    with pytest.raises(AnalysisTooLarge, match="levels"):
        list(contours(read(SPAIN), 0.5))
    with pytest.raises(TerrainError, match="more than 0"):
        list(contours(read(SPAIN), 0.0))
