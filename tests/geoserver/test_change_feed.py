"""The change feed: a reader that follows it has the layer, whatever is committed when."""

import contextlib
import math
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import requests
from shapely.geometry import mapping
from shapely.geometry.base import BaseGeometry
from sqlalchemy import text

from citymap import City
from layers.catalogue import Field, Layer, Text
from layers.exchange.changes.model import Place, parse_position
from layers.registry import create_layer, drop_layer
from tests.geoserver.conftest import Site
from tests.geoserver.workshop import eventually

WELLS = Layer(
    id="feed-wells", title=Text("井", "Wells"), description=Text("测试", "For tests"), geometry_type="Point",
    fields=(Field("name", "string", Text("名称", "Name")), Field("depth", "number", Text("深", "Depth"))),
)  # fmt: skip
CHANGES = "/collections/feed-wells/changes"


@pytest.fixture
def wells(site: Site) -> Iterator[Site]:
    with site.database.transaction() as conn:
        create_layer(conn, WELLS)
        conn.execute(text(
            "INSERT INTO city.feed_wells (geom, name, depth) SELECT ST_SetSRID(ST_MakePoint(114.8 + i * 0.001, 30.3), 4490),"
            " '井' || i, i FROM generate_series(1, 25) i"
        ))  # fmt: skip
    for _ in range(100):
        if site.get("/collections/feed-wells").status_code == 200:
            break
        threading.Event().wait(0.05)
    yield site
    with site.database.transaction() as conn:
        drop_layer(conn, "feed-wells")
    assert eventually(lambda: site.get("/collections/feed-wells").status_code == 404)  # or the next test would see this one


class Reader:
    """Keeps a copy by the feed alone, a page at a time."""

    def __init__(self, site: Site, limit: int = 7) -> None:
        self.site, self.limit, self.since = site, limit, None
        self.copy: dict[int, Any] = {}

    def page(self) -> dict[str, Any]:
        params = {"limit": self.limit} | ({"since": self.since} if self.since else {})
        answer = self.site.get(CHANGES, **params)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        for feature in found["features"]:
            if feature["op"] == "delete":
                self.copy.pop(feature["id"], None)
            else:
                self.copy[feature["id"]] = (feature["geometry"], feature["properties"])
        self.since = found["position"]
        assert len(found["features"]) <= self.limit
        return found

    def follow(self) -> list[dict[str, Any]]:
        told = []
        while True:
            found = self.page()
            told += found["features"]
            if found["upToDate"]:
                return told


def truth(site: Site) -> dict[int, Any]:
    features = site.get("/collections/feed-wells/items", limit=1000).json()["features"]
    return {f["id"]: (f["geometry"], f["properties"]) for f in features}


def test_what_changed_is_told_once_and_as_it_is_now(wells: Site) -> None:
    reader = Reader(wells)
    assert {f["op"] for f in reader.follow()} == {"insert"} and reader.copy == truth(wells) and len(reader.copy) == 25
    assert reader.page()["features"] == []
    wells.sql("UPDATE city.feed_wells SET depth = depth + 1 WHERE id <= 2")
    wells.sql("UPDATE city.feed_wells SET name = '改' WHERE id = 2")
    wells.sql("DELETE FROM city.feed_wells WHERE id = 3")
    wells.sql("INSERT INTO city.feed_wells (geom, name) VALUES (NULL, '无形')")
    told = [(f["id"], f["op"]) for f in reader.follow()]
    assert told == [(1, "update"), (2, "update"), (3, "delete"), (26, "insert")]
    assert reader.copy == truth(wells) and reader.copy[2][1]["name"] == "改"


def test_a_transaction_that_commits_late_is_not_skipped(wells: Site) -> None:
    """Its numbers are smaller than those that the reader has seen when it commits."""
    reader = Reader(wells, limit=2)
    reader.follow()
    with wells.database.engine.connect() as late:
        late.execute(text("UPDATE city.feed_wells SET name = '迟' WHERE id = 5"))
        wells.sql("UPDATE city.feed_wells SET name = '早' WHERE id IN (6, 7, 8)")
        assert len(reader.page()["features"]) == 2  # in the middle of a longer page
        late.commit()
    assert {f["id"] for f in reader.follow()} == {8, 5}
    assert reader.copy == truth(wells)


def test_a_copy_equals_its_source_after_random_concurrent_edits(wells: Site) -> None:
    """Readers are cut off at any place and go on from the last page that they kept."""
    stop = threading.Event()

    def edit(seed: int) -> None:
        chosen = random.Random(seed)
        for _ in range(25):
            with wells.database.engine.connect() as conn:
                for _ in range(chosen.randint(1, 4)):
                    n, what = chosen.randint(1, 40), chosen.random()
                    point = f"ST_SetSRID(ST_MakePoint({114.8 + chosen.random() / 10}, 30.3), 4490)"
                    if what < 0.3:
                        conn.execute(text(f"INSERT INTO city.feed_wells (geom, name) VALUES ({point}, '新')"))
                    elif what < 0.75:
                        conn.execute(text(f"UPDATE city.feed_wells SET geom = {point}, depth = {n} WHERE id = {n}"))
                    else:
                        conn.execute(text(f"DELETE FROM city.feed_wells WHERE id = {n}"))
                    conn.commit() if chosen.random() < 0.2 else None
                conn.rollback() if chosen.random() < 0.2 else conn.commit()

    writers = [threading.Thread(target=_tried, args=(edit, seed)) for seed in (1, 2)]
    reader, chosen = Reader(wells, limit=3), random.Random(3)
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        kept = (reader.since, dict(reader.copy))
        reader.page()
        if chosen.random() < 0.3:  # killed before it stored the page: it begins again where it was
            reader.since, reader.copy = kept
    stop.set()
    reader.follow()
    assert reader.copy == truth(wells)


def _tried(edit: Any, seed: int) -> None:
    """Deadlocks of the two writers are theirs."""
    from sqlalchemy.exc import OperationalError

    try:
        edit(seed)
    except OperationalError:
        return


def test_events_go_on_where_the_client_was_cut_off(wells: Site) -> None:
    since = wells.get(CHANGES, since="now").json()["position"]

    def first(**more: Any) -> tuple[str, str]:
        with requests.get(f"{wells.url}{CHANGES}", params={"since": since}, stream=True, timeout=20, **more) as answer:
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            lines: list[str] = []
            for line in answer.iter_lines(chunk_size=1):
                lines.append(line.decode())
                if line.startswith(b"data: ") and b'"op"' in line:
                    return lines[-2], lines[-1]
                if line.startswith(b"data: "):
                    wells.sql("UPDATE city.feed_wells SET name = '直播' WHERE id = 4")
        raise AssertionError(lines)

    identifier, data = first(headers={"Accept": "text/event-stream"})
    assert '"op":"update","id":4' in data and "直播" in data
    wells.sql("DELETE FROM city.feed_wells WHERE id = 9")
    last = {"Accept": "text/event-stream", "Last-Event-ID": identifier.removeprefix("id: ")}
    assert '"op":"delete","id":9' in first(headers=last)[1]


@pytest.mark.parametrize("since", ["x", "bm9wZQ==", "W10="])
def test_what_is_no_position_is_refused(wells: Site, since: str) -> None:
    answer = wells.get(CHANGES, since=since)
    assert answer.status_code == 400 and "since" in answer.json()["description"]


def test_a_position_is_gone_when_the_log_was_cut_or_the_layer_made_anew(wells: Site) -> None:
    position = wells.get(CHANGES, since="now").json()["position"]
    wells.sql("UPDATE citymap.changes_cut SET tx = pg_current_xact_id()")
    gone = wells.get(CHANGES, since=position)
    wells.sql("UPDATE citymap.changes_cut SET tx = '0'")
    assert gone.status_code == 410 and gone.json()["code"] == "Gone"
    assert wells.get(CHANGES, since=position).status_code == 200
    wells.sql("UPDATE citymap.layers SET created = created + interval '1 second' WHERE id = 'feed-wells'")
    assert wells.get(CHANGES, since=position).status_code == 410


def test_a_position_that_this_server_never_gave_is_no_position_of_it(wells: Site) -> None:
    given = parse_position(wells.get(CHANGES, since="now").json()["position"])
    amid_no_page = wells.get(CHANGES, since=str(replace(given, place=Place(1, 1, 1))))
    assert amid_no_page.status_code == 400 and "since" in amid_no_page.json()["description"]
    later = int(given.seen.split(":")[1]) + 10**6
    of_later = wells.get(CHANGES, since=str(replace(given, seen=f"{later}:{later}:")))  # a backup was put back since
    assert of_later.status_code == 410, of_later.text


def test_what_is_tidied_away_sends_followers_back_to_the_beginning(wells: Site) -> None:
    position = wells.get(CHANGES, since="now").json()["position"]
    wells.sql("UPDATE city.feed_wells SET name = '旧' WHERE id = 1")
    wells.sql("SELECT citymap.tidy_feed()")
    assert [f["id"] for f in wells.get(CHANGES, since=position).json()["features"]] == [1]
    wells.sql("UPDATE citymap.changes SET at = at - interval '91 days' WHERE layer = 'feed-wells'")
    wells.sql("SELECT citymap.tidy_feed()")
    assert wells.get(CHANGES, since=position).status_code == 410
    wells.sql("UPDATE citymap.changes_cut SET tx = '0'")


def test_events_end_when_rights_change(wells: Site) -> None:
    """So that who comes again gets what it may see then; the test would run into its time otherwise."""
    with requests.get(
        f"{wells.url}{CHANGES}", params={"f": "events", "since": "now"}, stream=True, timeout=20
    ) as answer:
        lines = answer.iter_lines(chunk_size=1)
        assert any(line.startswith(b"event: ") for line in lines)
        wells.sql("UPDATE citymap.layers SET visibility = 'internal' WHERE id = 'feed-wells'")
        eventually(lambda: wells.get(CHANGES).status_code == 404)
        wells.sql("UPDATE city.feed_wells SET name = '内部' WHERE id = 4")
        assert "内部" not in b"".join(lines).decode()


def test_layers_without_a_log_say_what_to_follow(wells: Site) -> None:
    answer = wells.get("/collections/buildings-3d/changes")
    assert answer.status_code == 400 and "buildings" in answer.json()["description"]


def _copied(file: Path) -> dict[int, Any]:
    """What GDAL reads in the copy, as the server's answer would say it."""
    frame = pyogrio.read_dataframe(file, layer="feed-wells", fid_as_index=True)
    depths = [None if math.isnan(depth) else depth for depth in frame["depth"]]
    shapes = [mapping(shape) if isinstance(shape, BaseGeometry) else None for shape in frame.geometry]
    rows = zip(frame.index, shapes, frame["name"], depths, strict=True)
    return {int(i): (shape, {"name": name, "depth": depth}) for i, shape, name, depth in rows}


def _plain(found: dict[int, Any]) -> dict[int, Any]:
    return {i: (g and (g["type"], tuple(g["coordinates"])), dict(p)) for i, (g, p) in found.items()}


def test_a_copy_that_was_killed_goes_on_and_equals_its_source(wells: Site, tmp_path: Path) -> None:
    """The command is killed in the middle of its first copy; later runs bring random edits."""
    wells.sql(
        "INSERT INTO city.feed_wells (geom, name, depth) SELECT ST_SetSRID(ST_MakePoint(114.8 + i * 0.00001, 30.3), 4490),"
        " '井' || i, nullif(i % 7, 0) FROM generate_series(1, 20000) i"
    )
    file = tmp_path / "copy.gpkg"
    command = [sys.executable, "-m", "citymap.copying", wells.url, "feed-wells", str(file)]
    process = subprocess.Popen(command)
    for _ in range(2000):
        with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(sqlite3.connect(file)) as gpkg:
            if gpkg.execute('SELECT count(*) FROM "feed-wells"').fetchone()[0]:
                break
        threading.Event().wait(0.01)
    process.kill()
    process.wait(30)
    with contextlib.closing(sqlite3.connect(file)) as gpkg:
        assert gpkg.execute('SELECT count(*) FROM "feed-wells"').fetchone()[0] > 0
    wells.sql("DELETE FROM city.feed_wells WHERE id % 50 = 0")
    wells.sql("UPDATE city.feed_wells SET name = '改' || id, geom = ST_Translate(geom, 0.001, 0) WHERE id % 30 = 1")
    wells.sql("INSERT INTO city.feed_wells (geom, name) VALUES (NULL, '无形')")
    subprocess.run(command, check=True, timeout=120)
    subprocess.run([*command[:3], "http://127.0.0.1:9", *command[4:]], check=False, capture_output=True, timeout=60)
    with City(wells.url) as city:
        layer = city.collection("feed-wells")
        frame = {
            f["id"]: (f["geometry"], f["properties"]) for page in layer.changes(limit=10_000) for f in page.features
        }
        assert _plain(_copied(file)) == _plain(frame) and len(frame) > 19_000
        wells.sql("UPDATE citymap.changes_cut SET tx = pg_current_xact_id()")  # the server has forgotten
        wells.sql("DELETE FROM city.feed_wells WHERE id < 100")
        # Other tests' transactions are of the same cluster: until those from before are over, nobody has seen all up to there.
        eventually(
            lambda: wells.sql("SELECT FROM citymap.changes_cut WHERE tx < pg_snapshot_xmin(pg_current_snapshot())")
        )
        layer.keep_copy(file)
        wells.sql("UPDATE citymap.changes_cut SET tx = '0'")
    assert min(_copied(file)) >= 100 and pyogrio.read_info(file, layer="feed-wells")["crs"] == "EPSG:4326"
