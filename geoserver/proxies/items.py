"""Features of another server's layer, by the parameters of OGC API – Features, in WGS 84."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
from starlette.requests import Request

from geoserver.errors import ParameterError
from geoserver.formats import media_type, negotiate
from geoserver.parameters import box_parameter, crs_parameter, interval, only, query_values, single_values, whole
from geoserver.proxies.upstream import Kept, NothingThere
from geoserver.reply import Reply
from geoserver.schemas import queryables, schema
from layers.access import watched
from layers.crs import CRS84
from layers.exchange.proxies.answers import host
from layers.exchange.proxies.errors import NotOffered
from layers.exchange.proxies.model import Asked, FeaturePage, Proxy
from layers.exchange.proxies.store import language_of
from layers.features import FeatureNotFound

if TYPE_CHECKING:
    from geoserver.city import City

_PARAMETERS = (
    *("f", "lang", "limit", "offset", "cursor", "bbox", "bbox-crs", "datetime", "crs"),
    *("filter", "filter-lang", "filter-crs"),
)
_FORMATS = ("json", "html", "jsonld")
_MOST = 1000


def proxy_of(city: "City", collection: str) -> Proxy:
    """The proxy, whose being read is audited if it is sensitive."""
    proxy = city.proxies[collection]
    if watched(proxy.layer):
        with city.reading(proxy.layer):
            pass
    return proxy


def get_items(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/items``."""
    proxy = proxy_of(city, collection)
    values = single_values(request.query_params.multi_items())
    _known(proxy, values)
    format_ = negotiate(request, values, _FORMATS)
    limits = city.settings.server.limits
    limit = min(whole("limit", values["limit"], 1), _MOST) if "limit" in values else limits.default_items
    asked = _asked(values, limit)
    language = language_of(proxy)
    kept = city.upstreams.cached(language.items_url(proxy, asked), proxy.cache_seconds)
    page: FeaturePage = language.page_of(proxy, asked, kept.fetched)
    document = {
        "type": "FeatureCollection",
        "features": list(page.features),
        "numberReturned": len(page.features),
        **({"numberMatched": page.matched} if page.matched is not None else {}),
        "timeStamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "attribution": proxy.attribution or host(proxy.url),
        "links": _links(city, proxy, values, asked, page, format_),
    }
    headers = said(city, request, kept)
    if format_ == "json":
        return Reply(orjson.dumps(document), media_type("json"), headers=headers)
    return city.pages.items(request, proxy.layer, document, values, format_, headers)


def get_item(city: "City", request: Request, _body: bytes, collection: str, item: str) -> Reply:
    """``GET /collections/{collection}/items/{item}``."""
    proxy = proxy_of(city, collection)
    values = query_values(request, ("f", "lang", "crs"))
    _only_degrees(values)
    format_ = negotiate(request, values, _FORMATS)
    language = language_of(proxy)
    try:
        kept = city.upstreams.cached(language.item_url(proxy, item), proxy.cache_seconds)
        found = language.item_of(proxy, kept.fetched)
    except NothingThere:
        found = None
    if found is None:
        raise FeatureNotFound(f"layer {proxy.id!r} has no feature {item[:80]!r}")
    here = f"{city.url}/collections/{proxy.id}"
    links = [{"rel": "collection", "type": "application/json", "href": here}]
    own = f"{here}/items/{item}"
    links += [
        {"rel": "self" if f == format_ else "alternate", "type": media_type(f), "href": f"{own}?f={f}"}
        for f in _FORMATS
    ]
    document = {**found, "id": item if found["id"] is None else found["id"], "links": links}
    if format_ == "json":
        return Reply(orjson.dumps(document), media_type("json"), headers=said(city, request, kept))
    return city.pages.item(request, proxy.layer, document, format_, said(city, request, kept))


def get_schema(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/schema``."""
    return _described(city, request, collection, "schema")


def get_queryables(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/queryables``."""
    return _described(city, request, collection, "queryables")


def said(city: "City", request: Request, kept: Kept) -> dict[str, str]:
    """Headers: how old the answer is, and whether it stands in for one that could not be had."""
    headers = {"Content-Language": city.language(request), "Age": str(int(kept.age)), "Cache-Control": "no-cache"}
    return headers | ({"Warning": '110 - "Response is Stale"'} if kept.stale else {})


def _described(city: "City", request: Request, collection: str, kind: str) -> Reply:
    proxy = proxy_of(city, collection)
    _ = language_of(proxy)
    values = query_values(request, ("f", "lang"))
    format_ = negotiate(request, values, ("schema", "html"))
    language = city.language(request)
    document = (schema if kind == "schema" else queryables)(proxy.layer, city.url, language)
    if kind == "schema" or proxy.details.get("filters"):
        document["properties"] |= {name: {"title": name, "type": of} for name, of in proxy.properties}
    headers = {"Content-Language": language}
    if format_ == "html":
        return city.pages.schema(request, proxy.layer, document, kind, headers)
    return Reply(orjson.dumps(document), "application/schema+json", headers=headers)


def _known(proxy: Proxy, values: dict[str, str]) -> None:
    for name in values:
        if name not in _PARAMETERS and name in dict(proxy.properties):
            raise NotOffered(f"parameter {name!r} is not handed on to {host(proxy.url)}: use filter where it takes one")
    only(values, _PARAMETERS)
    _only_degrees(values)


def _only_degrees(values: dict[str, str]) -> None:
    for name in ("crs", "filter-crs"):
        if name in values and crs_parameter(name, values[name], {4326, 4490}) != CRS84:
            raise ParameterError(name, f"features of another server come in {CRS84.uri} only")


def _asked(values: dict[str, str], limit: int) -> Asked:
    box = box_parameter(values, {4326})
    if box is not None and box.west > box.east:
        raise ParameterError("bbox", "crosses the antimeridian, which other servers are not asked for")
    if "datetime" in values:
        interval(values["datetime"])
    language = values.get("filter-lang", "cql2-text")
    if language not in ("cql2-text", "cql2-json"):
        raise ParameterError("filter-lang", f"{language[:80]!r} is neither 'cql2-text' nor 'cql2-json'")
    return Asked(
        limit=limit,
        offset=whole("offset", values["offset"], 0) if "offset" in values else 0,
        cursor=values.get("cursor"),
        box=(box.west, box.south, box.east, box.north) if box else None,
        time=values.get("datetime"),
        filter=values.get("filter"),
        filter_language=language,
    )


def _links(
    city: "City", proxy: Proxy, values: dict[str, str], asked: Asked, page: FeaturePage, format_: str
) -> list[dict[str, Any]]:
    items = f"{city.url}/collections/{proxy.id}/items"
    kept = {name: value for name, value in values.items() if name != "f"}

    def at(rel: str, f: str, query: dict[str, Any]) -> dict[str, str]:
        return {"rel": rel, "type": media_type(f), "href": f"{items}?{urlencode({'f': f, **query})}"}

    links = [at("self" if f == format_ else "alternate", f, kept) for f in _FORMATS]
    if page.more:
        onward = {name: value for name, value in kept.items() if name not in ("offset", "cursor")}
        place = {"cursor": page.cursor} if page.cursor else {"offset": asked.offset + len(page.features)}
        links.append(at("next", format_, {**onward, "limit": asked.limit, **place}))
    collection = f"{city.url}/collections/{proxy.id}"
    return [*links, {"rel": "collection", "type": "application/json", "href": collection}]
