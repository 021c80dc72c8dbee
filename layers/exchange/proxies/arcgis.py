"""ArcGIS REST: a layer of a feature or map service (``…/FeatureServer/0``), by its documented operation ``query``.

Source: ArcGIS REST API, "Query (Feature Service/Layer)". Asked for in GeoJSON, which servers give since 10.4.
"""

from typing import Any

from layers.exchange.proxies.answers import box_of, features_of, host, json_of, property_types, with_query
from layers.exchange.proxies.errors import NotOffered, UpstreamFailed
from layers.exchange.proxies.model import Asked, FeaturePage, Fetched, Proxy, Upstream


def described(proxy: Proxy, upstream: Upstream) -> Proxy:
    """The proxy with what the server says of the layer."""
    about = json_of(upstream.get(with_query(_layer(proxy), f="json")), proxy.url)
    formats = str(about.get("supportedQueryFormats", "")).lower().replace(" ", "").split(",")
    if "geojson" not in formats:
        raise UpstreamFailed(f"{host(proxy.url)} gives no GeoJSON of this layer (supportedQueryFormats)")
    sample = features_of(json_of(upstream.get(items_url(proxy, Asked(10))), proxy.url), proxy.url)
    extent = about.get("extent") or {}
    degrees = (extent.get("spatialReference") or {}).get("wkid") in (4326, 4490)
    corners = [extent.get(name) for name in ("xmin", "ymin", "xmax", "ymax")]
    return proxy.described(
        extent=box_of(corners) if degrees else None,
        properties=property_types(sample),
        attribution=proxy.attribution or str(about.get("copyrightText", "")),
        details={"pages": bool((about.get("advancedQueryCapabilities") or {}).get("supportsPagination"))},
    )


def items_url(proxy: Proxy, asked: Asked) -> str:
    """Where a page of features is. Raises :class:`NotOffered`."""
    if asked.filter or asked.time:
        raise NotOffered(f"{host(proxy.url)} is asked by bbox and pages only, not by filter or datetime")
    if asked.offset and not proxy.details.get("pages"):
        raise NotOffered(f"{host(proxy.url)} does not give pages of this layer (supportsPagination)")
    box: dict[str, Any] = {}
    if asked.box:
        box = {"geometry": ",".join(map(repr, asked.box)), "geometryType": "esriGeometryEnvelope", "inSR": 4326}
        box["spatialRel"] = "esriSpatialRelIntersects"
    paging = {"resultOffset": asked.offset or None, "resultRecordCount": asked.limit}
    return with_query(f"{_layer(proxy)}/query", where="1=1", outFields="*", outSR=4326, f="geojson", **box, **paging)


def page_of(proxy: Proxy, asked: Asked, fetched: Fetched) -> FeaturePage:
    """What the answer holds."""
    found = json_of(fetched, proxy.url)
    features = features_of(found, proxy.url)
    exceeded = found.get("exceededTransferLimit") or (found.get("properties") or {}).get("exceededTransferLimit")
    return FeaturePage(features[: asked.limit], more=bool(exceeded) and bool(proxy.details.get("pages")))


def item_url(proxy: Proxy, item: str) -> str:
    """Where a feature is."""
    if not item.isascii() or not item.isdigit() or len(item) > 18:
        raise NotOffered("ids of this layer are whole numbers")
    return with_query(f"{_layer(proxy)}/query", objectIds=item, outFields="*", outSR=4326, f="geojson")


def item_of(proxy: Proxy, fetched: Fetched) -> dict[str, Any] | None:
    """The feature; None where there is none."""
    features = features_of(json_of(fetched, proxy.url), proxy.url)
    return features[0] if features else None


def _layer(proxy: Proxy) -> str:
    return f"{proxy.url}/{proxy.name}" if proxy.name else proxy.url
