"""The OpenAPI document, judged by an independent validator, by the routes there are and by what they answer."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from openapi_spec_validator import OpenAPIV30SpecValidator
from starlette.routing import Route

from geoserver.app import make_app
from geoserver.config import load
from geoserver.web.assets import missing_packages, read_assets
from tests.geoserver.conftest import Site

Json = dict[str, Any]

#: Routes that are no part of the API: files of the pages.
UNDESCRIBED = {"/static/{path:path}", "/favicon.svg"}
#: Values for path and required query parameters; the document names paths of collections themselves.
SAMPLES = {
    "collectionId": "buildings",
    "featureId": "1",
    "tms": "WebMercatorQuad",
    "z": "10",
    "y": "422",
    "x": "838",
    "collections": "buildings,roads",
    "from": "2020-01-01",
}


@pytest.fixture(scope="module")
def document(site: Site) -> Json:
    return site.get("/openapi", f="json").json()  # type: ignore[no-any-return]


def test_the_document_is_valid_openapi_3(document: Json) -> None:
    assert document["openapi"].startswith("3.0.")
    assert [f"{list(e.path)}: {e.message}" for e in OpenAPIV30SpecValidator(document).iter_errors()] == []


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_it_needs_nothing_from_elsewhere(document: Json) -> None:
    found = set(references(document))
    assert found and all(ref.startswith("#/") for ref in found)


def test_operation_ids_are_unique(document: Json) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids))


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def shape(path: str) -> str:
    """The path without the names of its parameters; collections and processes are named in the document itself."""
    path = re.sub(r"^/(collections|processes)/[^/{]+", r"/\1/{}", path)
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_every_path_is_a_route_and_every_route_is_described(document: Json) -> None:
    routes = set()
    for route in make_app(load(environ={}), "postgresql://nowhere/none").routes:
        assert isinstance(route, Route)
        if route.path not in UNDESCRIBED:
            # GET brings HEAD, and OPTIONS says what the document says.
            routes |= {(shape(route.path), m.lower()) for m in (route.methods or {"GET"}) - {"HEAD", "OPTIONS"}}
    described = {(shape(path), method) for path, method, _ in operations(document)}
    assert (described - routes, routes - described) == (set(), set())


#: Routes for which the walk cannot put together a request that has an answer; what they answer instead is described.
UNNAMED = ("/terrain/", "/3dtiles/", "/wms", "/wmts", "/tracking/", "/open311/")
#: Queries of EDR, which want a place.
PLACES = ("/position", "/area", "/trajectory", "/radius", "/corridor", "/cube")


def test_every_documented_get_answers_as_described(live_city: str) -> None:
    document = requests.get(f"{live_city}/openapi", params={"f": "json"}, timeout=30).json()
    wrong = []
    for path, method, operation in operations(document):
        if method != "get" or (path == "/map" and missing_packages(read_assets())) or path == "/live":  # which never ends
            continue
        needed = [p for p in map(lambda p: resolved(document, p), operation["parameters"]) if p["required"]]
        values = {p["name"]: SAMPLES.get(p["name"]) for p in needed}
        url = path.format_map({name: value or "nonsense" for name, value in values.items()})
        query = {p["name"]: values[p["name"]] for p in needed if p["in"] == "query"}
        answer = requests.get(live_city + url, params=query, timeout=30)
        # What a test cannot name beforehand (a job, an upload) does not exist, nor has an empty layer a feature 1, nor
        # a coverage without images a pixel.
        bare = path.endswith("/coverage") and empty(live_city, path.replace("/coverage", "/items/1"))
        there = all(values.values()) and not bare and not ("featureId" in values and empty(live_city, path))
        status = 401 if operation.get("security") == [{"account": []}] else 200 if there else 404
        if any(part in path for part in UNNAMED) or path.endswith(PLACES):
            status = answer.status_code
            assert str(status) in operation["responses"] and status < 500, (url, status)
        described = resolved(document, operation["responses"][str(status)])
        kinds = [kind.split(";")[0] for kind in described.get("content", {"": {}})]
        if answer.status_code != status or answer.headers.get("Content-Type", "").split(";")[0] not in kinds:
            wrong.append((url, answer.status_code, answer.headers.get("Content-Type"), kinds))
    assert not wrong, "\n".join(map(str, wrong))


def empty(city: str, path: str) -> bool:
    items = path.removesuffix("/history").rsplit("/", 1)[0].replace("{collectionId}", SAMPLES["collectionId"])
    page = requests.get(city + items, params={"limit": 1}, timeout=30).json()
    return bool(page["numberReturned"] == 0)


def resolved(document: Json, node: Json) -> Json:
    if "$ref" in node:
        for name in node["$ref"].removeprefix("#/").split("/"):
            document = document[name]
        return document
    return node


def test_paging_box_and_time_are_defined_as_the_standard_words_it(document: Json) -> None:
    """OGC 17-069r4 requirements 19, 22 and 25; QGIS looks for the limit's bounds in just this place."""
    parameters = document["components"]["parameters"]
    for name in ("limit", "bbox", "datetime"):
        assert (parameters[name]["in"], parameters[name]["style"], parameters[name]["explode"]) == ("query", "form", False)
        assert not parameters[name]["required"]
    assert parameters["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 10000, "default": 10}
    assert parameters["bbox"]["schema"] == {"type": "array", "minItems": 4, "maxItems": 6, "items": {"type": "number"}}
    assert parameters["datetime"]["schema"] == {"type": "string"}


def test_fields_are_documented_with_their_types(document: Json) -> None:
    listed = document["paths"]["/collections/trees/items"]["get"]["parameters"]
    fields = {p["name"]: p["schema"] for p in (resolved(document, p) for p in listed) if p["name"] in ("age", "listed", "tags")}
    assert fields == {
        "age": {"type": "integer"},
        "listed": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
    }


def test_operations_of_tiles_have_the_names_of_their_standard(document: Json) -> None:
    """OGC 20-057 §10.2, table 11: clients find them by these."""
    named = {operation["operationId"]: path for path, _, operation in operations(document)}
    for kind, base in (("dataset", "/tiles"), ("collection", "/collections/{collectionId}/tiles")):
        assert named[f".{kind}.vector.getTileSetsList"] == base
        assert named[f".{kind}.vector.getTileSet"] == base + "/{tms}"
        assert named[f".{kind}.vector.getTile"] == base + "/{tms}/{z}/{y}/{x}"
    assert named["getTileMatrixSetsList"] == "/tileMatrixSets"
