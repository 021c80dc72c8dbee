"""Reads a coverage at two dates on the same pixels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from rasterio.features import geometry_mask
from sqlalchemy import Connection

from layers.analysis.errors import AnalysisError, TooMuch
from layers.analysis.zonal import frame_of
from layers.crs import transformer
from layers.raster.coverage import Nature
from layers.raster.errors import NoSuchBand, OutOfReach, RasterTooLarge, TooManyImages
from layers.raster.images import Interval, find_images
from layers.raster.mosaic import Grid, read
from layers.raster.registry import load_coverage
from layers.raster.store import RasterStore

#: Most values of one date.
_VALUES = 24_000_000


@dataclass(frozen=True, slots=True)
class TwoDates:
    """``before`` and ``after`` (band, row, column; masked where unknown, or outside the area) on one grid;
    ``cell_area`` [m²] in its middle."""

    before: Any
    after: Any
    bands: tuple[str, ...]
    grid: Grid
    cell_area: float
    nature: Nature


def read_two(
    conn: Connection, store: RasterStore, layer: str, before: Interval, after: Interval, area: Any, projected: int,
    bands: tuple[str, ...], resolution: float | None,
) -> TwoDates:  # fmt: skip
    """The mosaics of two times on the pixels of the later one, within an area of EPSG ``projected``.

    Raises :class:`AnalysisError` where one of them has no image, or they have no band in common; :class:`TooMuch`.
    """
    coverage = load_coverage(conn, layer)
    if coverage.nature == "elevation":
        raise AnalysisError(f"{layer!r} holds heights; cut-fill compares those")
    back = transformer(projected, 4490)
    box = back.transform_bounds(*area.bounds) if area is not None else None
    images = [find_images(conn, coverage, box, time=time) for time in (before, after)]
    for name, found in zip(("before", "after"), images, strict=True):
        if not found:
            raise AnalysisError(f"input {name!r}: {layer!r} has no image of that time there")
    box = box or _extent(conn, store, layer, after)
    frame = frame_of(conn, store, coverage, box, after, projected, resolution)
    corners = area if area is not None else shapely.box(*transformer(4490, projected).transform_bounds(*box))
    grid = frame.around(
        shapely.transform(corners, transformer(projected, frame.srid).transform, interleaved=False).bounds
    )
    common = bands or tuple(b for b in images[1][0].bands if b in images[0][0].bands)
    if not common:
        raise AnalysisError("the two dates have no band in common; name 'bands' that both have")
    if grid.width * grid.height * len(common) > _VALUES:
        raise TooMuch(
            f"{len(common)} bands of {grid.width} × {grid.height} pixels, more than {_VALUES} values; "
            "ask for a smaller area or a coarser 'resolution'"
        )
    try:
        one, two = (read(conn, store, coverage, grid, bands=common, time=time).values for time in (before, after))
    except (NoSuchBand, OutOfReach, RasterTooLarge, TooManyImages) as error:
        raise AnalysisError(str(error)) from error
    if area is not None:
        outside = _outside(area, grid, projected)
        one[:, outside] = np.ma.masked
        two[:, outside] = np.ma.masked
    return TwoDates(one, two, common, grid, cell_area(grid, projected), coverage.nature)


def cell_area(grid: Grid, projected: int) -> float:
    """The area of the grid's middle pixel in EPSG ``projected`` [m²]."""
    west, south, east, north = grid.bounds
    x, y, wide, high = (west + east) / 2, (south + north) / 2, (east - west) / grid.width, (north - south) / grid.height
    cell = shapely.box(x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
    moved = shapely.transform(cell, transformer(grid.srid, projected).transform, interleaved=False)
    return float(moved.area)


def _outside(area: Any, grid: Grid, projected: int) -> Any:
    """The pixels whose middle lies outside the area."""
    moved = shapely.transform(area, transformer(projected, grid.srid).transform, interleaved=False)
    return geometry_mask([moved], (grid.height, grid.width), grid.transform)


def _extent(conn: Connection, store: RasterStore, layer: str, time: Interval) -> tuple[float, float, float, float]:
    """The box [°] of the uppermost image of a time."""
    import rasterio
    from rasterio.warp import transform_bounds

    image = find_images(conn, load_coverage(conn, layer), time=time)[0]
    with rasterio.open(store.path(image.folder)) as cog:
        west, south, east, north = transform_bounds(cog.crs, "EPSG:4326", *cog.bounds)
    return west, south, east, north
