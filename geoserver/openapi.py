"""The OpenAPI 3.0 document: every route there is, self-contained.

pygeoapi's own document points at schemas on the internet, which a government network does not have, so ours is written
here, from the same catalogue as the collections.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from geoserver.features import COLLECTION_FORMATS
from geoserver.formats import media_type
from geoserver.parameters import MAX_OFFSET, RESERVED
from geoserver.schemas import schema
from geoserver.settings import Settings
from layers.catalogue import Layer
from layers.crs import CRS84, epsg
from tiles.vector import MAX_LAYERS

type Json = dict[str, Any]


def openapi_document(settings: Settings, layers: Mapping[str, Layer], more: Sequence[Json] = ()) -> str:
    """The document as JSON text; ``more`` are path groups of other API parts."""
    paths: Json = _core_paths()
    for layer in layers.values():
        paths |= _layer_paths(layer)
    for group in more:
        paths |= group
    identification = settings.metadata.identification
    document = {
        "openapi": "3.0.3",
        "info": {
            "title": f"{identification.title.zh} {identification.title.en}",
            "description": f"{identification.description.zh} {identification.description.en}",
            "version": "1.0.0",
            "license": {"name": settings.metadata.license.name, "url": settings.metadata.license.url},
        },
        "servers": [{"url": settings.server.url}],
        "tags": [{"name": layer.id, "description": f"{layer.title.zh} {layer.title.en}"} for layer in layers.values()],
        "paths": paths,
        "components": {
            "parameters": _parameters(settings),
            "responses": _responses(),
            "schemas": _schemas(layers),
            "securitySchemes": {"account": {"type": "http", "scheme": "basic"}},
        },
    }
    return orjson.dumps(document).decode()


def operation(
    name: str,
    summary: str,
    parameters: Sequence[Json] = (),
    responses: Mapping[str, Json] | None = None,
    tag: str = "server",
    errors: Mapping[str, Json] | None = None,
    **more: Any,
) -> Json:
    """One operation, with the error responses that all share, or its own."""
    return {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "parameters": list(parameters),
        "responses": {**(responses or {"200": content("A document", "application/json")}), **(errors or _ERRORS)},
        **more,
    }


def reference(kind: str, name: str) -> Json:
    """A reference to a component of this document."""
    return {"$ref": f"#/components/{kind}/{name}"}


#: A document or a list of them.
ANY_JSON: Json = {"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}
#: An account, or none where the server lets anyone in.
OPTIONAL_ACCOUNT: list[Json] = [{"account": []}, {}]
_ERRORS = {
    "400": reference("responses", "BadRequest"),
    "401": reference("responses", "SignIn"),
    "403": reference("responses", "Forbidden"),
    "404": reference("responses", "NotFound"),
    "429": reference("responses", "TooMany"),
    "500": reference("responses", "ServerError"),
    "503": reference("responses", "Unavailable"),
}
#: Parameters of every resource that is also a page, and of those that are JSON-LD too.
COMMON = [reference("parameters", "f-document"), reference("parameters", "lang")]
_LINKED = [reference("parameters", "f-linked"), reference("parameters", "lang")]
_TILE = [
    reference("parameters", name)
    for name in ("tms", "z", "y", "x", "filter", "filter-lang", "filter-crs", "datetime", "as-of", "properties")
]
_BINARY: Json = {"type": "string", "format": "binary"}


def content(description: str, *media_types: str, schema: Json | None = None) -> Json:
    """A response, in these media types; the schema is of those that are plain JSON."""
    written = {m: schema if schema and _is_plain_json(m) else _schema_of(m) for m in media_types}
    return {"description": description, "content": {m: {"schema": found} for m, found in written.items()}}


def errors_in(*media_types: str) -> dict[str, Json]:
    """The error responses of an interface that tells of errors in a form of its own."""
    return {code: content("An error", *media_types, schema=ANY_JSON) for code in _ERRORS}


def _is_plain_json(media_type: str) -> bool:
    """JSON-LD of the same resource has other members."""
    return "json" in media_type and media_type != "application/ld+json"


def _schema_of(media_type: str) -> Json:
    if "json" in media_type:
        return {"type": "object"}
    return {"type": "string"} if media_type.startswith("text/") else _BINARY


def _enum(*values: str) -> Json:
    return {"type": "string", "enum": list(values)}


_MVT = {"200": content("A Mapbox Vector Tile", "application/vnd.mapbox-vector-tile")}
_DOCUMENT = {"200": content("A document", "application/json", "text/html", "application/ld+json")}
_PAGED = {"200": content("A document", "application/json", "text/html")}
_PAGE = {"200": content("A page", "text/html")}


def _core_paths() -> Json:
    collection = {"name": "collectionId", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "/": {"get": operation("getLandingPage", "Landing page", _LINKED, _DOCUMENT)},
        "/conformance": {"get": operation("getConformance", "Conformance classes", COMMON, _PAGED)},
        "/openapi": {
            "get": operation(
                "getOpenapi",
                "This document",
                COMMON,
                {"200": content("OpenAPI", "application/vnd.oai.openapi+json;version=3.0", "text/html")},
            )
        },
        "/functions": {
            "get": operation("getFunctions", "Functions that filters may call", [reference("parameters", "lang")])
        },
        "/map": {"get": operation("getMap", "The map client", [reference("parameters", "lang")], _PAGE)},
        "/styles/city": {
            "get": operation(
                "getCityStyle",
                "The style of the map, for MapLibre",
                [reference("parameters", "lang"), parameter("theme", "Its look", _enum("light", "dark"))],
                {"200": content("A style", "application/vnd.mapbox.style+json")},
            )
        },
        "/styles/sprites/{name}": {
            "get": operation(
                "getSprite",
                "The signs of that style: light.json, light@2x.png …",
                [parameter("name", "Its file", {"type": "string"}, "path")],
                {"200": content("Signs, or their index", "image/png", "application/json")},
            )
        },
        "/tiles/{tms}/{z}/{y}/{x}": {
            "get": operation(
                ".dataset.vector.getTile",
                "A vector tile of collections",
                [*_TILE, reference("parameters", "collections")],
                _MVT,
            )
        },
        "/health": {"get": operation("getHealth", "Whether the process lives")},
        "/ready": {"get": operation("getReady", "Whether it can answer, because the database does")},
        "/collections": {"get": operation("getCollections", "All collections", _LINKED, _DOCUMENT)},
        "/collections/{collectionId}": {
            "get": operation("describeCollection", "One collection", [collection, *_LINKED], _DOCUMENT)
        },
        "/collections/{collectionId}/tiles/{tms}/{z}/{y}/{x}": {
            "get": operation(
                ".collection.vector.getTile", "A vector tile of one collection", [collection, *_TILE], _MVT
            )
        },
    }


def _layer_paths(layer: Layer) -> Json:
    base, tag = f"/collections/{layer.id}", layer.id
    features = "application/geo+json", "text/html", "application/ld+json"
    schema_answer = {"200": content("A JSON Schema", "application/schema+json", "text/html")}
    item = reference("parameters", "featureId")
    # A field that is called as a parameter of the standard is reached by filter only.
    fields = [_field_parameter(layer, f.name) for f in layer.fields if f.name not in RESERVED]
    feature = {"200": content("A feature", *features, schema=_feature(layer))}
    items: Json = {
        "get": operation(
            f"get-{tag}-items",
            f"Features of {layer.title.en}",
            [reference("parameters", p) for p in RESERVED] + fields,
            {"200": content("Features", *(media_type(f) for f in COLLECTION_FORMATS), schema=_collection(layer))},
            tag,
        )
    }
    one: Json = {
        "get": operation(
            f"get-{tag}-item",
            f"One feature of {layer.title.en}",
            [item, *_LINKED, reference("parameters", "crs"), reference("parameters", "as-of")],
            feature,
            tag,
        )
    }
    if layer.editable:
        items["post"] = _edit(layer, "create", "Add a feature", [], {"201": {"description": "Created"}})
        one["put"] = _edit(layer, "replace", "Replace the feature", [item, _IF_MATCH], _DONE)
        one["patch"] = _edit(layer, "update", "Change members of the feature", [item, _IF_MATCH], _DONE)
        one["delete"] = operation(
            f"delete-{tag}-item",
            "Remove the feature",
            [item, _IF_MATCH, ONCE],
            {**_DONE, **_CHANGED, **ONCE_ERRORS},
            tag,
            security=OPTIONAL_ACCOUNT,
        )
    return {
        f"{base}/items": items,
        f"{base}/items/{{featureId}}": one,
        f"{base}/queryables": {
            "get": operation(f"get-{tag}-queryables", "What filters may name", COMMON, schema_answer, tag)
        },
        f"{base}/schema": {
            "get": operation(
                f"get-{tag}-schema",
                "The schema of a feature",
                [parameter("f", "Representation", _enum("json", "html", "geojson")), reference("parameters", "lang")],
                schema_answer,
                tag,
            )
        },
    }


_IF_MATCH = reference("parameters", "ifMatch")
#: A write that may be sent again, and what is answered when its key belongs to another.
ONCE: Json = reference("parameters", "idempotencyKey")
ONCE_ERRORS: Json = {"409": reference("responses", "Conflict"), "422": reference("responses", "KeyReused")}
_DONE = {"204": {"description": "Done"}}
_CHANGED = {"412": reference("responses", "Changed")}


def _edit(layer: Layer, verb: str, summary: str, parameters: list[Json], done: Mapping[str, Json]) -> Json:
    types = ["application/geo+json"] if verb != "update" else ["application/merge-patch+json", "application/geo+json"]
    body = {"schema": _feature(layer) if verb != "update" else {"type": "object"}}
    return operation(
        f"{verb}-{layer.id}-item",
        summary,
        [*parameters, reference("parameters", "contentCrs"), ONCE],
        {
            **done,
            **_CHANGED,
            **ONCE_ERRORS,
            "409": reference("responses", "Conflict"),
            "413": reference("responses", "TooLarge"),
            "415": reference("responses", "MediaType"),
        },
        layer.id,
        requestBody={"required": True, "content": {t: body for t in types}},
        security=OPTIONAL_ACCOUNT,
    )


def _field_parameter(layer: Layer, name: str) -> Json:
    member = schema(layer, "", "en")["properties"][name]
    kind = {k: v for k, v in member.items() if k in ("type", "format", "items")}
    return parameter(name, "Only features whose field has this value", kind)


def _feature(layer: Layer) -> Json:
    return reference("schemas", f"feature-{layer.table}")


def _collection(layer: Layer) -> Json:
    return {
        "allOf": [
            reference("schemas", "featureCollection"),
            {"type": "object", "properties": {"features": {"type": "array", "items": _feature(layer)}}},
        ]
    }


def parameter(name: str, description: str, kind: Json, place: str = "query", required: bool = False) -> Json:
    """A parameter.

    In a query each is given once, lists with commas, which is said even where it is the default
    (OGC 17-069r4 §7.15.2): GDAL and QGIS take a parameter for a filter on a field only then.
    """
    described = {"name": name, "in": place, "required": required or place == "path", "description": description}
    style = {"style": "form", "explode": False} if place == "query" else {}
    return {**described, **style, "schema": kind}


_TILE_ADDRESS = {"z": "Tile matrix", "y": "Row, from the north", "x": "Column, from the west"}


def _parameters(settings: Settings) -> Json:
    crs = {"type": "string", "enum": [CRS84.uri, *(epsg(srid).uri for srid in settings.crs.offered)]}
    text, limits = {"type": "string"}, settings.server.limits
    whole = {"type": "integer", "minimum": 0}
    numbers = {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}
    names = {"type": "array", "items": {"type": "string"}}
    limit = {"type": "integer", "minimum": 1, "maximum": limits.max_items, "default": limits.default_items}
    found = [
        parameter("f", "Representation", {"type": "string", "enum": list(COLLECTION_FORMATS)}),
        parameter("lang", "Language of texts; one that is not offered means the first", {**text, "example": "zh-CN"}),
        parameter("limit", "Features per page", limit),
        parameter("offset", "Features to skip", {**whole, "maximum": MAX_OFFSET}),
        parameter("cursor", "Where the page before ended; from a 'next' link", text),
        parameter("bbox", "Only features that intersect this box", numbers),
        parameter("bbox-crs", "CRS of bbox", crs),
        parameter("datetime", "Instant or interval (RFC 3339)", text),
        parameter("as-of", "The state at this instant, from the layer's history", text),
        parameter("crs", "CRS of the answer, with its own axis order", crs),
        parameter("sortby", "Fields, '-' before a descending one", names),
        parameter("properties", "Only these fields", names),
        parameter("skipGeometry", "Leave geometries out", {"type": "boolean", "default": False}),
        parameter("resulttype", "Features, or their number only", _enum("results", "hits")),
        parameter("resultType", "The same, as GDAL writes it", _enum("results", "hits")),
        parameter("filter", "CQL2 filter", text),
        parameter("filter-lang", "Language of filter", _enum("cql2-text", "cql2-json")),
        parameter("filter-crs", "CRS of geometries in filter", crs),
        parameter("collections", "In the tile", {**names, "minItems": 1, "maxItems": MAX_LAYERS}, required=True),
        parameter("tms", "Tile matrix set, as /tileMatrixSets lists them", {**text, "example": "CGCS2000Quad"}, "path"),
        *(parameter(name, about, whole, "path") for name, about in _TILE_ADDRESS.items()),
    ]
    return {p["name"]: p for p in found} | {
        "f-document": parameter("f", "Representation", _enum("json", "html")),
        "f-linked": parameter("f", "Representation", _enum("json", "html", "jsonld")),
        "featureId": parameter("featureId", "Id of the feature", whole, "path"),
        "ifMatch": parameter("If-Match", "ETag of the state that the edit is based on", text, "header"),
        "idempotencyKey": parameter(
            "Idempotency-Key",
            "A new key for each write: sent again, it is done once and answered as before",
            {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            "header",
        ),
        "contentCrs": parameter("Content-Crs", "CRS of the body's coordinates, as <URI>", text, "header"),
    }


def _responses() -> Json:
    described = {
        "BadRequest": "A parameter or the body is wrong; the description names which and why",
        "NotFound": "There is no such resource",
        "SignIn": "An account is needed",
        "Forbidden": "This account, or anyone, may not do that",
        "Conflict": "Another feature has that key",
        "KeyReused": "This Idempotency-Key came with another request before",
        "Changed": "The feature was changed meanwhile",
        "TooMany": "This client or account asks too often; Retry-After tells when to come back",
        "TooLarge": "The body is larger than this server takes",
        "MediaType": "The body's media type is not taken here",
        "ServerError": "The server failed; the description holds the request id",
        "Unavailable": "The server is busy or the request took too long",
    }
    error = reference("schemas", "exception")
    return {name: content(text, "application/json", "text/html", schema=error) for name, text in described.items()}


def _schemas(layers: Mapping[str, Layer]) -> Json:
    link = {
        "type": "object",
        "required": ["href"],
        "properties": {n: {"type": "string"} for n in ("href", "rel", "type", "title")},
    }
    exception = {
        "type": "object",
        "required": ["code"],
        "properties": {n: {"type": "string"} for n in ("code", "type", "description", "requestId")},
    }
    collection = {
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "features": {"type": "array", "items": {"type": "object"}},
            "numberMatched": {"type": "integer", "minimum": 0},
            "numberReturned": {"type": "integer", "minimum": 0},
            "timeStamp": {"type": "string", "format": "date-time"},
            "links": {"type": "array", "items": reference("schemas", "link")},
        },
    }
    features = {f"feature-{layer.table}": _feature_schema(layer) for layer in layers.values()}
    return {"link": link, "exception": exception, "featureCollection": collection, **features}


def _feature_schema(layer: Layer) -> Json:
    members = schema(layer, "", "en")["properties"]
    wanted = ("title", "type", "format", "items")
    properties = {
        f.name: {**{k: v for k, v in members[f.name].items() if k in wanted}, "nullable": True} for f in layer.fields
    }
    return {
        "type": "object",
        "required": ["type", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": {"type": "integer"},
            "geometry": {"type": "object", "nullable": True},
            "properties": {"type": "object", "nullable": True, "properties": properties},
        },
    }
