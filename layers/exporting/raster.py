"""A coverage, or part of it, as a GeoTIFF at the resolution of its finest image."""

from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import Connection

from layers.catalogue import CGCS2000, Layer
from layers.crs import coincident, meets, transformer
from layers.exporting.errors import ExportRefused, ExportTooLarge
from layers.raster.store import RasterStore

#: Samples (pixels × bands) of one file.
MOST = 100_000_000
MEDIA_TYPE, SUFFIX = "image/tiff; application=geotiff", ".tif"

type Bounds = tuple[float, float, float, float]


def write_geotiff(
    conn: Connection, store: RasterStore, layer: Layer, path: Path, srid: int, box: Bounds | None, area: Any
) -> tuple[int, int]:
    """Write the mosaic as it is now; returns columns and rows.

    ``box`` is west, south, east, north and ``area`` a polygon [° of WGS 84]; pixels whose centre lies outside the area
    are left without a value. Raises ExportRefused, and of :mod:`layers.raster.errors` what a read raises.
    """
    # GDAL is loaded by who reads rasters.
    from rasterio.features import geometry_mask
    from shapely.geometry import mapping

    from layers.raster.encoding import geotiff
    from layers.raster.images import find_images
    from layers.raster.mosaic import Grid, degrees_of, read
    from layers.raster.native import native_grid
    from layers.raster.registry import coverage_of

    if layer.kind != "coverage":
        raise ExportRefused(f"{layer.id} 不是影像或高程", f"{layer.id} has no images: choose another format")
    coverage = coverage_of(conn, layer)
    if layer.inputs:
        raise ExportRefused(
            f"{layer.id} 由 {layer.inputs[0]} 实时算出：请用 /collections/{layer.id}/coverage",
            f"{layer.id} is worked out from {layer.inputs[0]} as it is asked for: use /collections/{layer.id}/coverage",
        )
    bounds = _bounds(layer, srid, area.bounds if area is not None else box)
    images = find_images(conn, coverage, degrees_of(Grid(bounds, srid, 1, 1)))
    if not images:
        raise ExportRefused(f"{layer.id} 在该范围没有影像", f"{layer.id} has no image there")
    grid = native_grid(store, images, bounds, srid)
    bands = len(coverage.bands) or len(images[0].bands)
    if grid.width * grid.height * bands > MOST:
        raise ExportTooLarge(
            f"{grid.width} × {grid.height} 像元、{bands} 个波段，超过 {MOST}：请缩小范围",
            f"{grid.width} × {grid.height} pixels of {bands} bands are more than {MOST}: ask for a smaller area",
        )
    raster = read(conn, store, coverage, grid)
    if area is not None:
        there = area if coincident(srid, CGCS2000) else _moved(area, srid)
        outside = geometry_mask([mapping(there)], (grid.height, grid.width), grid.transform)
        raster.values.mask = np.ma.getmaskarray(raster.values) | outside[None]
    path.write_bytes(geotiff(raster, {band.name: band.unit for band in coverage.bands}))
    return grid.width, grid.height


def _moved(area: Any, srid: int) -> Any:
    import shapely

    to = transformer(CGCS2000, srid)
    return shapely.transform(area, lambda points: np.column_stack(to.transform(points[:, 0], points[:, 1])))


def _bounds(layer: Layer, srid: int, degrees: Bounds | None) -> Bounds:
    """The part of the layer that is asked for, in the CRS of the file."""
    if layer.extent is None:
        raise ExportRefused(f"{layer.id} 还没有影像", f"{layer.id} has no image yet")
    west, south, east, north = layer.extent
    if degrees is not None:
        west, south = max(west, degrees[0]), max(south, degrees[1])
        east, north = min(east, degrees[2]), min(north, degrees[3])
    if west >= east or south >= north:
        raise ExportRefused(f"{layer.id} 在该范围没有影像", f"{layer.id} has no image there")
    if coincident(srid, CGCS2000):
        return west, south, east, north
    if not meets(CGCS2000, (west, south, east, north), srid):
        raise ExportRefused(f"EPSG:{srid} 到不了该范围", f"EPSG:{srid} does not reach that area")
    found: Bounds = transformer(CGCS2000, srid).transform_bounds(west, south, east, north)
    return found
