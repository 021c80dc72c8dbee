"""QGIS: the one of the system (3.22 in Debian 12) reads layers; the requests by which 3.32 and later edit are replayed.

What those send, and in which order, was read in the OAPIF provider of QGIS (src/providers/wfs/oapif).
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyproj
import pytest
import requests
import shapely
from sqlalchemy import create_engine, text

from layers.database import psycopg2_url
from tests.geoserver.conftest import Site
from tests.geoserver.request_log import request_log

Json = dict[str, Any]
PYTHON = "/usr/bin/python3"
READER = Path(__file__).with_name("qgis_reader.py")
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
OGC = "http://www.opengis.net/def/rel/ogc/1.0/"
SHAPE = "ST_AsBinary(ST_Transform(geom, 4326))"


@pytest.fixture(scope="session")
def qgis(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs reading tasks in QGIS without a screen; ``layer`` is a layer's id, ``subset`` and ``box`` restrict it."""
    if subprocess.run([PYTHON, "-c", "import qgis.core"], capture_output=True).returncode:
        pytest.skip("QGIS is not installed (apt-get install python3-qgis)")
    home = tmp_path_factory.mktemp("qgis")

    def run(*tasks: Json) -> list[Json]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_RUNTIME_DIR": str(home), "QT_QPA_PLATFORM": "offscreen"}
        done = subprocess.run([PYTHON, READER], input=json.dumps(tasks), env=environment, capture_output=True, text=True, timeout=240)
        assert "ANSWER" in done.stdout, done.stderr
        answers: list[Json] = json.loads(done.stdout.split("ANSWER")[1])
        assert not [a for a in answers if "error" in a or not a["accepted"]]
        return answers

    return run


def rows(answer: Json) -> dict[Any, tuple[Any, ...]]:
    """By the value of the last field, which is the layer's key or name: all values and the shape."""
    return {f["values"][-1]: (*f["values"], shapely.from_wkb(f["wkb"])) for f in answer["features"]}


def assert_same(answer: Json, found: Any) -> None:
    got = rows(answer)
    expected = {row[-2]: (*row[:-1], shapely.from_wkb(bytes(row[-1]))) for row in found}
    assert got.keys() == expected.keys() and answer["count"] == len(expected)
    for key, row in expected.items():
        assert got[key][:-1] == row[:-1]
        assert shapely.equals_exact(got[key][-1], row[-1], 1e-9)


TREE_COLUMNS = """name, height, age, to_char(planted AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), checked::text, listed, tags, code"""


def test_qgis_of_the_system_reads_trees_and_plots_as_sql_has_them(qgis: Any, site: Site) -> None:
    trees, plots = qgis({"url": site.url, "layer": "trees"}, {"url": site.url, "layer": "plots"})
    assert_same(trees, site.sql(f"SELECT {TREE_COLUMNS}, {SHAPE} FROM city.trees"))
    assert_same(plots, site.sql(f"SELECT name, {SHAPE} FROM city.plots"))
    assert trees["extent"] == pytest.approx([114.8, 30.3, 114.99, 30.44])
    assert trees["fields"] == {
        "name": "String", "height": "Real", "age": "Integer", "planted": "DateTime", "checked": "Date",
        "listed": "Boolean", "tags": "StringList", "code": "String",
    }  # fmt: skip


def test_qgis_of_the_system_sends_boxes_and_times_to_the_server(qgis: Any, site: Site) -> None:
    times = {
        "planted >= '2020-05-01T00:00:00Z' AND planted <= '2020-06-01T00:00:00Z'": "datetime=2020-05-01T00:00:00Z/2020-06-01T00:00:00Z",
        "planted <= '2020-03-01T00:00:00Z'": "datetime=0000-01-01T00:00:00Z/2020-03-01T00:00:00Z",
        "planted >= '2020-10-01T00:00:00Z'": "datetime=2020-10-01T00:00:00Z/9999-12-31T00:00:00Z",
    }
    subsets = [*times, "name = '银杏' AND age > 2"]
    trees = {"url": site.url, "layer": "trees"}
    with request_log() as seen:
        boxed, *filtered = qgis({**trees, "box": [114.845, 30.325, 114.905, 30.375]}, *({**trees, "subset": s} for s in subsets))
    assert len(boxed["features"]) == 30 and any("bbox=114.84" in line for line in seen)
    for subset, answer in zip(subsets, filtered, strict=True):
        assert_same(answer, site.sql(f"SELECT {TREE_COLUMNS}, {SHAPE} FROM city.trees WHERE {subset}"))
        assert any(times.get(subset, "limit=1000 ") in line for line in seen)


def test_qgis_of_the_system_reads_every_building(qgis: Any, live_city: str, city_database: str) -> None:
    [buildings] = qgis({"url": live_city, "layer": "buildings"})
    engine = create_engine(psycopg2_url(city_database))
    with engine.connect() as conn:
        fields = ", ".join(f'"{name}"' for name in buildings["fields"])
        assert_same(buildings, conn.execute(text(f"SELECT {fields}, {SHAPE} FROM city.buildings")).all())
    engine.dispose()
    assert buildings["fields"]["height"] == "Real"


def test_a_whole_value_of_a_number_is_told_from_an_integer(site: Site) -> None:
    """QGIS before 3.44 takes the types from the first ten features."""
    answer = site.get("/collections/trees/items", code="T26", properties="height,age").text
    assert '"properties":{"height":3.0,"age":1}' in answer


class Session:
    """The requests of one layer opened in QGIS 3.44, in their order, with the headers they have."""

    def __init__(self, url: str, layer: str) -> None:
        landing = self.get(url, "application/json")
        api = self.get(link(landing, "service-desc", "application/vnd.oai.openapi+json;version=3.0"), "application/vnd.oai.openapi+json;version=3.0, application/openapi+json;version=3.0, application/json")  # fmt: skip
        limit = api["components"]["parameters"]["limit"]["schema"]
        self.page = min(max(1000, limit["default"]), limit["maximum"])
        collection_url = link(landing, "data", "application/json").split("?")[0] + f"/{layer}"
        self.collection = self.get(collection_url, "application/json")
        self.crs = self.collection["storageCrs"]
        self.swapped = pyproj.CRS(self.crs.replace(EPSG, "EPSG:")).axis_info[0].direction == "north"
        self.classes = self.get(link(landing, "conformance", None), "application/json")["conformsTo"]
        self.queryables = self.get(f"{collection_url}/queryables", "application/schema+json")["properties"]
        self.items = f"{collection_url}/items"
        self.first = self.get(f"{self.items}?limit=10", "application/geo+json, application/json")
        self.schema = self.get(link(self.collection, f"{OGC}schema", "application/schema+json"), "application/schema+json")
        self.may = self.options(self.items)
        one = self.first["features"][0]["id"] if self.first["features"] else "unknown_id"
        self.may_one = self.options(f"{self.items}/{one}")

    @staticmethod
    def get(url: str, accept: str) -> Json:
        answer = requests.get(url, headers={"Accept": accept}, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    @staticmethod
    def options(url: str) -> set[str]:
        return {method.strip() for method in requests.options(url, timeout=30).headers["Allow"].split(",")}

    def features(self, cql2: str | None = None, box: tuple[float, ...] | None = None, literal: bool = False) -> list[Json]:
        """All features in the layer's CRS, page by page; ``box`` and geometry literals are (east, north)."""
        url = f"{self.items}?limit={self.page}"
        if cql2:
            url += f"&filter={quote(cql2)}&filter-lang=cql2-text" + (f"&filter-crs={self.crs}" if literal else "")
        if box:
            url += f"&bbox={','.join(map(repr, self.ordered(box)))}&bbox-crs={self.crs}"
        url += f"&crs={self.crs}"
        found: list[Json] = []
        while url:
            page = self.get(url, "application/geo+json, application/json")
            found += page["features"]
            url = link(page, "next", "application/geo+json") if page["features"] else ""
        return found

    def ordered(self, box: tuple[float, ...]) -> tuple[float, ...]:
        return (box[1], box[0], box[3], box[2]) if self.swapped else box

    def point(self, east: float, north: float) -> Json:
        return {"type": "Point", "coordinates": [north, east] if self.swapped else [east, north]}

    def add(self, geometry: Json, properties: Json) -> str:
        body = {"geometry": geometry, "properties": properties, "type": "Feature"}
        answer = self.send("POST", self.items, "application/geo+json", body, with_crs=True)
        new = answer.headers["Location"].split("/items/")[-1]
        self.get(f"{self.items}/{new}", "application/geo+json, application/json")
        return new

    def move(self, item: str, geometry: Json) -> None:
        self.send("PATCH", f"{self.items}/{item}", "application/merge-patch+json", {"geometry": geometry}, with_crs=True)

    def change(self, item: str, properties: Json) -> None:
        self.send("PATCH", f"{self.items}/{item}", "application/merge-patch+json", {"properties": properties}, with_crs=False)

    def replace(self, item: str, geometry: Json, properties: Json) -> None:
        """What QGIS does where PATCH is not offered; the id in the body is a string."""
        body = {"geometry": geometry, "id": item, "properties": properties, "type": "Feature"}
        self.send("PUT", f"{self.items}/{item}", "application/geo+json", body, with_crs=True)

    def delete(self, item: str) -> None:
        assert requests.delete(f"{self.items}/{item}", timeout=30).ok

    def send(self, method: str, url: str, media_type: str, body: Json, *, with_crs: bool) -> requests.Response:
        headers = {"Content-Type": media_type} | ({"Content-Crs": self.crs} if with_crs else {})
        answer = requests.request(method, url, data=json.dumps(body).encode(), headers=headers, timeout=30)
        assert answer.ok, answer.text
        return answer


def link(document: Json, rel: str, media_type: str | None) -> str:
    found = [entry for entry in document["links"] if entry["rel"] == rel and media_type in (None, entry["type"])]
    return str(found[0]["href"]) if found else ""


@pytest.fixture
def trees(site: Site) -> Iterator[Session]:
    yield Session(site.url, "trees")
    site.sql("DELETE FROM city.trees WHERE code LIKE 'Q%'")


def test_opening_a_layer_tells_qgis_that_it_may_filter_and_edit(trees: Session) -> None:
    assert trees.page == 1000
    part3, cql2 = "http://www.opengis.net/spec/ogcapi-features-3/1.0/conf/", "http://www.opengis.net/spec/cql2/1.0/conf/"
    needed = {part3 + "filter", part3 + "features-filter", "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs"}
    needed |= {cql2 + n for n in ("cql2-text", "basic-cql2", "advanced-comparison-operators", "case-insensitive-comparison", "basic-spatial-functions", "basic-spatial-operators")}  # fmt: skip
    assert needed | {"http://www.opengis.net/spec/ogcapi-features-5/1.0/conf/schemas"} <= set(trees.classes)
    assert "POST" in trees.may and {"PUT", "PATCH", "DELETE"} <= trees.may_one
    assert trees.first["numberMatched"] == 300


def test_fields_keep_their_order_types_and_the_id_is_read_only(trees: Session, site: Site) -> None:
    typed = {name: member for name, member in trees.schema["properties"].items() if "type" in member}
    # QGIS reads the members by the alphabet and gives up their order if a sequence number repeats or is missing.
    numbers = {member["x-ogc-propertySeq"]: name for name, member in typed.items()}
    assert len(numbers) == len(typed)
    assert [numbers[i] for i in sorted(numbers)] == ["id", "name", "height", "age", "planted", "checked", "listed", "tags", "code"]
    assert [name for name, member in typed.items() if member.get("readOnly")] == ["id"]
    shapes = [m["format"] for m in trees.schema["properties"].values() if m.get("x-ogc-role") == "primary-geometry"]
    assert shapes == ["geometry-point"]
    # The geometry that a filter names is known by this address alone.
    known = [name for name, m in trees.queryables.items() if m.get("$ref", "").startswith("https://geojson.org/schema/")]
    assert known == ["geom"] and "type" not in trees.queryables["geom"]


def test_an_empty_layer_can_be_edited_too(site: Site) -> None:
    empty = Session(site.url, "pois")
    assert not empty.first["features"] and "POST" in empty.may and {"PUT", "PATCH", "DELETE"} <= empty.may_one


@pytest.mark.parametrize(
    ("cql2", "where"),
    [
        ("(name = '银杏')", "name = '银杏'"),
        ("(name = 'it''s')", "name = 'it''s'"),
        ("(name IS NULL)", "name IS NULL"),
        ("(name IS NOT NULL)", "name IS NOT NULL"),
        ("(name <> '银杏')", "name <> '银杏'"),
        ("(name LIKE '%杏')", "name LIKE '%杏'"),
        ("(name NOT LIKE '樟%')", "name NOT LIKE '樟%'"),
        ("(CASEI(name) LIKE CASEI('GINK%'))", "name ILIKE 'gink%'"),
        ("(CASEI(name) NOT LIKE CASEI('GINK%'))", "name NOT ILIKE 'gink%'"),
        ("height BETWEEN 5 AND 9.5", "height BETWEEN 5 AND 9.5"),
        ("age NOT BETWEEN 1 AND 3", "age NOT BETWEEN 1 AND 3"),
        ("age IN (1,2)", "age IN (1, 2)"),
        ("name NOT IN ('银杏','樟树')", "name NOT IN ('银杏', '樟树')"),
        ("(listed = TRUE)", "listed"),
        ("(planted >= TIMESTAMP('2020-05-01T00:00:00.000Z'))", "planted >= '2020-05-01Z'"),
        ("(checked < DATE('2024-05-01'))", "checked < '2024-05-01'"),
        ("((name = '银杏') AND ((age > 2) OR (height IS NULL)))", "name = '银杏' AND (age > 2 OR height IS NULL)"),
        ("(NOT ((age = 1)))", "age <> 1"),
        ("((height * 2) > (age + 10))", "height * 2 > age + 10"),
        ("((age % 2) = 1)", "age % 2 = 1"),
        ("((age ^ 2) = 9)", "age = 3"),
        ("(age > ( - (age)))", "age > 0"),
        ("(id = 7)", "id = 7"),
        ("((name = '银杏')) AND ((age = 1))", "name = '银杏' AND age = 1"),
    ],
)
def test_filters_as_qgis_writes_them_give_what_sql_gives(trees: Session, site: Site, cql2: str, where: str) -> None:
    expected = [row[0] for row in site.sql(f"SELECT id FROM city.trees WHERE {where} ORDER BY id")]
    assert [feature["id"] for feature in trees.features(cql2)] == expected


def test_spatial_filters_are_in_the_axis_order_of_the_layers_system(trees: Session, site: Site) -> None:
    assert trees.swapped and trees.crs == EPSG + "4490"
    inside = "ST_Intersects(geom, ST_MakeEnvelope(114.845, 30.325, 114.905, 30.375, 4490))"
    expected = [row[0] for row in site.sql(f"SELECT id FROM city.trees WHERE {inside} ORDER BY id")]
    box = (114.845, 30.325, 114.905, 30.375)
    assert len(expected) == 30 and [f["id"] for f in trees.features(box=box)] == expected
    corners = ",".join(map(repr, trees.ordered(box)))
    assert [f["id"] for f in trees.features(f"S_INTERSECTS(geom,BBOX({corners}))", literal=True)] == expected
    assert [f["id"] for f in trees.features("S_INTERSECTS(geom,POINT(30.3 114.81))", literal=True)] == [2]


def test_a_feature_is_added_moved_changed_and_deleted(trees: Session, site: Site) -> None:
    given = {
        "age": 4, "checked": "2026-01-02", "code": "Q1", "height": 7.0, "listed": True, "name": "试验木",
        "planted": "2026-01-02T03:04:05.000Z", "tags": ["甲", "b"],
    }  # fmt: skip
    new = trees.add(trees.point(114.912345, 30.412345), given)

    def stored() -> tuple[Any, ...]:
        columns = "ST_X(geom), ST_Y(geom), name, height, age, listed, tags, checked::text, planted = '2026-01-02 03:04:05Z', revision"
        return tuple(site.sql(f"SELECT {columns} FROM city.trees WHERE id = :id", id=int(new))[0])

    assert stored() == (114.912345, 30.412345, "试验木", 7.0, 4, True, ["甲", "b"], "2026-01-02", True, 1)
    trees.move(new, trees.point(114.9200000001, 30.42))
    assert stored() == (114.9200000001, 30.42, "试验木", 7.0, 4, True, ["甲", "b"], "2026-01-02", True, 2)
    trees.change(new, {"name": None, "height": 8.25, "tags": []})
    assert stored() == (114.9200000001, 30.42, None, 8.25, 4, True, [], "2026-01-02", True, 3)
    trees.replace(new, trees.point(114.93, 30.43), {**given, "name": "换"})
    assert stored() == (114.93, 30.43, "换", 7.0, 4, True, ["甲", "b"], "2026-01-02", True, 4)
    trees.delete(new)
    assert site.sql("SELECT 1 FROM city.trees WHERE id = :id", id=int(new)) == []


def test_a_plot_drawn_in_a_projected_system_keeps_its_millimetres(site: Site) -> None:
    plots = Session(site.url, "plots")
    assert plots.crs == EPSG + "4547" and plots.swapped
    ring = [[3364710.123, 586410.456], [3364710.123, 586420.456], [3364720.789, 586420.456], [3364710.123, 586410.456]]
    new = plots.add({"type": "MultiPolygon", "coordinates": [[ring]]}, {"name": "三号"})
    try:
        [(x, y)] = site.sql("SELECT ST_XMin(geom), ST_YMax(geom) FROM city.plots WHERE id = :id", id=int(new))
        assert (x, y) == (586410.456, 3364720.789)
        read = next(f for f in plots.features() if str(f["id"]) == new)
        assert sorted(read["geometry"]["coordinates"][0][0]) == sorted(ring)
    finally:
        plots.delete(new)


def test_what_the_server_refuses_has_a_reason_that_qgis_can_show(trees: Session) -> None:
    headers = {"Content-Type": "application/geo+json", "Content-Crs": trees.crs}
    body = {"type": "Feature", "geometry": trees.point(30.4, 114.9), "properties": {"code": "Q2"}}
    answer = requests.post(trees.items, data=json.dumps(body), headers=headers, timeout=30)
    assert answer.status_code == 400 and re.search("latitude, longitude", answer.json()["description"])
