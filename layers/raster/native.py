"""The grid on which a coverage loses nothing: the pixels of its finest image."""

import math

import rasterio
from pyproj import Geod

from layers.catalogue import CGCS2000
from layers.crs import coincident, transformer
from layers.raster.images import Image
from layers.raster.mosaic import Grid
from layers.raster.store import RasterStore

#: Share of a pixel by which bounds may miss its edge and still mean it.
_TOLERANCE = 1e-3


def native_grid(
    store: RasterStore,
    images: list[Image],
    bounds: tuple[float, float, float, float],
    srid: int,
    most: int | None = None,
) -> Grid:
    """The grid for ``bounds`` (west, south, east, north of EPSG ``srid``) at the resolution of the finest image there.

    Where that image lies in the same CRS the bounds are widened to its pixels, so that a read copies them; else pixels
    are as large on the ground as its own. ``most`` [pixels] makes them coarser where there would be more.
    Raises :class:`~layers.raster.errors.RasterTooLarge`.
    """
    finest = min(images, key=lambda image: image.resolution, default=None)
    if finest is None:
        return Grid(bounds, srid, 1, 1)
    if finest.srid is not None and coincident(finest.srid, srid):
        with rasterio.open(store.path(finest.folder)) as cog:
            place = cog.transform
        if place.b == place.d == 0:
            return _coarsened(_snapped(bounds, srid, place), most)
    across, down = metres_per_unit(bounds, srid)
    return _coarsened_of(bounds, srid, finest.resolution / across, finest.resolution / down, most)


def metres_per_unit(bounds: tuple[float, float, float, float], srid: int) -> tuple[float, float]:
    """How many metres on the ellipsoid a unit of the CRS is in the middle of the bounds, eastward and northward."""
    west, south, east, north = bounds
    x, y = (west + east) / 2, (south + north) / 2
    dx, dy = (east - west) / 1000, (north - south) / 1000
    degrees = transformer(srid, CGCS2000)
    geod = Geod(ellps="GRS80")
    lengths = []
    for step_x, step_y, step in ((dx, 0.0, dx), (0.0, dy, dy)):
        here, there = (
            degrees.transform(x - step_x / 2, y - step_y / 2),
            degrees.transform(x + step_x / 2, y + step_y / 2),
        )
        lengths.append(geod.inv(*here, *there)[2] / step)
    return max(lengths[0], 1e-9), max(lengths[1], 1e-9)


def _snapped(bounds: tuple[float, float, float, float], srid: int, place: rasterio.Affine) -> Grid:
    """The bounds widened to the lines between pixels."""
    west, south, east, north = bounds
    across, down = abs(place.a), abs(place.e)

    def line(value: float, origin: float, size: float, *, up: bool) -> int:
        steps = (value - origin) / size
        return math.ceil(steps - _TOLERANCE) if up else math.floor(steps + _TOLERANCE)

    left, right = line(west, place.c, across, up=False), line(east, place.c, across, up=True)
    bottom, top = line(south, place.f, down, up=False), line(north, place.f, down, up=True)
    wide, high = max(1, right - left), max(1, top - bottom)
    fitted = (
        place.c + left * across,
        place.f + (top - high) * down,
        place.c + (left + wide) * across,
        place.f + top * down,
    )
    return Grid.of_resolution(fitted, srid, across, down) if wide * high > 0 else Grid(bounds, srid, 1, 1)


def _coarsened(grid: Grid, most: int | None) -> Grid:
    if most is None or grid.width * grid.height <= most:
        return grid
    shrink = math.sqrt(grid.width * grid.height / most)
    return Grid(grid.bounds, grid.srid, max(1, int(grid.width / shrink)), max(1, int(grid.height / shrink)))


def _coarsened_of(bounds: tuple[float, float, float, float], srid: int, x: float, y: float, most: int | None) -> Grid:
    west, south, east, north = bounds
    pixels = ((east - west) / x) * ((north - south) / y)
    shrink = math.sqrt(pixels / most) if most is not None and pixels > most else 1.0
    return Grid.of_resolution(bounds, srid, x * shrink, y * shrink)
