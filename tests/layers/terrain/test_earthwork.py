"""Cut and fill against solids whose volume is known, and against polygons cut cell by cell."""

from dataclasses import replace

import numpy as np
import pytest
import shapely

from layers.terrain.earthwork import Plane, coverage, cut_fill
from layers.terrain.elevation import Elevation
from layers.terrain.errors import OutsideElevation
from tests.layers.terrain.grids import SPAIN, flat, read


def shaped(height_at, cell: float = 1.0, size: int = 200) -> Elevation:  # type: ignore[no-untyped-def]
    grid = flat(0, size, size, cell)
    x, y = np.meshgrid(grid.eastings() - 500000, grid.northings() - 3360000)
    return replace(grid, heights=np.asarray(height_at(x, y), float))


def area(*corners: tuple[float, float]) -> shapely.Polygon:
    return shapely.Polygon([(500000 + x, 3360000 + y) for x, y in corners])


def test_a_slab_within_a_crooked_polygon_has_its_areas_volume() -> None:
    lot = area((10.3, 10.7), (150.1, 30.2), (120.9, 160.4), (40.6, 140.8))
    done = cut_fill(flat(12.5, 200, 200), Plane(10.0), lot)
    assert done.cut == pytest.approx(2.5 * lot.area, rel=1e-9)
    assert (done.fill, done.unknown_area) == (0, pytest.approx(0, abs=1e-6))
    assert done.cut_area == pytest.approx(lot.area, rel=1e-9)


def test_a_wedge_cuts_as_much_as_it_fills() -> None:
    """z = 0.1 x over 100 m, level design at 5 m: two triangles of 50 m × 5 m / 2, 80 m wide."""
    done = cut_fill(shaped(lambda x, y: 0.1 * x), Plane(5.0), area((0, 10), (100, 10), (100, 90), (0, 90)))
    assert done.cut == pytest.approx(50 * 5 / 2 * 80)
    assert done.fill == pytest.approx(50 * 5 / 2 * 80)
    assert done.net == pytest.approx(0, abs=1e-6)


def test_a_cone_and_a_half_sphere_have_their_volumes() -> None:
    lot = area((0, 0), (200, 0), (200, 200), (0, 200))
    cone = shaped(lambda x, y: np.maximum(0, 30 - 0.5 * np.hypot(x - 100, y - 100)))
    assert cut_fill(cone, Plane(0.0), lot).cut == pytest.approx(np.pi * 60**2 * 30 / 3, rel=1e-3)
    bowl = shaped(lambda x, y: -np.sqrt(np.maximum(0, 50**2 - (x - 100) ** 2 - (y - 100) ** 2)), 0.5, 400)
    assert cut_fill(bowl, Plane(0.0), lot).fill == pytest.approx(2 / 3 * np.pi * 50**3, rel=1e-3)


def test_a_tilted_design_parallel_to_the_ground_leaves_a_slab() -> None:
    ground = shaped(lambda x, y: 100 + 0.2 * x - 0.1 * y)
    design = Plane(98.0, 500000, 3360000, 0.2, -0.1)
    lot = area((3.2, 4.1), (77.7, 9.9), (55.5, 88.8))
    assert cut_fill(ground, design, lot).cut == pytest.approx(2 * lot.area, rel=1e-9)


def test_a_second_surface_of_other_cells_is_the_design() -> None:
    ground, design = shaped(lambda x, y: 10 + 0.05 * x), shaped(lambda x, y: 7 + 0.05 * x, 4.0, 50)
    lot = area((20, 20), (150.5, 20), (150.5, 133.3), (20, 133.3))
    assert cut_fill(ground, design, lot).cut == pytest.approx(3 * lot.area, rel=1e-9)


def test_real_ground_equals_the_plain_sum_over_every_cell() -> None:
    ground = read(SPAIN)
    centre = shapely.Point(ground.eastings()[300], ground.northings()[200])
    lot = centre.buffer(900).difference(centre.buffer(300))
    level = float(ground.heights[200, 300]) + 20
    done = cut_fill(ground, Plane(level), lot)
    cut = fill = 0.0
    for row in range(ground.shape[0]):
        for column in range(ground.shape[1]):
            west, north = ground.transform @ (column, row)
            if abs(west - centre.x) > 950 or abs(north - centre.y) > 950:
                continue
            share = shapely.box(west, north - 25, west + 25, north).intersection(lot).area
            above = ground.heights[row, column] - level
            cut, fill = cut + share * max(above, 0), fill + share * max(-above, 0)
    assert done.cut == pytest.approx(cut, rel=1e-6) and done.fill == pytest.approx(fill, rel=1e-6)
    assert cut > 0 and fill > 0


def test_cells_are_shared_exactly() -> None:
    grid = flat(0, 4, 4)
    rows, columns, share = coverage(grid, area((0.5, 0.5), (2.25, 0.5), (2.25, 1.5), (0.5, 1.5)))
    found = {(int(r), int(c)): float(s) for r, c, s in zip(rows, columns, share, strict=True)}
    assert found == pytest.approx({(3, 0): 0.25, (3, 1): 0.5, (3, 2): 0.125, (2, 0): 0.25, (2, 1): 0.5, (2, 2): 0.125})


def test_unknown_ground_is_told_and_not_counted() -> None:
    ground = flat(3.0, 100, 100)
    heights = ground.heights.copy()
    heights[-10:, :10] = np.nan
    lot = area((-20, 0), (20, 0), (20, 20), (-20, 20))
    done = cut_fill(replace(ground, heights=heights), Plane(0.0), lot)
    assert done.unknown_area == pytest.approx(100 + 400)
    assert done.cut == pytest.approx(3 * 300)
    with pytest.raises(OutsideElevation):
        cut_fill(ground, Plane(0.0), area((-50, -50), (-40, -50), (-40, -40)))
