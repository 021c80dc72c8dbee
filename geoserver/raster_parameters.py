"""The query parameters of a picture of a coverage, checked and typed."""

import math
import re
from collections.abc import Mapping
from typing import get_args

from geoserver.errors import NotAcceptable, ParameterError
from geoserver.parameters import instant, interval, whole
from tiles.matrix_sets import NoSuchTile
from tiles.raster.colour_maps import COLOUR_MAPS
from tiles.raster.expression import ExpressionError, parse
from tiles.raster.look import SIZES, Format, Look, Range

#: How a coverage is drawn.
LOOK_PARAMETERS = ("f", "properties", "expression", "rescale", "colormap", "datetime", "as-of")
#: What a raster tile takes.
RASTER_TILE_PARAMETERS = (*LOOK_PARAMETERS, "size")
_COLUMN = re.compile(r"(\d{1,9})(@2x)?(?:\.(png|jpg|jpeg|webp|avif))?", re.ASCII)
_FORMATS: Mapping[str, Format] = {
    **{name: name for name in get_args(Format)},
    "jpg": "jpeg",
    **{f"image/{name}": name for name in ("png", "jpeg", "webp", "avif")},
}


def look_parameters(values: Mapping[str, str], suffix: str | None = None) -> Look:
    """The look that the parameters ask for; ``suffix`` is the format that the address ends in.

    Raises :class:`ParameterError`, :class:`NotAcceptable`.
    """
    if "properties" in values and "expression" in values:
        raise ParameterError("expression", "is given beside properties: name bands, or work one out of them")
    colours = values.get("colormap")
    if colours is not None and colours not in COLOUR_MAPS:
        raise ParameterError("colormap", f"{colours[:40]!r} is not known; there are {', '.join(COLOUR_MAPS)}")
    try:
        expression = parse(values["expression"]) if "expression" in values else None
    except ExpressionError as error:
        raise ParameterError("expression", str(error)) from None
    return Look(
        bands=_bands(values.get("properties")),
        expression=expression,
        ranges=_ranges(values.get("rescale")),
        colours=colours,
        format=picture_format(values.get("f") or suffix or "auto"),
        time=interval(values["datetime"]) if "datetime" in values else None,
        as_of=instant("as-of", values["as-of"]) if "as-of" in values else None,
    )


def picture_format(name: str) -> Format:
    """The format of that name or media type. Raises :class:`NotAcceptable`."""
    if (found := _FORMATS.get(name.lower())) is None:
        names = ", ".join(get_args(Format))
        raise NotAcceptable(f"parameter 'f': {name[:80]!r} is not offered here; choose one of {names}")
    return found


def tile_column(x: str, values: Mapping[str, str]) -> tuple[str, int, str | None]:
    """The column, the side of the tile [pixels] and the format of an address that ends like ``13421@2x.webp``."""
    found = _COLUMN.fullmatch(x)
    if found is None:
        raise NoSuchTile("a tile address is three whole numbers, z/y/x, such as 14/6738/13421, 13421@2x or 13421.webp")
    size = whole("size", values.get("size", "256"), 1) * (2 if found[2] else 1)
    if size not in SIZES:
        raise ParameterError("size", f"{size} pixels are not offered; choose {', '.join(map(str, SIZES))}")
    return found[1], size, found[3]


def _bands(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = tuple(name.strip()[:60] for name in text.split(",", 3) if name.strip())
    if len(names) not in (1, 3):
        raise ParameterError("properties", "a picture shows one band, or three as red, green and blue")
    return names


def _ranges(text: str | None) -> tuple[Range, ...]:
    if text is None:
        return ()
    try:
        numbers = [float(part) for part in text.split(",", 6)]
    except ValueError:
        numbers = []
    pairs = tuple(zip(numbers[::2], numbers[1::2], strict=False))
    if len(numbers) not in (2, 6) or not all(map(math.isfinite, numbers)) or any(low >= high for low, high in pairs):
        raise ParameterError(
            "rescale", f"{text[:60]!r} is not like 0,3000: from and to, for all bands or for each of three"
        )
    return pairs
