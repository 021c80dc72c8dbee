"""OWSLib's Features client reads, filters and edits."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from owslib.ogcapi.features import Features
from owslib.util import Authentication

from tests.conftest import serve
from tests.geoserver.conftest import Site
from tests.people import employ

Json = dict[str, Any]


@pytest.fixture
def client(site: Site) -> Iterator[Features]:
    yield Features(site.url)
    site.sql("DELETE FROM city.trees WHERE code LIKE 'O%'")


def feature(**properties: Any) -> Json:
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [114.9, 30.4]}, "properties": properties}


def ids(site: Site, where: str) -> list[int]:
    return [row[0] for row in site.sql(f"SELECT id FROM city.trees WHERE {where} ORDER BY id")]


def test_what_there_is_is_found_by_links(client: Features) -> None:
    assert client.api()["openapi"] == "3.0.3"
    assert "http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/create-replace-delete" in client.conformance()["conformsTo"]
    assert {"trees", "plots", "buildings"} <= set(client.feature_collections())
    assert [c["id"] for c in client.collections()["collections"]].count("trees") == 1
    trees = client.collection("trees")
    assert trees["extent"]["spatial"]["bbox"] == [[114.8, 30.3, 114.99, 30.44]] and trees["itemType"] == "feature"
    assert set(client.collection_queryables("trees")["properties"]) >= {"id", "geom", "name", "planted"}
    assert client.collection_schema("trees")["properties"]["planted"]["format"] == "date-time"


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"bbox": [114.845, 30.325, 114.905, 30.375]}, "geom && ST_MakeEnvelope(114.845, 30.325, 114.905, 30.375, 4490)"),
        ({"datetime_": "2020-05-01/2020-05-31"}, "planted >= '2020-05-01Z' AND planted < '2020-06-01Z'"),
        ({"name": "银杏", "age": 2}, "name = '银杏' AND age = 2"),
        ({"filter": "name LIKE '樟%' AND height > 5.5"}, "name LIKE '樟%' AND height > 5.5"),
        (
            {"filter": json.dumps({"op": "and", "args": [{"op": "=", "args": [{"property": "name"}, "银杏"]}, {"op": "<", "args": [{"property": "age"}, 2]}]}), "filter-lang": "cql2-json"},
            "name = '银杏' AND age < 2",
        ),
    ],
    ids=["bbox", "datetime", "fields", "text", "json"],
)  # fmt: skip
def test_restrictions_give_what_sql_gives(client: Features, site: Site, asked: Json, where: str) -> None:
    found = client.collection_items("trees", limit=1000, **asked)
    assert [f["id"] for f in found["features"]] == ids(site, where) != []


def test_pages_are_ordered_and_counted(client: Features, site: Site) -> None:
    page = client.collection_items("trees", limit=5, offset=10, sortby=("height", "desc"))
    expected = [row[0] for row in site.sql("SELECT id FROM city.trees ORDER BY height DESC NULLS LAST, id LIMIT 5 OFFSET 10")]
    assert [f["id"] for f in page["features"]] == expected
    assert (page["numberReturned"], page["numberMatched"]) == (5, 300)


def test_a_feature_is_created_replaced_and_deleted(client: Features, site: Site) -> None:
    assert client.collection_item_create("trees", feature(code="O1", name="新树", height=4.5))
    new = client.response_headers["Location"].rsplit("/", 1)[1]
    assert client.collection_item("trees", new)["properties"]["name"] == "新树"
    assert client.collection_item_update("trees", new, json.dumps(feature(code="O1", name="改")))
    assert site.sql("SELECT name, height FROM city.trees WHERE id = :id", id=int(new)) == [("改", None)]
    assert client.collection_item_delete("trees", new)
    with pytest.raises(RuntimeError, match="NotFound"):
        client.collection_item("trees", new)
    with pytest.raises(RuntimeError, match="NotFound"):
        client.collection_item_delete("trees", new)


def test_a_filter_in_the_body_of_a_post_adds_nothing(client: Features, site: Site) -> None:
    """OWSLib sends ``cql`` so, which is pygeoapi's own way; here a POST creates, and a filter is no feature."""
    with pytest.raises(RuntimeError, match="InvalidParameterValue|BadRequest"):
        client.collection_items("trees", cql={"op": "=", "args": [{"property": "age"}, 1]}, limit=1)
    assert site.sql("SELECT count(*) FROM city.trees") == [(300,)]


def test_editing_signs_in_and_is_kept_under_the_account(site: Site) -> None:
    with site.database.transaction() as conn:
        employ(conn, "surveyor", "planner", password="correct horse battery")
    with serve(site.database.url) as url:
        with pytest.raises(RuntimeError, match="account"):
            Features(url).collection_item_create("trees", feature(code="O2"))
        with pytest.raises(RuntimeError, match="account"):
            Features(url, auth=Authentication("surveyor", "wrong")).collection_item_create("trees", feature(code="O2"))
        client = Features(url, auth=Authentication("surveyor", "correct horse battery"))
        assert client.collection_item_create("trees", feature(code="O2"))
        assert site.sql("SELECT actor FROM city.trees WHERE code = 'O2'") == [("surveyor",)]
        assert client.collection_item_delete("trees", client.response_headers["Location"].rsplit("/", 1)[1])
