"""What style layers are put together from: MapLibre expressions, local fonts, and the frame of one style layer.

Expressions follow the MapLibre Style Specification v8.
"""

from collections.abc import Mapping
from typing import Any

from geoserver.web.palette import Palette

type StyleLayer = dict[str, Any]

#: Local fonts; the first name exists nowhere and only tells MapLibre the weight. No glyphs are ever downloaded.
_FAMILIES = ("PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC")
REGULAR = ["CityMap Regular", *_FAMILIES]
BOLD = ["CityMap Bold", *_FAMILIES]
ITALIC = ["CityMap Italic", *_FAMILIES]


def name_text(language: str) -> list[Any]:
    """The text expression that names a feature in the reader's language."""
    return ["coalesce", ["get", "name_en"], ["get", "name"]] if language.startswith("en") else ["get", "name"]


def choose(field: str, colours: Mapping[str, str], otherwise: str) -> list[Any]:
    """A colour by the value of ``field``."""
    pairs = [part for code, colour in colours.items() for part in (code, colour)]
    return ["match", ["get", field], *pairs, otherwise]


def zoomed(*stops: tuple[float, Any], base: float = 1.0) -> list[Any]:
    """A value interpolated over zoom; ``base`` above 1 grows faster towards the last stop."""
    curve = ["linear"] if base == 1.0 else ["exponential", base]
    return ["interpolate", curve, ["zoom"], *[part for stop in stops for part in stop]]


def halo(palette: Palette, colour: str | list[Any], width: float = 1.4) -> dict[str, Any]:
    """Text paint: a colour with a halo of the ground, so that names read on any tint."""
    return {"text-color": colour, "text-halo-color": palette.halo, "text-halo-width": width, "text-halo-blur": 0.4}


def style_layer(layer: str, kind: str, name: str | None = None, **values: Any) -> StyleLayer:
    """One style layer of a collection; ``metadata["citymap:layer"]`` lets a client switch, fade and explain it."""
    return {
        "id": f"{layer}-{name}" if name else layer,
        "type": kind,
        "source-layer": layer,
        "metadata": {"citymap:layer": layer},
        **values,
    }
