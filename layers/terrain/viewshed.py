"""Viewshed 可视域: which cells of a grid are seen from a point.

The sight lines are interpolated from ring to ring around the observer's cell (Wang, J., Robinson, G. J. & White, K.
(2000), Generating viewsheds without using sightlines, PE&RS 66(1); the edge rule, as ``gdal_viewshed`` has it). A ring
depends on the one within it alone, so each is computed as a whole.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.terrain.elevation import Elevation, Floats
from layers.terrain.errors import OutsideElevation
from layers.terrain.sight import REFRACTION, fall

VISIBLE, HIDDEN, UNKNOWN = 1, 0, -1
#: Steeper down than any ground: nothing is in the way of the innermost ring.
_DOWN = -1e6


def viewshed(
    elevation: Elevation,
    x: float,
    y: float,
    observer_height: float,
    target_height: float,
    radius: float,
    refraction: float = REFRACTION,
) -> NDArray[np.int8]:
    """For each cell 1 where a target of that height [m] on it is seen, 0 where hidden, -1 beyond ``radius`` [m] and
    where the ground is unknown.

    The observer stands at the centre of the cell that holds (x, y) of the grid's CRS, ``observer_height`` [m] above
    it. An unknown cell hides nothing. Raises :class:`OutsideElevation` where the observer's ground is unknown.
    """
    row, column = _cell_of(elevation, x, y)
    wide, high = (float(size[row]) for size in elevation.cell_sizes())
    seen = np.full(elevation.shape, UNKNOWN, np.int8)
    eye = float(elevation.heights[row, column]) + observer_height
    cells = np.arange(max(elevation.shape), dtype=np.float64)
    down, across = fall(cells * high, refraction), fall(cells * wide, refraction)
    for heights, marks in _octants(row, column, elevation.heights, seen):
        forward, sideways = (down, across) if heights[1] else (across, down)
        _sweep(heights[0], marks[0], eye, target_height, forward, sideways)
    seen[row, column] = VISIBLE
    rows = ((np.arange(elevation.shape[0]) - row) * high)[:, np.newaxis]
    columns = (np.arange(elevation.shape[1]) - column) * wide
    seen[(rows**2 + columns**2 > radius**2) | np.isnan(elevation.heights)] = UNKNOWN
    return seen


def _cell_of(elevation: Elevation, x: float, y: float) -> tuple[int, int]:
    column, row = (int(np.floor(p + 0.5)) for p in elevation.position(np.array(x), np.array(y)))
    inside = 0 <= row < elevation.shape[0] and 0 <= column < elevation.shape[1]
    if not inside or np.isnan(elevation.heights[row, column]):
        raise OutsideElevation("the ground under the observer is not known; move it, or import elevation there")
    return row, column


def _octants(row: int, column: int, *grids: NDArray[Any]) -> Iterator[list[tuple[NDArray[Any], bool]]]:
    """Views of the grids with the observer first, rings ahead along the first axis; whether that runs along columns."""
    for up in (slice(row, None), slice(row, None, -1)):
        for left in (slice(column, None), slice(column, None, -1)):
            quarters = [grid[up, left] for grid in grids]
            yield [(quarter, True) for quarter in quarters]
            yield [(quarter.T, False) for quarter in quarters]


def _sweep(
    heights: Floats, marks: NDArray[np.int8], eye: float, target_height: float, forward: Floats, sideways: Floats
) -> None:
    """Mark an octant: rings ahead, in each as many cells sideways as it is far.

    ``steepest`` [m per ring] is the slope of the sight line over all that lies between, with a cell before the first.
    """
    steepest = np.full(heights.shape[1] + 1, _DOWN)
    share = np.arange(heights.shape[1], dtype=float)
    for ring in range(1, heights.shape[0]):
        cells = min(ring + 1, heights.shape[1])
        inner = share[:cells] / ring
        limit = steepest[1 : cells + 1] * (1 - inner) + steepest[:cells] * inner
        slope = (heights[ring, :cells] - (forward[ring] + sideways[:cells]) - eye) / ring
        marks[ring, :cells] = slope + target_height / ring >= limit
        steepest[1 : cells + 1] = np.fmax(slope, limit)
