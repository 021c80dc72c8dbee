"""A grid of heights, where it lies, and how heights between its cells are found."""

from dataclasses import dataclass

import numpy as np
import pyproj
from affine import Affine
from numpy.typing import NDArray

from layers.crs import transformer
from layers.terrain.errors import TerrainError

type Floats = NDArray[np.float64]

#: A projection whose scale is within this of 1 measures the ground; Web Mercator (1.15 at 30° N) does not.
_TRUE_SCALE = 0.005


@dataclass(frozen=True, slots=True)
class Elevation:
    """Heights [m] of the cells' centres, rows from north to south, NaN where unknown.

    ``transform`` leads from (column, row) of a cell's corner to (east, north) of EPSG ``srid``, north up. Raises
    :class:`TerrainError` for a grid that is empty, rotated or not north up.
    """

    heights: Floats
    transform: Affine
    srid: int

    def __post_init__(self) -> None:
        if self.heights.ndim != 2 or not self.heights.size:
            raise TerrainError(f"an elevation grid has rows and columns, not the shape {self.heights.shape}")
        t = self.transform
        if t.b or t.d or t.a <= 0 or t.e >= 0:
            raise TerrainError("the elevation grid is rotated or not north up; warp it first")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns = self.heights.shape
        return rows, columns

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the cells' outer edges."""
        rows, columns = self.shape
        west, north = self.transform.c, self.transform.f
        return west, north + rows * self.transform.e, west + columns * self.transform.a, north

    def eastings(self) -> Floats:
        """The x of each column's centres."""
        return np.asarray(self.transform.c + (np.arange(self.shape[1]) + 0.5) * self.transform.a, np.float64)

    def northings(self) -> Floats:
        """The y of each row's centres."""
        return np.asarray(self.transform.f + (np.arange(self.shape[0]) + 0.5) * self.transform.e, np.float64)

    def position(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Column and row, with fractions, counted between cells' centres: (0, 0) is the first cell's centre."""
        return (x - self.transform.c) / self.transform.a - 0.5, (y - self.transform.f) / self.transform.e - 0.5

    def at(self, x: Floats, y: Floats) -> Floats:
        """Heights [m] at points of the grid's CRS, bilinear between the four cells' centres around each.

        In the outermost half cell the edge's height goes on. NaN outside the grid, and where a cell that would count
        is unknown.
        """
        rows, columns = self.shape
        column, row = self.position(np.asarray(x, float), np.asarray(y, float))
        inside = (column >= -0.5) & (column <= columns - 0.5) & (row >= -0.5) & (row <= rows - 0.5)
        column = np.clip(np.where(inside, column, 0), 0, columns - 1)
        row = np.clip(np.where(inside, row, 0), 0, rows - 1)
        left = np.minimum(column.astype(int), max(columns - 2, 0))
        top = np.minimum(row.astype(int), max(rows - 2, 0))
        right, bottom = np.minimum(left + 1, columns - 1), np.minimum(top + 1, rows - 1)
        across, down = column - left, row - top
        height = np.zeros(np.shape(column))
        for r, c, weight in (
            (top, left, (1 - down) * (1 - across)),
            (top, right, (1 - down) * across),
            (bottom, left, down * (1 - across)),
            (bottom, right, down * across),
        ):
            height += np.where(weight > 0, self.heights[r, c] * weight, 0.0)
        return np.where(inside, height, np.nan)

    def cell_sizes(self) -> tuple[Floats, Floats]:
        """Width and height of a cell on the ground [m], for each row.

        Degrees are measured on the ellipsoid at the row's latitude; a projection's units by their length, and by the
        scale along the middle column where that departs from 1, as Web Mercator's does.
        """
        crs = pyproj.CRS.from_epsg(self.srid)
        wide, high = np.full(self.shape[0], self.transform.a), np.full(self.shape[0], -self.transform.e)
        if crs.is_geographic:
            east, north = _metres_per_degree(crs, self.northings())
            return wide * east, high * north
        unit = crs.axis_info[0].unit_conversion_factor
        scale = _scale(self)
        return wide * unit / scale, high * unit / scale


def _metres_per_degree(crs: pyproj.CRS, latitudes: Floats) -> tuple[Floats, Floats]:
    """Length of a degree of longitude and of latitude [m]: the ellipsoid's radii of curvature N cos φ and M."""
    ellipsoid = crs.ellipsoid
    a, b = ellipsoid.semi_major_metre, ellipsoid.semi_minor_metre
    eccentricity = 1 - (b / a) ** 2
    sine = np.sin(np.radians(np.clip(latitudes, -90, 90)))
    root = np.sqrt(1 - eccentricity * sine**2)
    normal, meridian = a / root, a * (1 - eccentricity) / root**3
    return np.radians(normal) * np.sqrt(1 - sine**2), np.radians(meridian)


def _scale(elevation: Elevation) -> Floats:
    """The projection's scale at each row of the middle column, 1 where it is nearly that."""
    west, _, east, _ = elevation.bounds
    northings = elevation.northings()
    lon, lat = transformer(elevation.srid, 4326).transform(np.full(northings.shape, (west + east) / 2), northings)
    factors = pyproj.Proj(pyproj.CRS.from_epsg(elevation.srid)).get_factors(lon, lat)
    scale = np.sqrt(np.asarray(factors.areal_scale))
    return np.where(np.abs(scale - 1) < _TRUE_SCALE, 1.0, scale)
