"""Reads a coverage: one raster out of all the images that lie there.

This is what coverages, EDR, raster tiles and terrain analysis call::

    grid = Grid((114.2, 30.5, 114.4, 30.6), 4490, width=800, height=400)
    raster = read(conn, store, coverage, grid)            # newest on top; of elevation the finest
    raster.values                                         # numpy masked array (band, row, column)

A pixel comes whole from one image: the uppermost that is valid there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import Resampling as Warp
from rasterio.vrt import WarpedVRT
from sqlalchemy import Connection

from layers.catalogue import CGCS2000
from layers.crs import coincident, meets, transformer
from layers.raster.aligned import read_aligned
from layers.raster.coverage import Coverage, Resampling
from layers.raster.errors import NoSuchBand, OutOfReach, RasterTooLarge
from layers.raster.grids import ALIGNED, PixelGrid
from layers.raster.images import Image, Interval, find_images
from layers.raster.limits import MAX_READ, MAX_SIDE
from layers.raster.opened import OPEN
from layers.raster.store import ORIGINAL, RasterStore


@dataclass(frozen=True, slots=True)
class Grid:
    """The pixels to read: bounds (west, south, east, north; in that order for every CRS) in EPSG ``srid``, columns and
    rows."""

    bounds: tuple[float, float, float, float]
    srid: int
    width: int
    height: int

    def __post_init__(self) -> None:
        west, south, east, north = self.bounds
        if not (west < east and south < north) or not np.all(np.isfinite(self.bounds)):
            raise OutOfReach(f"the bounds {self.bounds} enclose nothing: they are west, south, east, north")
        if self.width < 1 or self.height < 1:
            raise RasterTooLarge(f"{self.width} × {self.height} pixels: one at least is needed along each side")
        if self.width > MAX_SIDE or self.height > MAX_SIDE or self.width * self.height > MAX_READ:
            raise RasterTooLarge(f"{self.width} × {self.height} pixels; {MAX_READ} samples are the bound of one read")

    @classmethod
    def of_resolution(
        cls, bounds: tuple[float, float, float, float], srid: int, x: float, y: float | None = None
    ) -> "Grid":
        """The grid whose pixels are nearest to ``x`` by ``y`` [units of the CRS] in size and fill the bounds."""
        west, south, east, north = bounds
        across, down = (east - west) / x, (north - south) / (y or x)
        if not (np.isfinite(across) and np.isfinite(down)) or max(across, down) > MAX_SIDE:
            raise RasterTooLarge(f"a resolution of {x} is too fine for these bounds")
        return cls(bounds, srid, max(1, round(across)), max(1, round(down)))

    @property
    def transform(self) -> Affine:
        """From (column, row) to (east, north)."""
        west, south, east, north = self.bounds
        return Affine((east - west) / self.width, 0, west, 0, (south - north) / self.height, north)


@dataclass(frozen=True, slots=True)
class Raster:
    """What was read: ``values`` (band, row, column; masked where no image is valid), the grid, the bands' names, and
    the images that pixels came from, the uppermost first."""

    values: Any
    grid: Grid
    bands: tuple[str, ...]
    images: tuple[Image, ...]


#: Turns the values of one image (band, row, column) into what is laid into the mosaic.
Draw = Callable[[Image, NDArray[Any]], NDArray[Any]]


def read(
    conn: Connection,
    store: RasterStore,
    coverage: Coverage,
    grid: Grid,
    *,
    bands: tuple[str, ...] | None = None,
    time: Interval | None = None,
    as_of: datetime | None = None,
    resampling: Resampling | None = None,
    aligned: bool = False,
    dtype: str | None = None,
    draw: Draw | None = None,
) -> Raster:
    """The mosaic of a coverage's images on a grid.

    ``bands``: names, by default those of the uppermost image; images that lack one of them are left out. ``time`` takes
    images acquired then, ``as_of`` those that were in the coverage at an instant. ``resampling``: by default bilinear,
    nearest for classes. ``aligned`` reads the copy on the tile grid of the grid's CRS where there is one: without
    warping, but it was resampled once already (for display). ``dtype``: by default one that holds the values of all
    images, for elevation floats. ``draw`` is applied to each image's values before they are laid in, with as many
    bands.

    Raises, of :mod:`layers.raster.errors`, :class:`RasterTooLarge`, :class:`NoSuchBand`, :class:`OutOfReach`,
    :class:`TooManyImages`, and :class:`ImageGone` for a past whose files went.
    """
    found = find_images(conn, coverage, degrees_of(grid), time=time, as_of=as_of)
    return compose(
        store, coverage, found, grid, bands=bands, resampling=resampling, aligned=aligned, dtype=dtype, draw=draw
    )


def compose(
    store: RasterStore,
    coverage: Coverage,
    found: list[Image],
    grid: Grid,
    *,
    bands: tuple[str, ...] | None = None,
    resampling: Resampling | None = None,
    aligned: bool = False,
    dtype: str | None = None,
    draw: Draw | None = None,
) -> Raster:
    """The mosaic of images that were found already, the uppermost first; else as :func:`read`."""
    names, images = bands_and_images(coverage, found, bands)
    if len(names) * grid.width * grid.height > MAX_READ:
        raise RasterTooLarge(
            f"{len(names)} bands of {grid.width} × {grid.height} pixels; {MAX_READ} samples are the bound of one read"
        )
    kind = np.dtype(dtype) if dtype else _type_of(coverage, images)
    resampled_as = None if draw else kind.name if dtype or coverage.nature == "elevation" else None
    values = np.zeros((len(names), grid.height, grid.width), kind)
    valid = np.zeros(values.shape, bool)
    empty = np.ones(values.shape[1:], bool)
    used = []
    for image in images:
        pixels, validity = _read_image(
            store, image, grid, names, resampling or coverage.resampling, aligned, resampled_as
        )
        fresh = validity.any(axis=0) & empty
        if not fresh.any():
            continue
        drawn = draw(image, pixels) if draw else pixels
        np.copyto(values, drawn, where=fresh, casting="unsafe")
        np.copyto(valid, validity, where=fresh)
        empty &= ~fresh
        used.append(image)
        if not empty.any():
            break
    return Raster(np.ma.MaskedArray(values, mask=~valid), grid, names, tuple(used))


def _type_of(coverage: Coverage, images: list[Image]) -> np.dtype[Any]:
    """The type that holds the values of all images; for heights floats, since between whole metres there are others."""
    types = {np.dtype(image.dtype) for image in images} or {np.dtype("uint8")}
    return np.result_type(*types, *((np.float32,) if coverage.nature == "elevation" else ()))


def degrees_of(grid: Grid) -> tuple[float, float, float, float]:
    """The grid's bounds in CGCS2000 degrees. Raises :class:`OutOfReach`."""
    west, south, east, north = grid.bounds
    if coincident(grid.srid, CGCS2000):
        return (max(west, -180.0), max(south, -90.0), min(east, 180.0), min(north, 90.0))
    if not meets(grid.srid, grid.bounds, CGCS2000):
        raise OutOfReach(f"the bounds {grid.bounds} lie where EPSG:{grid.srid} does not reach")
    degrees: tuple[float, float, float, float] = transformer(grid.srid, CGCS2000).transform_bounds(*grid.bounds)
    return degrees


def bands_and_images(
    coverage: Coverage, found: list[Image], asked: tuple[str, ...] | None
) -> tuple[tuple[str, ...], list[Image]]:
    """The bands to read, and the images that have them."""
    declared = tuple(band.name for band in coverage.bands)
    names = asked or declared or (found[0].bands if found else ())
    images = [image for image in found if set(names) <= set(image.bands)]
    known = {band for image in found for band in image.bands} | set(declared)
    missing = [name for name in names if name not in known]
    if missing and (found or declared):
        raise NoSuchBand(
            f"{coverage.layer.id!r} has no band {missing[0][:50]!r} there; it has {', '.join(sorted(known))}"
        )
    return names, images


def _read_image(
    store: RasterStore,
    image: Image,
    grid: Grid,
    names: tuple[str, ...],
    resampling: Resampling,
    aligned: bool,
    dtype: str | None,
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """One image on the grid: values and validity, each (band, row, column). Resampled as ``dtype`` if one is asked for:
    heights in whole metres are then not rounded to whole metres again."""
    indexes = [image.bands.index(name) + 1 for name in names]
    with OPEN.dataset(store.path(image.folder, _copy_for(image, grid) if aligned else ORIGINAL)) as cog:
        same = _same_place(cog.crs, grid.srid)
        if aligned and same and dtype in (None, cog.dtypes[0]):
            pixel_grid = PixelGrid(grid.srid, grid.transform, grid.width, grid.height)
            found = read_aligned(cog, pixel_grid, indexes, resampling)
            if found is not None:
                return found
        options: dict[str, Any] = {"add_alpha": True} if cog.nodata is None else {}
        options |= {"dtype": dtype} if dtype else {}
        crs = cog.crs if same else grid.srid
        with WarpedVRT(
            cog, crs=crs, transform=grid.transform, width=grid.width, height=grid.height,
            resampling=Warp[resampling], warp_mem_limit=64, **options,
        ) as view:  # fmt: skip
            if cog.nodata is None:
                pixels = view.read([*indexes, view.count])
                return pixels[:-1], np.broadcast_to(pixels[-1] != 0, pixels[:-1].shape)
            return view.read(indexes), view.read_masks(indexes) != 0


def _copy_for(image: Image, grid: Grid) -> str:
    for name, srid in ALIGNED.items():
        if name in image.copies and coincident(srid, grid.srid):
            return name
    return ORIGINAL


def _same_place(crs: Any, srid: int) -> bool:
    """Whether coordinates of the file's CRS are those of the grid's: GDAL then need not transform them."""
    own = crs.to_epsg()
    return own is not None and coincident(own, srid)
