"""Turns what is found of a coverage into colours: (row, column, 4) bytes of red, green, blue and alpha."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.raster.display import class_colours, default_bands, stretched
from layers.raster.errors import NoSuchBand
from layers.raster.images import Image
from layers.raster.mosaic import Grid, compose
from layers.raster.store import RasterStore
from layers.terrain.derived import derived
from tiles.raster.colour_maps import ASPECTS, COLOUR_MAPS, HEIGHTS, SLOPES, ColourMap, Range
from tiles.raster.look import Look
from tiles.raster.sources import Found

type Picture = NDArray[np.uint8]

#: What an index such as NDVI is drawn with unless a request says otherwise.
_INDEX, _INDEX_RANGE = "vegetation", (-1.0, 1.0)
_OWN_MAPS = {"elevation": HEIGHTS, "slope": SLOPES, "aspect": ASPECTS}


def draw(store: RasterStore, found: Found, grid: Grid, look: Look) -> Picture:
    """The coverage on a grid; transparent where no image is valid.

    Raises :class:`NoSuchBand` for a look that the coverage cannot have, and as :func:`compose`.
    """
    if look.expression is not None:
        return _index(store, found, grid, look)
    if found.relief:
        return _relief(store, found, grid, look)
    if found.shown.nature == "imagery":
        return _imagery(store, found, grid, look)
    if look.bands is not None and len(look.bands) != 1:
        raise NoSuchBand(f"{found.shown.layer.id!r} has one band to show")
    raster = compose(store, found.source, found.images, grid, bands=look.bands, aligned=True)
    values = raster.values[0]
    if found.shown.nature == "classes":
        return _opaque(np.moveaxis(class_colours(values.data, store, found.images), 0, -1), values)
    return _painted(values, *_map(look, "elevation"))


def heights(store: RasterStore, found: Found, grid: Grid) -> Any:
    """Heights [m] of a grid (row, column), masked where unknown."""
    return compose(store, found.source, found.images, grid, aligned=True).values[0]


def _imagery(store: RasterStore, found: Found, grid: Grid, look: Look) -> Picture:
    """Red, green and blue, or one band: bytes as they are, other values between the percentiles of each image, all
    between the ranges that are asked for."""
    bands = look.bands or default_bands(found.shown, found.images)
    if not bands:
        return np.zeros((grid.height, grid.width, 4), np.uint8)
    if len(bands) not in (1, 3):
        raise NoSuchBand("a picture shows one band, or three as red, green and blue")

    def shown(image: Image, values: NDArray[Any]) -> NDArray[np.uint8]:
        return _ranged(values, look.ranges) if look.ranges else stretched(image, bands, values)

    raster = compose(store, found.source, found.images, grid, bands=bands, aligned=True, dtype="uint8", draw=shown)
    values = raster.values
    if look.colours and len(bands) == 1:
        return _opaque(COLOUR_MAPS[look.colours].paint(values.data[0], (0, 255)), values[0])
    picture = np.empty((grid.height, grid.width, 4), np.uint8)
    picture[..., :3] = np.moveaxis(values.data, 0, -1)
    picture[..., 3] = np.where(np.ma.getmaskarray(values).all(axis=0), 0, 255)
    return picture


def _index(store: RasterStore, found: Found, grid: Grid, look: Look) -> Picture:
    """The value of an expression over the bands of each image, in a colour map."""
    expression = look.expression
    assert expression
    if found.relief or found.shown.nature == "classes":
        raise NoSuchBand(f"expressions are of bands with quantities; {found.shown.layer.id!r} has none")

    def worked_out(_image: Image, values: NDArray[Any]) -> NDArray[np.float32]:
        named = dict(zip(expression.bands, values.astype(np.float32), strict=True))
        with np.errstate(all="ignore"):
            value = expression.evaluate(named)
        return np.broadcast_to(np.asarray(value, np.float32), values.shape)

    raster = compose(store, found.source, found.images, grid, bands=expression.bands, aligned=True, dtype="float32",
                     draw=worked_out)  # fmt: skip
    values = np.ma.masked_invalid(raster.values[0])
    values.mask |= np.ma.getmaskarray(raster.values).any(axis=0)
    made = colour_map_of(found, look)
    assert made
    return _painted(values, *made)


def _relief(store: RasterStore, found: Found, grid: Grid, look: Look) -> Picture:
    which = found.relief or ""
    return relief_picture(which, derived(which, grid, lambda wider: heights(store, found, wider)), look)


def relief_picture(which: str, values: Any, look: Look) -> Picture:
    """The colours of ``hillshade``, ``slope`` or ``aspect`` (row, column, masked)."""
    if which == "hillshade" and not look.colours and not look.ranges:
        return _opaque(values.data[..., None], values)
    return _painted(values, *_map(look, which))


def colour_map_of(found: Found, look: Look) -> tuple[ColourMap, Range | None] | None:
    """The colour map of a look, and over which range it is spread; None where colours are shown as they are."""
    if look.expression is not None:
        made = COLOUR_MAPS[look.colours or _INDEX]
        return made, look.ranges[0] if look.ranges else None if made.unit else _INDEX_RANGE
    if found.shown.nature == "imagery":
        return (COLOUR_MAPS[look.colours], look.ranges[0] if look.ranges else (0, 255)) if look.colours else None
    return _map(look, found.relief or "elevation")


def class_palette(store: RasterStore, found: Found, codes: list[int]) -> dict[int, str]:
    """The colour of each class as #rrggbb."""
    colours = class_colours(np.array([codes]), store, found.images)
    return {code: "#{:02x}{:02x}{:02x}".format(*colours[:, 0, n].tolist()) for n, code in enumerate(codes)}


def _map(look: Look, what: str) -> tuple[ColourMap, Range | None]:
    made = COLOUR_MAPS[look.colours] if look.colours else _OWN_MAPS.get(what, COLOUR_MAPS["grey"])
    if look.ranges:
        return made, look.ranges[0]
    return made, None if made.unit else DEFAULT_RANGES[what]


#: Between which values a colour map without a unit is spread.
DEFAULT_RANGES: dict[str, Range] = {
    "elevation": (0, 1000), "slope": (0, 45), "aspect": (0, 360), "hillshade": (0, 255),
}  # fmt: skip


def _ranged(values: NDArray[Any], ranges: tuple[Range, ...]) -> NDArray[np.uint8]:
    drawn = np.empty(values.shape, np.uint8)
    for n, band in enumerate(values):
        low, high = ranges[min(n, len(ranges) - 1)]
        share = (band.astype(np.float32) - low) * (255 / max(high - low, 1e-12))
        drawn[n] = np.nan_to_num(np.clip(share + 0.5, 0, 255)).astype(np.uint8)
    return drawn


def _painted(values: Any, made: ColourMap, over: Range | None) -> Picture:
    return _opaque(made.paint(values.data, over), values)


def _opaque(colours: NDArray[np.uint8], values: Any) -> Picture:
    """Colours (row, column, 3 or 1) where values are valid, nothing elsewhere."""
    picture = np.empty((*values.shape, 4), np.uint8)
    picture[..., :3] = colours
    picture[..., 3] = 255
    if np.ma.is_masked(values):
        picture[np.ma.getmaskarray(values)] = 0
    return picture
