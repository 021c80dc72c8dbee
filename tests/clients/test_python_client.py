"""The Python client against the real server: what it reads is what the database has, and its documentation is true."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyogrio
import pytest
from shapely import Point

from citymap import City, CityError, EditConflict, NotFound, ProcessFailed, Refused, Unreachable
from citymap.words import in_codes
from geoserver.identity.api_keys import make_key
from tests.clients.conftest import CitySite
from tests.conftest import ROOT

DOMAINS = {"state": {"handling": "处置中", "handled": "已反馈", "self-handled": "自行处置", "checked": "已核查"}}


@pytest.fixture(scope="module")
def key(city_site: CitySite) -> str:
    with city_site.database.transaction() as conn:
        return make_key(conn, "steward", "客户端", None, 7, "steward", 30)[0]


@pytest.fixture
def city(city_site: CitySite, key: str) -> Iterator[City]:
    with City(city_site.url, key=key) as city:
        yield city


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("state='处置'", "state = 'handling'"),
        (
            "state IN ('已核查', 'handled') AND NOT place <> '处置中'",
            "state IN ('checked', 'handled') AND NOT place <> '处置中'",
        ),
        ("state = '已'", "state = '已'"),  # begins two words
        ("'自行处置' = state OR title = 'it''s'", "'self-handled' = state OR title = 'it''s'"),
        ("state ===", "state ==="),
    ],
)
def test_words_of_a_value_domain_mean_its_codes(said: str, meant: str) -> None:
    assert re.sub(r"[()]", "", in_codes(said, DOMAINS)) == re.sub(r"[()]", "", meant)


def test_a_frame_holds_what_the_database_has(city: City, city_site: CitySite) -> None:
    frame = city.collection("cases").query("state='处置'").where("used_seconds > 5000").to_gdf()
    rows = city_site.sql("SELECT id, code, ST_X(geom) x, ST_Y(geom) y, reported_at, deadline, used_seconds, supervised"
                         " FROM city.cases WHERE state = 'handling' AND used_seconds > 5000 ORDER BY id")  # fmt: skip
    assert [int(one) for one in frame.index] == [row.id for row in rows] and len(rows) > 5
    assert list(frame["code"]) == [row.code for row in rows]
    assert list(frame.geometry.x) == pytest.approx([row.x for row in rows], abs=1e-9)
    assert list(frame.geometry.y) == pytest.approx([row.y for row in rows], abs=1e-9)
    assert list(frame["reported_at"]) == [row.reported_at for row in rows]
    assert (
        list(frame["used_seconds"]) == [row.used_seconds for row in rows]
        and str(frame["used_seconds"].dtype) == "Int64"
    )
    assert [bool(one) for one in frame["supervised"]] == [bool(row.supervised) for row in rows]
    moved = city.collection("cases").query("state='处置'").where("used_seconds > 5000").to_gdf(crs=4547)
    assert moved.crs.to_epsg() == 4547
    (x, y) = city_site.sql(
        "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_Transform(geom, 4547) p FROM city.cases WHERE id = :i) t", i=rows[0].id
    )[0]
    assert moved.geometry.iloc[0].distance(Point(x, y)) < 0.01


def test_a_frame_of_nothing_has_the_layers_columns(city: City) -> None:
    frame = city.collection("cases").query("state = 'handling'").query("used_seconds < 0").to_gdf()
    assert len(frame) == 0 and frame.crs.to_epsg() == 4326
    assert {"code", "state", "deadline"} <= set(frame.columns) and str(frame["deadline"].dtype).startswith("datetime64")


def test_pages_neither_repeat_nor_miss_while_others_edit(city: City, city_site: CitySite) -> None:
    before = {row.id for row in city_site.sql("SELECT id FROM city.buildings")}
    seen: list[int] = []
    for n, page in enumerate(city.collection("buildings").query().sort("-height").pages(7)):
        assert len(page) <= 7
        seen += [feature["id"] for feature in page]
        if n == 1:
            city_site.sql("INSERT INTO city.buildings (geom, height) SELECT geom, 1000 FROM city.buildings LIMIT 3")
    city_site.sql("DELETE FROM city.buildings WHERE height = 1000")
    assert len(seen) == len(set(seen)) and set(seen) == before
    assert len(list(city.collection("buildings").query().limit(9).features())) == 9


def test_an_edit_that_another_overtook_changes_nothing(city: City) -> None:
    pois = city.collection("pois")
    mine = pois.add(Point(114.905, 30.405), name="莲花亭")
    theirs = pois.change(pois.get(mine["id"]), name="荷花亭")
    with pytest.raises(EditConflict) as refused:
        pois.change(mine, name="牡丹亭")
    assert refused.value.status == 412 and refused.value.request_id
    with pytest.raises(EditConflict):
        pois.remove(mine)
    assert pois.get(mine["id"])["properties"]["name"] == "荷花亭"
    with pytest.raises(ValueError, match="without its etag"):
        pois.remove(next(pois.query(f"id = {mine['id']}").features()))
    pois.remove(theirs)
    with pytest.raises(NotFound):
        pois.get(mine["id"])


def test_errors_say_what_was_wrong_and_name_the_request(city_site: CitySite, city: City) -> None:
    with pytest.raises(CityError, match="hight") as wrong:
        city.collection("buildings").query("hight > 20").count()
    assert wrong.value.status == 400 and wrong.value.request_id and wrong.value.request_id in str(wrong.value)
    with pytest.raises(NotFound):
        City(city_site.url).collection("cases").count()  # the public sees no cases
    with pytest.raises(Refused):
        City(city_site.url, account=("boss", "wrong")).collections()
    with pytest.raises(Refused) as anonymous:
        City(city_site.url).collection("pois").add(Point(114.9, 30.4), name="x")
    assert anonymous.value.status == 401
    with pytest.raises(Unreachable, match="check the address"):
        City("http://127.0.0.1:9", timeout=5).collections()
    with pytest.raises(ValueError, match="no address of"):
        city.connection.get("http://127.0.0.1:9/collections")


def test_a_token_signs_in_too(city_site: CitySite, city: City) -> None:
    token = city.connection.send("POST", "token", json={}).json()
    with City(city_site.url, token=token["access_token"]) as signed:
        assert signed.collection("cases").count() == city_site.number("true")


def test_a_failed_job_says_why(city: City, city_site: CitySite, worker: None, tmp_path: Path) -> None:
    (tmp_path / "broken.geojson").write_text("{", "utf-8")
    job = city.start("import-layer", upload=city.upload(tmp_path / "broken.geojson"), layer="broken")
    with pytest.raises(ProcessFailed) as failed:
        job.wait(timeout=120)
    assert failed.value.status == 400 and failed.value.code == "ImportRefused"


def test_the_documentations_examples_run(
    city_site: CitySite,
    key: str,
    worker: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lamps = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [114.9 + n * 1e-3, 30.41]},
            "properties": {"no": n},
        }
        for n in range(5)
    ]
    (tmp_path / "lamps.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": lamps}), "utf-8")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        own = block.replace("http://127.0.0.1:8080", city_site.url).replace("cmk_…", key)
        exec(compile(own, "docs/python.md", "exec"), names)
    said = capsys.readouterr().out
    red = city_site.number("state = 'handling' AND light = 'red'")
    assert f"{city_site.number("state = 'handling'")} 件处置中，其中红灯 {red}" in said
    assert "5 盏" in said and "successful 100 %" in said and "40 " not in said.split("盏")[0].split()[-1]
    assert names["numbers"]["total"]["counts"]["reported"]["cases"] == city_site.number(
        "reported_at >= '2026-01-01T00:00:00+08:00' AND reported_at < '2027-01-01T00:00:00+08:00'")  # fmt: skip
    assert len(pyogrio.read_dataframe("lamps.gpkg")) == 5
    assert (
        len(pyogrio.read_dataframe("offices.gpkg"))
        == city_site.sql("SELECT count(*) FROM city.buildings WHERE use = 'office'")[0][0]
    )
    page = Path("handling.html").read_text("utf-8")
    loaded = re.findall(r"""(?:src|href)=["'](https?://[^"']+)|L\.tileLayer\(\s*["'](https?://[^"']+)""", page)
    assert len(loaded) == 4 and all((one or other).startswith(city_site.url) for one, other in loaded)


def test_the_past_is_read_as_it_was(city: City, city_site: CitySite) -> None:
    pois = city.collection("pois")
    made = pois.add(Point(114.906, 30.406), name="旧名")
    (then,) = city_site.sql("SELECT clock_timestamp()")[0]
    made = pois.change(made, name="新名")
    assert [f["properties"]["name"] for f in pois.query(f"id = {made['id']}").as_of(then.astimezone(UTC))] == ["旧名"]
    pois.remove(made)
    with pytest.raises(ValueError, match="time zone"):
        pois.query().as_of(datetime(2026, 1, 1))
