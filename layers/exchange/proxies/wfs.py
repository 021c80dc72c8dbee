"""WFS 2.0 (OGC 09-025r2) of another server. Features come as GeoJSON where it offers that, else as GML by GDAL."""

from io import BytesIO
from typing import Any

import orjson
from lxml import etree

from layers.exchange.proxies.answers import (
    box_of,
    capabilities,
    features_of,
    host,
    json_of,
    property_types,
    with_query,
    xml_of,
)
from layers.exchange.proxies.errors import NotOffered, UpstreamFailed
from layers.exchange.proxies.model import Asked, FeaturePage, Fetched, Proxy, Upstream

_JSON = ("application/json", "geojson", "json", "application/geo+json", "application/json; subtype=geojson")
#: Latitude before longitude, as every WFS 2.0 understands it.
_DEGREES = "urn:ogc:def:crs:EPSG::4326"


def described(proxy: Proxy, upstream: Upstream) -> Proxy:
    """The proxy with what the capabilities say of the feature type."""
    from owslib.feature.wfs200 import WebFeatureService_2_0_0

    url = with_query(proxy.url, service="WFS", version="2.0.0", request="GetCapabilities")
    fetched = upstream.get(url)
    xml_of(fetched, url)
    service = capabilities(lambda: WebFeatureService_2_0_0(proxy.url, "2.0.0", fetched.body), url)
    about = service.contents.get(proxy.name)
    if about is None:
        some = ", ".join(list(service.contents)[:20])
        raise UpstreamFailed(f"{host(proxy.url)} has no feature type {proxy.name!r}; it has {some}")
    offered = service.getOperationByName("GetFeature").parameters.get("outputFormat", {}).get("values", [])
    offered = (*offered, *(getattr(about, "outputFormats", None) or ()))
    json_format = next((name for name in offered if name.lower() in _JSON), None)
    ready = proxy.described(details={"format": json_format})
    sample = page_of(ready, Asked(10), upstream.get(items_url(ready, Asked(10)))).features
    attribution = proxy.attribution or (service.provider.name if service.provider else "") or ""
    return ready.described(
        extent=box_of(about.boundingBoxWGS84), properties=property_types(list(sample)), attribution=attribution
    )


def items_url(proxy: Proxy, asked: Asked) -> str:
    """Where a page of features is. Raises :class:`NotOffered`."""
    if asked.filter or asked.time:
        raise NotOffered(f"{host(proxy.url)} is asked by bbox and pages only, not by filter or datetime")
    box = None
    if asked.box:
        west, south, east, north = asked.box
        box = f"{south!r},{west!r},{north!r},{east!r},{_DEGREES}"
    # One more than asked for tells whether there are more.
    paging = {"count": asked.limit + 1, "startIndex": asked.offset or None}
    return _get_feature(proxy, **paging, bbox=box, srsName=_DEGREES)


def page_of(proxy: Proxy, asked: Asked, fetched: Fetched) -> FeaturePage:
    """What the answer holds."""
    features = _features(proxy, fetched)
    return FeaturePage(features[: asked.limit], more=len(features) > asked.limit)


def item_url(proxy: Proxy, item: str) -> str:
    """Where a feature is."""
    return _get_feature(proxy, resourceId=item, srsName=_DEGREES)


def item_of(proxy: Proxy, fetched: Fetched) -> dict[str, Any] | None:
    """The feature; None where there is none."""
    features = _features(proxy, fetched)
    return features[0] if features else None


def _get_feature(proxy: Proxy, **more: object) -> str:
    return with_query(
        proxy.url, service="WFS", version="2.0.0", request="GetFeature", typeNames=proxy.name,
        outputFormat=proxy.details.get("format"), **more,
    )  # fmt: skip


def _features(proxy: Proxy, fetched: Fetched) -> list[dict[str, Any]]:
    if fetched.body.lstrip()[:1] == b"{":
        return features_of(json_of(fetched, proxy.url), proxy.url)
    root = xml_of(fetched, proxy.url)
    # GDAL chooses a reader by what it finds: nothing but a collection of features may reach it.
    if etree.QName(root).localname != "FeatureCollection":
        raise UpstreamFailed(f"{host(proxy.url)} does not answer a FeatureCollection")
    if not any("member" in etree.QName(child).localname.lower() for child in root.iterchildren("*")):
        return []  # GDAL finds no layer in it
    for name in [name for name in root.attrib if name.endswith("schemaLocation")]:
        del root.attrib[name]
    return _from_gml(etree.tostring(root), proxy)


def _from_gml(gml: bytes, proxy: Proxy) -> list[dict[str, Any]]:
    import pyogrio

    try:
        frame = pyogrio.read_dataframe(BytesIO(gml), DOWNLOAD_SCHEMA="NO", EXPOSE_GML_ID="YES", SWAP_COORDINATES="AUTO")
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, IndexError):
        raise UpstreamFailed(f"{host(proxy.url)} answers GML that cannot be read") from None
    if "geometry" in frame and frame.crs is not None:
        frame = frame.to_crs(4326)
    ids = [str(value) for value in frame["gml_id"]] if "gml_id" in frame else [None] * len(frame)
    text = frame.drop(columns="gml_id", errors="ignore").to_json(default=str)
    features = features_of(orjson.loads(text), proxy.url)
    return [{**feature, "id": id_} for feature, id_ in zip(features, ids, strict=True)]
