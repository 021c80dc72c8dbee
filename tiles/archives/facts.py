"""What an archive says of itself: names, levels, bounds, and the layers and fields of vector tiles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tiles.archives.content import Content
from tiles.archives.plan import Plan
from tiles.matrix_sets import Box
from tiles.rendered import MVT
from tiles.tilesets import tile_json

#: Media type of the tiles → what MBTiles calls their format.
FORMATS = {MVT: "pbf", "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/avif": "avif"}


@dataclass(frozen=True, slots=True)
class Facts:
    """``bounds`` in degrees; ``more`` has ``vector_layers`` of vector tiles, ``encoding`` of a terrain."""

    name: str
    attribution: str
    media_type: str
    lowest: int
    deepest: int
    bounds: Box
    description: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


def facts_of(plan: Plan, content: Content, language: str, name: str | None = None) -> Facts:
    """Of an archive that is made of layers."""
    described = tile_json("", plan.grid, content.shown, language)
    more: dict[str, Any] = {}
    if content.media_type == MVT:
        more["vector_layers"] = [
            {**layer, "minzoom": plan.lowest, "maxzoom": plan.deepest} for layer in described["vector_layers"]
        ]
    if content.encoding:
        more["encoding"] = content.encoding
    bounds = plan.area.bounds if plan.area is not None else plan.box
    title, attribution = name or described["name"], described["attribution"]
    return Facts(title, attribution, content.media_type, plan.lowest, plan.deepest, bounds, title, more)
