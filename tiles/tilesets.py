"""Describes tilesets: what vector tiles of which layers there are, in OGC 17-083r4's JSON and as TileJSON 3.0."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from layers.catalogue import Layer
from layers.crs import epsg
from tiles.matrix_sets import Box, MatrixSet
from tiles.rendered import MVT

type Json = dict[str, Any]

_SCHEME = "http://www.opengis.net/def/rel/ogc/1.0/tiling-scheme"
_CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
#: Where a tileset's tiles are useful at most; clients enlarge beyond it.
_DEEPEST = 22
_DIMENSIONS = {"Point": 0, "MultiPoint": 0, "LineString": 1, "MultiLineString": 1, "Polygon": 2, "MultiPolygon": 2}
_JSON_TYPES = {"integer": "integer", "number": "number", "boolean": "boolean"}


def matrix_set_list(url: str, grids: Mapping[str, MatrixSet]) -> Json:
    """``/tileMatrixSets`` (OGC 20-057 §14)."""
    return {"tileMatrixSets": [_listed(url, grid) for grid in grids.values()]}


def _listed(url: str, grid: MatrixSet) -> Json:
    link = {"rel": "self", "type": "application/json", "href": f"{url}/tileMatrixSets/{grid.id}"}
    document = grid.document
    named = {"uri": document["uri"]} if "uri" in document else {}
    return {"id": grid.id, "title": grid.title, **named, "crs": document["crs"], "links": [link]}


def tileset_list(here: str, url: str, grids: Mapping[str, MatrixSet], layers: Iterable[Layer], query: str = "") -> Json:
    """The tilesets of layers below ``here``, one per tile matrix set, each with its limits and the
    address of its tiles."""
    bounds = extent(layers)
    tilesets = []
    for grid in grids.values():
        links = [link("self", "application/json", f"{here}/{grid.id}{query}"), scheme(url, grid)]
        links.append(item(MVT, f"{here}/{grid.id}", query))
        within = {"tileMatrixSetLimits": limits(grid, bounds)} if bounds else {}
        tilesets.append({**_about(grid), **within, "links": links})
    return {"tilesets": tilesets, "links": [link("self", "application/json", f"{here}{query}")]}


def tileset(here: str, url: str, grid: MatrixSet, layers: Iterable[Layer], language: str, query: str = "") -> Json:
    """One tileset (OGC 17-083r4 §7.2): its layers, fields, bounds, limits, and the address of its tiles."""
    shown = tuple(layers)
    bounds = extent(shown)
    document: Json = {
        "title": ", ".join(layer.title[language] for layer in shown),
        **_about(grid),
        "layers": [_layer(layer, language) for layer in shown],
    }
    if bounds:
        corners = {"lowerLeft": list(bounds[:2]), "upperRight": list(bounds[2:])}
        document |= {"boundingBox": {**corners, "crs": _CRS84}, "tileMatrixSetLimits": limits(grid, bounds)}
    address = f"{here}/{grid.id}"
    document["links"] = [
        link("self", "application/json", address + query),
        scheme(url, grid),
        item(MVT, address, query),
    ]
    return document


def tile_json(here: str, grid: MatrixSet, layers: Iterable[Layer], language: str, query: str = "") -> Json:
    """The tileset for clients of TileJSON 3.0, which know web mercator only."""
    shown = tuple(layers)
    bounds = extent(shown)
    return {
        "tilejson": "3.0.0",
        "name": ", ".join(layer.title[language] for layer in shown),
        "attribution": ", ".join(dict.fromkeys(layer.licence for layer in shown if layer.licence)),
        "scheme": "xyz",
        "tiles": [f"{here}/{grid.id}/{{z}}/{{y}}/{{x}}{query}"],
        "minzoom": min((layer.zooms.first for layer in shown), default=0),
        "maxzoom": min(_DEEPEST, len(grid.levels) - 1),
        **({"bounds": list(bounds)} if bounds else {}),
        "vector_layers": [
            {
                "id": layer.id, "description": layer.title[language], "fields": _fields(layer),
                "minzoom": layer.zooms.first, "maxzoom": min(_DEEPEST, layer.zooms.last),
            }
            for layer in shown
        ],
    }


def extent(layers: Iterable[Layer]) -> Box | None:
    """West, south, east, north of the layers together [CGCS2000 degrees]; None of empty ones."""
    found = [layer.extent for layer in layers if layer.extent]
    if not found:
        return None
    west, south, east, north = zip(*found, strict=True)
    return min(west), min(south), max(east), max(north)


def collections_query(layers: Iterable[Layer]) -> str:
    """The query string that names these layers."""
    return "?collections=" + ",".join(quote(layer.id) for layer in layers)


def _about(grid: MatrixSet) -> Json:
    named = {"tileMatrixSetURI": grid.document["uri"]} if "uri" in grid.document else {}
    return {"dataType": "vector", "crs": grid.document["crs"], "tileMatrixSetId": grid.id, **named}


def _layer(layer: Layer, language: str) -> Json:
    described: Json = {
        "id": layer.id,
        "title": layer.title[language],
        "dataType": "vector",
        "crs": epsg(layer.srid).uri,
        "propertiesSchema": {"type": "object", "properties": {n: {"type": t} for n, t in _json_types(layer).items()}},
    }
    if layer.geometry_type in _DIMENSIONS:
        described["geometryDimension"] = _DIMENSIONS[layer.geometry_type]
    return described


def _json_types(layer: Layer) -> dict[str, str]:
    return {name: _JSON_TYPES.get(kind, "string") for name, kind in _fields(layer).items()}


def _fields(layer: Layer) -> dict[str, str]:
    """What a tile has of the layer's fields unless it is asked otherwise."""
    return {f.name: f.type for f in layer.fields if f.type != "string-array" and f.role != "key"}


def limits(grid: MatrixSet, bounds: Box) -> list[Json]:
    """The tiles of each level that bounds [CGCS2000 degrees] meet."""
    box = grid.from_degrees(bounds)
    met_tiles = []
    for z in range(len(grid.levels)):
        met = grid.covering(box, z)
        if met:
            names = ("minTileCol", "minTileRow", "maxTileCol", "maxTileRow")
            met_tiles.append({"tileMatrix": str(z), **dict(zip(names, met, strict=True))})
    return met_tiles


def scheme(url: str, grid: MatrixSet) -> Json:
    """The link to the grid's definition."""
    return link(_SCHEME, "application/json", f"{url}/tileMatrixSets/{grid.id}")


def item(media_type: str, below: str, query: str = "") -> Json:
    """The link to the tiles below an address."""
    return {**link("item", media_type, f"{below}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}{query}"), "templated": True}


def link(rel: str, media_type: str, href: str) -> Json:
    """A link of a JSON document."""
    return {"rel": rel, "type": media_type, "href": href}
