"""Reads what terrain analysis needs through the layers' own readers: heights of a coverage, buildings with heights."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import shapely
from geoalchemy2 import Geometry
from sqlalchemy import Connection, cast, func, select

from layers.catalogue import Layer
from layers.crs import epsg, meets, transformer
from layers.query import Box, FeatureQuery, rows
from layers.raster.coverage import Coverage, Resampling
from layers.raster.errors import OutOfReach, RasterTooLarge, TooManyImages
from layers.raster.images import find_images
from layers.raster.mosaic import Grid, degrees_of, read
from layers.raster.registry import load_coverage
from layers.raster.sampling import sample
from layers.raster.store import RasterStore
from layers.registry import find_layer
from layers.terrain.elevation import Elevation, Floats
from layers.terrain.errors import AnalysisTooLarge, OutsideElevation, TerrainError
from layers.terrain.obstacles import Obstacles, standing_on
from layers.terrain.stations import Stations

type Bounds = tuple[float, float, float, float]

#: Most cells of one analysis: two thousand on each side, which take some 130 MB while they are read.
MAX_CELLS = 4_000_000
#: Most buildings of one analysis.
MAX_BUILDINGS = 50_000
#: Height of a floor [m] where a building says how many it has, and not how high it is.
FLOOR_HEIGHT = 3.0


def elevation_coverage(conn: Connection, layer_id: str) -> Coverage:
    """The coverage of that id. Raises :class:`LayerNotFound`, and :class:`TerrainError` for one without heights."""
    found = load_coverage(conn, layer_id)
    if found.nature != "elevation":
        raise TerrainError(f"the pixels of {layer_id!r} are no heights; choose a coverage of elevation, such as 'dem'")
    return found


def read_elevation(
    conn: Connection,
    store: RasterStore,
    layer_id: str,
    bounds: Bounds,
    srid: int,
    resolution: float | None = None,
    max_cells: int = MAX_CELLS,
) -> Elevation:
    """Heights of a coverage within bounds (west, south, east, north of EPSG ``srid``), in square cells.

    ``resolution`` [units of the CRS] is the cells' size: by default that of the finest image there, or larger where
    that would make more than ``max_cells``. Raises :class:`OutsideElevation` where no image lies, and
    :class:`AnalysisTooLarge` for a resolution asked for that makes too many cells.
    """
    west, south, east, north = bounds
    coverage = elevation_coverage(conn, layer_id)
    native = _finest(conn, coverage, bounds, srid)
    size = resolution or max(native, math.sqrt((east - west) * (north - south) / max_cells))
    columns, lines = (max(1, math.ceil(length / size - 1e-9)) for length in (east - west, north - south))
    if columns * lines > max_cells * 1.01:
        cells = f"cells of {size:g} m make {columns} × {lines} of them, more than {max_cells}"
        raise AnalysisTooLarge(f"{cells}; ask for a smaller area or a coarser resolution")
    grid = Grid((west, north - lines * size, west + columns * size, north), srid, columns, lines)
    kind: Resampling = "average" if size > 2 * native else "bilinear"
    with _told_as_ours():
        raster = read(conn, store, coverage, grid, resampling=kind, dtype="float64")
    heights = raster.values[0].filled(np.nan)
    if np.isnan(heights).all():
        raise OutsideElevation(f"{layer_id!r} knows no height there; move the place, or import elevation for it")
    return Elevation(heights, grid.transform, srid)


def heights_along(conn: Connection, store: RasterStore, layer_id: str, line: Stations) -> Floats:
    """The coverage's heights [m] at stations, each from the finest image there, bilinear; NaN where unknown."""
    coverage = elevation_coverage(conn, layer_id)
    points = np.column_stack([line.longitudes, line.latitudes])
    with _told_as_ours():
        found = sample(conn, store, coverage, points, 4490, method="bilinear").values
    return np.asarray(found[:, 0].filled(np.nan)) if found.shape[1] else np.full(len(points), np.nan)


def read_buildings(
    conn: Connection, layer_id: str, bounds: Bounds, ground: Elevation, left_out: tuple[int, ...] = ()
) -> Obstacles:
    """The buildings that meet bounds of the grid's CRS, standing on the ground.

    A building without ``height`` has its ``floors`` times 3 m; one without either is no obstacle. ``left_out`` are ids
    that are not taken. Raises :class:`LayerNotFound`, and :class:`AnalysisTooLarge` for more than 50 000.
    """
    layer = building_layer(conn, layer_id)
    names = tuple(name for name in ("height", "floors") if layer.field(name))
    crs = epsg(ground.srid)
    query = FeatureQuery(box=Box(*bounds, srid=ground.srid), properties=names, crs=crs)
    source = rows(layer, query).subquery()
    shape = func.ST_AsBinary(func.ST_Force2D(cast(source.c.geom, Geometry)))
    statement = select(source.c.id, shape, *(source.c[name] for name in names)).limit(MAX_BUILDINGS + 1)
    found = [row for row in conn.execute(statement).all() if row[1] is not None]
    if len(found) > MAX_BUILDINGS:
        raise AnalysisTooLarge(f"more than {MAX_BUILDINGS} of {layer_id!r} lie there; ask for a smaller area")
    tall = [(row, height) for row in found if (height := _height(row._mapping)) > 0 and row.id not in left_out]
    shapes = shapely.from_wkb([bytes(row[1]) for row, _ in tall])
    heights = np.array([height for _, height in tall])
    return standing_on(ground, shapes, heights, [row.id for row, _ in tall])


def projected_bounds(longitudes: Floats, latitudes: Floats, srid: int, margin: float) -> Bounds:
    """The box of points given in degrees, in EPSG ``srid``, with a margin [m] around it."""
    box = (float(longitudes.min()), float(latitudes.min()), float(longitudes.max()), float(latitudes.max()))
    x, y = (np.asarray(v) for v in transformer(4490, srid).transform(longitudes, latitudes))
    if not (meets(4490, box, srid) and np.isfinite(x).all() and np.isfinite(y).all()):
        raise TerrainError(f"the place lies where EPSG:{srid}, in which this city measures, does not reach")
    return float(x.min()) - margin, float(y.min()) - margin, float(x.max()) + margin, float(y.max()) + margin


@contextmanager
def _told_as_ours() -> Iterator[None]:
    """What the reader of coverages refuses is a mistake of the question here too."""
    try:
        yield
    except (OutOfReach, RasterTooLarge, TooManyImages) as error:
        raise TerrainError(str(error)) from error


def _finest(conn: Connection, coverage: Coverage, bounds: Bounds, srid: int) -> float:
    with _told_as_ours():
        images = find_images(conn, coverage, degrees_of(Grid(bounds, srid, 1, 1)))
    if not images:
        raise OutsideElevation(f"{coverage.layer.id!r} has no image there; move the place, or import elevation for it")
    return min(image.resolution for image in images)


def building_layer(conn: Connection, layer_id: str) -> Layer:
    """A layer of footprints that tells heights. Raises :class:`LayerNotFound`, :class:`TerrainError` for another."""
    layer = find_layer(conn, layer_id)
    if layer.geometry_type not in ("Polygon", "MultiPolygon") or not (layer.field("height") or layer.field("floors")):
        raise TerrainError(f"{layer_id!r} is no layer of footprints with a field 'height' or 'floors'")
    return layer


def _height(row: Any) -> float:
    return float(row.get("height") or (row.get("floors") or 0) * FLOOR_HEIGHT)
