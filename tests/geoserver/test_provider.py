"""pygeoapi's own handler over our provider answers as our routes do."""

import copy
import json
from typing import Any

import pytest
import requests
from pygeoapi.api import APIRequest, itemtypes
from starlette.requests import Request

from geoserver.config import load
from geoserver.core import build_api
from layers.registry import load_layers
from tests.geoserver.conftest import Site

EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


def stock(site: Site, query: str) -> dict[str, Any]:
    """The answer of ``pygeoapi.api.itemtypes`` to the query string."""
    with site.database.transaction() as conn:
        api = build_api(load(environ={}), site.database, load_layers(conn), {}, "{}")
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": query.encode(), "headers": []}
    request = APIRequest(Request(scope), ["en"])
    _, status, content = itemtypes.get_collection_items(api, request, "trees")
    assert status == 200, content
    document: dict[str, Any] = json.loads(content)
    return document


@pytest.mark.parametrize(
    "query",
    [
        "limit=7",
        "limit=7&offset=13",
        "bbox=114.82,30.31,114.86,30.35&limit=100",
        f"bbox=30.31,114.82,30.35,114.86&bbox-crs={EPSG}4490&limit=100",
        f"crs={EPSG}4547&limit=3",
        f"crs={EPSG}4490&limit=3",
        "sortby=-height,name&limit=20",
        "properties=name,age&skipGeometry=true&limit=5",
        "age=3&listed=true&limit=100",
        "datetime=2020-03-01T00:00:00Z/2020-04-01T00:00:00Z&limit=100",
    ],
)
def test_pygeoapis_handler_and_ours_find_the_same_features(site: Site, query: str) -> None:
    ours = requests.get(f"{site.url}/collections/trees/items?{query}", timeout=30).json()
    theirs = stock(site, query)
    assert theirs["features"] == ours["features"] != []
    assert theirs["numberReturned"] == ours["numberReturned"]


def test_a_copied_definition_still_reads_the_same_database(site: Site) -> None:
    with site.database.transaction() as conn:
        config = build_api(load(environ={}), site.database, load_layers(conn), {}, "{}").config
    definition = config["resources"]["trees"]["providers"][0]
    assert copy.deepcopy(definition)["data"] is definition["data"]
