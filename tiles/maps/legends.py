"""图例 legend: what colours mean, as a picture."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from tiles.maps.labels import font_of

#: Pixels: width of the picture, height of a line, width of a swatch and its distance from the edges.
WIDTH, LINE = 220, 22
_SWATCH, _MARGIN = 26, 4
_TEXT_SIZE, _INK = 13, "#222222"
#: Entries that are drawn: what is longer is no legend any more.
MOST = 100


def legend_size(entries: Sequence[Mapping[str, Any]]) -> tuple[int, int]:
    """Width and height of the picture [pixels]."""
    return WIDTH, LINE * max(1, min(len(entries), MOST))


def draw_legend(entries: Sequence[Mapping[str, Any]]) -> NDArray[np.uint8]:
    """The picture (row, column, 4) of entries ``label``, ``color``, ``shape`` and perhaps ``outline``, one per line."""
    image = Image.new("RGBA", legend_size(entries), (255, 255, 255, 0))
    pen = ImageDraw.Draw(image)
    for n, entry in enumerate(entries[:MOST]):
        _swatch(pen, entry, n * LINE)
        place = (_SWATCH + 3 * _MARGIN, n * LINE + LINE // 2)
        pen.text(place, str(entry["label"])[:60], _INK, font_of(_TEXT_SIZE), anchor="lm")
    return np.asarray(image)


def _swatch(pen: ImageDraw.ImageDraw, entry: Mapping[str, Any], top: int) -> None:
    colour, outline = str(entry["color"]), entry.get("outline")
    middle = top + LINE // 2
    left, right = _MARGIN, _MARGIN + _SWATCH
    match entry["shape"]:
        case "line":
            if outline:
                pen.line([(left, middle), (right, middle)], outline, 5)
            pen.line([(left, middle), (right, middle)], colour, 3)
        case "circle":
            centre = (left + right) // 2
            pen.ellipse([centre - 5, middle - 5, centre + 5, middle + 5], colour, outline or "#ffffff")
        case "text":
            pen.text(((left + right) // 2, middle), "文", colour, font_of(_TEXT_SIZE), anchor="mm")
        case _:
            pen.rectangle([left, top + 3, right, top + LINE - 4], colour, outline or "#00000030")
