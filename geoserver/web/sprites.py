"""Signs of points of interest as one picture and its index: MapLibre's sprites, one per look and density of pixels.

A sign is a bare pictogram in the colour of rims; the style draws it upon a disc in the colour of its category.
Sources: MapLibre Style Specification v8, sprite; pictograms of Maki (CC0; npm ``@mapbox/maki``).
"""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import orjson
import resvg_py

from geoserver.web.assets import NODE_MODULES
from geoserver.web.palette import PALETTES

#: Category of ``pois`` → pictogram.
SIGNS: Mapping[str, str] = {
    "government": "town-hall", "education": "school", "health": "hospital", "food": "restaurant", "shopping": "shop",
    "finance": "bank", "lodging": "lodging", "leisure": "park", "transport": "bus", "tourism": "monument",
    "safety": "police", "religion": "place-of-worship", "utility": "industry", "service": "suitcase",
}  # fmt: skip
#: Side of a sign and of its pictogram's own drawing [px].
SIDE, _DRAWN = 12, 15
_ICONS = NODE_MODULES / "@mapbox" / "maki" / "icons"
_SVG = "http://www.w3.org/2000/svg"


def sign_name(category: str) -> str:
    """What the style calls the sign of a category."""
    return f"poi-{category}"


def has_signs() -> bool:
    """Whether the pictograms are installed."""
    return _ICONS.is_dir()


@lru_cache(maxsize=8)
def sprite(name: str) -> tuple[bytes, str] | None:
    """The file of that name with its media type: ``light.png``, ``light@2x.json``, ``dark.json`` …; None for others."""
    theme, _, kind = name.partition(".")
    theme, _, density = theme.partition("@")
    if theme not in PALETTES or density not in ("", "2x") or kind not in ("png", "json") or not has_signs():
        return None
    ratio = 2 if density else 1
    if kind == "json":
        return orjson.dumps(_index(ratio)), "application/json"
    return bytes(resvg_py.svg_to_bytes(svg_string=_sheet(PALETTES[theme].rim), zoom=ratio)), "image/png"


def _index(ratio: int) -> dict[str, dict[str, int]]:
    size = {"y": 0, "width": SIDE * ratio, "height": SIDE * ratio, "pixelRatio": ratio}
    return {sign_name(category): {"x": n * SIDE * ratio, **size} for n, category in enumerate(SIGNS)}


def _sheet(colour: str) -> str:
    """All signs beside each other."""
    scale = SIDE / _DRAWN
    drawn = (
        f'<g transform="translate({n * SIDE}) scale({scale})">{"".join(_shapes(_ICONS / f"{icon}.svg"))}</g>'
        for n, icon in enumerate(SIGNS.values())
    )
    return f'<svg xmlns="{_SVG}" width="{SIDE * len(SIGNS)}" height="{SIDE}" fill="{colour}">{"".join(drawn)}</svg>'


def _shapes(file: Path) -> list[str]:
    return [ET.tostring(shape, encoding="unicode") for shape in ET.parse(file).getroot()]
