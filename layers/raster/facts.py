"""Facts of an image that are worked out once, when it comes in: footprint, resolution on the ground, stretch."""

import math
from typing import Any

import numpy as np
import rasterio
import shapely
from affine import Affine
from pyproj import CRS, Geod, Transformer

from layers.catalogue import CGCS2000
from layers.importing.errors import ImportRefused
from layers.raster.grids import PixelGrid

#: Points along each side of a footprint: the side of a Gauss-Krüger sheet is a curve in degrees.
_SIDE_POINTS = 21
#: Longest side of the reduced image from which the stretch is taken [pixels].
_SAMPLE_SIDE = 1024
#: Percentiles between which a display stretches (what QGIS takes for its cumulative count cut).
STRETCH = (2, 98)


def footprint(grid: PixelGrid) -> Any:
    """The outline of a grid in CGCS2000 (EPSG:4490), a shapely MultiPolygon. Raises :class:`ImportRefused`."""
    along = np.linspace(0, 1, _SIDE_POINTS)[:-1]
    zeros = np.zeros_like(along)
    columns = np.concatenate([along, zeros + 1, 1 - along, zeros]) * grid.width
    rows = np.concatenate([zeros, along, zeros + 1, 1 - along]) * grid.height
    x, y = grid.transform @ (columns, rows)
    lon, lat = Transformer.from_crs(grid.crs, CGCS2000, always_xy=True).transform(x, y)
    if not (np.all(np.isfinite(lon)) and np.all(np.abs(lon) <= 180.01) and np.all(np.abs(lat) <= 90.01)):
        raise ImportRefused(
            "影像的位置不在其坐标系的范围内，请检查坐标系", "the image lies where its CRS does not reach: check the CRS"
        )
    outline = shapely.Polygon(np.column_stack([np.clip(lon, -180, 180), np.clip(lat, -90, 90)]))
    if not outline.is_valid or outline.area == 0:
        raise ImportRefused("影像的轮廓自相交，请检查坐标系", "the outline of the image crosses itself: check the CRS")
    return shapely.MultiPolygon([outline])


def ground_resolution(grid: PixelGrid) -> float:
    """The side of a square as large on the ellipsoid as the pixel in the middle of the grid [m]."""
    column, row = grid.width / 2, grid.height / 2
    x, y = grid.transform @ (np.array([0, 1, 1, 0]) + column, np.array([0, 0, 1, 1]) + row)
    lon, lat = Transformer.from_crs(grid.crs, CGCS2000, always_xy=True).transform(x, y)
    area, _ = Geod(ellps="GRS80").polygon_area_perimeter(lon, lat)
    return math.sqrt(abs(area))


def pixel_size(transform: Affine) -> float:
    """The side of a square as large as a pixel [units of the CRS]."""
    return math.sqrt(abs(transform.determinant))


def stretch_of(path: Any) -> tuple[tuple[float, float], ...]:
    """For each band of a COG the values at the 2nd and 98th percentile, from at most 1024 × 1024 of its pixels."""
    with rasterio.open(path) as cog:
        shrink = max(1.0, max(cog.width, cog.height) / _SAMPLE_SIDE)
        shape = (max(1, round(cog.height / shrink)), max(1, round(cog.width / shrink)))
        sample = cog.read(out_shape=(cog.count, *shape), masked=True)
    found = []
    for band in sample:
        values = band.compressed()
        values = values[np.isfinite(values)]
        low, high = np.percentile(values, STRETCH) if len(values) else (0.0, 0.0)
        found.append((float(low), float(high)))
    return tuple(found)


def crs_name(crs: Any) -> str:
    """``EPSG:4547``, or WKT where the CRS has no code."""
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(CRS(crs).to_wkt())
