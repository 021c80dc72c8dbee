"""Reads a coverage at points: profiles, EDR positions, heights of features."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from rasterio.windows import Window
from sqlalchemy import Connection

from layers.catalogue import CGCS2000
from layers.crs import coincident, transformer
from layers.raster.coverage import Coverage
from layers.raster.errors import RasterTooLarge
from layers.raster.images import Image, Interval, find_images
from layers.raster.limits import MAX_POINTS
from layers.raster.mosaic import bands_and_images
from layers.raster.store import RasterStore

#: Pixels along the side of the pieces in which points are looked up.
_PIECE = 1024
_CENTIMETRE = 1e-7  # degrees


@dataclass(frozen=True, slots=True)
class Samples:
    """Values at points: ``values`` (point, band; masked where no image is valid), and the index into ``images`` of the
    image that each came from (-1: none)."""

    values: Any
    bands: tuple[str, ...]
    source: NDArray[np.intp]
    images: tuple[Image, ...]


def sample(
    conn: Connection,
    store: RasterStore,
    coverage: Coverage,
    points: NDArray[np.float64],
    srid: int,
    *,
    bands: tuple[str, ...] | None = None,
    time: Interval | None = None,
    as_of: datetime | None = None,
    method: Literal["nearest", "bilinear"] | None = None,
) -> Samples:
    """The values at ``points`` (point, 2; east and north of EPSG ``srid``) as 64-bit floats.

    Each from the uppermost image that is valid there, in the image's own pixels at full resolution: ``nearest`` takes
    the pixel that the point lies in (the default for classes), ``bilinear`` weighs the four whose centres surround it,
    of those that are valid. Other parameters and errors as in :func:`layers.raster.mosaic.read`.
    """
    if len(points) > MAX_POINTS:
        raise RasterTooLarge(f"{len(points)} points; the bound is {MAX_POINTS}")
    kind = method or ("nearest" if coverage.nature == "classes" else "bilinear")
    degrees = points if coincident(srid, CGCS2000) else _transformed(transformer(srid, CGCS2000), points)
    finite = np.isfinite(degrees).all(axis=1)
    found = find_images(conn, coverage, _box(degrees[finite]), time=time, as_of=as_of) if finite.any() else []
    names, images = bands_and_images(coverage, found, bands)
    values = np.full((len(points), len(names)), np.nan)
    source = np.full(len(points), -1, np.intp)
    for number, image in enumerate(images):
        open_ = np.flatnonzero((source < 0) & finite)
        if not len(open_):
            break
        got = _sample_image(store, image, degrees[open_], names, bilinear=kind == "bilinear")
        hit = np.isfinite(got).any(axis=1)
        values[open_[hit]], source[open_[hit]] = got[hit], number
    return Samples(np.ma.masked_invalid(values), names, source, tuple(images))


def _box(degrees: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """West, south, east, north of points, a centimetre wider: a box without an area meets nothing in PostGIS."""
    west, south = (float(v) for v in degrees.min(axis=0) - _CENTIMETRE)
    east, north = (float(v) for v in degrees.max(axis=0) + _CENTIMETRE)
    return west, south, east, north


def _transformed(how: Any, points: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.column_stack(how.transform(points[:, 0], points[:, 1]))


def _sample_image(
    store: RasterStore, image: Image, degrees: NDArray[np.float64], names: tuple[str, ...], *, bilinear: bool
) -> NDArray[np.float64]:
    """Values (point, band) of one image at points in CGCS2000 degrees; NaN where it is not valid."""
    indexes = [image.bands.index(name) + 1 for name in names]
    values = np.full((len(degrees), len(names)), np.nan)
    own = Transformer.from_crs(CGCS2000, CRS.from_user_input(image.crs), always_xy=True)
    east, north = own.transform(degrees[:, 0], degrees[:, 1])
    with rasterio.open(store.path(image.folder)) as cog:
        columns, rows = ~cog.transform @ (east, north)
        inside = np.flatnonzero((columns >= 0) & (columns < cog.width) & (rows >= 0) & (rows < cog.height))
        for piece, at in _pieces(columns, rows, inside):
            window = _window(piece, cog.width, cog.height)
            pixels = cog.read(indexes, window=window, masked=True).astype("f8").filled(np.nan)
            look = _bilinear if bilinear else _nearest
            values[at] = look(pixels, columns[at] - window.col_off, rows[at] - window.row_off)
    return values


def _pieces(
    columns: NDArray[np.float64], rows: NDArray[np.float64], inside: NDArray[np.intp]
) -> Iterator[tuple[tuple[int, int], NDArray[np.intp]]]:
    """The pieces (column, row) that points lie in, with the indexes of those points."""
    keys = np.column_stack([columns[inside] // _PIECE, rows[inside] // _PIECE]).astype(np.int64)
    pieces, which = np.unique(keys, axis=0, return_inverse=True)
    order = np.argsort(which, kind="stable")
    ends = np.cumsum(np.bincount(which.ravel(), minlength=len(pieces)))
    for (column, row), start, end in zip(pieces, np.r_[0, ends[:-1]] if len(ends) else ends, ends, strict=True):
        yield (int(column), int(row)), inside[order[start:end]]


def _window(piece: tuple[int, int], width: int, height: int) -> Window:
    """The piece and one pixel around it, within the image."""
    left, top = max(0, piece[0] * _PIECE - 1), max(0, piece[1] * _PIECE - 1)
    right, bottom = min(width, (piece[0] + 1) * _PIECE + 1), min(height, (piece[1] + 1) * _PIECE + 1)
    return Window(left, top, right - left, bottom - top)


def _nearest(
    pixels: NDArray[np.float64], columns: NDArray[np.float64], rows: NDArray[np.float64]
) -> NDArray[np.float64]:
    return pixels[:, rows.astype(np.intp), columns.astype(np.intp)].T


def _bilinear(
    pixels: NDArray[np.float64], columns: NDArray[np.float64], rows: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted by nearness to the centres of pixels; those that are invalid, or lie beyond the edge, weigh nothing."""
    height, width = pixels.shape[1:]
    left, top = np.floor(columns - 0.5), np.floor(rows - 0.5)
    x, y = columns - 0.5 - left, rows - 0.5 - top
    total = np.zeros((len(columns), len(pixels)))
    weights = np.zeros_like(total)
    for right, across in ((0, 1 - x), (1, x)):
        for down, along in ((0, 1 - y), (1, y)):
            column, row = (left + right).astype(np.intp), (top + down).astype(np.intp)
            there = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            corner = pixels[:, np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)].T
            weight = (across * along * there)[:, None] * np.isfinite(corner)
            total += np.where(np.isfinite(corner), corner, 0) * weight
            weights += weight
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weights > 0, total / weights, np.nan)
