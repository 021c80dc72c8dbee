"""A coverage as people look at it: colours stretched, heights shaded from low to high, classes in their colours."""

from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from layers.raster.coverage import Coverage
from layers.raster.images import Image, Interval, find_images
from layers.raster.mosaic import Grid, degrees_of, read
from layers.raster.opened import OPEN
from layers.raster.store import RasterStore

#: Heights from low to high as colours: land, from the greens of plains over ochre to snow.
_HEIGHTS = np.array(
    [[38, 115, 77], [127, 178, 104], [222, 214, 143], [201, 158, 96], [143, 105, 78], [190, 180, 175], [255, 255, 255]],
    np.float64,
)
#: Colours of classes for which neither the file nor the base says one.
_WHEEL = 2654435761


def picture(
    conn: Connection,
    store: RasterStore,
    coverage: Coverage,
    grid: Grid,
    *,
    bands: tuple[str, ...] | None = None,
    time: Interval | None = None,
    as_of: datetime | None = None,
    aligned: bool = True,
) -> NDArray[np.uint8]:
    """The coverage on a grid as red, green, blue and alpha (4, row, column).

    Imagery: ``bands`` are three for red, green and blue or one for grey, by default those called so, else the first
    ones; bytes are shown as they are, other values are stretched between the percentiles stored with each image.
    Raises as :func:`layers.raster.mosaic.read`.
    """
    found = find_images(conn, coverage, degrees_of(grid), time=time, as_of=as_of)
    shown = bands or default_bands(coverage, found)
    if not shown:
        return np.zeros((4, grid.height, grid.width), np.uint8)
    if coverage.nature == "imagery":
        raster = read(conn, store, coverage, grid, bands=shown, time=time, as_of=as_of, aligned=aligned, dtype="uint8",
                      draw=lambda image, values: stretched(image, shown, values))  # fmt: skip
        colours = (
            np.broadcast_to(raster.values.data, (3, grid.height, grid.width))
            if len(shown) == 1
            else raster.values.data[:3]
        )
    else:
        raster = read(conn, store, coverage, grid, bands=shown, time=time, as_of=as_of, aligned=aligned)
        one = raster.values.data[0]
        colours = _heights(one, found) if coverage.nature == "elevation" else class_colours(one, store, found)
    valid = ~np.ma.getmaskarray(raster.values).all(axis=0)
    return np.concatenate([colours, (valid * 255)[None]]).astype(np.uint8)


def stretched(image: Image, bands: tuple[str, ...], values: NDArray[Any]) -> NDArray[np.uint8]:
    """Values of an image as bytes: stretched linearly between the stored percentiles, bytes as they are."""
    if image.dtype == "uint8":
        return values.astype(np.uint8)
    drawn = np.empty(values.shape, np.uint8)
    for n, band in enumerate(bands):
        low, high = image.stretch[image.bands.index(band)]
        span = high - low if high > low else 1.0
        drawn[n] = np.clip(np.nan_to_num((values[n].astype(np.float64) - low) / span * 255), 0, 255).astype(np.uint8)
    return drawn


def default_bands(coverage: Coverage, found: list[Image]) -> tuple[str, ...]:
    """The bands to show by default: those of true colour, else the first of the uppermost image."""
    bands = found[0].bands if found else ()
    if coverage.nature != "imagery":
        return bands[:1]
    if {"red", "green", "blue"} <= set(bands):
        return ("red", "green", "blue")
    return bands[:3] if len(bands) >= 3 else bands[:1]


def _heights(values: NDArray[Any], found: list[Image]) -> NDArray[np.float64]:
    low = min((image.stretch[0][0] for image in found), default=0.0)
    high = max((image.stretch[0][1] for image in found), default=1.0)
    share = np.clip(np.nan_to_num((values - low) / max(high - low, 1e-9)), 0, 1) * (len(_HEIGHTS) - 1)
    steps = np.arange(len(_HEIGHTS))
    return np.stack([np.interp(share, steps, _HEIGHTS[:, n]) for n in range(3)])


def class_colours(values: NDArray[Any], store: RasterStore, found: list[Image]) -> NDArray[np.uint8]:
    """By the palette of the uppermost image that has one, else a colour of its own for each code."""
    codes, which = np.unique(values, return_inverse=True)
    palette = _palette(store, found)
    table = np.array([palette.get(int(code), _own_colour(int(code)))[:3] for code in codes], np.uint8)
    return np.moveaxis(table[which.reshape(values.shape)], -1, 0)


def _palette(store: RasterStore, found: list[Image]) -> dict[int, tuple[int, ...]]:
    for image in found[:5]:
        with OPEN.dataset(store.path(image.folder)) as cog:
            if cog.colorinterp[0].name == "palette":
                return dict(cog.colormap(1))
    return {}


def _own_colour(code: int) -> tuple[int, int, int]:
    mixed = (code + 1) * _WHEEL & 0xFFFFFF
    return 64 + (mixed >> 16) % 160, 64 + (mixed >> 8 & 255) % 160, 64 + (mixed & 255) % 160
