"""Line of sight against geometry worked out by hand, a sight line walked slowly, and the viewshed."""

from dataclasses import replace

import numpy as np
import pytest
import shapely
from pyproj import Geod, Transformer

from layers.terrain.elevation import Elevation
from layers.terrain.errors import OutsideElevation
from layers.terrain.obstacles import Obstacles, standing_on, with_buildings
from layers.terrain.sight import EARTH_RADIUS, line_of_sight
from tests.layers.terrain.grids import SPAIN, flat, read


def place(x: float, y: float, srid: int = 4547) -> tuple[float, float]:
    lon, lat = Transformer.from_crs(srid, 4490, always_xy=True).transform(x, y)
    return float(lon), float(lat)


def walled(height: float, cell: float = 1.0) -> Elevation:
    grid = flat(0.0, 41, 201, cell)
    heights = grid.heights.copy()
    heights[:, 50] = height
    return replace(grid, heights=heights)


WEST, EAST = (500000.5, 3360020.5), (500150.5, 3360020.5)


@pytest.mark.parametrize(("tall", "visible"), [(10.9, False), (11.1, True)])
def test_a_wall_is_seen_over_from_the_height_that_its_top_leaves(tall: float, visible: bool) -> None:
    found = line_of_sight(walled(5.0), place(*WEST), place(*EAST), 2.0, tall, refraction=1.0)
    assert found.visible is visible
    assert found.needed_height == pytest.approx(11.0, abs=0.02)  # 2 + 3 / 50 × 150
    assert (found.clearance is not None) and (found.clearance >= 0) is visible
    if found.first:
        assert found.first.distance == pytest.approx(50, abs=1) and found.first.building is None


def test_buildings_hide_by_their_exact_walls() -> None:
    """A house from 60 m to 70 m away, 20 m high, ground 0: from an eye at 2 m its near wall rises 18 m in 60."""
    grid = flat(0.0, 41, 201)
    house = shapely.box(500060.5, 3360010, 500070.5, 3360030)
    obstacles = standing_on(grid, [house], np.array([20.0]), [77])
    found = line_of_sight(grid, place(*WEST), place(*EAST), 2.0, 5.0, 1.0, obstacles)
    assert not found.visible and found.first is not None
    assert (found.first.building, found.first.height) == (77, pytest.approx(20.0))
    assert found.first.distance == pytest.approx(60.0, abs=0.02)
    assert found.needed_height == pytest.approx(2 + 18 / 60 * 150, rel=1e-3)
    assert found.first.sight_height == pytest.approx(2 + 3 * 60 / 150, abs=0.01)
    tall = line_of_sight(grid, place(*WEST), place(*EAST), 2.0, 47.1, 1.0, obstacles)
    assert tall.visible and tall.clearance == pytest.approx(0.04, abs=0.03)


def test_from_above_a_houses_far_wall_hides_most() -> None:
    grid = flat(0.0, 41, 201)
    house = shapely.box(500060.5, 3360010, 500070.5, 3360030)
    obstacles = standing_on(grid, [house], np.array([20.0]), [1])
    found = line_of_sight(grid, place(*WEST), place(*EAST), 30.0, 0.0, 1.0, obstacles)
    assert found.visible is False
    assert found.needed_height == pytest.approx(30 - 10 / 70 * 150, abs=0.01)


def test_a_building_that_one_stands_on_or_in_hides_nothing() -> None:
    grid = flat(0.0, 41, 201)
    homes = [shapely.box(x - 5, 3360010, x + 5, 3360030) for x in (WEST[0], EAST[0])]
    obstacles = standing_on(grid, homes, np.array([30.0, 30.0]), [1, 2])
    assert line_of_sight(grid, place(*WEST), place(*EAST), 12.0, 9.0, 0.13, obstacles).visible


def test_the_curved_earth_hides_what_stands_too_low_behind_the_horizon() -> None:
    grid = flat(0.0, 3, 2000, cell=20.0)
    x, y = grid.eastings(), grid.northings()[1]
    found = line_of_sight(grid, place(x[0], y), place(x[1500], y), 10.0, 0.0, refraction=0.0)
    horizon = np.sqrt(2 * EARTH_RADIUS * 10.0)
    expected = (found.distance - horizon) ** 2 / (2 * EARTH_RADIUS)
    assert found.needed_height == pytest.approx(expected, rel=1e-3)
    assert not found.visible


def test_real_ground_gives_what_walking_the_line_gives() -> None:
    grid, rng = read(SPAIN), np.random.default_rng(7)
    back = Transformer.from_crs(4490, grid.srid, always_xy=True)
    seen = []
    for _ in range(40):
        rows, columns = rng.integers(10, 400, 2), rng.integers(10, 590, 2)
        ends = [place(grid.eastings()[c], grid.northings()[r], grid.srid) for r, c in zip(rows, columns, strict=True)]
        found = line_of_sight(grid, *ends, 15.0, 5.0, 0.13)
        lon, lat = np.array([ends[0], *Geod(ellps="WGS84").npts(*ends[0], *ends[1], 19_999), ends[1]]).T
        ground = grid.at(*back.transform(lon, lat))
        away = np.linspace(0, found.distance, 20_001)
        sunk = ground - 0.87 * away**2 / (2 * EARTH_RADIUS)
        slope = (sunk[1:-1] - ground[0] - 15) / away[1:-1]
        needed = max(0.0, ground[0] + 15 + slope.max() * away[-1] - sunk[-1])
        assert found.needed_height == pytest.approx(needed, abs=0.2, rel=1e-3)  # a quarter of a cell's step
        if abs(needed - 5) > 0.2:
            assert found.visible == (needed < 5)
        seen.append(found.visible)
    assert 0 < sum(seen) < 40


def test_the_raised_surface_and_the_footprints_agree() -> None:
    grid = read(SPAIN)
    x, y = grid.eastings()[300], grid.northings()[200]
    tower = shapely.box(x - 50, y - 50, x + 50, y + 50)
    obstacles = standing_on(grid, [tower], np.array([60.0]), [3])
    surface = with_buildings(grid, obstacles)
    raised = surface.heights != grid.heights
    assert raised.sum() in (16, 20, 25)
    assert np.allclose(surface.heights[raised], obstacles.tops[0])
    corners = grid.at(*np.array(tower.exterior.coords[:-1]).T)
    assert obstacles.tops[0] == pytest.approx(corners.mean() + 60)


def test_of_overlapping_buildings_the_higher_stands_and_none_sinks_into_the_hill() -> None:
    grid = flat(10.0, 20, 20)
    box = shapely.box(500005, 3360005, 500010, 3360010)
    tops = np.array([40.0, 25.0, 3.0])
    surface = with_buildings(
        grid, Obstacles(np.array([box, box, shapely.box(500012, 3360012, 500015, 3360015)]), tops, (1, 2, 3), 4547)
    )
    assert set(np.unique(surface.heights)) == {10.0, 40.0}


def test_a_building_on_unknown_ground_is_left_out_and_an_end_there_is_refused() -> None:
    grid = flat(0.0, 20, 20)
    away = shapely.box(600000, 3360000, 600010, 3360010)
    near = shapely.box(500005, 3360005, 500010, 3360010)
    assert standing_on(grid, [away, near], np.array([5.0, 6.0]), [8, 9]).ids == (9,)
    with pytest.raises(OutsideElevation, match="target"):
        line_of_sight(grid, place(500010, 3360010), place(500040, 3360010), 1.0, 1.0)
