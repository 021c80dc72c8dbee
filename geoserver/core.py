"""The pygeoapi core: its API object made from the catalogue, and its handlers as ours.

pygeoapi answers the landing page, conformance, collections, processes and jobs. Its ``resources`` are made from the
catalogue; a new object takes the old one's place when the catalogue changes.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
import pygeoapi.api
from babel import Locale
from pygeoapi.api import API, APIRequest
from starlette.requests import Request

from geoserver import compat
from geoserver.collection_documents import completed
from geoserver.coverages import coverage_links
from geoserver.errors import ParameterError
from geoserver.features import find_layer
from geoserver.formats import exports_of, media_type, negotiate
from geoserver.parameters import query_values
from geoserver.provider import Source
from geoserver.proxies.description import proxy_resource
from geoserver.reply import Reply
from geoserver.settings import Settings
from geoserver.templates import CONTENT_SECURITY_POLICY, TEMPLATES
from layers.catalogue import Layer, Text
from layers.crs import CRS84, epsg, storage_uri
from layers.database import Database
from layers.exchange.proxies.model import Proxy
from layers.exchange.records.catalogue import CATALOGUE
from layers.exporting.export import FORMATS
from tiles.three_d.levels import stands

if TYPE_CHECKING:
    from geoserver.city import City

_OGC = "http://www.opengis.net/def/rel/ogc/1.0"
_FORMATS = ("json", "html", "jsonld")
_WORLD = (-180.0, -90.0, 180.0, 90.0)

compat.install()


def build_api(
    settings: Settings, database: Database, layers: Mapping[str, Layer], proxies: Mapping[str, Proxy], openapi: str
) -> API:
    """pygeoapi's API object over these layers; ``openapi`` is the document as JSON text."""
    config = _config(settings, database, layers)
    config["resources"] |= {proxy.id: proxy_resource(settings.server.url, proxy) for proxy in proxies.values()}
    return API(config, openapi)


def get_landing_page(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /``."""
    reply = _core(city, request, pygeoapi.api.landing_page)
    if reply.media_type != "application/json":
        return reply
    assert isinstance(reply.body, bytes)
    document = orjson.loads(reply.body)
    # pygeoapi links to tiling schemes whether or not it serves any; the map and the functions are ours.
    document["links"] = [link for link in document["links"] if not link["rel"].endswith("/tiling-schemes")]
    document["links"] += [
        {"rel": f"{_OGC}/tilesets-vector", "type": "application/json", "href": f"{city.url}/tiles"},
        {"rel": f"{_OGC}/tiling-schemes", "type": "application/json", "href": f"{city.url}/tileMatrixSets"},
        {"rel": f"{_OGC}/functions", "type": "application/json", "href": f"{city.url}/functions"},
        {"rel": "alternate", "type": "text/html", "title": "地图 Map", "href": f"{city.url}/map"},
    ]
    return Reply(orjson.dumps(document), reply.media_type, reply.status, reply.headers)


def get_conformance(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /conformance``."""
    return _core(city, request, pygeoapi.api.conformance, formats=("json", "html"))


def get_collections(city: "City", request: Request, _body: bytes, collection: str | None = None) -> Reply:
    """``GET /collections`` and ``/collections/{collection}``."""
    if collection is not None and collection != CATALOGUE.id and collection not in city.proxies:
        find_layer(city, collection)
    return completed(city, _core(city, request, pygeoapi.api.describe_collections, collection))


def get_openapi(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /openapi``."""
    return _core(city, request, pygeoapi.api.openapi_, formats=("json", "html"))


def _core(
    city: "City", request: Request, handler: Callable[..., Any], *arguments: Any, formats: tuple[str, ...] = _FORMATS
) -> Reply:
    """Call a handler of pygeoapi; parameters and format are checked before, since it ignores unknown ones."""
    values = query_values(request, ("f", "lang"))
    if "lang" in values and not values["lang"].lower().startswith(("zh", "en")):
        raise ParameterError("lang", f"{values['lang'][:40]!r} is neither zh nor en")
    core_request = CoreRequest(request, city.language(request), negotiate(request, values, formats))
    return reply_of(handler(city.api, core_request, *arguments))


class CoreRequest(APIRequest):  # type: ignore[misc]
    """pygeoapi's request with language and format already chosen: its own choice fails on ``lang=zh``.

    ``parameters``, ``headers`` and ``body`` replace the request's own where they were checked and completed before.
    """

    def __init__(
        self,
        request: Request,
        language: str,
        format_: str,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> None:
        self._language, self._chosen_format = language, format_
        super().__init__(request, [language])
        self._data = body
        if parameters is not None:
            self._args = parameters
        if headers is not None:
            self._headers = headers

    def _get_locale(self, _headers: object, _supported: object) -> tuple[str, Locale]:
        return self._language, Locale.parse(self._language, sep="-")

    def _get_format(self, _headers: object, _extra: object = None) -> str:
        return self._chosen_format


def reply_of(answer: tuple[Mapping[str, str], int, str | bytes]) -> Reply:
    """Our answer from pygeoapi's (headers, status, content)."""
    headers, status, content = answer
    kept = {k: v for k, v in headers.items() if k not in ("Content-Type", "X-Powered-By")}
    if "Content-Language" in kept:
        kept["Vary"] = "Accept, Accept-Language, Accept-Encoding"
    if headers.get("Content-Type", "").startswith("text/html"):
        kept["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    body = content.encode() if isinstance(content, str) else content
    return Reply(body, headers.get("Content-Type"), HTTPStatus(status), kept)


def _config(settings: Settings, database: Database, layers: Mapping[str, Layer]) -> dict[str, Any]:
    metadata = settings.metadata
    return {
        "server": {
            "bind": settings.server.bind.model_dump(),
            "url": settings.server.url,
            "mimetype": "application/json; charset=UTF-8",
            "encoding": "utf-8",
            "languages": list(settings.server.languages),
            "pretty_print": False,
            "limits": {
                "default_items": settings.server.limits.default_items,
                "max_items": settings.server.limits.max_items,
                "on_exceed": "throttle",
            },
            "gzip": False,
            "map": {"url": "", "attribution": ""},
            "manager": {"name": "geoserver.process_manager.ProcessManager"},
            "templates": {"path": str(TEMPLATES)},
            "api_rules": {"strict_slashes": False},
        },
        "logging": {"level": settings.logging.level},
        "metadata": {
            "identification": metadata.identification.model_dump(mode="json")
            | {"url": metadata.identification.url or settings.server.url},
            "license": metadata.license.model_dump(),
            "provider": metadata.provider.model_dump(),
            "contact": metadata.contact.model_dump(),
        },
        "resources": {
            **{layer.id: _resource(settings, database, layer) for layer in layers.values()},
            CATALOGUE.id: _catalogue(layers.values()),
            **settings.resources,
            # So that pygeoapi announces processes; an id that no layer has. The manager knows which there are.
            "/processes": {"type": "process"},
        },
    }


def _catalogue(layers: Collection[Layer]) -> dict[str, Any]:
    """The catalogue of records; :mod:`geoserver.records` answers what is below it."""
    extents = [layer.extent for layer in layers if layer.extent] or [_WORLD]
    west, south, east, north = zip(*extents, strict=True)
    return {
        "type": "collection",
        "title": asdict(CATALOGUE.title),
        "description": asdict(CATALOGUE.description),
        "keywords": [],
        "extents": {"spatial": {"bbox": [min(west), min(south), max(east), max(north)], "crs": CRS84.uri}},
        "links": [],
        "providers": [{"type": "record", "name": "geoserver.provider.PostGISProvider"}],
    }


def _resource(settings: Settings, database: Database, layer: Layer) -> dict[str, Any]:
    west, south, east, north = layer.extent or _WORLD
    return {
        "type": "collection",
        "title": asdict(layer.title),
        "description": asdict(layer.description),
        "keywords": list(layer.keywords),
        "extents": {"spatial": {"bbox": [west, south, east, north], "crs": CRS84.uri}},
        "links": layer_links(settings.server.url, layer),
        "providers": [
            {
                "type": "feature",
                "name": "geoserver.provider.PostGISProvider",
                "data": Source(layer, database, settings.crs.projected),
                "id_field": "id",
                "crs": [CRS84.uri, *(epsg(srid).uri for srid in dict.fromkeys((*settings.crs.offered, layer.srid)))],
                "storage_crs": storage_uri(layer.srid),
            }
        ],
    }


def layer_links(url: str, layer: Layer) -> list[dict[str, Any]]:
    """Links that pygeoapi does not make by itself: exports, vector tiles, schema of the GeoJSON, coverage."""
    here = f"{url}/collections/{layer.id}"
    links: list[dict[str, Any]] = [
        {"rel": "items", "type": media_type(f), "title": asdict(FORMATS[f].title), "href": f"{here}/items?f={f}"}
        for f in exports_of(layer)
    ]
    pictures = layer.kind == "coverage"
    tilesets = Text("瓦片集", "Tilesets of pictures") if pictures else Text("矢量瓦片集", "Vector tilesets")
    links.append(
        {
            "rel": f"{_OGC}/{'tilesets-map' if pictures else 'tilesets-vector'}",
            "type": "application/json",
            "title": asdict(tilesets),
            "href": f"{here}/tiles",
        }
    )
    links.append(
        {
            "rel": "item",
            "type": "image/png" if pictures else "application/vnd.mapbox-vector-tile",
            "title": asdict(Text("瓦片", "Tiles of pictures") if pictures else Text("矢量瓦片", "Vector tiles")),
            "href": f"{here}/tiles/WebMercatorQuad/{{z}}/{{y}}/{{x}}",
        }
    )
    links.append(
        {
            # Relations compare without regard to case (RFC 8288 §2.1.1); older GDAL knows only this spelling.
            "rel": "describedBy",
            "type": "application/schema+json",
            "title": asdict(Text("GeoJSON 要素的模式", "Schema of the features as GeoJSON")),
            "href": f"{here}/schema?f=geojson",
        }
    )
    links += [
        {"rel": f"{_OGC}/map", "type": f"image/{f}", "title": asdict(Text("地图", "Map")), "href": f"{here}/map?f={f}"}
        for f in ("png", "jpeg")
    ]
    if stands(layer):
        links.append(
            {
                "rel": "original",  # as OGC API - 3D GeoVolumes names the dataset itself
                "type": "application/json+3dtiles",
                "title": asdict(Text("三维瓦片", "3D Tiles")),
                "href": f"{here}/3dtiles/tileset.json",
            }
        )
    if layer.kind == "coverage":
        links += coverage_links(here, empty=layer.extent is None)
    return links
