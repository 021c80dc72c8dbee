"""What is stored: exactly what came, once, whatever the order; read back by who may."""

import random
from datetime import UTC, datetime

import numpy as np
import psycopg2
import pytest
from sqlalchemy import Connection, text

from layers.access import Grant, Principal
from layers.database import acting_as
from tests.tracking.conftest import NOON, add_device, drive
from tracking import storing
from tracking.judging import clock_checked, may_keep
from tracking.model import Doubt, Fix, Stored
from tracking.storing import Note, Quarantined, cursor_of, day_of
from tracking.tracks import DeviceNotFound, read_device, read_track

DAY = (datetime.fromtimestamp(NOON - 40_000, UTC), datetime.fromtimestamp(NOON + 80_000, UTC))


def everything(conn: Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in conn.execute(text("""
        SELECT device, time, variant, ST_AsEWKT(geom), department, speed, heading, altitude, alarms, status, mileage, doubt, more
        FROM tracking.positions ORDER BY device, time, variant"""))]  # fmt: skip


def store(conn: Connection, rows: list[Stored], received: float) -> int:
    with cursor_of(conn) as cursor:
        return storing.store(cursor, rows, received)


def make_days(conn: Connection, days: set[int]) -> None:
    with cursor_of(conn) as cursor:
        storing.make_days(cursor, days)


def act_as(conn: Connection, *grants: Grant) -> None:
    """From here on the connection is that of a principal with these rights."""
    values = acting_as(Principal("somebody", grants=grants))
    conn.execute(
        text("SELECT set_config('citymap.actor', :actor, true), set_config('citymap.grants', :grants, true)"), values
    )
    conn.execute(text("SET LOCAL ROLE citymap_app"))


def test_every_value_comes_back_as_it_was(conn: Connection) -> None:
    device = add_device(conn)
    full = Fix(
        NOON,
        114.123456,
        30.654321,
        12.5,
        359,
        -42,
        0x8000_0001,
        0xC0003,
        123456.7,
        int(Doubt.LATE),
        {"fuel": 12.5, "名": "值"},
    )
    bare = Fix(NOON + 1, 114.1235, 30.6543)
    nowhere = Fix(NOON + 2, 0.0, 999.0, doubt=int(Doubt.NO_PLACE))
    store(conn, [Stored(device, fix) for fix in (nowhere, full, bare)], NOON + 5)
    rows = conn.execute(text("SELECT * FROM tracking.positions ORDER BY time")).mappings().all()
    first = rows[0]
    assert (first["time"].timestamp(), first["received"].timestamp()) == (NOON, NOON + 5)
    assert (first["speed"], first["heading"], first["altitude"], first["mileage"]) == (12.5, 359, -42, 123456.7)
    assert (first["alarms"], first["status"], first["doubt"]) == (0x8000_0001, 0xC0003, 16)
    assert (first["more"], first["department"]) == ({"fuel": 12.5, "名": "值"}, "roads")
    assert [rows[1][name] for name in ("speed", "heading", "altitude", "status", "mileage", "more")] == [None] * 6
    assert (rows[2]["geom"], rows[2]["more"]) == (None, {"lon": "0.0", "lat": "999.0"})
    track = read_track(conn, device, *DAY)
    assert (track.lon[0], track.lat[0], track.mileage[0], track.alarms[0]) == (
        114.123456,
        30.654321,
        123456.7,
        0x8000_0001,
    )
    assert len(track) == 3 and list(track.fit().time) == [NOON, NOON + 1]


def test_duplicates_disorder_and_batches_end_in_the_same_state(conn: Connection) -> None:
    device, other = add_device(conn), add_device(conn, "13900000002")
    rows = [Stored(d, fix) for d in (device, other) for fix in drive(NOON, 200)]
    # two reports of one second that say different things are two
    rows.append(Stored(device, rows[0].fix._replace(alarms=1)))
    store(conn, rows, NOON + 4000)
    expected = everything(conn)
    assert len(expected) == 401
    shuffled = random.Random(4)
    for _ in range(3):
        conn.execute(text("DELETE FROM tracking.positions"))
        disorder = rows + shuffled.sample(rows, 300)
        shuffled.shuffle(disorder)
        for at in range(0, len(disorder), 37):
            store(conn, disorder[at : at + 37], NOON + at)
        assert everything(conn) == expected


def test_a_batch_that_cannot_be_stored_leaves_nothing_behind(conn: Connection) -> None:
    device = add_device(conn)
    bad = Fix(NOON, 114.0, 30.0, more={"text": "\0"})
    with pytest.raises(psycopg2.DataError, match="Unicode"), conn.begin_nested():
        store(conn, [*(Stored(device, fix) for fix in drive(NOON, 5)), Stored(device, bad)], NOON)
    assert everything(conn) == []


def test_partitions_are_made_for_days_that_lack_them_and_take_what_lay_elsewhere(conn: Connection) -> None:
    device = add_device(conn)
    old = NOON - 30 * 86_400
    store(conn, [Stored(device, fix) for fix in drive(old, 10)], NOON)
    place = text("SELECT DISTINCT tableoid::regclass::text FROM tracking.positions")
    assert conn.execute(place).scalars().all() == ["tracking.positions_other"]
    before = everything(conn)
    make_days(conn, {day_of(old), day_of(old) + 1})
    assert conn.execute(place).scalars().all() == ["tracking.positions_20261021"]
    assert everything(conn) == before
    make_days(conn, {day_of(old), day_of(NOON) + 4000, 10})  # made already, in ten years, before there was GPS
    store(conn, [Stored(device, fix) for fix in drive(old, 10)], NOON)
    assert everything(conn) == before


def test_a_day_begins_at_midnight_of_the_city(conn: Connection) -> None:
    midnight = datetime(2026, 10, 20, 16, tzinfo=UTC).timestamp()  # 2026-10-21 00:00 in GMT+8
    assert (
        conn.execute(text("SELECT tracking.day_of(to_timestamp(:at))::text"), {"at": midnight}).scalar() == "2026-10-21"
    )
    assert day_of(midnight) - day_of(midnight - 1) == 1
    device = add_device(conn)
    make_days(conn, {day_of(midnight)})
    store(conn, [Stored(device, Fix(midnight + d, 114.0, 30.0)) for d in (-1, 0)], midnight)
    found = conn.execute(text("SELECT tableoid::regclass::text FROM tracking.positions ORDER BY time")).scalars().all()
    assert found == ["tracking.positions_other", "tracking.positions_20261021"]


def test_raw_positions_are_seen_as_the_layer_positions_is(conn: Connection) -> None:
    roads, water = add_device(conn), add_device(conn, "13900000002", department="water")
    store(conn, [Stored(d, fix) for d in (roads, water) for fix in drive(NOON, 3)], NOON)
    with conn.begin_nested() as nested:
        act_as(conn, Grant("positions", frozenset({"read"}), "internal", departments=("roads",)),
               Grant("devices", frozenset({"read"}), "internal", departments=("roads",)))  # fmt: skip
        assert conn.execute(text("SELECT DISTINCT device FROM tracking.positions")).scalars().all() == [roads.id]
        assert len(read_track(conn, read_device(conn, roads.code), *DAY)) == 3
        with pytest.raises(DeviceNotFound):
            read_device(conn, water.code)
        assert len(read_track(conn, water, *DAY)) == 0
        nested.rollback()
    with conn.begin_nested() as nested:
        act_as(conn, Grant("*", frozenset({"read"}), "internal"))
        assert len(conn.execute(text("SELECT DISTINCT device FROM tracking.positions")).all()) == 2
        nested.rollback()
    with conn.begin_nested() as nested:
        act_as(conn, Grant("*", frozenset({"read"}), "public"))
        assert conn.execute(text("SELECT count(*) FROM tracking.positions")).scalar() == 0
        nested.rollback()
    conn.execute(text("UPDATE citymap.layers SET visibility = 'core' WHERE id = 'positions'"))
    with conn.begin_nested() as nested:
        act_as(conn, Grant("*", frozenset({"read"}), "sensitive"))
        assert conn.execute(text("SELECT count(*) FROM tracking.positions")).scalar() == 0
        nested.rollback()


def test_only_the_gateway_and_who_may_change_a_device_write_its_positions(conn: Connection) -> None:
    device = add_device(conn)
    every, change = frozenset({"read", "update"}), frozenset({"update"})
    for grants in (
        (
            Grant("*", frozenset({"read"}), "core"),
            Grant("devices", frozenset({"create"}), "core"),
            Grant("positions", every, "core"),
        ),
        (Grant("devices", change, "internal", departments=("water",)),),
        (Grant("devices", change, "public"),),
    ):
        with conn.begin_nested() as nested:
            act_as(conn, *grants)
            with pytest.raises(Exception, match="row-level security"):
                store(conn, [Stored(device, fix) for fix in drive(NOON, 3)], NOON)
            nested.rollback()
    for grant in (
        Grant("positions", frozenset({"create"}), "core"),
        Grant("devices", change, "internal", departments=("roads",)),
    ):
        with conn.begin_nested() as nested:
            act_as(conn, grant)
            assert store(conn, [Stored(device, fix) for fix in drive(NOON, 3)], NOON) == 3
            nested.rollback()


def test_a_look_at_a_persons_track_is_audited_and_at_a_vehicles_is_not(conn: Connection) -> None:
    worker, truck = add_device(conn, person=True, duty="daily 08:00-18:00"), add_device(conn, "13900000002")
    looks = text("SELECT object FROM audit.entries WHERE kind = 'track'")
    read_track(conn, truck, *DAY)
    assert conn.execute(looks).scalars().all() == []
    read_track(conn, worker, *DAY)
    assert conn.execute(looks).scalars().all() == [worker.code]


def test_a_person_off_duty_is_not_kept(conn: Connection) -> None:
    worker = add_device(conn, person=True, duty="Mon-Fri 08:00-18:00")
    assert may_keep(worker, NOON)
    assert not may_keep(worker, NOON + 9 * 3600)
    assert may_keep(add_device(conn, "13900000002"), NOON + 9 * 3600)
    assert not may_keep(add_device(conn, "13900000003", person=True, duty="whenever"), NOON)
    assert not may_keep(add_device(conn, "13900000004", person=True), NOON)


def test_jumps_are_marked_when_a_track_is_read_and_a_new_beginning_is_believed(conn: Connection) -> None:
    device = add_device(conn)
    track = drive(NOON, 30)
    track[10] = track[10]._replace(lon=120.0)
    track[20:] = [fix._replace(lat=31.9) for fix in track[20:]]
    store(conn, [Stored(device, fix) for fix in track], NOON)
    found = read_track(conn, device, *DAY)
    assert np.flatnonzero(found.doubt & int(Doubt.JUMP)).tolist() == [10]
    assert len(found.fit()) == 29


def test_clocks_that_cannot_be_right_are_doubted() -> None:
    assert clock_checked(Fix(NOON + 200, 1, 1), NOON).doubt == 0
    assert clock_checked(Fix(NOON + 400, 1, 1), NOON).doubt == Doubt.CLOCK
    assert clock_checked(Fix(0, 1, 1), NOON).doubt == Doubt.CLOCK


def test_notes_and_unreadable_messages_are_kept_with_their_bytes(conn: Connection) -> None:
    device = add_device(conn)
    with cursor_of(conn) as cursor:
        storing.store_notes(cursor, [Note(device, NOON, "media-event", b"\x01\x02")] * 2)
        storing.quarantine(cursor, [Quarantined("jt808", "10.0.0.1", "139", "checksum", b"\x7e\x00" * 8000)])
    kind, data = conn.execute(text("SELECT kind, data FROM tracking.notes")).one()
    assert (kind, bytes(data)) == ("media-event", b"\x01\x02")
    reason, data = conn.execute(text("SELECT reason, data FROM tracking.quarantine")).one()
    assert (reason, bytes(data)) == ("checksum", b"\x7e\x00" * 4096)
