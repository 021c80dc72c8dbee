"""The city's map as one MapLibre style document, made from the catalogue.

Base layers share a few tile sources, so that one request brings all of them; every other layer has a source of its own,
which loads nothing until the layer is switched on. ``metadata["citymap:layers"]`` tells a client what it may list,
switch, search and explain.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from geoserver.web.base_style import extrusion_layers, ground_layers, street_layers
from geoserver.web.label_style import label_layers
from geoserver.web.layer_groups import ELSEWHERE, group_of
from geoserver.web.legend import legend_of
from geoserver.web.palette import PALETTES, Palette
from geoserver.web.style_parts import StyleLayer
from geoserver.web.thematic_style import thematic_layers
from layers.catalogue import DEEPEST, Layer

#: Tiles are cut down to this zoom and enlarged beyond it: 0.15 m per tile unit at 30° N.
MAX_TILE_ZOOM = 16
#: Source → first zoom at which it is asked for, and the base layers it brings.
_BASE_SOURCES: Mapping[str, tuple[int, tuple[str, ...]]] = {
    "base": (0, ("admin-areas", "land-use", "water", "waterways", "roads", "places")),
    "detail": (13, ("buildings", "pois")),
    "addresses": (16, ("addresses",)),
}
#: The base layers that the base style draws; others are drawn as any layer of the city.
_BASE_IDS = tuple(name for _, names in _BASE_SOURCES.values() for name in names)
#: Layer → fields besides its names by which people look for its features: numbers of cases, 车牌 plates of vehicles.
_MORE_SEARCH_FIELDS: Mapping[str, tuple[str, ...]] = {
    "cases": ("code", "description"),
    "redlines": ("number",),
    "devices": ("code", "plate"),
}
#: Fields that the search box looks into, where a layer has them.
_SEARCH_FIELDS = ("name", "name_en", "pinyin", "address")
_SEARCHED_FIRST = ("cases", "redlines", "devices", "places", "pois", "roads", "addresses", "admin-areas")


def city_style(
    layers: Mapping[str, Layer], base_url: str, language: str = "zh-CN", theme: str = "light", *, signs: bool = False
) -> dict[str, Any]:
    """The style of everything in ``layers``, with tile URLs below ``base_url``.

    ``language`` decides which names are written on the map; ``theme`` is ``light`` or ``dark``; with ``signs`` it has
    sprites.
    Source: MapLibre Style Specification v8. Tile URLs: OGC API Tiles 20-057, Web Mercator quad (EPSG:3857).
    """
    palette = PALETTES[theme]
    thematic = sorted((layer for layer in layers.values() if layer.id not in _BASE_IDS), key=lambda v: (v.order, v.id))
    drawn, names = _thematic_parts(thematic, palette, language)
    return {
        "version": 8,
        "name": "城市一张图" if not language.startswith("en") else "CityMap",
        "metadata": {
            "citymap:language": language,
            "citymap:theme": theme,
            "citymap:bounds": city_bounds(layers),
            "citymap:layers": [_entry(layer, palette, language, n) for n, layer in _listed(layers, thematic)],
        },
        **({"sprite": f"{base_url}/styles/sprites/{theme}"} if signs else {}),
        "sources": {**_base_sources(layers, base_url), **_thematic_sources(thematic, base_url)},
        "sky": {
            "sky-color": palette.sky,
            "horizon-color": palette.halo,
            "fog-color": palette.ground,
            "fog-ground-blend": 0.6,
            "sky-horizon-blend": 0.6,
        },
        "light": {"anchor": "viewport", "intensity": 0.25, "color": "#ffffff"},
        "transition": {"duration": 150, "delay": 0},
        "layers": [
            *_present(ground_layers(palette), layers),
            *_present(street_layers(palette), layers),
            *drawn,
            *_present(extrusion_layers(palette), layers),
            *_present(label_layers(palette, language, signs=signs), layers),
            *names,
        ],
    }


def city_bounds(layers: Mapping[str, Layer]) -> list[float] | None:
    """West, south, east, north [degrees, CGCS2000] of what a newcomer should see, or None while nothing is stored."""
    for layer_id in ("roads", "buildings", "places", "admin-areas"):
        layer = layers.get(layer_id)
        if layer and layer.extent:
            return list(layer.extent)
    extents = [layer.extent for layer in layers.values() if layer.extent]
    if not extents:
        return None
    west, south, east, north = zip(*extents, strict=True)
    return [min(west), min(south), max(east), max(north)]


def _base_sources(layers: Mapping[str, Layer], base_url: str) -> dict[str, Any]:
    sources = {}
    for name, (minzoom, ids) in _BASE_SOURCES.items():
        present = [layer_id for layer_id in ids if layer_id in layers]
        if present:
            template = f"{base_url}/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}?collections={','.join(present)}"
            sources[name] = _source(template, minzoom, {layers[i].licence for i in present})
    return sources


def _thematic_sources(thematic: list[Layer], base_url: str) -> dict[str, Any]:
    sources = {}
    for layer in thematic:
        template = f"{base_url}/collections/{quote(layer.id)}/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}"
        if layer.kind == "coverage":
            source = _source(template, 0, {layer.licence}) | {"type": "raster", "tileSize": 256, "maxzoom": 20}
            sources[_source_name(layer)] = source | ({"bounds": list(layer.extent)} if layer.extent else {})
        else:
            sources[_source_name(layer)] = _source(template, min(layer.zooms.first, MAX_TILE_ZOOM), {layer.licence})
    return sources


def _source(template: str, minzoom: int, licences: set[str]) -> dict[str, Any]:
    source: dict[str, Any] = {"type": "vector", "tiles": [template], "minzoom": minzoom, "maxzoom": MAX_TILE_ZOOM}
    credit = " · ".join(sorted(licence for licence in licences if licence))
    if credit:
        # A client writes attribution into the page as HTML.
        source["attribution"] = credit.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return source


def _source_name(layer: Layer) -> str:
    return f"layer:{layer.id}"


def _present(style_layers: list[StyleLayer], layers: Mapping[str, Layer]) -> list[StyleLayer]:
    """Those whose collection exists, each bound to its source."""
    source_of = {layer_id: name for name, (_, ids) in _BASE_SOURCES.items() for layer_id in ids}
    bound = []
    for style_layer in style_layers:
        layer_id = style_layer.get("source-layer")
        if layer_id is None:
            bound.append(style_layer)
        elif layer_id in layers:
            bound.append({**style_layer, "source": source_of[layer_id]})
    return bound


def _thematic_parts(
    thematic: list[Layer], palette: Palette, language: str
) -> tuple[list[StyleLayer], list[StyleLayer]]:
    """Shapes and names of the layers beside the base map, all switched off until a reader wants them."""
    drawn: list[StyleLayer] = []
    names: list[StyleLayer] = []
    for n, layer in enumerate(thematic):
        for style_layer in thematic_layers(layer, palette, language, n):
            layout = {**style_layer.get("layout", {}), "visibility": "none"}
            bound = {**style_layer, "layout": layout, "source": _source_name(layer)}
            if style_layer["type"] != "raster":
                bound |= {"source-layer": layer.id} | _zoom_range(layer, style_layer)
            (names if style_layer["type"] == "symbol" else drawn).append(bound)
    return drawn, names


def _zoom_range(layer: Layer, style_layer: StyleLayer) -> dict[str, float]:
    """Where a layer is drawn within its zooms: MapLibre would go on enlarging its last tiles."""
    found = {}
    if layer.zooms.first > 0:
        found["minzoom"] = max(layer.zooms.first, style_layer.get("minzoom", 0))
    if layer.zooms.last < DEEPEST:
        found["maxzoom"] = min(layer.zooms.last + 1, style_layer.get("maxzoom", DEEPEST))
    return found


def _listed(layers: Mapping[str, Layer], thematic: list[Layer]) -> list[tuple[int, Layer]]:
    """What a reader's layer list shows, from the top of the map down."""
    base = [layers[layer_id] for layer_id in reversed(_BASE_IDS) if layer_id in layers]
    return [*reversed(list(enumerate(thematic))), *((0, layer) for layer in base)]


def _entry(layer: Layer, palette: Palette, language: str, position: int) -> dict[str, Any]:
    base = layer.id in _BASE_IDS
    return {
        "id": layer.id,
        "title": layer.title[language],
        "description": layer.description[language],
        "group": "base" if base else group_of(layer),
        "kind": layer.kind,
        "geometry": layer.geometry_type,
        "editable": layer.editable and layer.kind == "vector",
        "timed": layer.time_field is not None,
        "elsewhere": ELSEWHERE in layer.keywords,
        "credit": " · ".join(part for part in (layer.source, layer.licence) if part),
        "visible": base,
        "extent": list(layer.extent) if layer.extent else None,
        "title_field": layer.title_field,
        "search": _searched(layer),
        "search_rank": _SEARCHED_FIRST.index(layer.id) if layer.id in _SEARCHED_FIRST else None,
        "legend": legend_of(layer, palette, language, position),
    }


def _searched(layer: Layer) -> list[str]:
    """The text fields by which people look for a feature: its names, its title, and the number they know it by."""
    names = (*_SEARCH_FIELDS, layer.title_field, *_MORE_SEARCH_FIELDS.get(layer.id, ()))
    found = (layer.field(name) for name in dict.fromkeys(names) if name)
    return [field.name for field in found if field and field.type == "string"]
