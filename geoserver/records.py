"""OGC API – Records (20-004r1): the catalogue of the city's layers at ``/collections/records``.

A record is made of what the reader may see of its layer, so there is none of a layer that it may not see.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
from starlette.requests import Request

from geoserver.core import get_collections, layer_links
from geoserver.features import find_layer
from geoserver.formats import media_type, negotiate
from geoserver.parameters import query_values, whole
from geoserver.proxies.description import proxy_links
from geoserver.record_search import CATALOG, DEFAULT, HERE, MOST, SEARCHED, search_of
from geoserver.reply import Reply
from geoserver.schemas import queryables, schema
from geoserver.settings import Settings
from layers.access import watched
from layers.catalogue import Layer, Text
from layers.exchange.proxies.answers import host
from layers.exchange.proxies.model import Proxy
from layers.exchange.records.catalogue import CATALOGUE
from layers.exchange.records.iso import MEDIA_TYPE, iso19139
from layers.exchange.records.model import Metadata, Party
from layers.exchange.records.queries import Kept, image_dates, kept_metadata
from layers.exchange.records.record import Record, geojson
from layers.exchange.records.search import SORTABLES, found
from layers.exchange.records.themes import Classes, shipped
from layers.exporting.export import FORMATS

if TYPE_CHECKING:
    from geoserver.city import City

_FORMATS = ("json", "html", "jsonld")
_PAGED = ("limit", "offset", "f", "lang")


def get_catalogue(city: "City", request: Request, body: bytes) -> Reply:
    """``GET /collections/records``."""
    reply = get_collections(city, request, body, CATALOGUE.id)
    if reply.media_type != "application/json" or not isinstance(reply.body, bytes):
        return reply
    wanted = CATALOG if CATALOG in request.headers.get("accept", "") else reply.media_type
    links = [_link(city, "sortables", f"{HERE}/sortables", "application/schema+json")]
    document = orjson.loads(reply.body)
    document |= {
        "type": "Collection",
        "itemType": "record",
        "language": {"code": city.language(request)},
        "languages": [{"code": "zh-CN"}, {"code": "en-US"}],
        "contacts": [{"organization": party.organization, "roles": [party.role]} for party in _own_parties(city)],
        "license": city.settings.metadata.license.name,
        "defaultSortOrder": [{"field": "id", "direction": "asc"}],
        "links": [*document["links"], *links],
    }
    return Reply(orjson.dumps(document), wanted, headers=reply.headers)


def get_records(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /collections/records/items``."""
    values = query_values(request, (*SEARCHED, *_PAGED))
    format_, language = negotiate(request, values, _FORMATS), city.language(request)
    limit = min(whole("limit", values["limit"], 1), MOST) if "limit" in values else DEFAULT
    offset = whole("offset", values["offset"], 0) if "offset" in values else 0
    matching = found(records_of(city, city.layers, city.proxies), search_of(values), language)
    page = matching[offset : offset + limit]
    features = [_document(city, record, language) for record in page]
    document = {
        "type": "FeatureCollection",
        "features": features,
        "numberMatched": len(matching),
        "numberReturned": len(page),
        "links": _page_links(city, values, format_, offset, limit, len(matching)),
    }
    headers = {"Content-Language": language, "Cache-Control": "no-cache"}
    if format_ == "json":
        return Reply(orjson.dumps(document), media_type("json"), headers=headers)
    return city.pages.items(request, CATALOGUE, document, values, format_, headers)


def get_record(city: "City", request: Request, _body: bytes, record: str) -> Reply:
    """``GET /collections/records/items/{record}``; ``f=iso19139`` is ISO 19115 in XML."""
    proxy = city.proxies.get(record)
    layer = proxy.layer if proxy else find_layer(city, record)
    values = query_values(request, ("f", "lang"))
    language = city.language(request)
    [made] = records_of(city, {}, {record: proxy}) if proxy else records_of(city, {layer.id: layer}, {})
    if values.get("f") == "iso19139":
        return Reply(iso19139(made, city.url, _distributions(city, layer, language)), MEDIA_TYPE)
    format_ = negotiate(request, values, _FORMATS)
    document = _document(city, made, language)
    headers = {"Content-Language": language, "Cache-Control": "no-cache"}
    if format_ == "json":
        return Reply(orjson.dumps(document), media_type("json"), headers=headers)
    return city.pages.item(request, CATALOGUE, document, format_, headers)


def get_queryables(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /collections/records/queryables``."""
    return _schema_of(city, request, queryables, "queryables")


def get_schema(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /collections/records/schema``."""
    return _schema_of(city, request, schema, "schema")


def get_sortables(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /collections/records/sortables`` (OGC 20-004r1 §11.3)."""
    query_values(request, ("f", "lang"))
    document = queryables(CATALOGUE, city.url, city.language(request))
    document["$id"] = f"{city.url}{HERE}/sortables"
    document["properties"]["id"]["type"] = "string"
    document["properties"] = {name: document["properties"][name] for name in SORTABLES}
    return Reply(orjson.dumps(document), "application/schema+json")


def records_of(city: "City", layers: Mapping[str, Layer], proxies: Mapping[str, Proxy]) -> list[Record]:
    """The records of layers, and of layers of other servers, as the reader may see them."""
    with city.reading() as reader:
        kept = kept_metadata(reader, list(layers))
        taken = {
            name: image_dates(reader, layer)
            for name, layer in layers.items()
            if layer.kind == "coverage" and layer.time_field and not watched(layer)
        }
    own = _own_parties(city)
    ours = [_record(city, layers[name], said, taken.get(name), own) for name, said in kept.items()]
    return [*ours, *(_record_of_other(proxy) for proxy in proxies.values())]


def _record_of_other(proxy: Proxy) -> Record:
    party = Party(proxy.attribution or host(proxy.url), url=proxy.url, role="publisher")
    created, updated = datetime.fromisoformat(proxy.created), datetime.fromisoformat(proxy.updated)
    type_ = "dataset" if proxy.features else "service"
    return Record(proxy.layer, Metadata(), created, updated, None, None, (party,), proxy.licence, type_)


def _record(city: "City", layer: Layer, kept: Kept, taken: tuple[Any, Any] | None, own: tuple[Party, ...]) -> Record:
    said = kept.metadata
    begin, end = (said.begin, said.end) if said.begin or said.end else taken or (None, None)
    licence = layer.licence or city.settings.metadata.license.name
    parties, classes = said.contacts or own, classes_of(city.settings)
    return Record(layer, said, kept.created, kept.updated, begin, end, parties, licence, classes=classes)


def classes_of(settings: Settings) -> Classes:
    """The table of GB/T 13923 that the city goes by: the shipped one with what its configuration says."""
    said, base = settings.metadata.classification, shipped()
    names = {digit: Text(name.zh, name.en) for digit, name in said.names.items()}
    return Classes({**base.names, **names}, {**base.layers, **said.layers}, said.checked)


def _own_parties(city: "City") -> tuple[Party, ...]:
    """Who runs the service: answers for layers of which nobody else is named."""
    provider, contact = city.settings.metadata.provider, city.settings.metadata.contact
    return (
        Party(
            provider.name or "CityMap", contact.name, contact.position, contact.email, contact.phone,
            contact.url or provider.url or None,
        ),
    )  # fmt: skip


def _document(city: "City", record: Record, language: str) -> dict[str, Any]:
    formats = [(name, kind) for name, kind, _ in _distributions(city, record.layer, language)]
    own = f"{HERE}/items/{record.id}"
    links = [
        _link(city, "self", f"{own}?f=json", media_type("json")),
        _link(city, "alternate", f"{own}?f=html", "text/html"),
        _link(city, "alternate", f"{own}?f=iso19139", MEDIA_TYPE, "ISO 19139"),
        _link(city, "collection", HERE, "application/json"),
        _link(city, "item", f"/collections/{record.id}", "application/json", record.layer.title[language]),
        *({**link, "title": link["title"][language[:2]]} for link in _links_of(city, record.layer)),
    ]
    if record.metadata.licence_url:
        links.append({"rel": "license", "href": record.metadata.licence_url})
    return geojson(record, language, formats, links)


def _links_of(city: "City", layer: Layer) -> list[dict[str, Any]]:
    proxy = city.proxies.get(layer.id)
    return proxy_links(city.url, proxy) if proxy else layer_links(city.url, layer)


def _distributions(city: "City", layer: Layer, language: str) -> list[tuple[str, str, str]]:
    """Name, media type and address of the forms in which the layer can be had."""
    here = f"{city.url}/collections/{layer.id}"
    proxy = city.proxies.get(layer.id)
    found = [("GeoJSON", media_type("json"), f"{here}/items?f=json")] if proxy is None or proxy.features else []
    for link in _links_of(city, layer):
        known = link["rel"] == "items" and next((f for f in FORMATS.values() if f.media_type == link["type"]), None)
        if known or "{" not in link["href"] and link["rel"].endswith(("/coverage", "/map", "original")):
            found.append((link["title"][language[:2]], link["type"], link["href"]))
    return found


def _page_links(
    city: "City", values: Mapping[str, str], format_: str, offset: int, limit: int, matched: int
) -> list[dict[str, str]]:
    asked = {name: value for name, value in values.items() if name not in ("f", "offset", "limit")}

    def at(rel: str, place: int, f: str) -> dict[str, str]:
        query = urlencode({"f": f, **asked, "limit": limit, **({"offset": place} if place else {})})
        return _link(city, rel, f"{HERE}/items?{query}", media_type(f))

    links = [at("self" if f == format_ else "alternate", offset, f) for f in _FORMATS]
    if offset + limit < matched:
        links.append(at("next", offset + limit, format_))
    if offset:
        links.append(at("prev", max(0, offset - limit), format_))
    return [*links, _link(city, "collection", HERE, "application/json")]


def _link(city: "City", rel: str, path: str, kind: str, title: str | None = None) -> dict[str, str]:
    link = {"rel": rel, "type": kind, "href": f"{city.url}{path}"}
    return {**link, "title": title} if title else link


def _schema_of(city: "City", request: Request, describe: Callable[..., dict[str, Any]], kind: str) -> Reply:
    values = query_values(request, ("f", "lang"))
    format_ = negotiate(request, values, ("schema", "html"))
    language = city.language(request)
    document = describe(CATALOGUE, city.url, language)
    document["properties"]["id"]["type"] = "string"
    headers = {"Content-Language": language}
    if format_ == "html":
        return city.pages.schema(request, CATALOGUE, document, kind, headers)
    return Reply(orjson.dumps(document), "application/schema+json", headers=headers)


#: Path and handler of each; they stand before those of ``/collections/{collection}``.
ROUTES: tuple[tuple[str, Callable[..., Reply]], ...] = (
    (HERE, get_catalogue),
    (f"{HERE}/items", get_records),
    (f"{HERE}/items/{{record}}", get_record),
    (f"{HERE}/queryables", get_queryables),
    (f"{HERE}/schema", get_schema),
    (f"{HERE}/sortables", get_sortables),
)
