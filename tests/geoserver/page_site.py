"""A small site that serves every HTML page: pygeoapi's own handlers over sample layers, and feature pages over sample data.

Run it by hand to look at the pages: ``python -m tests.geoserver.page_site 8099``.
"""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pygeoapi.api
import pygeoapi.api.processes
from pygeoapi.api import API, APIRequest
from pygeoapi.process.base import BaseProcessor, JobNotFoundError
from pygeoapi.process.manager.base import BaseManager
from pygeoapi.provider.base import BaseProvider
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from geoserver.templates import CONTENT_SECURITY_POLICY, TEMPLATES, render
from layers.base_layers import BASE_LAYERS, BUILDINGS
from layers.catalogue import Field, Layer, Text

with warnings.catch_warnings():
    # Its tile models are declared in pydantic's older manner.
    warnings.simplefilter("ignore")
    import pygeoapi.api.tiles

URL = "http://127.0.0.1:8099"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
RELATION = "http://www.opengis.net/def/rel/ogc/1.0/"

HOSTILE_LAYER = Layer(
    id="hostile",
    title=Text(HOSTILE, HOSTILE),
    description=Text(HOSTILE, HOSTILE),
    geometry_type="Point",
    fields=(
        Field("name", "string", Text(HOSTILE, HOSTILE), role="title"),
        Field("homepage", "string", Text("主页", "Home page")),
        Field("kind", "string", Text("类别", "Kind"), unit=HOSTILE, domain={"a": Text(HOSTILE, HOSTILE)}),
        Field("seen", "date-time", Text("时间", "Seen")),
        Field("tags", "string-array", Text("标签", "Tags")),
    ),
)
LAYERS = {layer.id: layer for layer in (*BASE_LAYERS, HOSTILE_LAYER)}
EXTENTS = {
    "admin-areas": (114.53, 30.01, 115.08, 30.60),
    "water": (114.55, 30.05, 115.0, 30.5),
    "pois": (114.8, 30.33, 114.98, 30.44),
}


class SampleProvider(BaseProvider):
    """A provider that has fields and nothing else."""

    def get_fields(self) -> dict[str, Any]:
        return {field.name: {"type": "string", "title": field.title.zh} for field in LAYERS[self.data].fields}

    @property
    def fields(self) -> dict[str, Any]:
        return self.get_fields()


class SampleProcess(BaseProcessor):
    """A process with one input of each common kind."""

    def __init__(self, processor_def: dict[str, Any]) -> None:
        super().__init__(processor_def, {
            "version": "1.0.0",
            "id": "buffer",
            "title": {"zh": "缓冲区", "en": "Buffer"},
            "description": {"zh": "要素周围一定距离内的范围", "en": "The area within a distance of features"},
            "keywords": {"zh": ["分析"], "en": ["analysis"]},
            "jobControlOptions": ["sync-execute", "async-execute"],
            "inputs": {
                "collection": {
                    "title": {"zh": "图层", "en": "Layer"},
                    "schema": {"type": "string", "enum": ["roads", "water"]},
                    "minOccurs": 1,
                    "maxOccurs": 1,
                },
                "distance": {
                    "title": {"zh": "距离", "en": "Distance"},
                    "description": {"zh": "向外的距离", "en": "How far out"},
                    "schema": {"type": "number", "default": 50, "x-ogc-unit": "m"},
                    "minOccurs": 0,
                },
                "points": {
                    "title": {"zh": "点", "en": "Points"},
                    "schema": {"type": "array", "items": {"type": "object"}},
                    "minOccurs": 0,
                    "maxOccurs": "unbounded",
                },
            },
            "outputs": {"area": {"title": {"zh": "范围", "en": "Area"}, "schema": {"type": "object"}}},
            "example": {"inputs": {"collection": "roads", "distance": 50, "name": "滨湖路 <1>"}},
        })


class SampleJobs(BaseManager):
    """Four jobs, one in each state."""

    def __init__(self, manager_def: dict[str, Any]) -> None:
        super().__init__(manager_def)
        self.is_async = True

    def get_jobs(self, status: Any = None, limit: Any = None, offset: Any = None) -> dict[str, Any]:
        return {"jobs": list(JOBS.values()), "numberMatched": 40}

    def get_job(self, job_id: str) -> dict[str, Any]:
        if job_id not in JOBS:
            raise JobNotFoundError
        return JOBS[job_id]

    def get_job_result(self, job_id: str) -> tuple[str, Any]:
        return "application/json", {"名称": "滨湖路", "area": 1234.5, "bad": HOSTILE}


def _job(number: int, status: str, progress: int, message: str) -> dict[str, Any]:
    time = f"2026-03-0{number}T08:30:00.000000Z"
    return {
        "identifier": f"{number}f3b6c1e-0000-11ef-9262-0242ac120002",
        "process_id": "buffer",
        "status": status,
        "message": message,
        "progress": progress,
        "parameters": {"inputs": {"collection": "roads", "名称": HOSTILE}},
        "created": time,
        "started": time,
        "finished": time if progress == 100 else None,
        "updated": time,
        "mimetype": "application/json",
    }


_JOBS = (
    _job(1, "successful", 100, "完成"),
    _job(2, "failed", 100, HOSTILE),
    _job(3, "running", 42, "第 42 步"),
    _job(4, "accepted", 0, ""),
)
JOBS = {job["identifier"]: job for job in _JOBS}


def configuration() -> dict[str, Any]:
    """A pygeoapi configuration with every base layer, a hostile one and a process."""
    resources: dict[str, Any] = {layer.id: _collection(layer) for layer in LAYERS.values()}
    resources["buffer"] = {"type": "process", "processor": {"name": f"{__name__}.SampleProcess"}}
    both = {"title": {"zh": "鄂州市城市一张图", "en": "CityMap of Ezhou"}}
    about = {"zh": "全市共享的空间底图与业务图层", "en": "The base map and the layers that all departments share"}
    return {
        "server": {
            "url": URL,
            "bind": {"host": "127.0.0.1", "port": 8099},
            "languages": ["zh", "en"],
            "mimetype": "application/json",
            "encoding": "utf-8",
            "map": {"url": "", "attribution": ""},
            "templates": {"path": str(TEMPLATES)},
            "manager": {"name": f"{__name__}.SampleJobs"},
            "limits": {"default_items": 10, "max_items": 1000},
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {**both, "description": about, "keywords": [], "terms_of_service": "", "url": URL},
            "license": {"name": "内部使用", "url": "javascript:alert(3)"},
            "provider": {"name": "鄂州市自然资源和规划局", "url": ""},
            "contact": {"email": "map@example.invalid"},
        },
        "resources": resources,
    }


def _collection(layer: Layer) -> dict[str, Any]:
    links = [
        {"rel": "items", "type": media_type, "title": name, "href": f"{URL}/collections/{layer.id}/items?f={name}"}
        for name, media_type in (("gpkg", "application/geopackage+sqlite3"), ("fgb", "application/vnd.flatgeobuf"), ("csv", "text/csv"))
    ]
    links.append({"rel": "related", "type": "text/html", "title": HOSTILE, "href": "javascript:alert(4)"})
    return {
        "type": "collection",
        "title": {"zh": layer.title.zh, "en": layer.title.en},
        "description": {"zh": layer.description.zh, "en": layer.description.en},
        "keywords": {"zh": ["底图"], "en": ["base map"]},
        "extents": {"spatial": {"bbox": list(EXTENTS.get(layer.id, (114.6, 30.1, 115.0, 30.5))), "crs": CRS84}},
        "links": links,
        "providers": [{
            "type": "feature",
            "name": f"{__name__}.SampleProvider",
            "data": layer.id,
            "id_field": "id",
            "crs": [CRS84, EPSG + "4490", EPSG + "4547", EPSG + "3857"],
            "storage_crs": EPSG + "4490",
        }],
    }


def feature(number: int) -> dict[str, Any]:
    """A building; every fourth has no name or height."""
    known = number % 4 != 0
    x, y = 114.87 + number % 4 * 0.0012, 30.385 + number // 4 * 0.001
    ring = [[x, y], [x + 0.0007, y], [x + 0.0007, y + 0.0005], [x, y + 0.0005], [x, y]]
    return {
        "type": "Feature",
        "id": number,
        "geometry": {"type": "MultiPolygon", "coordinates": [[ring]]},
        "properties": {
            "name": f"滨湖花园 {number} 栋" if known else None,
            "name_en": f"Lakeside Garden {number}" if known else None,
            "use": list(BUILDINGS.field("use").domain)[number % 6],  # type: ignore[union-attr,arg-type]
            "floors": 6 + number,
            "height": 18.6 + 3.1 * number if known else None,
            "min_height": 0.0,
            "year_built": 1998 + number,
            "address": f"鄂城区滨湖路 {number} 号",
            "admin_code": "420704001003",
            "source": "https://example.invalid/survey/2025",
            "source_id": f"B{number:05}",
        },
    }


def hostile_feature() -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": "1\"><script>alert(5)</script>",
        "geometry": {"type": "Point", "coordinates": [114.88, 30.39]},
        "properties": {
            "name": HOSTILE,
            "homepage": "javascript:alert(6)",
            "kind": "a",
            "seen": "2026-03-01T08:30:00+00:00",
            "tags": [HOSTILE, "b"],
        },
    }


def items_data(layer: Layer, language: str, query: dict[str, str]) -> dict[str, Any]:
    """What the features handler hands to ``collections/items/index.html``."""
    features = [hostile_feature()] if layer is HOSTILE_LAYER else [feature(n) for n in range(1, 13)]
    if "id" in query:
        features = []
    here = f"{URL}/collections/{layer.id}/items"
    return {
        "type": "FeatureCollection",
        "features": features,
        "numberReturned": len(features),
        "numberMatched": 12345,
        "links": [
            {"rel": "self", "type": "text/html", "href": f"{here}?f=html"},
            {"rel": "alternate", "type": "application/geo+json", "href": f"{here}?f=json&limit=10"},
            {"rel": "alternate", "type": "text/csv", "href": f"{here}?f=csv"},
            {"rel": "alternate", "type": "application/geopackage+sqlite3", "href": f"{here}?f=gpkg"},
            {"rel": "alternate", "type": "image/vnd.dxf", "href": f"{here}?f=dxf"},
            {"rel": "next", "type": "text/html", "href": f"{here}?f=html&cursor=abc"},
            {"rel": "prev", "type": "text/html", "href": f"{here}?f=html&offset=0"},
            {"rel": "collection", "type": "application/json", "href": f"{URL}/collections/{layer.id}"},
        ],
        "layer": layer,
        "query": query,
        "language": language,
    }


def item_data(layer: Layer, language: str) -> dict[str, Any]:
    """What the features handler hands to ``collections/items/item.html``."""
    found = hostile_feature() if layer is HOSTILE_LAYER else feature(7)
    here = f"{URL}/collections/{layer.id}"
    links = [
        {"rel": "collection", "type": "application/json", "href": here},
        {"rel": "version-history", "type": "application/json", "href": f"{here}/items/7/history"},
    ]
    extra = {"revision": 3, "etag": '"3-html-CRS84"', "links": links, "layer": layer, "language": language}
    return {**found, **extra}


def schema_data(layer: Layer, language: str) -> dict[str, Any]:
    """A JSON schema as the features handlers make it, with the layer."""
    properties: dict[str, Any] = {"id": {"title": "ID", "type": "integer", "x-ogc-role": "id"}}
    for field in layer.fields:
        kinds = {"date-time": {"type": "string", "format": "date-time"}, "string-array": {"type": "array"}}
        described = {"title": field.title[language], **kinds.get(field.type, {"type": field.type})}
        if field.domain:
            described["x-citymap-domain"] = {code: text[language] for code, text in field.domain.items()}
        if field.unit:
            described["x-ogc-unit"] = field.unit
        properties[field.name] = described
    properties["geometry"] = {"format": "geometry-any", "x-ogc-role": "primary-geometry"}
    return {"type": "object", "title": layer.title[language], "properties": properties, "layer": layer}


OPENAPI: dict[str, Any] = {
    "openapi": "3.0.2",
    "info": {"title": "CityMap", "version": "1"},
    "servers": [{"url": URL}],
    "tags": [{"name": "server", "description": "城市一张图"}, {"name": "buildings", "description": "建筑"}],
    "components": {"parameters": {"f": {
        "name": "f", "in": "query", "description": "输出格式", "schema": {"type": "string", "enum": ["json", "html"]},
    }}},
    "paths": {
        "/conformance": {"get": {
            "tags": ["server"],
            "summary": "一致性声明",
            "parameters": [{"$ref": "#/components/parameters/f"}],
            "responses": {"200": {"description": "成功", "content": {"application/json": {}}}},
        }},
        "/collections/{id}/items": {
            "get": {
                "tags": ["buildings"],
                "summary": "查询要素",
                "description": "按范围、时间和属性查询",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "default": "buildings"}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 10}},
                ],
                "responses": {"200": {"description": "成功", "content": {"application/geo+json": {}}}},
            },
            "post": {
                "tags": ["buildings"],
                "summary": "新增要素",
                "requestBody": {"content": {"application/geo+json": {"example": {"type": "Feature"}}}},
                "responses": {"201": {"description": "已创建"}},
            },
        },
    },
}


@contextmanager
def our_renderer() -> Iterator[None]:
    """pygeoapi's handlers with our renderer in the place of its own."""
    modules = (pygeoapi.api, pygeoapi.api.processes, pygeoapi.api.tiles)
    before = [module.render_j2_template for module in modules]
    for module in modules:
        module.render_j2_template = render
    try:
        yield
    finally:
        for module, function in zip(modules, before, strict=True):
            module.render_j2_template = function


class Site:
    """The pages, each by its path."""

    def __init__(self) -> None:
        self.api = API(configuration(), OPENAPI)

    def application(self, client: list[BaseRoute]) -> Starlette:
        """The site with the web client's routes, for a browser."""
        return Starlette(routes=[*client, Route("/{path:path}", self.answer, methods=["GET"])])

    def answer(self, request: Request) -> Response:
        path = request.path_params["path"]
        api_request = APIRequest(request, self.api.locales)
        accepts = request.headers.get("accept", "")
        api_request._format = request.query_params.get("f", "html" if "text/html" in accepts else "json")
        if "items" in path and api_request.format == "json":
            layer = LAYERS[path.split("/")[1]]
            found = items_data(layer, "zh", {}) if path.endswith("items") else item_data(layer, "zh")
            return JSONResponse({k: v for k, v in found.items() if k != "layer"})
        headers, status, content = self.page(path, api_request)
        kept = {k: v for k, v in headers.items() if k != "X-Powered-By"}
        kept["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return Response(content, int(status), kept)

    def page(self, path: str, request: APIRequest) -> tuple[dict[str, str], int, str]:
        """Headers, status and content of a page."""
        parts = [*path.split("/"), "", ""]
        match parts[0], parts[1], parts[2]:
            case "", _, _:
                return pygeoapi.api.landing_page(self.api, request)
            case "conformance", _, _:
                return pygeoapi.api.conformance(self.api, request)
            case "openapi", _, _:
                return pygeoapi.api.openapi_(self.api, request)
            case "collections", dataset, "" if dataset == "" or dataset in LAYERS:
                return pygeoapi.api.describe_collections(self.api, request, dataset or None)
            case "collections", dataset, _ if dataset in LAYERS:
                return self._feature_page(LAYERS[dataset], path, request)
            case "processes", process, _:
                return pygeoapi.api.processes.describe_processes(self.api, request, process or None)
            case "jobs", job, "results":
                return pygeoapi.api.processes.get_job_result(self.api, request, job)
            case "jobs", job, _:
                return pygeoapi.api.processes.get_jobs(self.api, request, job or None)
            case "TileMatrixSets", "", _:
                return pygeoapi.api.tiles.tilematrixsets(self.api, request)
            case "TileMatrixSets", tms, _:
                return pygeoapi.api.tiles.tilematrixset(self.api, request, tms)
        headers = request.get_response_headers()
        return self.api.get_exception(404, headers, request.format, "NotFound", f"there is no page {path!r} {HOSTILE}")

    def _feature_page(self, layer: Layer, path: str, request: APIRequest) -> tuple[dict[str, str], int, str]:
        language = request.locale.language
        kind = path.split("/")[2]
        if kind == "items" and path.count("/") == 2:
            template, data = "collections/items/index.html", items_data(layer, language, dict(request.params))
        elif kind == "items":
            template, data = "collections/items/item.html", item_data(layer, language)
        elif request.format == "json":
            return pygeoapi.api.get_collection_schema(self.api, request, layer.id)
        else:
            template, data = f"collections/{kind}.html", schema_data(layer, language)
        content = render(self.api.tpl_config, self.api.config["server"]["templates"], template, data, request.locale)
        return request.get_response_headers(), 200, content


def serve(port: int) -> None:
    """Serve the site with the web client's files until interrupted."""
    import uvicorn

    from geoserver.web.routes import routes

    with our_renderer():
        uvicorn.run(Site().application(routes(lambda _: {})), port=port, log_level="warning")


if __name__ == "__main__":
    serve(int(sys.argv[1]))
