"""OGC API – Features, Parts 1–4, over the feature queries of :mod:`layers`.

Takes the place of ``pygeoapi.api.itemtypes``: that module parses CQL2 with pygeofilter (77 of 120 official examples),
ignores unknown parameters, takes the id of a PUT from its body and answers a DELETE of nothing with 200.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
from starlette.requests import Request

from geoserver.errors import NotAllowed, ParameterError
from geoserver.exports import export_items
from geoserver.formats import EXPORTS, exports_of, media_type, negotiate
from geoserver.parameters import (
    Limits,
    crs_parameter,
    feature_query,
    instant,
    query_values,
    result_type,
    single_values,
)
from geoserver.reply import Reply
from geoserver.schemas import geojson_schema, queryables, schema
from layers.catalogue import Layer
from layers.cql2 import Cql2Error, describe_functions
from layers.exchange.proxies.answers import host
from layers.exchange.proxies.errors import NotOffered
from layers.features import FeatureNotFound, Page, count, read_feature, read_page, wide_integers
from layers.query import FeatureQuery
from layers.registry import LayerNotFound

if TYPE_CHECKING:
    from geoserver.city import City

ITEM_FORMATS = ("json", "html", "jsonld")
COLLECTION_FORMATS = (*ITEM_FORMATS, *EXPORTS)
SCHEMA_FORMATS = ("schema", "html")
_DESCRIPTIONS = {"queryables": queryables, "schema": schema}
_GEOJSON = "application/geo+json"
#: Longest values of parameters [characters] that are kept encoded.
_KEPT_VALUES = 2000


def get_items(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/items`` (OGC 17-069r4 §7.15, 18-058r1 §6, 19-079r2 §7)."""
    layer = find_layer(city, collection)
    values = single_values(request.query_params.multi_items())
    format_ = negotiate(request, values, COLLECTION_FORMATS)
    limits = city.settings.server.limits
    bounds = Limits(limits.default_items, limits.max_items)
    query = feature_query(layer, values, city.offered_for(layer), bounds, city.settings.crs.projected)
    if format_ in EXPORTS:
        return export_items(city, layer, query, format_, limited="limit" in values)
    hits = result_type(values) == "hits"
    headers = {"Content-Crs": f"<{query.crs.uri}>", "Content-Language": city.language(request)}
    page, matched = _read(city, layer, query, hits)
    if page and matched is None and page.cursor is None and query.after is None:
        matched = query.offset + len(page.features) if page.features or not query.offset else None
    links = _page_links(city, layer, values, query, page.cursor if page else None, format_)
    document = _collection_text(page.features if page else [], matched, links)
    if format_ == "json":
        return Reply(document, _GEOJSON, headers=headers)
    return city.pages.items(request, layer, orjson.loads(document), values, format_, headers)


def _read(city: "City", layer: Layer, query: FeatureQuery, hits: bool) -> tuple[Page | None, int | None]:
    """The page unless only hits are asked for, and the number matched where it is cheap or asked for."""
    try:
        with city.reading(layer) as reader:
            page = None if hits else read_page(reader, layer, query)
            matched = count(reader, layer, query) if hits or not query.restricted else None
    except Cql2Error as error:
        raise ParameterError("filter", str(error)) from None
    return page, matched


def get_item(city: "City", request: Request, _body: bytes, collection: str, item: str) -> Reply:
    """``GET /collections/{collection}/items/{item}``; its ETag is what an edit's If-Match refers to."""
    layer = find_layer(city, collection)
    values = query_values(request, ("f", "lang", "crs", "as-of"))
    format_ = negotiate(request, values, ITEM_FORMATS)
    crs = crs_parameter("crs", values.get("crs"), city.offered_for(layer))
    as_of = instant("as-of", values["as-of"]) if "as-of" in values else None
    with city.reading(layer) as reader:
        text, revision = read_feature(reader, layer, feature_id(layer, item), crs, as_of)
    headers = {
        "Content-Crs": f"<{crs.uri}>",
        "Content-Language": city.language(request),
        "ETag": etag(revision, format_, crs.uri),
        "Cache-Control": "no-cache",
        "Vary": "Accept, Accept-Language, Accept-Encoding",
    }
    known = {tag.strip() for tag in request.headers.get("if-none-match", "").split(",", 50)}
    if known & {headers["ETag"], "*"} and as_of is None and format_ == "json":
        return Reply(status=HTTPStatus.NOT_MODIFIED, headers=headers, media_type=None)
    links = orjson.dumps(_item_links(city, layer, item, values, format_))
    document = text[:-1] + b',"links":' + links + b"}"
    if format_ == "json":
        return Reply(document, _GEOJSON, headers=headers)
    return city.pages.item(request, layer, orjson.loads(document), format_, {**headers, "X-Revision": str(revision)})


def get_queryables(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/queryables``."""
    return _described(city, request, collection, "queryables")


def get_schema(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/schema``; ``f=geojson`` describes the features as GeoJSON has them."""
    return _described(city, request, collection, "schema", (*SCHEMA_FORMATS, "geojson"))


def get_functions(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /functions``: the functions that a filter may call (OGC 19-079r2 §6.4)."""
    query_values(request, ("f", "lang"))
    language = city.language(request)
    return Reply(orjson.dumps({"functions": describe_functions(language[:2])}), headers={"Content-Language": language})


def _described(
    city: "City", request: Request, collection: str, kind: str, formats: tuple[str, ...] = SCHEMA_FORMATS
) -> Reply:
    layer = find_layer(city, collection)
    values = query_values(request, ("f", "lang"))
    format_ = negotiate(request, values, formats)
    language = city.language(request)
    if format_ == "geojson":
        with city.reading(layer) as reader:
            document = geojson_schema(layer, city.url, language, wide_integers(reader, layer))
    else:
        document = _DESCRIPTIONS[kind](layer, city.url, language)
    headers = {"Content-Language": language}
    if format_ == "html":
        return city.pages.schema(request, layer, document, kind, headers)
    return Reply(orjson.dumps(document), "application/schema+json", headers=headers)


def find_layer(city: "City", collection: str) -> Layer:
    """The layer behind a collection. Raises :class:`LayerNotFound`."""
    layer = city.layers.get(collection)
    if layer is None and collection in city.proxies:
        there = host(city.proxies[collection].url)
        raise NotOffered(f"collection {collection!r} is of another server ({there}), which is not asked for that")
    if layer is None:
        raise LayerNotFound(f"there is no collection {collection[:80]!r}; /collections lists those there are")
    return layer


def feature_id(layer: Layer, item: str) -> int:
    """The id that a path segment names. Raises :class:`FeatureNotFound` for one that no feature can have."""
    if not item.isascii() or not item.isdigit() or len(item) > 18:
        raise FeatureNotFound(f"layer {layer.id!r} has no feature {item[:80]!r}: ids are whole numbers")
    return int(item)


def etag(revision: int, format_: str, crs_uri: str) -> str:
    """The entity tag of one representation of a feature's revision."""
    return f'"{revision}-{format_}-{crs_uri.rsplit("/", 1)[-1]}"'


def require_editable(layer: Layer) -> None:
    """Raise :class:`NotAllowed` for a layer that is read-only."""
    if not layer.editable:
        raise NotAllowed(f"layer {layer.id!r} is read-only: it is derived from other layers or closed by its steward")


def _collection_text(features: list[bytes], matched: int | None, links: list[dict[str, str]]) -> bytes:
    """The FeatureCollection; features go in as PostgreSQL wrote them."""
    tail: dict[str, Any] = {"numberReturned": len(features)}
    if matched is not None:
        tail["numberMatched"] = matched
    tail["timeStamp"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    tail["links"] = links
    head, end = b'{"type":"FeatureCollection","features":[', b"]," + orjson.dumps(tail)[1:]
    if not features:
        return head + end
    # One join, so that a page of a megabyte is copied once.
    texts = features.copy()
    texts[0] = head + texts[0]
    texts[-1] += end
    return b",".join(texts)


def _page_links(
    city: "City", layer: Layer, values: Mapping[str, str], query: FeatureQuery, cursor: str | None, format_: str
) -> list[dict[str, str]]:
    items = f"{city.url}/collections/{layer.id}/items"
    links = _representations(items, values, (*ITEM_FORMATS, *exports_of(layer)), format_)
    onward = f"{items}?f={format_}{_further(values, ('f', 'limit', 'offset', 'cursor'))}&limit={query.limit}"
    if cursor:
        links.append(_link_to("next", f"{onward}&cursor={cursor}", format_))
    if query.offset and query.after is None:
        links.append(_link_to("prev", f"{onward}&offset={max(0, query.offset - query.limit)}", format_))
    links.append({"rel": "collection", "type": "application/json", "href": f"{city.url}/collections/{layer.id}"})
    return links


def _item_links(
    city: "City", layer: Layer, item: str, values: Mapping[str, str], format_: str
) -> list[dict[str, str]]:
    collection = f"{city.url}/collections/{layer.id}"
    links = _representations(f"{collection}/items/{item}", values, ITEM_FORMATS, format_)
    links.append({"rel": "version-history", "type": _GEOJSON, "href": f"{collection}/items/{item}/history"})
    return [*links, {"rel": "collection", "type": "application/json", "href": collection}]


def _representations(
    href: str, values: Mapping[str, str], formats: tuple[str, ...], current: str
) -> list[dict[str, str]]:
    others = _further(values, ("f",))
    return [_link_to("self" if f == current else "alternate", f"{href}?f={f}{others}", f) for f in formats]


def _further(values: Mapping[str, str], besides: tuple[str, ...]) -> str:
    """The other parameters of the request, as they follow the first one in a link."""
    pairs = tuple((name, value) for name, value in values.items() if name not in besides)
    if not pairs:
        return ""
    return (_encoded if sum(len(value) for _, value in pairs) <= _KEPT_VALUES else _encoded.__wrapped__)(pairs)


@lru_cache(maxsize=512)
def _encoded(pairs: tuple[tuple[str, str], ...]) -> str:
    """Kept, because the pages of one question repeat its filter in every link."""
    return f"&{urlencode(pairs)}"


def _link_to(rel: str, href: str, format_: str) -> dict[str, str]:
    return {"rel": rel, "type": media_type(format_), "href": href}
