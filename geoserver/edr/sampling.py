"""Values of a coverage at points and on grids, hillshade and its like among them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import rasterio.features
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection

from geoserver.coverage_parameters import CoverageRequest
from geoserver.coverages import read_raster, source_of
from geoserver.edr.around import moved
from geoserver.edr.parameters import Asked
from layers.raster.coverage import Coverage
from layers.raster.errors import NoSuchBand, RasterTooLarge
from layers.raster.images import find_images
from layers.raster.mosaic import Grid, Raster, degrees_of, read
from layers.raster.native import native_grid
from layers.raster.sampling import sample
from layers.raster.store import RasterStore
from layers.terrain.derived import derived
from layers.terrain.stations import stations

#: Points of one answer at most.
MAX_POINTS = 100_000
#: Cells along the side of the pieces in which hillshade and its like are worked out.
_PIECE = 256


@dataclass(frozen=True, slots=True)
class Points:
    """Values (band, point; masked where no image is valid) at places (n, 2; east, north); of one point, when it was
    seen."""

    places: NDArray[np.float64]
    bands: tuple[str, ...]
    values: Any
    seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a query reads from."""

    conn: Connection
    store: RasterStore
    coverage: Coverage


def at_points(reading: Reading, asked: Asked) -> Points:
    """The values at the query's points, or along its line at steps of a pixel."""
    places = _along(reading, asked) if asked.query == "trajectory" else shapely.get_coordinates(asked.shape)
    if len(places) > MAX_POINTS:
        raise RasterTooLarge(
            f"{len(places)} points; the bound is {MAX_POINTS}: ask for a shorter line, or fewer points"
        )
    if reading.coverage.nature == "relief":
        return Points(places, _relief_band(reading.coverage, asked), _relief_at(reading, asked, places)[None])
    found = sample(
        reading.conn, reading.store, reading.coverage, places, asked.crs.srid,
        bands=asked.bands, time=asked.time, as_of=asked.as_of, method="nearest",
    )  # fmt: skip
    seen = found.images[int(found.source[0])].acquired if len(places) == 1 and found.source[0] >= 0 else None
    return Points(places, found.bands, found.values.T, seen)


def on_grid(reading: Reading, asked: Asked) -> Raster:
    """The pixels whose centres lie within the query's area; of a cube, all that meet its box."""
    bounds: tuple[float, float, float, float] = asked.shape.bounds
    images = _images(reading, asked, bounds)
    grid = native_grid(reading.store, images, bounds, asked.crs.srid)
    request = CoverageRequest(asked.crs, bounds, asked.bands, asked.time, asked.as_of, None)
    raster: Raster = read_raster(reading.conn, reading.store, reading.coverage, grid, request, "CoverageJSON")
    if asked.query == "cube":
        return raster
    outside = rasterio.features.geometry_mask([asked.shape], (grid.height, grid.width), grid.transform)
    values = np.ma.array(raster.values, mask=np.ma.getmaskarray(raster.values) | outside)
    return Raster(values, raster.grid, raster.bands, raster.images)


def _images(reading: Reading, asked: Asked, bounds: tuple[float, float, float, float]) -> Any:
    box = degrees_of(Grid(_with_area(bounds), asked.crs.srid, 1, 1))
    source = source_of(reading.conn, reading.coverage)
    return find_images(reading.conn, source, box, time=asked.time, as_of=asked.as_of)


def _with_area(bounds: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    west, south, east, north = bounds
    return west, south, max(east, west + 1e-7), max(north, south + 1e-7)


def _along(reading: Reading, asked: Asked) -> NDArray[np.float64]:
    """The vertices of the lines and points between them, no further apart than a pixel of the finest image."""
    images = _images(reading, asked, asked.shape.bounds)
    step = min((image.resolution for image in images), default=np.inf)
    lines = shapely.get_parts(asked.shape)
    found = []
    for line in lines:
        corners = moved(shapely.get_coordinates(line), asked.crs.srid, 4490)
        if not np.isfinite(step):
            found.append(corners)
            continue
        along = stations(corners, step)
        found.append(np.column_stack([along.longitudes, along.latitudes]))
    return moved(np.concatenate(found), 4490, asked.crs.srid)


def _relief_band(coverage: Coverage, asked: Asked) -> tuple[str, ...]:
    band = coverage.bands[0].name
    if asked.bands not in (None, (band,)):
        raise NoSuchBand(f"{coverage.layer.id!r} has one band, {band!r}")
    return (band,)


def _relief_at(reading: Reading, asked: Asked, places: NDArray[np.float64]) -> Any:
    """The value of the cell in which each place lies, on the pixels of the finest image there."""
    band = reading.coverage.bands[0].name
    source = source_of(reading.conn, reading.coverage)
    bounds = (*places.min(axis=0), *places.max(axis=0))
    images = _images(reading, asked, tuple(map(float, bounds)))  # type: ignore[arg-type]
    if not images:
        return np.ma.masked_all(len(places))
    srid = min(images, key=lambda image: image.resolution).srid or asked.crs.srid
    own = moved(places, asked.crs.srid, srid)
    west, south, east, north = map(float, (*own.min(axis=0), *own.max(axis=0)))
    grid = native_grid(reading.store, images, _with_area((west, south, east, north)), srid)
    columns, rows = (np.floor(v).astype(int) for v in ~grid.transform @ (own[:, 0], own[:, 1]))
    columns, rows = np.clip(columns, 0, grid.width - 1), np.clip(rows, 0, grid.height - 1)

    def heights(wider: Grid) -> Any:
        return read(reading.conn, reading.store, source, wider, time=asked.time, as_of=asked.as_of).values[0]

    values = np.ma.masked_all(len(places))
    pieces = np.unique(np.column_stack([columns // _PIECE, rows // _PIECE]), axis=0)
    for across, down in pieces:
        at = np.flatnonzero((columns // _PIECE == across) & (rows // _PIECE == down))
        left, top = int(columns[at].min()), int(rows[at].min())
        piece = _part(grid, left, top, int(columns[at].max()) - left + 1, int(rows[at].max()) - top + 1)
        values[at] = derived(band, piece, heights)[rows[at] - top, columns[at] - left]
    return values


def _part(grid: Grid, left: int, top: int, width: int, height: int) -> Grid:
    west, north = grid.transform @ (left, top)
    east, south = grid.transform @ (left + width, top + height)
    return Grid((west, south, east, north), grid.srid, width, height)
