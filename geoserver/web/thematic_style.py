"""How layers beside the base map are drawn: by their own style in the catalogue, else by geometry type."""

from typing import Any

from geoserver.web.palette import Palette
from geoserver.web.style_parts import REGULAR, StyleLayer, halo, name_text, zoomed
from layers.catalogue import Layer


def thematic_layers(layer: Layer, palette: Palette, language: str, position: int) -> list[StyleLayer]:
    """Style layers of one collection without ``source``; ``position`` picks a colour of the palette's wheel."""
    drawn = [dict(part) for part in layer.style] or _default_layers(layer, palette, language, position)
    return [
        {
            **part,
            "id": f"{layer.id}:{n}",
            "metadata": {**part.get("metadata", {}), "citymap:layer": layer.id},
        }
        for n, part in enumerate(drawn)
    ]


def thematic_colour(palette: Palette, position: int) -> str:
    """The colour of the layer at that place of the list."""
    return palette.thematic[position % len(palette.thematic)]


def _default_layers(layer: Layer, palette: Palette, language: str, position: int) -> list[StyleLayer]:
    if layer.kind == "coverage":
        # What is worked out from another (relief, slope) shades what lies below it.
        opacity = {"raster-opacity": 0.45} if layer.inputs else {}
        return [{"type": "raster", "paint": {"raster-fade-duration": 150, **opacity}}]
    colour = thematic_colour(palette, position)
    kind = layer.geometry_type
    every = kind == "Geometry"
    parts: list[StyleLayer] = []
    if every or kind.endswith("Polygon"):
        parts.append(_part("fill", "Polygon", {"fill-color": colour, "fill-opacity": 0.22}))
        parts.append(_part("line", "Polygon", {"line-color": colour, "line-width": zoomed((8, 0.8), (16, 1.8))}))
    if every or kind.endswith("LineString"):
        width = zoomed((8, 1), (14, 2.2), (18, 4))
        parts.append(_part("line", "LineString", {"line-color": colour, "line-width": width}))
    if every or kind.endswith("Point"):
        parts.append(_part("circle", "Point", {
            "circle-color": colour,
            "circle-radius": zoomed((8, 2.5), (14, 4.5), (18, 7)),
            "circle-stroke-color": palette.rim,
            "circle-stroke-width": 1.4,
        }))
    if layer.title_field:
        parts.append(_name_part(layer, palette, language))
    return parts


def _part(kind: str, geometry: str, paint: dict[str, Any]) -> StyleLayer:
    # A collection of type Geometry mixes kinds; MapLibre reads Multi* as its single kind here.
    layout = {"line-join": "round", "line-cap": "round"} if kind == "line" else {}
    return {"type": kind, "filter": ["==", ["geometry-type"], geometry], "layout": layout, "paint": paint}


def _name_part(layer: Layer, palette: Palette, language: str) -> StyleLayer:
    named = layer.title_field == "name" and layer.field("name_en")
    text = name_text(language) if named else ["to-string", ["get", layer.title_field]]
    along = layer.geometry_type.endswith("LineString")
    return {
        "type": "symbol",
        "minzoom": 14,
        "layout": {
            "symbol-placement": "line" if along else "point",
            "text-field": text,
            "text-font": REGULAR,
            "text-size": 12,
            "text-offset": [0, 1.1] if layer.geometry_type.endswith("Point") else [0, 0],
            "text-max-width": 9,
        },
        "paint": halo(palette, palette.text),
    }
