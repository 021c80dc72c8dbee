"""Hours of sun 日照时数 of every cell of a grid, by shadows swept over the surface.

For each place of the sun the surface is read in lines along its azimuth; along a line the height below which there is
shadow sinks with the sun's slope and rises with what stands there. A line follows the azimuth to less than a cell, and
a building's outline is that of its cells, so a shadow's edge is right to two.
"""

from collections.abc import Callable

import numpy as np

from layers.terrain.elevation import Elevation, Floats
from layers.terrain.solar import SunPath


def sun_hours(
    surface: Elevation,
    receptors: Floats,
    sun: SunPath,
    north: float,
    tell: Callable[[float], None] = lambda share: None,
) -> Floats:
    """Hours of sun of each cell; NaN where the receptor is unknown.

    ``surface`` is terrain with buildings, in a projected CRS with square cells; ``receptors`` the heights [m] of the
    points judged, one in each cell; ``north`` the direction of true north [° from the grid's]. ``tell`` is told the
    share that is done after each step, and may raise to stop.
    """
    hours = np.zeros(surface.shape)
    for i, (azimuth, altitude) in enumerate(zip(sun.azimuths, sun.altitudes, strict=True)):
        if altitude > 0:
            hours += receptors >= shadow_heights(surface, float(azimuth) + north, float(altitude))
        tell((i + 1) / len(sun.azimuths))
    return np.where(np.isnan(receptors), np.nan, hours * sun.step)


def shadow_heights(surface: Elevation, azimuth: float, altitude: float) -> Floats:
    """For each cell the height [m] below which it lies in shadow, its own at least; -inf where nothing is known.

    ``azimuth`` [° from grid north] and ``altitude`` [°] of the sun.
    """
    east, north = np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))
    heights = np.where(np.isnan(surface.heights), -np.inf, surface.heights)
    shadow = np.empty(heights.shape)
    # Views in which the sun stands beyond the first row, and the lines run down the rows.
    source, target = (heights, shadow) if abs(north) >= abs(east) else (heights.T, shadow.T)
    ahead, aside = (north, -east) if abs(north) >= abs(east) else (-east, north)
    if ahead < 0:
        source, target = source[::-1], target[::-1]
    step = surface.transform.a / abs(ahead)
    _sweep(source, target, aside / abs(ahead), step * np.tan(np.radians(altitude)))
    return shadow


def _sweep(heights: Floats, shadow: Floats, drift: float, sink: float) -> None:
    """Fill ``shadow``: lines go down the rows and ``drift`` columns aside in each, the shadow sinks by ``sink`` [m]."""
    rows, columns = heights.shape
    shifts = np.rint(np.arange(rows) * drift).astype(int)
    shifts -= shifts.max()
    lines = np.full((rows, columns - shifts.min()), -np.inf)
    fallen = (np.arange(rows) * sink)[:, np.newaxis]
    for row, shift in enumerate(shifts):
        lines[row, -shift : columns - shift] = heights[row]
    lines += fallen
    np.maximum.accumulate(lines, axis=0, out=lines)
    lines -= fallen
    for row, shift in enumerate(shifts):
        shadow[row] = lines[row, -shift : columns - shift]
