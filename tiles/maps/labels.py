"""Writes names on a map: horizontally, each where no more important one stands."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from layers.printing.fonts import chinese_font
from tiles.maps.expressions import Context, colour
from tiles.maps.mvt import Shape
from tiles.maps.painting import chosen, value_of, visible_at

_MOST = 400
type Rectangle = tuple[float, float, float, float]


def write_names(
    picture: NDArray[np.uint8], styles: Sequence[Mapping[str, Any]], shapes: Mapping[str, Iterable[Shape]], zoom: float
) -> NDArray[np.uint8]:
    """The picture with the names that the style layers of type ``symbol`` ask for; later ones win the room."""
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    taken: list[Rectangle] = []
    for style in reversed(styles):
        if style["type"] != "symbol" or not visible_at(style, zoom):
            continue
        for shape in chosen(style, shapes.get(style.get("source-layer", ""), ()), zoom):
            if len(taken) >= _MOST:
                return np.asarray(image)
            _write(pen, style, shape, zoom, taken, image.size)
    return np.asarray(image)


def _write(
    pen: ImageDraw.ImageDraw,
    style: Mapping[str, Any],
    shape: Shape,
    zoom: float,
    taken: list[Rectangle],
    size: tuple[int, int],
) -> None:
    context = Context(shape.fields, shape.kind, zoom)
    layout, paint = style.get("layout", {}), style.get("paint", {})
    text = value_of(layout, "text-field", "", context)
    place = _place(shape)
    if not isinstance(text, str) or not text.strip() or place is None:
        return
    height = float(value_of(layout, "text-size", 16, context))
    font = font_of(round(height))
    across, down = value_of(layout, "text-offset", [0, 0], context)
    x, y = place[0] + across * height, place[1] + down * height
    box = pen.textbbox((x, y), text[:60], font=font, anchor="mm")
    padding = float(value_of(layout, "text-padding", 2, context))
    wide = (box[0] - padding, box[1] - padding, box[2] + padding, box[3] + padding)
    outside = box[2] < 0 or box[3] < 0 or box[0] > size[0] or box[1] > size[1]
    if outside or any(_overlap(wide, other) for other in taken):
        return
    if shape.kind == "LineString" and box[2] - box[0] > _length(shape):
        return
    taken.append(wide)
    ink, halo = (value_of(paint, name, default, context) for name, default in _INKS)
    width = round(float(value_of(paint, "text-halo-width", 0, context)))
    pen.text((x, y), text[:60], _bytes(ink), font, "mm", stroke_width=width, stroke_fill=_bytes(halo))


_INKS = (("text-color", "#000000"), ("text-halo-color", "#ffffff"))


def _place(shape: Shape) -> tuple[float, float] | None:
    """A point; half-way along a line's longest part; the middle of an area."""
    if not shape.parts:
        return None
    part = max(shape.parts, key=len)
    if shape.kind == "LineString":
        way = np.concatenate([[0.0], np.hypot(*np.diff(part, axis=0).T).cumsum()])
        return float(np.interp(way[-1] / 2, way, part[:, 0])), float(np.interp(way[-1] / 2, way, part[:, 1]))
    if shape.kind == "Polygon":
        low, high = part.min(axis=0), part.max(axis=0)
        return float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2
    return float(part[0, 0]), float(part[0, 1])


def _length(shape: Shape) -> float:
    return max(float(np.hypot(*np.diff(part, axis=0).T).sum()) for part in shape.parts)


def _overlap(a: Rectangle, b: Rectangle) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _bytes(value: Any) -> tuple[int, int, int, int]:
    red, green, blue, alpha = (round(part * 255) for part in colour(value))
    return red, green, blue, alpha


@lru_cache(maxsize=64)
def font_of(size: int) -> ImageFont.FreeTypeFont:
    """The font of names, with Chinese where the machine has one; ``size`` in pixels."""
    font = chinese_font()
    return ImageFont.truetype(font.path, max(size, 6), font.number)
