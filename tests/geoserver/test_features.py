"""OGC API – Features Parts 1–3 over a real server and a real PostGIS."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas
import pyogrio
import pyproj
import pytest
import requests

from geoserver.exports import Export
from tests.geoserver.conftest import Site

ITEMS = "/collections/trees/items"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


def ids(document: dict[str, Any]) -> list[int]:
    return [feature["id"] for feature in document["features"]]


def walk(site: Site, **params: Any) -> list[int]:
    """Every id on the way along the next links."""
    seen: list[int] = []
    url: str | None = site.url + ITEMS
    for _ in range(400):
        if url is None:
            return seen
        document = requests.get(url, params=params if not seen else None, timeout=30).json()
        seen += ids(document)
        url = next((link["href"] for link in document["links"] if link["rel"] == "next"), None)
    raise AssertionError("the next links do not end")


@pytest.mark.parametrize(
    ("sortby", "order"),
    [
        ("", "id"),
        ("height", "height NULLS LAST, id"),
        ("-height", "height DESC NULLS LAST, id"),
        ("-age,name", "age DESC NULLS LAST, name NULLS LAST, id"),
        ("name,-planted", "name NULLS LAST, planted DESC NULLS LAST, id"),
        ("listed,-checked", "listed NULLS LAST, checked DESC NULLS LAST, id"),
    ],
)
def test_next_links_visit_every_feature_once_in_the_asked_order(site: Site, sortby: str, order: str) -> None:
    expected = [row[0] for row in site.sql(f"SELECT id FROM city.trees ORDER BY {order}")]
    assert walk(site, limit=17, **({"sortby": sortby} if sortby else {})) == expected


def test_next_links_keep_the_filter_and_stay_stable_when_rows_appear_before_them(site: Site) -> None:
    expected = [row[0] for row in site.sql("SELECT id FROM city.trees WHERE age > 2 ORDER BY id")]
    first = site.get(ITEMS, filter="age > 2", limit=20).json()
    site.sql("UPDATE city.trees SET age = 4 WHERE id = (SELECT min(id) FROM city.trees WHERE age <= 2)")
    try:
        following = next(link["href"] for link in first["links"] if link["rel"] == "next")
        assert ids(requests.get(following, timeout=30).json()) == expected[20:40]
    finally:
        site.sql("UPDATE city.trees SET age = 0 WHERE id = (SELECT min(id) FROM city.trees)")


def test_offset_pages_and_their_prev_link(site: Site) -> None:
    everything = [row[0] for row in site.sql("SELECT id FROM city.trees ORDER BY id")]
    page = site.get(ITEMS, limit=10, offset=25).json()
    assert ids(page) == everything[25:35]
    back = next(link["href"] for link in page["links"] if link["rel"] == "prev")
    assert ids(requests.get(back, timeout=30).json()) == everything[15:25]


def test_a_limit_above_the_maximum_is_served_as_the_maximum(site: Site) -> None:
    assert len(site.get(ITEMS, limit=10_000_000).json()["features"]) == 300


def test_numbers_matched_are_exact_or_absent(site: Site) -> None:
    total = site.sql("SELECT count(*) FROM city.trees")[0][0]
    assert site.get(ITEMS, limit=1).json()["numberMatched"] == total
    hits = site.get(ITEMS, resulttype="hits", filter="age = 3").json()
    assert hits["numberMatched"] == site.sql("SELECT count(*) FROM city.trees WHERE age = 3")[0][0]
    assert hits["features"] == [] and hits["numberReturned"] == 0
    assert "numberMatched" not in site.get(ITEMS, filter="age = 3", limit=2).json()
    assert site.get(ITEMS, filter="age = 3", limit=100).json()["numberMatched"] == hits["numberMatched"]


@pytest.mark.parametrize("box", ["114.82,30.31,114.86,30.35", "114.805,30.305,114.806,30.306", "-180,-90,180,90"])
def test_bbox_finds_what_postgis_finds(site: Site, box: str) -> None:
    expected = site.sql(f"SELECT id FROM city.trees WHERE ST_Intersects(geom, ST_MakeEnvelope({box}, 4490)) ORDER BY id")
    assert ids(site.get(ITEMS, bbox=box, limit=1000).json()) == [row[0] for row in expected]


def test_bbox_crs_has_its_own_axis_order(site: Site) -> None:
    plain = ids(site.get(ITEMS, bbox="114.82,30.31,114.86,30.35", limit=1000).json())
    swapped = site.get(ITEMS, **{"bbox": "30.31,114.82,30.35,114.86", "bbox-crs": EPSG + "4490", "limit": 1000})
    assert ids(swapped.json()) == plain
    north, east = pyproj.Transformer.from_crs(4490, 4547).transform([30.305, 30.355], [114.815, 114.865])
    box = f"{north[0]},{east[0]},{north[1]},{east[1]}"
    assert set(ids(site.get(ITEMS, **{"bbox": box, "bbox-crs": EPSG + "4547", "limit": 1000}).json())) == set(plain)


def test_bbox_across_the_antimeridian_covers_both_sides(site: Site) -> None:
    everything = site.sql("SELECT count(*) FROM city.trees")[0][0]
    assert len(ids(site.get(ITEMS, bbox="114,30,-170,31", limit=1000).json())) == everything
    assert ids(site.get(ITEMS, bbox="170,30,-170,31", limit=1000).json()) == []
    assert len(ids(site.get(ITEMS, bbox="116,30,115,31", limit=1000).json())) == everything


@pytest.mark.parametrize(("code", "swapped"), [(4490, True), (4326, True), (4547, True), (4526, True), (3857, False)])
def test_coordinates_come_in_the_order_and_place_that_pyproj_says(site: Site, code: int, swapped: bool) -> None:
    answer = site.get(ITEMS, crs=EPSG + str(code), limit=3, bbox="114.87,30.40,114.9,30.42")
    assert answer.headers["Content-Crs"] == f"<{EPSG}{code}>"
    for feature in answer.json()["features"]:
        lon, lat = site.sql("SELECT ST_X(geom), ST_Y(geom) FROM city.trees WHERE id = :id", id=feature["id"])[0]
        expected = pyproj.Transformer.from_crs(4490, code).transform(lat, lon)
        assert feature["geometry"]["coordinates"] == pytest.approx(expected, abs=1e-4 if code not in (4490, 4326) else 1e-9)
    assert swapped == (pyproj.CRS.from_epsg(code).axis_info[0].direction == "north")


def test_survey_coordinates_keep_their_millimetres(site: Site) -> None:
    plot = site.get("/collections/plots/items", crs=EPSG + "4547").json()["features"][0]
    ring = plot["geometry"]["coordinates"][0][0]
    assert [3364700.0, 586400.0] in ring and [3364800.0, 586600.0] in ring


@pytest.mark.parametrize(
    ("interval", "condition"),
    [
        ("2020-03-01T00:00:00Z", "planted = '2020-03-01 00:00Z'"),
        ("2020-03-01", "planted >= '2020-03-01 00:00Z' AND planted < '2020-03-02 00:00Z'"),
        ("2020-03-01T00:00:00Z/2020-04-01T00:00:00Z", "planted BETWEEN '2020-03-01 00:00Z' AND '2020-04-01 00:00Z'"),
        ("../2020-02-01T08:00:00+08:00", "planted <= '2020-02-01 00:00Z'"),
        ("2020-10-01/", "planted >= '2020-10-01 00:00Z'"),
    ],
)
def test_datetime_filters_on_the_layers_time_field(site: Site, interval: str, condition: str) -> None:
    expected = [row[0] for row in site.sql(f"SELECT id FROM city.trees WHERE {condition} ORDER BY id")]
    assert ids(site.get(ITEMS, datetime=interval, limit=1000).json()) == expected != []


@pytest.mark.parametrize(
    ("parameter", "value", "condition"),
    [
        ("name", "银杏", "name = '银杏'"),
        ("age", "3", "age = 3"),
        ("height", "4.1", "height = 4.1"),
        ("listed", "true", "listed"),
        ("checked", "2024-02-29", "checked = '2024-02-29'"),
        ("planted", "2020-03-01T08:00:00+08:00", "planted = '2020-03-01 00:00Z'"),
        ("tags", "t1", "'t1' = ANY(tags)"),
    ],
)
def test_a_field_as_parameter_filters_by_equality(site: Site, parameter: str, value: str, condition: str) -> None:
    expected = [row[0] for row in site.sql(f"SELECT id FROM city.trees WHERE {condition} ORDER BY id")]
    assert ids(site.get(ITEMS, **{parameter: value, "limit": 1000}).json()) == expected != []


def test_filter_works_in_text_and_json_with_its_own_crs(site: Site) -> None:
    expected = [row[0] for row in site.sql("SELECT id FROM city.trees WHERE height > 8 AND age = 2 ORDER BY id")]
    text = site.get(ITEMS, filter="height > 8 AND age = 2", limit=1000)
    as_json = '{"op":"and","args":[{"op":">","args":[{"property":"height"},8]},{"op":"=","args":[{"property":"age"},2]}]}'
    json = site.get(ITEMS, **{"filter": as_json, "filter-lang": "cql2-json", "limit": 1000})
    assert ids(text.json()) == ids(json.json()) == expected != []
    near = "S_INTERSECTS(geom, POLYGON((30.31 114.82, 30.31 114.86, 30.35 114.86, 30.35 114.82, 30.31 114.82)))"
    swapped = site.get(ITEMS, **{"filter": near, "filter-crs": EPSG + "4490", "limit": 1000})
    assert ids(swapped.json()) == ids(site.get(ITEMS, bbox="114.82,30.31,114.86,30.35", limit=1000).json())


def test_properties_and_skip_geometry_leave_out_the_rest(site: Site) -> None:
    feature = site.get(ITEMS, properties="name,age", skipGeometry="true", limit=1).json()["features"][0]
    assert set(feature["properties"]) == {"name", "age"} and feature["geometry"] is None


def test_as_of_reads_any_past_state(site: Site) -> None:
    feature = site.sql("SELECT min(id) FROM city.trees WHERE code = 'T50'")[0][0]
    before = site.sql("SELECT height FROM city.trees WHERE id = :id", id=feature)[0][0]
    then = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    time.sleep(0.01)
    site.sql("UPDATE city.trees SET height = 99 WHERE id = :id", id=feature)
    try:
        item = f"{ITEMS}/{feature}"
        assert site.get(item).json()["properties"]["height"] == 99
        assert site.get(item, **{"as-of": then}).json()["properties"]["height"] == before
        assert ids(site.get(ITEMS, filter="height = 99").json()) == [feature]
        assert ids(site.get(ITEMS, **{"filter": "height = 99", "as-of": then}).json()) == []
        assert site.get(ITEMS, **{"resulttype": "hits", "as-of": then}).json()["numberMatched"] == 300
        assert site.get(ITEMS, **{"resulttype": "hits", "as-of": "2001-01-01"}).json()["numberMatched"] == 0
    finally:
        site.sql("UPDATE city.trees SET height = :h WHERE id = :id", id=feature, h=before)


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({"nonsense": "1"}, "nonsense"),
        ({"limit": "0"}, "limit"),
        ({"limit": "ten"}, "limit"),
        ({"limit": "-5"}, "limit"),
        ({"offset": "-1"}, "offset"),
        ({"offset": "999999999"}, "offset"),
        ({"cursor": "abc"}, "cursor"),
        ({"cursor": "AAAAAFsxXQ"}, "cursor"),
        ({"bbox": "1,2,3"}, "bbox"),
        ({"bbox": "1,2,3,x"}, "bbox"),
        ({"bbox": "1,2,3,nan"}, "bbox"),
        ({"bbox": "1,5,3,4"}, "bbox"),
        ({"bbox": "30,114,31,115"}, "bbox"),
        ({"bbox-crs": EPSG + "4490"}, "bbox-crs"),
        ({"bbox": "1,2,3,4", "bbox-crs": EPSG + "9999"}, "bbox-crs"),
        ({"crs": "EPSG:1"}, "crs"),
        ({"datetime": "yesterday"}, "datetime"),
        ({"datetime": "2020-01-01T00:00:00"}, "datetime"),
        ({"datetime": "2021-01-01/2020-01-01"}, "datetime"),
        ({"datetime": "../.."}, "datetime"),
        ({"as-of": "soon"}, "as-of"),
        ({"sortby": "colour"}, "sortby"),
        ({"sortby": "age,-age"}, "sortby"),
        ({"properties": "name,colour"}, "properties"),
        ({"skipGeometry": "maybe"}, "skipGeometry"),
        ({"resulttype": "some"}, "resulttype"),
        ({"filter": "colour = 1"}, "filter"),
        ({"filter": "name = "}, "filter"),
        ({"filter": "name = 1"}, "filter"),
        ({"filter": "age = 1", "filter-lang": "sql"}, "filter-lang"),
        ({"filter-crs": EPSG + "4490"}, "filter-crs"),
        ({"age": "old"}, "age"),
        ({"listed": "perhaps"}, "listed"),
        ({"f": "xml"}, "f"),
        ({"age": ["1", "2"]}, "age"),
    ],
    ids=str,
)
def test_a_bad_parameter_is_refused_by_its_name(site: Site, params: dict[str, Any], named: str) -> None:
    answer = requests.get(site.url + ITEMS, params=params, timeout=30)
    assert answer.status_code == 400
    assert f"parameter '{named}'" in answer.json()["description"]


def test_a_cursor_cannot_smuggle_values_of_another_type(site: Site) -> None:
    from layers.query import SortKey, encode_cursor

    forged = encode_cursor((SortKey("age"),), b'["x", 1]')
    answer = site.get(ITEMS, sortby="age", cursor=forged)
    assert answer.status_code == 400


def test_missing_things_are_404(site: Site) -> None:
    for path in ("/collections/none", "/collections/none/items", f"{ITEMS}/999999", f"{ITEMS}/abc", "/nothing"):
        assert site.get(path, f="json").status_code == 404, path


def test_a_feature_answers_304_to_the_etag_it_gave(site: Site) -> None:
    feature = site.sql("SELECT min(id) FROM city.trees")[0][0]
    first = site.get(f"{ITEMS}/{feature}")
    again = requests.get(first.url, headers={"If-None-Match": first.headers["ETag"]}, timeout=30)
    assert again.status_code == 304 and again.content == b""


def test_html_and_json_ld_show_the_same_features(site: Site) -> None:
    page = requests.get(site.url + ITEMS, headers={"Accept": "text/html", "Accept-Language": "zh"}, timeout=30)
    assert page.headers["Content-Type"].startswith("text/html") and "樟树" in page.text
    linked = site.get(ITEMS, f="jsonld")
    assert linked.headers["Content-Type"] == "application/ld+json" and linked.json()["@context"]


def test_a_layer_appears_changes_and_vanishes_within_a_second(site: Site) -> None:
    from layers.catalogue import Field, Layer, Text
    from layers.registry import create_layer, drop_layer, update_layer

    wells = Layer("wells", Text("井", "Wells"), Text("", ""), "Point", (Field("depth", "number", Text("深", "Depth")),))

    def within_a_second(check: Any) -> None:
        start = time.monotonic()
        while not check():
            assert time.monotonic() - start < 1.0
            time.sleep(0.02)

    with site.database.transaction() as conn:
        create_layer(conn, wells)
    within_a_second(lambda: site.get("/collections/wells").status_code == 200)
    assert "/collections/wells/items" in site.get("/openapi", f="json").json()["paths"]
    with site.database.transaction() as conn:
        update_layer(conn, wells.changed(title=Text("水井", "Wells")))
    within_a_second(lambda: site.get("/collections/wells", lang="zh").json()["title"] == "水井")
    with site.database.transaction() as conn:
        drop_layer(conn, "wells")
    within_a_second(lambda: site.get("/collections/wells").status_code == 404)
    assert "/collections/wells/items" not in site.get("/openapi", f="json").json()["paths"]


@pytest.mark.parametrize("format_", ["gpkg", "fgb", "csv"])
def test_a_query_comes_as_a_file_with_the_same_features(site: Site, format_: str, tmp_path: Path) -> None:
    expected = site.get(ITEMS, filter="age = 2", limit=1000, sortby="code").json()["features"]
    answer = site.get(ITEMS, filter="age = 2", f=format_)
    assert answer.status_code == 200 and "attachment" in answer.headers["Content-Disposition"]
    file = tmp_path / f"trees.{format_}"
    file.write_bytes(answer.content)
    table = pandas.read_csv(file) if format_ == "csv" else pyogrio.read_dataframe(file)
    table = table.sort_values("code")
    assert list(table["code"]) == [f["properties"]["code"] for f in expected]
    assert list(table["name"].fillna("")) == [f["properties"]["name"] or "" for f in expected]
    if format_ != "csv":
        assert list(table.geometry.x) == pytest.approx([f["geometry"]["coordinates"][0] for f in expected])


def test_an_export_abandoned_by_its_client_frees_its_place_and_connection(site: Site) -> None:
    for _ in range(10):
        answer = requests.get(site.url + ITEMS, params={"f": "csv"}, stream=True, timeout=30)
        assert answer.status_code == 200
        answer.close()
        time.sleep(0.05)
    assert site.get(ITEMS, f="csv").status_code == 200


def test_closing_an_export_waits_for_the_thread_that_draws_from_it() -> None:
    drawing, released, events = threading.Event(), threading.Event(), []

    def chunks() -> Iterator[bytes]:
        drawing.set()
        released.wait(10)
        events.append("drawn")
        yield b"x"

    resources = ExitStack()
    resources.callback(events.append, "given back")
    export = Export(chunks(), resources)
    reader = threading.Thread(target=lambda: next(export))
    reader.start()
    drawing.wait(10)
    closer = threading.Thread(target=export.close)
    closer.start()
    time.sleep(0.05)
    released.set()
    reader.join(10)
    closer.join(10)
    assert events == ["drawn", "given back"]
    assert list(export) == []
