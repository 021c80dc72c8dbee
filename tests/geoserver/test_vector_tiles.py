"""Tiles over a real server: kept, revalidated, fresh after any edit, and apart for different rights."""

import gzip
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest
import requests
from sqlalchemy import text

from layers.catalogue import Field, Layer, Text
from layers.database import Database
from layers.registry import create_layer, drop_layer
from tests.conftest import drop_database, make_database, serve
from tests.geoserver.conftest import Site
from tests.people import PASSWORD, employ

NAME = Field("name", "string", Text("名称", "Name"), role="title")
HIDDEN = Field("owner", "string", Text("业主", "Owner"), visibility="internal")
WELLS = Layer("wells", Text("水井", "Wells"), Text("公开", "Public"), "Point", (NAME, HIDDEN))
PITS = Layer("pits", Text("坑", "Pits"), Text("公开", "Public"), "Point", (NAME,))
TICKETS = Layer(
    "tickets", Text("工单", "Tickets"), Text("内部", "Internal"), "Point",
    (NAME, Field("area", "string", Text("区划", "Area"), role="area")), visibility="internal",
)  # fmt: skip
CABLES = Layer("cables", Text("电缆", "Cables"), Text("敏感", "Sensitive"), "Point", (NAME,), visibility="sensitive")
TILE = "WebMercatorQuad/14/6738/13421"  # 114.9 E, 30.4 N


@pytest.fixture(scope="module")
def town(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    name = f"citymap_tiles_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=4)
    with database.transaction() as conn:
        for layer in (WELLS, PITS, TICKETS, CABLES):
            create_layer(conn, layer)
        conn.execute(
            text("""
            INSERT INTO access.permissions (role, kind, resource, action, visibility, within)
            SELECT 'grid-worker', 'collection', 'tickets', 'read', 'internal', 'area';
            INSERT INTO city.wells (geom, name, owner) VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), '一号井', '张家');
            INSERT INTO city.cables (geom, name) VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), '主缆');
            INSERT INTO city.tickets (geom, name, area) SELECT ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), a, a
            FROM unnest(ARRAY['420704001', '420703002']) a""")
        )
        employ(conn, "east", "grid-worker", area="420704")
        employ(conn, "west", "grid-worker", area="420703")
        employ(conn, "planner", "planner")
    folder = str(tmp_path_factory.mktemp("tiles"))
    with serve(url, ACCESS__PASSWORD__FORCE_FIRST_CHANGE="false", TILES__DIRECTORY=folder) as base:
        yield Site(base, database)
    database.close()
    drop_database(postgres_url, name)


def tile(
    town: Site, layer: str, account: str | None = None, place: str = TILE, headers: Any = None, **params: Any
) -> Any:
    auth = account and (account, PASSWORD)
    return requests.get(f"{town.url}/collections/{layer}/tiles/{place}", params, auth=auth, headers=headers, timeout=30)


def names(answer: requests.Response, layer: str) -> set[str]:
    assert answer.status_code == 200, answer.text
    found = mapbox_vector_tile.decode(answer.content)
    return {f["properties"]["name"] for f in found.get(layer, {"features": []})["features"]}


def soon(found: Any, wanted: Any, seconds: float = 1.0) -> None:
    """What is found is what is wanted within a second."""
    until = time.monotonic() + seconds
    while (last := found()) != wanted and time.monotonic() < until:
        time.sleep(0.01)
    assert last == wanted


def put(town: Site, layer: str, name: str, lon: float = 114.9, lat: float = 30.4) -> None:
    town.sql(
        f"INSERT INTO city.{layer} (geom, name) VALUES (ST_SetSRID(ST_MakePoint(:x, :y), 4490), :n) RETURNING id",
        x=lon,
        y=lat,
        n=name,
    )


def test_a_kept_tile_is_one_gzip_member_with_a_strong_tag(town: Site) -> None:
    for _ in range(2):  # rendered, then hot
        answer = requests.get(
            f"{town.url}/collections/wells/tiles/{TILE}", headers={"Accept-Encoding": "gzip"}, stream=True, timeout=30
        )
        raw = answer.raw.read(decode_content=False)
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["ETag"].startswith('"')
        assert answer.headers["Content-Type"] == "application/vnd.mapbox-vector-tile"
        assert len(answer.headers["X-Request-Id"]) == 32
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert raw[:2] == b"\x1f\x8b" and raw.count(b"\x1f\x8b\x08") == 1
        plain = tile(town, "wells", headers={"Accept-Encoding": "identity"})
        assert plain.content == gzip.decompress(raw)
        assert plain.headers["ETag"] != answer.headers["ETag"]


def test_a_known_tile_is_not_sent_again_until_it_changes(town: Site) -> None:
    tag = tile(town, "wells").headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = tile(town, "wells", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", tag)
    put(town, "wells", "二号井")
    soon(lambda: tile(town, "wells", headers={"If-None-Match": tag}).status_code, 200)
    assert "二号井" in names(tile(town, "wells"), "wells")


@pytest.mark.parametrize(
    "grid", ["WebMercatorQuad/14/6738/13421", "CGCS2000Quad/13/2712/13421", "WorldCRS84Quad/13/2712/13421"]
)
def test_an_edit_by_sql_is_in_the_tiles_of_every_grid_and_of_composites(town: Site, grid: str) -> None:
    def composite() -> requests.Response:
        return requests.get(f"{town.url}/tiles/{grid}", {"collections": "pits,wells"}, timeout=30)

    before = names(tile(town, "pits", place=grid), "pits")
    assert names(composite(), "pits") == before
    new = f"坑{time.time_ns()}"
    put(town, "pits", new)
    soon(lambda: names(tile(town, "pits", place=grid), "pits"), before | {new})
    soon(lambda: names(composite(), "pits"), before | {new})
    town.sql("DELETE FROM city.pits WHERE name = :n RETURNING id", n=new)
    soon(lambda: names(tile(town, "pits", place=grid), "pits"), before)
    soon(lambda: names(composite(), "pits"), before)


def test_a_long_transaction_of_others_keeps_nothing_stale(town: Site) -> None:
    with town.database.engine.connect() as other, other.begin():
        other.execute(text("SELECT pg_current_xact_id()"))
        before = names(tile(town, "pits"), "pits")
        put(town, "pits", "长事务旁的坑")
        soon(lambda: names(tile(town, "pits"), "pits"), before | {"长事务旁的坑"})
        other.execute(
            text("INSERT INTO city.pits (geom, name) VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), '后来的坑')")
        )
        time.sleep(0.4)
        assert "后来的坑" not in names(tile(town, "pits"), "pits")
    soon(lambda: "后来的坑" in names(tile(town, "pits"), "pits"), True)


def test_what_one_may_see_never_reaches_one_who_may_not(town: Site) -> None:
    for _ in range(2):
        east, west = tile(town, "tickets", "east"), tile(town, "tickets", "west")
        assert names(east, "tickets") == {"420704001"}
        assert names(west, "tickets") == {"420703002"}
        for other in (None, "east"):
            assert tile(town, "tickets", other, headers={"If-None-Match": west.headers["ETag"]}).status_code == (
                200 if other else 404
            )
        assert tile(town, "tickets", headers={"If-None-Match": "*"}).status_code == 404
        assert "private" in east.headers["Cache-Control"]


def test_a_hidden_field_is_in_the_tile_of_those_who_see_it_only(town: Site) -> None:
    for _ in range(2):
        for account, fields in ((None, {"name"}), ("planner", {"name", "owner"})):
            found = mapbox_vector_tile.decode(tile(town, "wells", account).content)["wells"]["features"]
            assert set().union(*(f["properties"] for f in found)) == fields, account


def test_every_read_of_a_sensitive_tile_is_audited(town: Site) -> None:
    def reads() -> int:
        return int(town.sql("SELECT count(*) FROM audit.entries WHERE action = 'read' AND object = 'cables'")[0][0])

    before = reads()
    for _ in range(3):
        assert names(tile(town, "cables", "planner"), "cables") == {"主缆"}
    assert reads() == before + 3


def test_a_layer_made_internal_is_gone_at_once_and_whole_when_public_again(town: Site) -> None:
    whole = names(tile(town, "pits"), "pits") | {"一个坑"}
    put(town, "pits", "一个坑")
    soon(lambda: names(tile(town, "pits"), "pits"), whole)
    town.sql("UPDATE citymap.layers SET visibility = 'internal' WHERE id = 'pits' RETURNING id")
    soon(lambda: tile(town, "pits").status_code, 404)
    town.sql("UPDATE citymap.layers SET visibility = 'public' WHERE id = 'pits' RETURNING id")
    soon(lambda: tile(town, "pits").status_code, 200)
    soon(lambda: names(tile(town, "pits"), "pits"), whole)


def test_a_layer_made_anew_under_an_old_name_shows_nothing_of_the_old(town: Site) -> None:
    shafts = Layer("shafts", Text("竖井", "Shafts"), Text("", ""), "Point", (NAME,))
    for name in ("旧井", "新井"):
        with town.database.transaction() as conn:
            create_layer(conn, shafts)
        put(town, "shafts", name)
        soon(lambda: tile(town, "shafts").status_code, 200)
        soon(lambda name=name: names(tile(town, "shafts"), "shafts"), {name})
        with town.database.transaction() as conn:
            drop_layer(conn, "shafts")
        soon(lambda: tile(town, "shafts").status_code, 404)


def test_filter_time_and_fields_choose_what_is_drawn(town: Site) -> None:
    put(town, "wells", "深井")
    soon(lambda: names(tile(town, "wells", filter="name = '深井'"), "wells"), {"深井"})
    assert "深井" not in names(tile(town, "wells", **{"as-of": "2020-01-01T00:00:00Z"}), "wells")
    none = mapbox_vector_tile.decode(tile(town, "wells", properties="").content)["wells"]["features"]
    assert none and not any(f["properties"] for f in none)
    for wrong in (
        {"filter": "nothing = 1"},
        {"properties": "nothing"},
        {"filter": "name ="},
        {"datetime": "x"},
        {"colour": "1"},
    ):
        answer = tile(town, "wells", **wrong)
        assert answer.status_code == 400 and next(iter(wrong)) in answer.json()["description"], answer.text


def test_hidden_fields_cannot_be_asked_by_filter(town: Site) -> None:
    assert tile(town, "wells", filter="owner = '张家'").status_code == 400
    assert names(tile(town, "wells", "planner", filter="owner = '张家'"), "wells") == {"一号井"}


def test_the_documents_of_tiles_agree_with_the_tiles(town: Site) -> None:
    listed = town.get("/tileMatrixSets", f="json").json()["tileMatrixSets"]
    assert [s["id"] for s in listed] == ["WebMercatorQuad", "CGCS2000Quad", "WorldCRS84Quad"]
    for one in town.get("/collections/wells/tiles").json()["tilesets"]:
        link = next(li for li in one["links"] if li["rel"] == "self")["href"]
        tileset = town.get("/" + link.split("/", 3)[3]).json()
        assert one["tileMatrixSetLimits"] == tileset["tileMatrixSetLimits"]
        limits = next(li for li in tileset["tileMatrixSetLimits"] if li["tileMatrix"] == "13")
        item = next(li for li in tileset["links"] if li["rel"] == "item")["href"]
        address = item.format(tileMatrix=13, tileRow=limits["minTileRow"], tileCol=limits["minTileCol"])
        assert names(town.get("/" + address.split("/", 3)[3]), "wells")
        assert town.get(f"/tileMatrixSets/{one['tileMatrixSetId']}", f="json").json()["crs"] == one["crs"]
    described = town.get("/collections/wells/tiles/WebMercatorQuad", f="tilejson").json()
    assert described["vector_layers"][0]["fields"] == {"name": "string"}
    address = described["tiles"][0].format(z=14, y=6738, x=13421)
    assert names(town.get("/" + address.split("/", 3)[3]), "wells")
    of_city = town.get("/tiles", collections="wells,pits").json()["tilesets"]
    assert all(one["tileMatrixSetLimits"] for one in of_city)  # the official suite asks for them in the list
    assert town.get("/tileMatrixSets", f="html").status_code == 200
    assert town.get("/tileMatrixSets/CGCS2000Quad", f="html").status_code == 200


def test_nobody_else_may_read_the_files(town: Site, tmp_path_factory: pytest.TempPathFactory) -> None:
    tile(town, "tickets", "east")
    files = [p for p in tmp_path_factory.getbasetemp().glob("tiles*/*/**/*") if p.is_file() and "-s" in p.name]
    assert files
    assert all(Path(p).stat().st_mode & 0o077 == 0 for p in files)
