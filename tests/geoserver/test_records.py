"""The catalogue of records: found by OWSLib, searched, harvested page by page, and read as ISO 19139."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests
from lxml import etree
from owslib.iso import MD_Metadata
from owslib.ogcapi.records import Records

from geoserver.records import classes_of
from geoserver.settings import Settings
from tests.geoserver.conftest import Site
from tests.geoserver.workshop import eventually
from tests.people import PASSWORD, employ

ITEMS = "/collections/records/items"
METADATA = """{"topics": ["environment"], "classification": ["810305"], "keywords_zh": ["古树名木", "保护 <&>"],
 "keywords_en": ["veteran trees"], "begin": "2019-03-01", "end": "2020-12-31", "scale": 500, "frequency": "annually",
 "contacts": [{"organization": "园林局 & <绿化处>", "name": "王", "email": "trees@example.gov.cn", "role": "custodian"}],
 "themes": [{"scheme": "https://example.gov.cn/thesaurus", "concepts": ["T01"]}],
 "licence_url": "https://example.gov.cn/licence", "lineage": {"zh": "普查 <1>", "en": "survey & count"},
 "external_ids": [{"scheme": "urn:cn:gov", "value": "LY-2020-17"}]}"""


@pytest.fixture
def described(site: Site) -> Iterator[Site]:
    site.sql("UPDATE citymap.layers SET metadata = CAST(:m AS jsonb), updated = now() WHERE id = 'trees'", m=METADATA)
    yield site
    site.sql("UPDATE citymap.layers SET metadata = '{}' WHERE id = 'trees'")


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [feature["id"] for feature in answer.json()["features"]]


def test_owslib_finds_the_catalogue_and_searches_it(described: Site) -> None:
    client = Records(described.url)
    assert client.records() == ["records"] and "records" not in client.feature_collections()
    classes = client.conformance()["conformsTo"]
    assert {c.rpartition("/conf/")[2] for c in classes if "ogcapi-records" in c} >= {
        "record-core",
        "searchable-catalog",
    }
    catalogue = client.collection("records")
    assert catalogue["itemType"] == "record" and catalogue["defaultSortOrder"] == [{"field": "id", "direction": "asc"}]
    assert set(client.collection_queryables("records")["properties"]) >= {"title", "keywords", "updated"}
    found = client.collection_items("records", q="古树名木", bbox=[114, 30, 115, 31], limit=5)
    assert [f["id"] for f in found["features"]] == ["trees"] and found["numberMatched"] == 1
    record = client.collection_item("records", "trees")
    assert record["properties"]["title"] == "古树" and record["conformsTo"][0].endswith("/record-core")


def test_a_record_says_what_the_steward_said(described: Site) -> None:
    record = described.get(f"{ITEMS}/trees", lang="en").json()
    said = record["properties"]
    assert (said["title"], said["titles"]) == ("Old trees", {"zh": "古树", "en": "Old trees"})
    assert record["time"] == {"interval": ["2019-03-01", "2020-12-31"]}
    ((west, south, *_),) = described.get("/collections/trees").json()["extent"]["spatial"]["bbox"]
    assert record["geometry"]["coordinates"][0][0] == [west, south] and record["geometry"]["type"] == "Polygon"
    concepts = {theme["scheme"]: [c["id"] for c in theme["concepts"]] for theme in said["themes"]}
    assert concepts["GB/T 13923"] == ["810305"] and concepts["https://example.gov.cn/thesaurus"] == ["T01"]
    assert "environment" in [c for found in concepts.values() for c in found]
    assert said["contacts"][0]["roles"] == ["custodian"] and said["keywords"] == ["veteran trees"]
    assert said["externalIds"] == [{"scheme": "urn:cn:gov", "value": "LY-2020-17"}]
    assert {"GeoJSON", "GeoPackage", "Zipped Shapefile"} <= {f["name"] for f in said["formats"]}
    rels = {link["rel"] for link in record["links"]}
    assert {"self", "collection", "item", "items", "license", "http://www.opengis.net/def/rel/ogc/1.0/map"} <= rels
    own = [
        link["href"] for link in record["links"] if link["href"].startswith(described.url) and "{" not in link["href"]
    ]
    assert {requests.get(h, timeout=60).status_code for h in own if "f=dxf" not in h and "/map" not in h} == {200}


def test_codes_that_nobody_has_checked_say_so_until_the_city_answers_for_them(described: Site) -> None:
    def concept(layer: str) -> dict[str, Any]:
        said = described.get(f"{ITEMS}/{layer}", lang="en").json()["properties"]["themes"]
        found: dict[str, Any] = next(theme["concepts"][0] for theme in said if theme["scheme"] == "GB/T 13923")
        return found

    assert "not checked" in concept("roads")["description"] and "description" not in concept("trees")
    assert "未对照标准文本核对" in described.get(f"{ITEMS}/roads", f="iso19139").text
    layers = {"roads": "420000", "water": ""}
    said = {"names": {"4": {"zh": "交通设施", "en": "Traffic"}}, "layers": layers, "checked": True}
    classes = classes_of(Settings.model_validate({"metadata": {"classification": said}}))
    assert (classes.layers["roads"], classes.layers["water"], classes.layers["dem"]) == ("420000", "", "700000")
    assert (classes.name("420000").zh, classes.name("200000").zh, classes.checked) == ("交通设施", "水系", True)


def test_iso_19139_says_the_same(described: Site) -> None:
    answer = described.get(f"{ITEMS}/trees", f="iso19139")
    assert answer.headers["Content-Type"].startswith("application/xml")
    found = MD_Metadata(etree.fromstring(answer.content))
    about = found.identification[0]
    assert (found.identifier, about.title, about.topiccategory) == ("trees", "古树", ["environment"])
    ((west, _, _, north),) = described.get("/collections/trees").json()["extent"]["spatial"]["bbox"]
    assert (about.bbox.minx, about.bbox.maxy) == (str(west), str(north)) and about.temporalextent_start == "2019-03-01"
    assert "保护 <&>" in [k.name for words in about.keywords for k in words.keywords]
    assert "园林局 & <绿化处>" in {party.organization for party in (*found.contact, *about.contact)}
    assert found.referencesystem.code.endswith("EPSG::4490")
    assert any("f=gpkg" in online.url for online in found.distribution.online)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"q": "veteran"}, {"trees"}),
        ({"q": "trees veteran"}, set()),  # in that order
        ({"q": "veteran  trees,nothing"}, {"trees"}),
        ({"ids": "trees,plots,unknown"}, {"trees", "plots"}),
        ({"externalIds": "LY-2020-17"}, {"trees"}),
        ({"externalId": "urn:cn:gov:LY-2020-17"}, {"trees"}),
        ({"externalIds": "urn:cn:other:LY-2020-17"}, set()),
        ({"externalIds": "urn:cn:gov:"}, {"trees"}),
        ({"ids": "trees,plots", "bbox": "114.9,30.4,115,31"}, {"trees", "plots"}),
        ({"bbox": "10,10,11,11"}, set()),
        ({"ids": "trees", "datetime": "2020-12-31T23:00:00Z/.."}, {"trees"}),
        ({"ids": "trees", "datetime": "2021-01-01/.."}, set()),
        ({"classification": "810305"}, {"trees"}),
        ({"ids": "trees,plots", "type": "service"}, set()),
    ],
)
def test_searches_find_what_they_ask_for(described: Site, asked: dict[str, str], expected: set[str]) -> None:
    assert set(ids(described.get(ITEMS, limit=1000, **asked))) == expected


def test_harvest_by_pages_and_by_what_changed_since(described: Site) -> None:
    whole = ids(described.get(ITEMS, limit=1000))
    assert whole == sorted(whole) and {"trees", "plots", "buildings"} <= set(whole) and len(whole) > 20
    url, harvested = f"{described.url}{ITEMS}?limit=7&sortby=-updated&lang=en", []
    while url:
        page = requests.get(url, timeout=30).json()
        harvested += page["features"]
        url = next((link["href"] for link in page["links"] if link["rel"] == "next"), "")
    assert sorted(record["id"] for record in harvested) == whole
    stamps = [record["properties"]["updated"] for record in harvested]
    assert stamps == sorted(stamps, reverse=True)
    described.sql("UPDATE citymap.layers SET metadata = '{\"scale\": 1000}', updated = now() WHERE id = 'plots'")
    after = (datetime.fromisoformat(stamps[0]) + timedelta(microseconds=1)).isoformat()
    assert ids(described.get(ITEMS, updated=f"{after}/..")) == ["plots"]


def test_pages_and_schemas_of_records(described: Site) -> None:
    for path in ("", "/items", "/items/trees", "/queryables", "/schema"):
        page = requests.get(f"{described.url}/collections/records{path}", headers={"Accept": "text/html"}, timeout=30)
        assert page.status_code == 200 and page.headers["Content-Type"].startswith("text/html"), path
    assert "古树" in requests.get(f"{described.url}{ITEMS}/trees?f=html&lang=zh", timeout=30).text
    assert described.get(f"{ITEMS}/trees", f="jsonld").json()["@id"]
    assert set(described.get("/collections/records/sortables").json()["properties"]) == {
        "id",
        "title",
        "type",
        "created",
        "updated",
    }
    accepted = requests.get(
        f"{described.url}/collections/records", headers={"Accept": "application/ogc-catalog+json"}, timeout=30
    )
    assert accepted.headers["Content-Type"] == "application/ogc-catalog+json"
    assert described.get(ITEMS, sortby="height").status_code == described.get(ITEMS, nonsense="1").status_code == 400
    assert described.get(f"{ITEMS}/nothing").status_code == 404


def test_a_steward_describes_a_layer(described: Site) -> None:
    with described.database.transaction() as conn:
        employ(conn, "curator", "planner")
    run = f"{described.url}/processes/describe-layer/execution"
    said = {"layer": "plots", "title": {"en": "Parcels"}, "metadata": {"topics": ["planningCadastre"], "scale": 500}}
    answer = requests.post(run, json={"inputs": said}, auth=("curator", PASSWORD), timeout=30)
    assert answer.json() == {"topics": ["planningCadastre"], "scale": 500}
    eventually(lambda: described.get(f"{ITEMS}/plots", lang="en").json()["properties"]["title"] == "Parcels")
    record = described.get(f"{ITEMS}/plots").json()["properties"]
    assert record["title"] == "测绘地块" and record["scaleDenominator"] == 500
    wrong = {"layer": "plots", "metadata": {"topics": ["weather"]}}
    answer = requests.post(run, json={"inputs": wrong}, auth=("curator", PASSWORD), timeout=30)
    assert answer.status_code == 400 and "topics" in answer.json()["description"]
    described.sql(
        "UPDATE citymap.layers SET metadata = '{}', title = jsonb_set(title, '{en}', '\"Surveyed plots\"') WHERE id = 'plots'"
    )
