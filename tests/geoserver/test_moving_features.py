"""Tracks as moving features, and the processes on them, at a running server: exact, by rights, and audited."""

import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest
import requests
import shapely
from argon2 import PasswordHasher
from sqlalchemy import text

from layers.database import Database
from tests.conftest import drop_database, make_database, serve
from tests.layers.network.drawn import lonlat
from tests.tracking.analysis.real import GPX, TRACKS, RealTrack, gpx_track, real_tracks_of
from tracking.model import Device, Fix, Stored
from tracking.storing import cursor_of, make_days, store
from tracking.storing import day_of as day
from tracking.stretches import draw
from tracking.tracks import read_device

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import movingpandas

pytestmark = [
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::movingpandas.trajectory.TimeZoneWarning"),
]
PASSWORD = "correct horse battery 9!"
#: 2026-11-20 10:00 in GMT+8; an hour begins.
BEGIN = 1_795_140_000.0
FLEET, WATER = ("mf-fleet", PASSWORD), ("mf-water", PASSWORD)
DAY = {"begin": "2026-11-20T00:00:00+08:00", "end": "2026-11-21T00:00:00+08:00"}


@dataclass(frozen=True)
class Site:
    """The server, and devices by code."""

    url: str
    database: Database
    devices: dict[str, Device]

    def get(self, path: str, account: tuple[str, str] | None = FLEET, **params: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", params=params, auth=account, timeout=30)

    def sequence(self, code: str, **params: Any) -> dict[str, Any]:
        answer = self.get(f"/collections/devices/items/{self.devices[code].id}/tgsequence", **params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def execute(self, process: str, account: tuple[str, str] | None = FLEET, **inputs: Any) -> Any:
        answer = requests.post(
            f"{self.url}/processes/{process}/execution", json={"inputs": inputs}, auth=account, timeout=60
        )
        return answer.json() if answer.status_code == 200 else answer


def fixes(begin: float, places: list[tuple[float, float]], every: float = 10.0) -> list[Fix]:
    return [Fix(begin + n * every, x, y, 36.0 + n, 90, 20, 0, 3, 100 + n / 10) for n, (x, y) in enumerate(places)]


def along(*spots: tuple[float, float], count: int = 20) -> list[tuple[float, float]]:
    line = shapely.LineString([lonlat(*spot) for spot in spots])
    points = shapely.line_interpolate_point(line, np.linspace(0, 1, count), normalized=True)
    return [(round(p.x, 6), round(p.y, 6)) for p in points]


@pytest.fixture(scope="module")
def tracks(postgres_url: str, template_name: str) -> Iterator[Database]:
    """A migrated database with nobody else's devices."""
    name = f"citymap_moving_{os.getpid()}"
    database = Database(make_database(postgres_url, name, template_name), pool_size=2)
    yield database
    database.close()
    drop_database(postgres_url, name)


@pytest.fixture(scope="module")
def site(tracks: Database) -> Iterator[Site]:
    codes = {"mf-car": ("roads", False), "mf-worker": ("roads", True), "mf-pump": ("water", False)}
    with tracks.transaction() as conn:
        for code, (department, person) in codes.items():
            values = {"c": code, "d": department, "p": person}
            conn.execute(
                text("INSERT INTO city.devices (code, name, department, person) VALUES (:c, :c, :d, :p)"), values
            )
        devices = {code: read_device(conn, code) for code in codes}
        out = fixes(BEGIN, along((0, 0), (10, 0), (10, 8), count=60))
        stand = fixes(BEGIN + 900, [out[-1][1:3]] * 60)
        late = fixes(BEGIN + 4000, along((10, 8), (10, 0), count=30))
        rows = {"mf-car": out + stand + late, "mf-worker": out[:20], "mf-pump": out[:20]}
        with cursor_of(conn) as cursor:
            make_days(cursor, {day(BEGIN)})
            for code, own in rows.items():
                store(cursor, [Stored(devices[code], fix) for fix in own], BEGIN + 5000)
            draw(cursor, [devices["mf-car"].id], BEGIN)
        for ends in (((0, 0), (10, 0)), ((10, 0), (20, 0)), ((10, 0), (10, 10))):
            line = shapely.LineString([lonlat(*spot) for spot in ends]).wkb_hex
            sql = "INSERT INTO city.roads (geom, name, class) VALUES (ST_SetSRID(:g ::geometry, 4490), :n, 'secondary')"
            conn.execute(text(sql), {"g": line, "n": f"路{ends[1]}"})
        _accounts(conn)
    with serve(tracks.url) as url:
        yield Site(url, tracks, devices)


def _accounts(conn: Any) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    for name, department in (("mf-fleet", "roads"), ("mf-water", "water")):
        conn.execute(
            text("INSERT INTO access.departments (id, zh, en) VALUES (:d, :d, :d) ON CONFLICT DO NOTHING"),
            {"d": department},
        )
        conn.execute(text("INSERT INTO access.accounts (name, hash) VALUES (:n, :h)"), {"n": name, "h": cheap})
        conn.execute(
            text("INSERT INTO access.memberships (account, role, department) VALUES (:n, 'fleet-dispatcher', :d)"),
            {"n": name, "d": department},
        )


def stored(site: Site, device: int) -> list[tuple[str, float, float]]:
    sql = """SELECT to_char(time AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), ST_X(geom), ST_Y(geom)
             FROM tracking.positions WHERE device = :d AND doubt = 0 ORDER BY time"""
    with site.database.transaction() as conn:
        return [(at.removesuffix(".000000") + "Z", x, y) for at, x, y in conn.execute(text(sql), {"d": device})]


def read_back(document: dict[str, Any]) -> list[tuple[str, float, float]]:
    return [
        (at, x, y)
        for part in document["geometrySequence"]
        for at, (x, y) in zip(part["datetimes"], part["coordinates"], strict=True)
    ]


def test_a_device_reads_back_as_it_is_stored(site: Site) -> None:
    document = site.sequence("mf-car")
    assert read_back(document) == stored(site, site.devices["mf-car"].id)
    parts = document["geometrySequence"]
    assert [part["id"] for part in parts] == ["20261120T02Z", "20261120T02Z-2", "20261120T03Z"]
    assert document["numberReturned"] == 3
    for part in parts:
        moved = movingpandas.read_mf_dict({"type": "Feature", "temporalGeometry": part, "properties": {}})
        assert len(moved.df) == len(part["datetimes"])
        assert moved.df.index[0] == pd.Timestamp(part["datetimes"][0]).tz_localize(None)


def test_pages_and_time_choose_hours_and_cut_them(site: Site) -> None:
    first = site.sequence("mf-car", limit=1)
    assert len(first["geometrySequence"]) == 2
    [onward] = [link["href"] for link in first["links"] if link["rel"] == "next"]
    second = requests.get(onward, auth=FLEET, timeout=30).json()
    assert read_back(first) + read_back(second) == read_back(site.sequence("mf-car"))
    assert not [link for link in second["links"] if link["rel"] == "next"]
    time_ = "2026-11-20T02:01:03Z/2026-11-20T02:02:00Z"
    [whole] = site.sequence("mf-car", datetime=time_)["geometrySequence"]
    assert len(whole["datetimes"]) == 60
    [cut] = site.sequence("mf-car", datetime=time_, subTrajectory="true")["geometrySequence"]
    assert (cut["datetimes"][0], cut["datetimes"][-1], len(cut["datetimes"])) == (
        "2026-11-20T02:01:03Z", "2026-11-20T02:02:00Z", 7,
    )  # fmt: skip
    x, y = np.array(whole["coordinates"])[[6, 7]].T
    assert cut["coordinates"][0] == pytest.approx([x[0] + 0.3 * (x[1] - x[0]), y[0] + 0.3 * (y[1] - y[0])], abs=1e-9)
    [leaf] = site.sequence("mf-car", leaf="2026-11-20T02:00:05Z,2026-11-20T02:01:00Z")["geometrySequence"]
    assert leaf["coordinates"][1] == whole["coordinates"][6]
    assert site.sequence("mf-car", bbox="0,0,1,1")["geometrySequence"] == []
    assert len(site.sequence("mf-car", bbox="114.8999,30.3999,114.9001,30.4001")["geometrySequence"]) == 1
    everything = site.sequence("mf-car", datetime="0001-01-01T00:00:00+08:00/9999-12-31T23:59:59-08:00")
    assert len(everything["geometrySequence"]) == 3
    assert site.sequence("mf-car", datetime="2020-01-01T00:00:00Z/2020-01-02T00:00:00Z")["geometrySequence"] == []


def test_distance_velocity_and_properties_are_those_of_the_fixes(site: Site) -> None:
    item = f"/collections/devices/items/{site.devices['mf-car'].id}"
    part = site.sequence("mf-car")["geometrySequence"][0]
    moved = movingpandas.read_mf_dict({"type": "Feature", "temporalGeometry": part, "properties": {}})
    way = site.get(f"{item}/tgsequence/{part['id']}/distance").json()
    assert (way["form"], way["valueSequence"][0]["values"][-1]) == ("MTR", pytest.approx(moved.get_length(), abs=1e-3))
    moved.add_speed()
    velocity = site.get(f"{item}/tgsequence/{part['id']}/velocity").json()["valueSequence"][0]
    assert velocity["values"][:-1] == pytest.approx(moved.df["speed"].tolist()[1:], rel=1e-6)
    change = site.get(f"{item}/tgsequence/{part['id']}/acceleration").json()["valueSequence"][0]["values"]
    assert change[0] == pytest.approx((velocity["values"][1] - velocity["values"][0]) / 10, abs=1e-6)
    names = [one["name"] for one in site.get(f"{item}/tproperties").json()["temporalProperties"]]
    assert names == ["speed", "heading", "mileage"]
    speed = site.get(f"{item}/tproperties/speed", datetime="2026-11-20T03:00:00Z/..").json()
    assert (speed["form"], speed["valueSequence"][0]["values"]) == ("KMH", [36.0 + n for n in range(30)])
    with site.database.transaction() as conn:
        found = conn.execute(text("SELECT id, key FROM city.trajectories WHERE device = 'mf-car'")).one()
    [stretch] = site.get(f"/collections/trajectories/items/{found.id}/tgsequence").json()["geometrySequence"]
    assert (stretch["id"], len(stretch["datetimes"])) == ("20261120T02Z", 60)


@pytest.mark.parametrize(("path", "params", "says"), [
    ("tgsequence", {"leaf": "2026-11-20T02:00:05Z,2026-11-20T02:00:01Z"}, "'leaf': its instants must rise"),
    ("tgsequence", {"leaf": "x"}, "'leaf'"), ("tgsequence", {"subTrajectory": "true"}, "'subTrajectory': needs a datetime"),
    ("tgsequence", {"subTrajectory": "true", "datetime": "2026-11-20T02:00:00Z/.."}, "'subTrajectory': needs a datetime"),
    ("tgsequence", {"limit": "0"}, "'limit'"), ("tgsequence", {"crs": "x"}, "'crs'"), ("tproperties", {"datetime": "1/2/3"}, "'datetime'"),
    ("tgsequence/99991231T23Z/velocity", {}, "no temporal geometry"), ("tgsequence/00010101T00Z/velocity", {}, "no temporal geometry"),
    ("tgsequence/20261120T09Z/velocity", {}, "no temporal geometry"), ("tgsequence/x/velocity", {}, "no temporal geometry 'x'"),
    ("tgsequence/20261120T02Z/colour", {}, "no 'colour'"), ("tproperties/colour", {}, "no temporal property"),
])  # fmt: skip
def test_what_is_wrong_is_named(site: Site, path: str, params: dict[str, str], says: str) -> None:
    answer = site.get(f"/collections/devices/items/{site.devices['mf-car'].id}/{path}", **params)
    assert answer.status_code in (400, 404)
    assert says in answer.json()["description"]


def test_tracks_are_seen_by_department_and_by_nobody_without_rights(site: Site) -> None:
    for code, account, status in (
        ("mf-car", FLEET, 200), ("mf-car", WATER, 404), ("mf-pump", WATER, 200), ("mf-pump", FLEET, 404), ("mf-car", None, 404),
    ):  # fmt: skip
        answer = site.get(f"/collections/devices/items/{site.devices[code].id}/tgsequence", account)
        assert answer.status_code == status, (code, account, answer.text)
        answer = site.execute("stops", account, devices=[code], **DAY)
        assert (200 if isinstance(answer, list) else answer.status_code) == status
    assert site.get("/collections/roads/items/1/tgsequence").status_code == 404


def looks(site: Site) -> int:
    sql = "SELECT count(*) FROM audit.entries WHERE action = 'read' AND kind = 'track' AND actor = 'mf-fleet'"
    with site.database.transaction() as conn:
        return int(conn.execute(text(sql)).scalar_one())


def test_every_look_at_a_persons_track_is_audited(site: Site) -> None:
    before = looks(site)
    assert len(read_back(site.sequence("mf-worker"))) == 20
    assert looks(site) == before + 1
    item = f"/collections/devices/items/{site.devices['mf-worker'].id}"
    site.get(f"{item}/tgsequence/20261120T02Z/velocity")
    site.get(f"{item}/tproperties/speed")
    assert looks(site) == before + 3
    for process in ("stops", "trips", "mileage", "replay", "road-speeds", "heatmap"):
        assert not isinstance(site.execute(process, devices=["mf-worker"], **DAY), requests.Response), process
    assert looks(site) == before + 9
    everybody = site.execute("heatmap", **DAY)  # of vehicles only
    assert sum(cell["properties"]["fixes"] for cell in everybody["features"]) == 150
    assert looks(site) == before + 9


@pytest.mark.parametrize(("process", "inputs", "says"), [
    ("stops", {"devices": ["mf-car"], "begin": DAY["end"], "end": DAY["begin"]}, "input 'end'"),
    ("stops", {"devices": ["mf-car"], "begin": "0001-01-01T00:00:00+08:00", "end": DAY["end"]}, "beyond the calendar"),
    ("mileage", {"devices": ["mf-car"], "begin": "2026-01-01T00:00:00Z", "end": DAY["end"]}, "more than 31 days"),
    ("replay", {"devices": ["mf-car"], "step": 0.1, **DAY}, "input 'step'"),
    ("heatmap", {"resolution": 13, **DAY}, "input 'resolution'"), ("match-route", {"device": "nobody", **DAY}, "no device 'nobody'"),
    ("patrol-coverage", {"devices": ["mf-car"], "of": {"layer": "pois"}, **DAY}, "input 'of'"),
    ("deviation", {"device": "mf-car", "route": {"layer": "buildings"}, **DAY}, "input 'route'"),
])  # fmt: skip
def test_what_is_wrong_with_a_question_is_named(site: Site, process: str, inputs: dict[str, Any], says: str) -> None:
    answer = site.execute(process, **inputs)
    assert answer.status_code in (400, 404)
    assert says in answer.json()["description"]


def test_processes_tell_what_the_car_did(site: Site) -> None:
    stops = site.execute("stops", devices=["mf-car"], seconds=300, **DAY)
    assert [(s["begin"], s["seconds"], s["fixes"]) for s in stops] == [("2026-11-20T02:09:50Z", 900.0, 61)]
    trips = site.execute("trips", devices=["mf-car"], seconds=300, gap=1800, lines=True, **DAY)
    assert [len(t["geometry"]["coordinates"]) > 20 for t in trips] == [True, True]
    [mileage] = site.execute("mileage", devices=["mf-car"], **DAY)
    assert (mileage["day"], mileage["fixes"]) == ("2026-11-20", 150)
    assert sum(t["length"] for t in trips) == pytest.approx(mileage["length"], abs=200)
    matched = site.execute("match-route", device="mf-car", fixes=True, gap=3600, **DAY)
    assert matched["matched"] == 1.0
    assert [road["name"]["zh"] for road in matched["roads"]] == ["路(10, 0)", "路(10, 10)", "路(10, 10)"]
    assert matched["length"] == pytest.approx(mileage["length"], rel=0.02)
    speeds = site.execute("road-speeds", devices=["mf-car"], **DAY)
    assert {f["properties"]["name"] for f in speeds["features"]} == {"路(10, 0)", "路(10, 10)"}
    replay = site.execute(
        "replay", devices=["mf-car"], begin="2026-11-20T10:00:00+08:00", end="2026-11-20T10:01:00+08:00", step=2.5
    )
    assert len(replay["times"]) == len(replay["devices"][0]["lon"]) == 24
    assert replay["devices"][0]["lon"][0] == 114.9


def test_coverage_and_deviation_tell_what_was_missed(site: Site) -> None:
    roads = {"layer": "roads", "filter": "class = 'secondary'"}
    covered = site.execute("patrol-coverage", devices=["mf-car"], of=roads, width=20, **DAY)
    driven = covered["whole"] - sum(f["properties"]["length"] for f in covered["missed"]["features"])
    assert covered["of"] == "lines"
    assert covered["swept"] == pytest.approx(driven, abs=1)
    assert covered["missed"]["features"][0]["properties"]["name"] == "路(20, 0)"
    assert covered["swept_km"] == pytest.approx(covered["swept"] / 1000, abs=1e-4)
    ring = [lonlat(*spot) for spot in ((-1, -1), (11, -1), (11, 1), (-1, 1), (-1, -1))]
    cell = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [ring]}}],
    }
    ground = site.execute("patrol-coverage", devices=["mf-car"], of=cell, width=20, **DAY)
    assert ground["of"] == "areas"
    assert ground["percent"] == pytest.approx(100 * ground["swept"] / ground["whole"], abs=0.01)
    plan = {"type": "LineString", "coordinates": [lonlat(0, 0), lonlat(20, 0)]}
    route = {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": plan}]}
    left = site.execute("deviation", device="mf-car", route=route, width=50, **DAY)
    assert len(left["departures"]) == 1
    assert left["departures"][0]["farthest"] == pytest.approx(887, abs=5)
    assert left["percent"] == pytest.approx(50, abs=4)


def post(site: Site, path: str, document: Any, account: tuple[str, str] | None = FLEET) -> requests.Response:
    return requests.post(f"{site.url}{path}", json=document, auth=account, timeout=30)


def new_device(site: Site, code: str, **values: Any) -> str:
    """Its items' path."""
    row = {"name": code, "department": "roads", "person": False, "duty": None, **values, "code": code}
    with site.database.transaction() as conn:
        conn.execute(
            text(f"INSERT INTO city.devices ({', '.join(row)}) VALUES ({', '.join(f':{n}' for n in row)})"), row
        )
        site.devices[code] = read_device(conn, code)
    return f"/collections/devices/items/{site.devices[code].id}"


def test_a_track_that_was_read_is_written_to_another_device_and_read_back_the_same(site: Site) -> None:
    read = site.sequence("mf-car")["geometrySequence"]
    item = new_device(site, "mf-copy")
    whole = {"type": "MovingGeometryCollection", "prisms": read[1:]}  # by one POST, the first by another
    for document, count in ((read[0], 60), (whole, 90), (read[0], 60)):
        made = post(site, f"{item}/tgsequence", document)
        assert made.status_code == 201, made.text
        again = document is read[0] and count == 60 and len(site.sequence("mf-copy")["geometrySequence"]) == 3
        assert made.json() == {
            "received": count,
            "stored": 0 if again else count,
            "present": count if again else 0,
            "left_out": 0,
        }
        first = requests.get(made.headers["Location"], auth=FLEET, timeout=30).json()
        part = document if "datetimes" in document else document["prisms"][0]
        assert (first["datetimes"][-1], first["coordinates"]) == (part["datetimes"][-1], part["coordinates"])
    assert site.sequence("mf-copy")["geometrySequence"] == read
    feature = {"type": "Feature", "temporalGeometry": {**read[0], "datetimes": ["2026-11-20T05:00:00.25Z", 1795151401500], "coordinates": [[114.9, 30.4, 25.0], [114.91, 30.4, 26.0]]},
               "temporalProperties": [{"datetimes": ["2026-11-20T05:00:00.25Z"], "speed": {"form": "KMH", "values": [12.5]}, "mileage": {"values": [7.5]}}]}  # fmt: skip
    assert post(site, f"{item}/tgsequence", feature).status_code == 201
    speed = site.get(f"{item}/tproperties/speed", datetime="2026-11-20T05:00:00Z/..").json()["valueSequence"]
    assert speed == [{"datetimes": ["2026-11-20T05:00:00.250000Z"], "values": [12.5], "interpolation": "Discrete"}]
    with site.database.transaction() as conn:
        told = "SELECT detail ->> 'stored' FROM audit.entries WHERE action = 'create' AND kind = 'track' AND object = 'mf-copy' ORDER BY id"
        assert conn.execute(text(told)).scalars().all() == ["60", "90", "0", "2"]


def test_a_moving_feature_makes_a_device_with_its_track_or_nothing(site: Site) -> None:
    feature = {"type": "Feature", "properties": {"code": "mf-new", "name": "新车", "department": "roads"},
               "temporalGeometry": {"type": "MovingPoint", "datetimes": ["2026-11-20T06:00:00Z", "2026-11-20T06:00:10Z"],
                                    "coordinates": [[114.9, 30.4], [114.901, 30.4]]}}  # fmt: skip
    late = {**feature, "temporalGeometry": {**feature["temporalGeometry"], "coordinates": [[114.9, 30.4]]}}  # type: ignore[dict-item]
    count = "SELECT count(*) FROM city.devices WHERE code = 'mf-new'"
    for document, account, status in (
        (late, FLEET, 400),
        (feature, None, 404),
        (feature, WATER, 403),
        (feature, FLEET, 201),
    ):
        made = post(site, "/collections/devices/items", document, account)
        assert made.status_code == status, made.text
        with site.database.transaction() as conn:
            assert conn.execute(text(count)).scalar() == (status == 201)
    track = requests.get(f"{made.headers['Location']}/tgsequence", auth=FLEET, timeout=30).json()
    assert [(part["datetimes"], part["coordinates"]) for part in track["geometrySequence"]] == [
        (feature["temporalGeometry"]["datetimes"], feature["temporalGeometry"]["coordinates"])
    ]  # type: ignore[index]


POINT = {"type": "MovingPoint", "datetimes": ["2026-11-20T07:00:00Z"], "coordinates": [[114.9, 30.4]]}


@pytest.mark.parametrize(("document", "says"), [
    (7, "no object"), ({**POINT, "type": "MovingPolygon"}, "no MovingPoint"), ({**POINT, "datetimes": []}, "lists of one length"),
    ({**POINT, "datetimes": ["x"]}, "datetimes[0]"), ({**POINT, "coordinates": [[114.9]]}, "coordinates[0]"), ({**POINT, "coordinates": [[190, 30]]}, "no place"),
    ({**POINT, "coordinates": [[0, 0]]}, "no place"), ({**POINT, "coordinates": [[True, 30]]}, "coordinates[0]"), ({**POINT, "interpolation": "Step"}, "interpolation"),
    ({**POINT, "datetimes": POINT["datetimes"] * 2, "coordinates": POINT["coordinates"] * 2}, "instants must rise"),
    ({**POINT, "crs": {"type": "Name", "properties": {"name": "EPSG:4490"}}}, "crs"), ({"type": "MovingGeometryCollection", "prisms": [7]}, "prisms"),
    ({"type": "Feature", "temporalGeometry": POINT, "temporalProperties": [{"datetimes": [0], "speed": {"values": [1]}}]}, "1990"),
    ({"type": "Feature", "temporalGeometry": POINT, "temporalProperties": [{"datetimes": ["2026-11-20T08:00:00Z"], "speed": {"values": [1]}}]}, "there is no place"),
    ({"type": "Feature", "temporalGeometry": POINT, "temporalProperties": [{"datetimes": POINT["datetimes"], "fuel": {"values": [1]}}]}, "fuel"),
    ({"type": "Feature", "temporalGeometry": POINT, "temporalProperties": [{"datetimes": POINT["datetimes"], "speed": {"values": [1], "form": "KNT"}}]}, "KMH"),
])  # fmt: skip
def test_what_is_wrong_with_a_moving_point_is_named_and_nothing_is_stored(site: Site, document: Any, says: str) -> None:
    item = f"/collections/devices/items/{site.devices['mf-car'].id}"
    before = len(stored(site, site.devices["mf-car"].id))
    answer = post(site, f"{item}/tgsequence", document)
    assert (answer.status_code, says in answer.json()["description"]) == (400, True), answer.text
    assert len(stored(site, site.devices["mf-car"].id)) == before


def test_only_whoever_may_change_a_device_adds_to_its_track_and_a_persons_free_time_is_not_kept(site: Site) -> None:
    worker = new_device(site, "mf-free", person=True, duty="Fri 10:00-15:00")  # in GMT+8
    for item, account, status in (
        (worker, FLEET, 201),
        (worker, WATER, 404),
        (worker, None, 404),
        (f"/collections/devices/items/{site.devices['mf-pump'].id}", FLEET, 404),
    ):
        document = {
            **POINT,
            "datetimes": ["2026-11-20T06:59:50Z", "2026-11-20T07:00:10Z"],
            "coordinates": [[114.9, 30.4]] * 2,
        }
        made = post(site, f"{item}/tgsequence", document, account)
        assert made.status_code == status, made.text
        assert status != 201 or made.json() == {"received": 2, "stored": 1, "present": 0, "left_out": 1}
    off = post(site, f"{worker}/tgsequence", {**POINT, "datetimes": ["2026-11-20T08:00:00Z"]})
    assert off.status_code == 400 and "off duty" in off.json()["description"]
    with site.database.transaction() as conn:
        stretch = conn.execute(text("SELECT id FROM city.trajectories WHERE device = 'mf-car'")).scalar_one()
    assert post(site, f"/collections/trajectories/items/{stretch}/tgsequence", POINT).status_code == 409


def bring(site: Site, path: Path, tracks: Sequence[RealTrack], **how: Any) -> dict[str, Any]:
    """Upload the file, and import what it has of these tracks, each into a device of its name."""
    with site.database.transaction() as conn:
        for track in tracks:
            sql = "INSERT INTO city.devices (code, name, department) VALUES (:c, :c, 'roads')"
            conn.execute(text(sql), {"c": track.name})
            site.devices[track.name] = read_device(conn, track.name)
    with path.open("rb") as file:
        sent = requests.post(f"{site.url}/uploads", files={"file": (path.name, file)}, auth=FLEET, timeout=30)
    assert sent.status_code == 201, sent.text
    told = site.execute("import-track", file=sent.json()["id"], **how)
    assert isinstance(told, dict), told.text
    return told


@pytest.mark.skipif(not (TRACKS.exists() and GPX.exists()), reason="../shared/data is absent")
def test_real_files_go_from_import_to_moving_features_and_back(site: Site) -> None:
    walks = ("korita-zbevnica.gpx", "cerknicko-jezero-with-elevations-zero.gpx")
    cars, buses = real_tracks_of("gotrack_trackspoints.csv")[:3], real_tracks_of("liverpool_bus_route14.csv")[:1]
    tracks = [*cars, *buses, *map(gpx_track, walks)]
    bring(site, TRACKS / "gotrack_trackspoints.csv", cars, device_column="track_id", utc_offset=0)
    bring(site, TRACKS / "liverpool_bus_route14.csv", buses, device_column="vehicle_id", utc_offset=0)
    for name, walk in zip(walks, tracks[-2:], strict=True):
        assert bring(site, GPX / name, [walk], device=walk.name)["stored"] >= len(walk.time)
    told = 0
    for track in tracks:
        code = track.name
        found, at = [], f"/collections/devices/items/{site.devices[code].id}/tgsequence"
        document = site.get(at).json()
        while True:
            found += read_back(document)
            onward = [link["href"] for link in document["links"] if link["rel"] == "next"]
            if not onward:
                break
            document = requests.get(onward[0], auth=FLEET, timeout=30).json()
        given = [(datetime.fromisoformat(when).timestamp(), x, y) for when, x, y in found]
        assert [t for t, _, _ in given] == track.time.tolist()
        assert {*given} <= track.rows  # of several rows of one instant one is taken
        begin = datetime.fromisoformat(found[0][0])
        span = {"begin": found[0][0], "end": str(begin + timedelta(days=30))}
        month = [row for row in given if row[0] < begin.timestamp() + 30 * 86_400]
        places = [shapely.Point(x, y) for _, x, y in month]
        index = pd.to_datetime([t for t, _, _ in month], unit="s")
        frame = pd.DataFrame({"id": 1, "geometry": places}, index=index)
        moved = movingpandas.Trajectory(geopandas.GeoDataFrame(frame, geometry="geometry", crs=4326), 1)
        days = site.execute("mileage", devices=[code], **span)
        assert sum(one["length"] for one in days) == pytest.approx(moved.get_length(), abs=0.01)
        stops = site.execute("stops", devices=[code], seconds=60, gap=600, **span)
        trips = site.execute("trips", devices=[code], seconds=60, gap=600, lines=True, **span)
        assert all(one["begin"] < one["end"] for one in stops + trips)
        told += len(stops) + len(trips)
    assert told > 10
