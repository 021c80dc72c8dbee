"""Chinese map coordinates: GCJ-02 (火星坐标, 高德 and 腾讯) and BD-09 (百度), both ways, for whole arrays.

Longitudes and latitudes are degrees on WGS 84, which CGCS2000 equals within a decimetre; any matching shapes.
The forward offset is the published approximation (Krasovsky a = 6 378 245 m, e² = 0.00669342162296594323);
the way back iterates it, to well under 1e-6°. Outside China there is no shift.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Degrees = NDArray[np.float64]

_A = 6378245.0
_EE = 0.00669342162296594323
_BD = np.pi * 3000.0 / 180.0
#: Rounds of the inverse; each shrinks the error about a thousandfold, so four reach the limit of float64.
_ROUNDS = 6


def outside_china(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Where the offset does not apply: outside 72.004–137.8347° E, 0.8293–55.8271° N."""
    x, y = _pair(lon, lat)
    return ~((x >= 72.004) & (x <= 137.8347) & (y >= 0.8293) & (y <= 55.8271))


def wgs84_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """GCJ-02 longitude and latitude [°] of WGS 84 positions."""
    x, y = _pair(lon, lat)
    east, north = _offset(x, y)
    here = ~outside_china(x, y)
    return x + np.where(here, east, 0.0), y + np.where(here, north, 0.0)


def gcj02_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """WGS 84 longitude and latitude [°] of GCJ-02 positions, within 1e-9°."""
    x, y = _pair(lon, lat)
    here = ~outside_china(x, y)
    guess_x, guess_y = x, y
    for _ in range(_ROUNDS):
        east, north = _offset(guess_x, guess_y)
        guess_x, guess_y = x - east, y - north
    return np.where(here, guess_x, x), np.where(here, guess_y, y)


def gcj02_to_bd09(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """BD-09 longitude and latitude [°] of GCJ-02 positions."""
    x, y = _pair(lon, lat)
    radius = np.hypot(x, y) + 2e-5 * np.sin(y * _BD)
    angle = np.arctan2(y, x) + 3e-6 * np.cos(x * _BD)
    here = ~outside_china(x, y)
    return np.where(here, radius * np.cos(angle) + 0.0065, x), np.where(here, radius * np.sin(angle) + 0.006, y)


def bd09_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """GCJ-02 longitude and latitude [°] of BD-09 positions, within 1e-9°."""
    x, y = _pair(lon, lat)
    here = ~outside_china(x, y)
    guess_x, guess_y = x - 0.0065, y - 0.006
    for _ in range(_ROUNDS):
        there_x, there_y = gcj02_to_bd09(guess_x, guess_y)
        guess_x, guess_y = guess_x + x - there_x, guess_y + y - there_y
    return np.where(here, guess_x, x), np.where(here, guess_y, y)


def wgs84_to_bd09(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """BD-09 longitude and latitude [°] of WGS 84 positions."""
    return gcj02_to_bd09(*wgs84_to_gcj02(lon, lat))


def bd09_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """WGS 84 longitude and latitude [°] of BD-09 positions."""
    return gcj02_to_wgs84(*bd09_to_gcj02(lon, lat))


def _pair(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    x, y = np.broadcast_arrays(np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64))
    return x, y


def _offset(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """The GCJ-02 offset [°] at a WGS 84 position."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    waves = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + waves
    north += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + waves
    east += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    phi = np.radians(lat)
    magic = 1 - _EE * np.sin(phi) ** 2
    metres_north = (_A * (1 - _EE)) / (magic * np.sqrt(magic))
    metres_east = _A / np.sqrt(magic) * np.cos(phi)
    return np.degrees(east / metres_east), np.degrees(north / metres_north)
