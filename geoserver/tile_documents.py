"""The routes that describe tiles: tile matrix sets, and the tilesets of one layer or of several."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import orjson
from starlette.requests import Request

from geoserver.errors import ParameterError
from geoserver.features import find_layer
from geoserver.formats import negotiate
from geoserver.openapi import COMMON, Json, content, operation, parameter, reference
from geoserver.parameters import query_values
from geoserver.reply import Reply
from geoserver.tile_parameters import collection_names, find_grid
from layers.catalogue import Layer
from tiles.tilesets import collections_query, matrix_set_list, tile_json, tileset, tileset_list
from tiles.vector import MAX_LAYERS

if TYPE_CHECKING:
    from geoserver.city import City

_PLAIN = ("f", "lang")
_OF_CITY = ("f", "lang", "collections")


def get_matrix_sets(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /tileMatrixSets``."""
    document = matrix_set_list(city.url, city.grids)
    return _document(city, request, document, "tilematrixsets/index.html")


def get_matrix_set(city: "City", request: Request, _body: bytes, tms: str) -> Reply:
    """``GET /tileMatrixSets/{tms}``: the definition (OGC 17-083r4 §7.1)."""
    return _document(city, request, dict(find_grid(city, tms).document), "tilematrixsets/tilematrixset.html")


def get_layer_tilesets(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/tiles``."""
    query_values(request, _PLAIN)
    layer = find_layer(city, collection)
    return _json(tileset_list(f"{city.url}/collections/{layer.id}/tiles", city.url, city.grids, (layer,)))


def get_layer_tileset(city: "City", request: Request, _body: bytes, collection: str, tms: str) -> Reply:
    """``GET /collections/{collection}/tiles/{tms}``; ``f=tilejson`` for MapLibre and its like."""
    values = query_values(request, _PLAIN)
    layer = find_layer(city, collection)
    return _tileset(city, request, values, f"{city.url}/collections/{layer.id}/tiles", (layer,), tms, "")


def get_city_tilesets(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /tiles``: of all layers that may be seen, or of ``collections``."""
    values = query_values(request, _OF_CITY)
    layers = _chosen(city, values)
    return _json(tileset_list(f"{city.url}/tiles", city.url, city.grids, layers, collections_query(layers)))


def get_city_tileset(city: "City", request: Request, _body: bytes, tms: str) -> Reply:
    """``GET /tiles/{tms}``."""
    values = query_values(request, _OF_CITY)
    layers = _chosen(city, values)
    return _tileset(city, request, values, f"{city.url}/tiles", layers, tms, collections_query(layers))


def tile_paths() -> Json:
    """These routes in OpenAPI; the operations end as OGC 20-057 table 11 names them."""
    collection = {"name": "collectionId", "in": "path", "required": True, "schema": {"type": "string"}}
    tms = reference("parameters", "tms")
    names = {"type": "array", "items": {"type": "string"}, "maxItems": MAX_LAYERS}
    some = parameter("collections", "Of these; default: all that may be seen", names)
    shape = parameter("f", "Representation", {"type": "string", "enum": ["json", "tilejson"]})
    plain = parameter("f", "Representation", {"type": "string", "enum": ["json"]})
    lang = reference("parameters", "lang")
    page = {"200": content("A document", "application/json", "text/html")}

    def get(name: str, summary: str, *parameters: Json, answer: Json | None = None) -> Json:
        return {"get": operation(name, summary, list(parameters), answer)}

    return {
        "/tileMatrixSets": get("getTileMatrixSetsList", "Grids of tiles", *COMMON, answer=page),
        "/tileMatrixSets/{tms}": get("getTileMatrixSet", "One grid of tiles", tms, *COMMON, answer=page),
        "/collections/{collectionId}/tiles": get(
            ".collection.vector.getTileSetsList", "Tilesets of a collection", collection, plain, lang
        ),
        "/collections/{collectionId}/tiles/{tms}": get(
            ".collection.vector.getTileSet", "A tileset of a collection", collection, tms, shape, lang
        ),
        "/tiles": get(".dataset.vector.getTileSetsList", "Tilesets of several collections", some, plain, lang),
        "/tiles/{tms}": get(".dataset.vector.getTileSet", "A tileset of several collections", tms, some, shape, lang),
    }


def _chosen(city: "City", values: dict[str, str]) -> tuple[Layer, ...]:
    if "collections" in values:
        return tuple(find_layer(city, name) for name in collection_names(values["collections"]))
    return tuple(city.layers.values())[:MAX_LAYERS]


def _tileset(
    city: "City", request: Request, values: dict[str, str], here: str, layers: tuple[Layer, ...], tms: str, query: str
) -> Reply:
    grid, language = find_grid(city, tms), city.language(request)
    if values.get("f", "json") not in ("json", "tilejson"):
        raise ParameterError("f", f"{values['f'][:40]!r} is neither 'json' nor 'tilejson'")
    headers = {"Content-Language": language}
    if values.get("f") == "tilejson":
        if grid.id != "WebMercatorQuad":
            raise ParameterError("f", "TileJSON describes tiles of WebMercatorQuad only")
        return Reply(orjson.dumps(tile_json(here, grid, layers, language, query)), headers=headers)
    return Reply(orjson.dumps(tileset(here, city.url, grid, layers, language, query)), headers=headers)


def _document(city: "City", request: Request, document: Json, template: str) -> Reply:
    values = query_values(request, _PLAIN)
    if negotiate(request, values, ("json", "html")) == "html":
        return city.pages.page(request, template, document, {})
    return _json(document)


def _json(document: Json) -> Reply:
    return Reply(orjson.dumps(document))


#: Path and handler of each.
ROUTES: tuple[tuple[str, Callable[..., Reply]], ...] = (
    ("/tileMatrixSets", get_matrix_sets),
    ("/tileMatrixSets/{tms}", get_matrix_set),
    ("/tiles", get_city_tilesets),
    ("/tiles/{tms}", get_city_tileset),
)
