"""Hillshade, slope and aspect of an elevation grid, by Horn's third-order finite difference.

Horn, B. K. P. (1981), Hill shading and the reflectance map, Proc. IEEE 69(1). At the grid's border the missing
neighbours are extrapolated linearly; an unknown neighbour counts as the cell itself. So does ``gdaldem
-compute_edges``, and both draw alike but for the four corner cells, where it extrapolates in one direction only.
"""

import numpy as np
from numpy.typing import NDArray

from layers.terrain.elevation import Elevation, Floats

#: The four lights of the multidirectional shade [°], each weighed by how much a slope descends along it (after Mark,
#: R. K. (1992), USGS Open-File Report 92-422).
_LIGHTS = (225.0, 270.0, 315.0, 360.0)


def slope(elevation: Elevation, z_factor: float = 1.0) -> Floats:
    """Steepest slope of each cell [°], 0 level, NaN where the height is unknown.

    ``z_factor`` multiplies the heights: an exaggeration, or their unit in metres.
    """
    east, south = gradient(elevation, z_factor)
    return np.degrees(np.arctan(np.hypot(east, south)))


def aspect(elevation: Elevation) -> Floats:
    """Direction in which each cell descends [°] clockwise from grid north, below 360; NaN where level or unknown."""
    east, south = gradient(elevation)
    downhill = np.degrees(np.arctan2(-east, south)) % 360.0
    level = (east == 0) & (south == 0)
    return np.where(level, np.nan, np.where(downhill >= 360.0, 0.0, downhill))


def hillshade(
    elevation: Elevation,
    azimuth: float = 315.0,
    altitude: float = 45.0,
    z_factor: float = 1.0,
    multidirectional: bool = False,
) -> NDArray[np.uint8]:
    """Brightness of each cell under a light from ``azimuth`` [° from grid north] at ``altitude`` [°]: 1 dark to 255
    bright, 0 where the height is unknown.

    ``multidirectional``: four lights from west of north to south-west in place of the one at ``azimuth``.
    """
    east, south = gradient(elevation, z_factor)
    height = np.radians(altitude)
    if multidirectional:
        lights = (np.maximum(_lit(east, south, light, height), 0) * _weight(east, south, light) for light in _LIGHTS)
        shades = sum(lights) / 2
        level = (east == 0) & (south == 0)
        brightness = np.where(level, np.sin(height), shades)
    else:
        brightness = _lit(east, south, azimuth, height)
    grey = np.floor(1.5 + 254.0 * np.clip(brightness, 0, 1))
    return np.where(np.isnan(grey), 0, grey).astype(np.uint8)


def gradient(elevation: Elevation, z_factor: float = 1.0) -> tuple[Floats, Floats]:
    """Rise of the ground towards the east and towards the south [m/m]; NaN where the height is unknown."""
    z = elevation.heights
    width, height = (size[:, np.newaxis] for size in elevation.cell_sizes())
    around = _extrapolated(z)

    def shifted(down: int, right: int) -> Floats:
        part = around[1 + down : 1 + down + z.shape[0], 1 + right : 1 + right + z.shape[1]]
        return np.where(np.isnan(part) | np.isnan(z), z, part)

    nw, n, ne = shifted(-1, -1), shifted(-1, 0), shifted(-1, 1)
    w, e = shifted(0, -1), shifted(0, 1)
    sw, s, se = shifted(1, -1), shifted(1, 0), shifted(1, 1)
    east = ((ne + 2 * e + se) - (nw + 2 * w + sw)) / (8 * width) * z_factor
    south = ((sw + 2 * s + se) - (nw + 2 * n + ne)) / (8 * height) * z_factor
    return east, south


def _extrapolated(z: Floats) -> Floats:
    """The grid with one more cell on every side, continued linearly; NaN where that is not known."""
    around = np.pad(z, 1, mode="edge")
    for line, first, second in ((0, 1, 2), (-1, -2, -3)):
        if z.shape[0] > 1:
            around[line] = 2 * around[first] - around[second]
    for line, first, second in ((0, 1, 2), (-1, -2, -3)):
        if z.shape[1] > 1:
            around[:, line] = 2 * around[:, first] - around[:, second]
    return around


def _lit(east: Floats, south: Floats, azimuth: float, altitude: float) -> Floats:
    """Cosine of the angle between the light and the surface's normal."""
    towards_east, towards_north = np.sin(np.radians(azimuth)), np.cos(np.radians(azimuth))
    facing = -east * towards_east + south * towards_north
    lit: Floats = (np.sin(altitude) + np.cos(altitude) * facing) / np.sqrt(1 + east**2 + south**2)
    return lit


def _weight(east: Floats, south: Floats, azimuth: float) -> Floats:
    """cos² of the angle between the light and the direction in which the ground descends; the four sum to 2."""
    steepness = np.where((east == 0) & (south == 0), 1.0, east**2 + south**2)
    along = south * np.cos(np.radians(azimuth)) - east * np.sin(np.radians(azimuth))
    weight: Floats = along**2 / steepness
    return weight
