"""OGC API – Features (17-069r4) of another server."""

from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from layers.exchange.proxies.answers import (
    box_of,
    features_of,
    host,
    json_of,
    plain_feature,
    property_types,
    with_query,
)
from layers.exchange.proxies.errors import NotOffered, UpstreamFailed
from layers.exchange.proxies.model import Asked, FeaturePage, Fetched, Proxy, Upstream

_FILTER = ("/conf/filter", "/conf/features-filter")
#: What a cursor may carry beside those of the request.
_LONGEST_CURSOR = 4000


def described(proxy: Proxy, upstream: Upstream) -> Proxy:
    """The proxy with what the server says of the collection."""
    about = json_of(upstream.get(with_query(_collection(proxy), f="json")), proxy.url)
    if about.get("id") != proxy.name:
        raise UpstreamFailed(f"{host(proxy.url)} does not describe a collection {proxy.name!r}")
    classes = json_of(upstream.get(with_query(f"{proxy.url}/conformance", f="json")), proxy.url).get("conformsTo", [])
    sample = features_of(json_of(upstream.get(items_url(proxy, Asked(10))), proxy.url), proxy.url)
    boxes = (about.get("extent") or {}).get("spatial", {}).get("bbox") or [None]
    filters = any(isinstance(c, str) and c.endswith(_FILTER) for c in classes)
    return proxy.described(
        extent=box_of(boxes[0]),
        properties=property_types(sample),
        attribution=proxy.attribution or str(about.get("attribution", "")),
        licence=proxy.licence or _licence(about),
        details={"filters": filters},
    )


def items_url(proxy: Proxy, asked: Asked) -> str:
    """Where a page of features is. Raises :class:`NotOffered`."""
    items = f"{_collection(proxy)}/items"
    if asked.cursor is not None:  # the query of its own next link, below the address that we know
        return with_query(items, **dict(parse_qsl(asked.cursor[:_LONGEST_CURSOR], keep_blank_values=True)))
    if asked.filter and not proxy.details.get("filters"):
        raise NotOffered(f"{host(proxy.url)} takes no filter: it declares none of OGC API - Features - Part 3")
    return with_query(
        items,
        f="json",
        limit=asked.limit,
        offset=asked.offset or None,
        bbox=",".join(map(repr, asked.box)) if asked.box else None,
        datetime=asked.time,
        filter=asked.filter,
        **{"filter-lang": asked.filter_language if asked.filter else None},
    )


def page_of(proxy: Proxy, asked: Asked, fetched: Fetched) -> FeaturePage:
    """What the answer holds."""
    found = json_of(fetched, proxy.url)
    features = features_of(found, proxy.url)
    matched = found.get("numberMatched")
    following = next((link.get("href") for link in _links(found) if link.get("rel") == "next"), None)
    cursor = urlsplit(str(following)).query if following else None
    more = bool(cursor) and bool(features)
    return FeaturePage(features, matched if isinstance(matched, int) else None, cursor if more else None, more)


def item_url(proxy: Proxy, item: str) -> str:
    """Where a feature is."""
    return with_query(f"{_collection(proxy)}/items/{quote(item, safe='')}", f="json")


def item_of(proxy: Proxy, fetched: Fetched) -> dict[str, Any]:
    """The feature."""
    return plain_feature(json_of(fetched, proxy.url), proxy.url)


def _collection(proxy: Proxy) -> str:
    return f"{proxy.url}/collections/{quote(proxy.name, safe='')}"


def _links(found: dict[str, Any]) -> list[dict[str, Any]]:
    links = found.get("links")
    return [link for link in links if isinstance(link, dict)] if isinstance(links, list) else []


def _licence(about: dict[str, Any]) -> str:
    return next((str(link.get("href", "")) for link in _links(about) if link.get("rel") == "license"), "")
