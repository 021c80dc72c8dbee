"""Heights between cells, against SciPy's interpolation."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from tests.layers.terrain.grids import SPAIN, flat, read


def test_heights_between_cells_equal_scipys_linear_interpolation() -> None:
    grid = read(SPAIN)
    rng = np.random.default_rng(4)
    row, column = rng.uniform(0, grid.shape[0] - 1, 5000), rng.uniform(0, grid.shape[1] - 1, 5000)
    expected = map_coordinates(grid.heights, [row, column], order=1)
    x = grid.transform.c + (column + 0.5) * grid.transform.a
    y = grid.transform.f + (row + 0.5) * grid.transform.e
    assert np.allclose(grid.at(x, y), expected, atol=1e-6)


def test_a_cells_centre_has_the_cells_height() -> None:
    grid = read(SPAIN)
    x, y = np.meshgrid(grid.eastings(), grid.northings())
    assert np.allclose(grid.at(x, y), grid.heights, atol=1e-6)


def test_beyond_the_grid_nothing_is_known_and_at_its_edge_the_last_height() -> None:
    grid = flat(8.0, 4, 4)
    west, south, east, north = grid.bounds
    x = np.array([west - 0.01, west, east, east + 0.01, west, west])
    y = np.array([south, south, north, north, north + 0.01, south - 0.01])
    assert grid.at(x, y) == pytest.approx([np.nan, 8, 8, np.nan, np.nan, np.nan], nan_ok=True)


def test_an_unknown_neighbour_counts_only_where_it_has_weight() -> None:
    heights = np.array([[1.0, 2.0, np.nan]])
    grid = replace(flat(0, 1, 3), heights=heights)
    x, y = grid.eastings(), np.full(3, grid.northings()[0])
    assert grid.at(x, y) == pytest.approx([1, 2, np.nan], nan_ok=True)
    assert np.isnan(grid.at(x[1:2] + 0.1, y[:1]))
    assert grid.at(x[1:2] - 0.1, y[:1]) == pytest.approx([1.9])
