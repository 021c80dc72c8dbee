"""Zonal statistics 分区统计: of a coverage's pixels within each zone, each pixel by the exact share that lies in it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import rasterio
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from numpy.typing import NDArray
from sqlalchemy import Connection

from layers.analysis.errors import AnalysisError, TooMuch
from layers.analysis.features import Objects
from layers.crs import transformer
from layers.raster.coverage import Coverage
from layers.raster.errors import NoSuchBand, OutOfReach, RasterTooLarge, TooManyImages
from layers.raster.images import Image, Interval, find_images
from layers.raster.mosaic import Grid, read
from layers.raster.store import RasterStore

Statistic = Literal[
    "count", "sum", "mean", "min", "max", "stdev", "variance", "median", "majority", "minority", "variety"
]
#: Cells of one read, and of all.
_AT_ONCE, MAX_CELLS = 8_000_000, 400_000_000


@dataclass(frozen=True, slots=True)
class PixelFrame:
    """The pixels on which statistics are made: their EPSG code, one corner (x, y), and size [units of the CRS]."""

    srid: int
    x: float
    y: float
    width: float
    height: float

    def around(self, bounds: tuple[float, float, float, float]) -> Grid:
        """The whole pixels that cover bounds of this CRS. Raises :class:`TooMuch`."""
        left, right = math.floor((bounds[0] - self.x) / self.width), math.ceil((bounds[2] - self.x) / self.width)
        top, bottom = math.floor((self.y - bounds[3]) / self.height), math.ceil((self.y - bounds[1]) / self.height)
        columns, rows = max(1, right - left), max(1, bottom - top)
        if columns * rows > 4 * _AT_ONCE:
            raise TooMuch(
                f"a zone covers {columns} × {rows} pixels, more than {4 * _AT_ONCE}; give a coarser 'resolution'"
            )
        west, north = self.x + left * self.width, self.y - top * self.height
        return Grid((west, north - rows * self.height, west + columns * self.width, north), self.srid, columns, rows)


def frame_of(
    conn: Connection, store: RasterStore, coverage: Coverage, box: tuple[float, float, float, float],
    time: Interval | None, projected: int, resolution: float | None,
) -> PixelFrame:  # fmt: skip
    """The pixels of the uppermost image in a box [°], so that none is resampled; with a ``resolution`` [m], or where
    that image's CRS has no EPSG code, pixels of the projected CRS. Raises :class:`AnalysisError` without an image."""
    images = find_images(conn, coverage, box, time=time)
    if not images:
        raise AnalysisError(f"{coverage.layer.id!r} has no image where the zones lie, of that time")
    own = _frame_of(store, images[0]) if resolution is None else None
    size = resolution or images[0].resolution
    return own or PixelFrame(projected, 0.0, 0.0, size, size)


def zonal_statistics(
    conn: Connection, store: RasterStore, coverage: Coverage, zones: Objects, srid: int, frame: PixelFrame,
    band: str | None, time: Interval | None, statistics: Sequence[Statistic],
) -> list[dict[str, Any]]:  # fmt: skip
    """The statistics of each zone (areas in EPSG ``srid``) by name; of classes also ``shares``, the share of each.

    ``count`` is the sum of the pixels' shares; the others are of valid pixels, weighted by their shares, and None where
    there is none. Raises :class:`AnalysisError`, :class:`TooMuch`.
    """
    bands = _band(coverage, band)
    asked = [*dict.fromkeys(["count", *statistics])]
    operations = [*asked, *(["unique", "frac"] if coverage.nature == "classes" else [])]
    shapes = zones if frame.srid == srid else _moved(zones, srid, frame.srid)
    found: list[dict[str, Any]] = [{} for _ in shapes]
    cells = 0
    for numbers, grid in _reads(shapes, frame):
        cells += grid.width * grid.height
        if cells > MAX_CELLS:
            raise TooMuch(f"the zones cover more than {MAX_CELLS} pixels; give a coarser 'resolution' or fewer zones")
        values = _read(conn, store, coverage, grid, bands, time)
        source = _source(values, grid)
        features = [{"type": "Feature", "geometry": _geometry(shapes[i]), "properties": {}} for i in numbers]
        for i, row in zip(numbers, exact_extract(source, features, operations), strict=True):
            found[i] = _row(row["properties"], asked)
    return found


def _band(coverage: Coverage, band: str | None) -> tuple[str, ...] | None:
    if band is not None:
        return (band,)
    return (coverage.bands[0].name,) if coverage.bands else None


def _frame_of(store: RasterStore, image: Image) -> PixelFrame | None:
    if image.srid is None:
        return None
    with rasterio.open(store.path(image.folder)) as cog:
        t = cog.transform
    if t.b or t.d or t.a <= 0 or t.e >= 0:
        return None
    return PixelFrame(image.srid, t.c, t.f, t.a, -t.e)


def _moved(zones: Objects, srid: int, other: int) -> Objects:
    moved: Objects = shapely.transform(zones, transformer(srid, other).transform, interleaved=False)
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        raise AnalysisError(f"input 'zones' lies where EPSG:{other}, in which the pixels are, does not reach")
    return moved


def _reads(shapes: Objects, frame: PixelFrame) -> Iterator[tuple[list[int], Grid]]:
    """Which zones are looked at in one read, and the pixels of that: all at once if they are few, else neighbours."""
    boxes = shapely.bounds(shapes)
    pending: list[int] = []
    around = np.array([np.inf, np.inf, -np.inf, -np.inf])
    for i in np.lexsort((boxes[:, 0], boxes[:, 1] // (64 * frame.height))).tolist():
        wider = np.concatenate([np.minimum(around[:2], boxes[i, :2]), np.maximum(around[2:], boxes[i, 2:])])
        cells = (wider[2] - wider[0]) / frame.width * (wider[3] - wider[1]) / frame.height
        if pending and cells > _AT_ONCE:
            yield pending, frame.around(_bounds(around))
            pending, wider = [], boxes[i]
        pending.append(i)
        around = wider
    if pending:
        yield pending, frame.around(_bounds(around))


def _bounds(values: NDArray[np.float64]) -> tuple[float, float, float, float]:
    west, south, east, north = values.tolist()
    return west, south, east, north


def _read(
    conn: Connection, store: RasterStore, coverage: Coverage, grid: Grid, bands: tuple[str, ...] | None,
    time: Interval | None,
) -> Any:  # fmt: skip
    """The first of the bands, masked where no image is valid."""
    try:
        raster = read(conn, store, coverage, grid, bands=bands, time=time)
    except (NoSuchBand, OutOfReach, RasterTooLarge, TooManyImages) as error:
        raise AnalysisError(str(error)) from error
    if not len(raster.values):
        return np.ma.masked_all((grid.height, grid.width))
    return raster.values[0]


def _source(values: Any, grid: Grid) -> NumPyRasterSource:
    """Whole numbers stay such, so that classes are told apart exactly; masked ones become a number that none has."""
    west, south, east, north = grid.bounds
    kind = np.int64 if np.issubdtype(values.dtype, np.integer) else np.float64
    nothing = -(2**62) if kind is np.int64 else np.nan
    filled = values.astype(kind).filled(nothing)
    return NumPyRasterSource(filled, west, south, east, north, nodata=nothing, srs_wkt=None)


def _geometry(shape: Any) -> dict[str, Any]:
    found: dict[str, Any] = shapely.geometry.mapping(shape)
    return found


def _row(found: Mapping[str, Any], asked: Sequence[str]) -> dict[str, Any]:
    row: dict[str, Any] = {name: _plain(found.get(name)) for name in asked}
    if "unique" in found:
        pairs = zip(np.asarray(found["unique"]).tolist(), np.asarray(found["frac"]).tolist(), strict=True)
        row["shares"] = {str(value): share for value, share in sorted(pairs)}
    return row


def _plain(value: Any) -> float | int | None:
    if value is None or value is np.ma.masked or (isinstance(value, float | np.floating) and math.isnan(value)):
        return None
    found: float | int = value.item() if isinstance(value, np.generic) else value
    return found
