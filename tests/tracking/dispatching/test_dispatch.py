"""From the nearest unit to its arrival: by road, by rights, through the gateway."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, text

from geoserver.errors import describe
from layers.access import Grant
from layers.database import Database
from layers.features import RowDenied
from layers.network.errors import FarFromRoads
from layers.network.processes import route
from tests.tracking.conftest import add_device
from tests.tracking.gateways import running
from tests.tracking.terminal import Terminal
from tests.tracking.test_storing import act_as
from tracking.commands import read_commands
from tracking.dispatching.following import follow
from tracking.dispatching.model import DispatchRefused, WrongInputs
from tracking.dispatching.processes import advance_task, dispatch_unit, nearest_units
from tracking.model import Fix, Stored
from tracking.storing import cursor_of, store
from tracking.tracks import read_device

#: A road to the east, and a one-way ring of 4 km that leads back to its beginning. Half a degree from other tests' roads.
WEST, EAST = (112.90, 29.40), (112.92, 29.40)
PLACE = (112.901, 29.40)
OPERATOR = (
    Grant("devices", frozenset({"read", "update"}), "internal", departments=("roads",)),
    Grant("unit-tasks", frozenset({"read", "create", "update"}), "internal", departments=("roads",)),
    Grant("positions", frozenset({"read"}), "internal", departments=("roads",)),
    Grant("*", frozenset({"read"}), "public"),
)


def add_roads(conn: Connection) -> None:
    lines = (
        (1, "LINESTRING(112.90 29.40, 112.92 29.40)"),  # only to the east
        (1, "LINESTRING(112.92 29.40, 112.92 29.41, 112.90 29.41, 112.90 29.40)"),
    )
    for oneway, line in lines:
        conn.execute(
            text("INSERT INTO city.roads (geom, class, oneway) VALUES (ST_GeomFromText(:line, 4490), 'secondary', :o)"),
            {"line": line, "o": oneway},
        )


def put(conn: Connection, code: str, lon: float, lat: float = 29.40, age: float = 5.0, **fields: Any) -> None:
    """A device whose last position is there."""
    state = fields.pop("state", "moving")
    add_device(conn, code, **fields)
    conn.execute(
        text("INSERT INTO city.positions (geom, device, name, department, state, time, heard) SELECT"
             " ST_SetSRID(ST_MakePoint(:lon, :lat), 4490), code, name, department, :state, to_timestamp(:at),"
             " to_timestamp(:at) FROM city.devices WHERE code = :code"),
        {"lon": lon, "lat": lat, "state": state, "at": time.time() - age, "code": code},
    )  # fmt: skip


@pytest.fixture
def street(conn: Connection) -> Connection:
    add_roads(conn)
    return conn


def test_the_soonest_by_road_is_not_the_nearest_by_air(street: Connection) -> None:
    put(street, "behind", 112.9005)  # 50 m before the place, and in the right direction
    put(street, "past", 112.9012)  # 20 m past it: it must drive round the ring
    put(street, "far", 112.9195)
    found = nearest_units(street, point=PLACE, count=5)
    assert [unit.device for unit in found.units] == ["behind", "far", "past"]
    first, _, last = found.units
    assert first.seconds == pytest.approx(first.length / (40 / 3.6), abs=0.2)  # a secondary road: 40 km/h
    assert 5000 < last.length < 8000
    assert last.route.coordinates[0] == pytest.approx((112.9012, 29.40), abs=1e-6)
    assert last.route.coordinates[-1] == pytest.approx(PLACE, abs=1e-6)
    assert (first.eta - datetime.now(UTC)).total_seconds() == pytest.approx(first.seconds, abs=5)
    (only,) = nearest_units(street, point=PLACE, count=5, within=60).units
    assert only.device == "behind"


def test_who_is_silent_off_duty_unskilled_or_busy_is_left_out_and_told(street: Connection) -> None:
    put(street, "good", 112.903, skills=["吊装"], capacity=1)
    put(street, "silent", 112.9, age=1000)
    put(street, "gone", 112.9, state="offline")
    put(street, "asleep", 112.9, duty="Mon 00:00-00:01", skills=["吊装"])
    put(street, "plain", 112.9)
    put(street, "afloat", 113.5, 28.0, skills=["吊装"])
    put(street, "unused", 112.9, enabled=False)
    found = nearest_units(street, point=PLACE, skills=("吊装",))
    assert [unit.device for unit in found.units] == ["good"]
    assert found.left_out == {"stale": 2, "off-duty": 1, "skill": 1, "off-road": 1}
    dispatch_unit(street, "good", point=PLACE, text="吊装")
    assert nearest_units(street, point=PLACE, skills=("吊装",)).left_out["busy"] == 1
    with pytest.raises(DispatchRefused, match="open tasks"):
        dispatch_unit(street, "good", point=PLACE, text="吊装")
    assert dispatch_unit(street, "good", point=PLACE, text="吊装", overload=True).task


def test_a_task_is_recorded_with_its_way_and_sent_to_the_terminal(street: Connection) -> None:
    put(street, "13900000001", 112.9005)
    sent = dispatch_unit(street, "13900000001", point=PLACE, text="清理落石", urgent=True)
    (command,) = read_commands(street, read_device(street, "13900000001"))
    assert command.id == sent.command
    assert command.words == {"text": f"【任务{sent.task}】清理落石 位置112.90100,29.40000", "emergency": True}
    row = street.execute(
        text("SELECT *, ST_X(ST_EndPoint(geom)) AS x FROM city.unit_tasks WHERE code = :c"), {"c": sent.task}
    ).one()
    assert (row.state, row.title, row.department, row.x, row.within) == ("assigned", "清理落石", "roads", 112.901, 100)
    assert row.eta == sent.eta and row.seconds == pytest.approx((sent.eta - sent.assigned).total_seconds(), abs=0.01)
    assert advance_task(street, sent.task, "cancelled", "已有人处理").state == "cancelled"
    assert "已撤销" in read_commands(street, read_device(street, "13900000001"))[0].words["text"]
    with pytest.raises(DispatchRefused, match="cancelled"):
        advance_task(street, sent.task, "done")


def test_a_case_says_where_and_what(street: Connection) -> None:
    put(street, "13900000001", 112.9005)
    street.execute(text("INSERT INTO city.cases (geom, class, description) VALUES (ST_SetSRID(ST_MakePoint(112.901, 29.4),"
                        " 4490), '0102', '垃圾')"))  # fmt: skip
    code = street.execute(text("SELECT code FROM city.cases ORDER BY id DESC LIMIT 1")).scalar_one()
    assert nearest_units(street, case=code).units[0].device == "13900000001"
    sent = dispatch_unit(street, "13900000001", case=code)
    assert (
        street.execute(text("SELECT case_id FROM city.unit_tasks WHERE code = :c"), {"c": sent.task}).scalar() == code
    )


def test_what_is_missing_or_too_much_is_named(street: Connection) -> None:
    put(street, "13900000001", 112.9005)
    add_device(street, "new")
    for inputs, error in (
        ({}, WrongInputs),
        ({"point": PLACE, "case": "x"}, WrongInputs),
        ({"point": PLACE}, WrongInputs),
        ({"point": (100.0, 40.0), "text": "x"}, FarFromRoads),
    ):
        with pytest.raises(error):
            dispatch_unit(street, "13900000001", **inputs)
    with pytest.raises(DispatchRefused, match="not told where it is"):
        dispatch_unit(street, "new", point=PLACE, text="x")


def test_a_dispatcher_sends_the_units_of_the_own_department_only(street: Connection) -> None:
    put(street, "ours", 112.9005)
    put(street, "theirs", 112.9005, department="water")
    act_as(street, *OPERATOR)
    assert [unit.device for unit in nearest_units(street, point=PLACE).units] == ["ours"]
    with pytest.raises(LookupError):
        dispatch_unit(street, "theirs", point=PLACE, text="x")
    sent = dispatch_unit(street, "ours", point=PLACE, text="x")
    act_as_reader(street)
    with pytest.raises(RowDenied) as refused:
        dispatch_unit(street, "ours", point=PLACE, text="x", overload=True)
    assert describe(refused.value)[0] == 403
    with pytest.raises(RowDenied):
        advance_task(street, sent.task, "done")


def act_as_reader(conn: Connection) -> None:
    conn.execute(text("RESET ROLE"))
    act_as(conn, Grant("*", frozenset({"read"}), "internal"))


def look(conn: Connection) -> dict[str, Any]:
    with cursor_of(conn) as cursor:
        follow(cursor, time.time())
    return dict(conn.execute(text("SELECT * FROM city.unit_tasks ORDER BY id DESC LIMIT 1")).mappings().one())


def test_stored_positions_bring_a_task_under_way_and_to_its_end_in_any_order(street: Connection) -> None:
    put(street, "13900000001", 112.9005)
    device = read_device(street, "13900000001")
    street.execute(text("UPDATE city.unit_tasks SET ended = now()"))
    sent = dispatch_unit(street, "13900000001", point=(112.91, 29.40), text="x")
    begin = sent.assigned.timestamp() // 1 + 1

    def report(*steps: tuple[float, float]) -> None:
        with cursor_of(street) as cursor:
            store(cursor, [Stored(device, Fix(begin + at, lon, 29.40, 30.0)) for at, lon in steps], time.time())

    report((0, 112.9005), (-100, 112.91))  # it was there before it was sent
    assert look(street)["state"] == "assigned"
    report((10, 112.9007), (30, 112.9030))
    came = look(street)
    assert (came["state"], came["under_way"].timestamp(), came["arrived"]) == ("under-way", begin + 30, None)
    report((60, 112.9060), (70, 112.9070))
    assert look(street)["state"] == "under-way"
    report((90, 112.9095), (100, 112.9099))
    came = look(street)
    assert (came["state"], came["arrived"].timestamp()) == ("arrived", begin + 90)
    report((200, 112.9030))
    assert look(street)["state"] == "arrived"


@pytest.fixture
def committed(tracking_site: Database) -> Iterator[str]:
    with tracking_site.transaction() as conn:
        add_roads(conn)
        put(conn, "13688880001", 112.9005)
    yield "13688880001"
    with tracking_site.transaction() as conn:
        conn.execute(text("DELETE FROM city.roads WHERE geom && ST_MakeEnvelope(112.8, 29.3, 113, 29.5, 4490)"))


def test_a_terminal_is_told_its_task_and_followed_until_it_is_there(tracking_site: Database, committed: str) -> None:
    with running(tracking_site.url) as gateway:
        terminal = Terminal(gateway.port, committed)
        assert terminal.authenticate(terminal.register()[1]) == 0
        with tracking_site.transaction() as conn:
            sent = dispatch_unit(conn, committed, point=PLACE, text="请到此处")
        assert sent.task in terminal.wait_for(0x8300).body[1:].decode("gbk")
        now = time.time() // 1 + 1
        terminal.report(*(Fix(now + n, 112.9005 + n * 0.0001, 29.40, 36.0, 90, 20, 0, 3) for n in range(5)))
        terminal.answer()
        until = time.monotonic() + 20
        state = None
        while state != "arrived" and time.monotonic() < until:
            with tracking_site.transaction() as conn:
                query = text("SELECT state FROM city.unit_tasks WHERE code = :c")
                state = conn.execute(query, {"c": sent.task}).scalar()
            time.sleep(0.2)
        assert state == "arrived"
        terminal.close()


def test_the_ranking_agrees_with_the_process_route_for_every_unit(street: Connection) -> None:
    chance = np.random.default_rng(3)
    for n, (east, north) in enumerate(chance.uniform((112.899, 29.398), (112.921, 29.412), (30, 2))):
        put(street, f"u{n}", float(east), float(north))
    found = nearest_units(street, point=PLACE, count=50)
    assert len(found.units) == 30
    alone = []
    for unit in found.units:
        place = street.execute(text("SELECT ST_X(geom), ST_Y(geom) FROM city.positions WHERE device = :d"),
                               {"d": unit.device}).one()  # fmt: skip
        alone.append(route(street, (tuple(place), PLACE)).seconds)
    assert [unit.seconds for unit in found.units] == pytest.approx(alone, abs=0.1)
    assert alone == sorted(alone)
