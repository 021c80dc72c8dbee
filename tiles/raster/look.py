"""What may be asked of a picture of a coverage: bands or an expression, ranges, colours, size, format, time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from layers.raster.images import Interval
from tiles.raster.expression import Expression

#: Picture formats by what ``f`` calls them. ``auto`` (of imagery): JPEG where every pixel is opaque, else PNG.
FORMATS = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "avif": "image/avif"}
Format = Literal["auto", "png", "jpeg", "webp", "avif"]
#: Pixels along the side of a tile.
SIZES = (256, 512, 1024)
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """How a coverage is drawn. ``ranges``: from which value to which, one for all bands or one for each."""

    bands: tuple[str, ...] | None = None
    expression: Expression | None = None
    ranges: tuple[Range, ...] = ()
    colours: str | None = None
    format: Format = "auto"
    time: Interval | None = None
    as_of: datetime | None = None
