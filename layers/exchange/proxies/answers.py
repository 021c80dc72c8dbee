"""Reading what other servers answer: JSON and XML from strangers."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from lxml import etree

from layers.exchange.proxies.errors import UpstreamFailed
from layers.exchange.proxies.model import Box, Fetched

_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}


def host(url: str) -> str:
    """What a message calls the other server."""
    return urlsplit(url).netloc


def with_query(url: str, **values: object) -> str:
    """The address with parameters added; those that are None are left out."""
    given = {name: value for name, value in values.items() if value is not None}
    separator = "&" if "?" in url else "?"
    return f"{url.rstrip('?&')}{separator}{urlencode(given)}" if given else url


def json_of(fetched: Fetched, url: str) -> dict[str, Any]:
    """The JSON object. Raises :class:`UpstreamFailed`."""
    try:
        found = orjson.loads(fetched.body)
    except orjson.JSONDecodeError:
        raise UpstreamFailed(f"{host(url)} does not answer JSON") from None
    if not isinstance(found, dict):
        raise UpstreamFailed(f"{host(url)} does not answer a JSON object")
    if isinstance(found.get("error"), dict):  # as ArcGIS says what went wrong, with status 200
        raise UpstreamFailed(f"{host(url)} refuses: {str(found['error'].get('message', ''))[:200]}")
    return found


def xml_of(fetched: Fetched, url: str) -> Any:
    """The root element. Raises :class:`UpstreamFailed` also for an exception report and for a document type."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(fetched.body, parser)
    except etree.XMLSyntaxError:
        raise UpstreamFailed(f"{host(url)} does not answer XML") from None
    if root.getroottree().docinfo.doctype:
        raise UpstreamFailed(f"{host(url)} answers XML with a document type, which is not read")
    name = etree.QName(root).localname
    if name in ("ExceptionReport", "ServiceExceptionReport"):
        raise UpstreamFailed(f"{host(url)} refuses: {' '.join(' '.join(root.itertext()).split())[:200]}")
    return root


def capabilities(read: Callable[[], Any], url: str) -> Any:
    """What OWSLib makes of capabilities. Raises :class:`UpstreamFailed` where they lack what it counts on."""
    try:
        return read()
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise UpstreamFailed(f"{host(url)} answers capabilities that cannot be read: {str(error)[:100]}") from error


def features_of(found: dict[str, Any], url: str) -> list[dict[str, Any]]:
    """The features of a collection in GeoJSON. Raises :class:`UpstreamFailed`."""
    features = found.get("features")
    if found.get("type") != "FeatureCollection" or not isinstance(features, list):
        raise UpstreamFailed(f"{host(url)} does not answer a FeatureCollection")
    return [plain_feature(feature, url) for feature in features]


def plain_feature(feature: Any, url: str) -> dict[str, Any]:
    """A feature with the members that we hand on."""
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise UpstreamFailed(f"{host(url)} answers what is no Feature")
    properties = feature.get("properties")
    found = {"type": "Feature", "id": feature.get("id"), "geometry": feature.get("geometry")}
    return {**found, "properties": properties if isinstance(properties, dict) else {}}


def property_types(features: list[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Names and JSON types of the properties in a sample of features."""
    types: dict[str, str] = {}
    for feature in features:
        for name, value in feature["properties"].items():
            kind, former = _TYPES.get(type(value), ""), types.get(str(name), "")
            if kind and former and kind != former:
                kind = "number" if {kind, former} == {"integer", "number"} else "string"
            types[str(name)] = kind or former
    return tuple((name, kind or "string") for name, kind in list(types.items())[:300])


def box_of(values: Any) -> Box | None:
    """West, south, east, north, if that is what they are [°]."""
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError):
        return None
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not (-180 <= numbers[0] <= numbers[2] <= 180 and -90 <= numbers[1] <= numbers[3] <= 90):
        return None
    return numbers[0], numbers[1], numbers[2], numbers[3]
