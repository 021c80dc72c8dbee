"""The layer ``trajectories`` follows what is stored, in whatever order it came; old days are indexed, thinned, dropped."""

import random
import time
from collections.abc import Iterator

import psycopg2
import pytest
from psycopg2.extensions import connection
from pyproj import Geod
from sqlalchemy import Connection, text

from layers.database import Database
from tests.tracking.conftest import NOON, add_device, drive
from tracking.model import Stored
from tracking.storing import cursor_of, day_of, make_days, store
from tracking.stretches import draw_due
from tracking.upkeep import Policy, look_after

#: A quarter of an hour begins here.
QUARTER = NOON - NOON % 900


def drawn(conn: Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in conn.execute(text("""
        SELECT key, extract(epoch FROM began)::float8, extract(epoch FROM ended)::float8, points, round(length::numeric, 3),
               round(speed_most::numeric, 2), ST_AsText(geom), department FROM city.trajectories ORDER BY key"""))]  # fmt: skip


def test_a_track_is_drawn_by_quarters_whose_lengths_add_up(conn: Connection) -> None:
    device = add_device(conn)
    fixes = drive(QUARTER + 5, 270)  # 45 minutes but for a moment
    with cursor_of(conn) as cursor:
        cursor.execute("DELETE FROM tracking.marks")
        cursor.execute("INSERT INTO tracking.marks VALUES ('stretches', to_timestamp(%s))", (QUARTER,))
        store(cursor, [Stored(device, fix) for fix in fixes], QUARTER)
        assert draw_due(cursor, QUARTER + 2700 + 59) == 2
        assert draw_due(cursor, QUARTER + 2700 + 60) == 1
    lines = drawn(conn)
    assert [line[3] for line in lines] == [90, 91, 91]  # a line begins with the last fix of the one before
    whole = Geod(ellps="GRS80").line_length([fix.lon for fix in fixes], [fix.lat for fix in fixes])
    assert float(sum(line[4] for line in lines)) == pytest.approx(whole, rel=1e-6)  # type: ignore[misc]
    assert lines[0][7] == "roads" and lines[0][5] == 36


def test_late_reports_are_drawn_as_if_they_had_come_in_time(conn: Connection) -> None:
    device, other = add_device(conn), add_device(conn, "13900000002")
    rows = [Stored(d, fix) for d in (device, other) for fix in drive(QUARTER + 5, 270, lon=114.8 + d.id % 7 / 10)]
    with cursor_of(conn) as cursor:
        for order in (0, 1):
            cursor.execute("DELETE FROM tracking.positions; DELETE FROM city.trajectories; DELETE FROM tracking.marks")
            cursor.execute("INSERT INTO tracking.marks VALUES ('stretches', to_timestamp(%s))", (QUARTER,))
            if order == 0:
                store(cursor, rows, QUARTER)
                draw_due(cursor, QUARTER + 4000)
                in_time = drawn(conn)
                continue
            random.Random(1).shuffle(rows)
            for n in range(6):
                store(cursor, rows[n::6], QUARTER + 4000 + n * 100)
                draw_due(cursor, QUARTER + 4000 + n * 100)
            assert drawn(conn) == in_time
            cursor.execute("SELECT count(*) FROM tracking.touched")
            assert cursor.fetchone() == (0,)


def test_a_device_that_stands_and_a_jump_draw_no_line(conn: Connection) -> None:
    device, stands = add_device(conn), add_device(conn, "13900000002")
    fixes = drive(QUARTER + 5, 80)
    fixes[40] = fixes[40]._replace(lon=116.0)
    rows = [Stored(device, fix) for fix in fixes] + [
        Stored(stands, fix._replace(lon=114.9)) for fix in drive(QUARTER, 80)
    ]
    with cursor_of(conn) as cursor:
        cursor.execute(
            "DELETE FROM tracking.marks; INSERT INTO tracking.marks VALUES ('stretches', to_timestamp(%s))", (QUARTER,)
        )
        store(cursor, rows, QUARTER)
        draw_due(cursor, QUARTER + 1000)
    (line,) = drawn(conn)
    assert line[3] == 79 and ",116 " not in str(line[6])


@pytest.fixture
def owner(tracking_site: Database) -> Iterator[connection]:
    conn = psycopg2.connect(tracking_site.url)
    conn.autocommit = True
    yield conn
    conn.close()


def test_days_are_indexed_then_thinned_then_dropped(tracking_site: Database, owner: connection) -> None:
    with tracking_site.transaction() as conn:
        device = add_device(conn, "13800000001")
    now = time.time()
    days = {"new": 1, "closed": 5, "thin": 40, "old": 80}
    cursor = owner.cursor()
    make_days(cursor, [day_of(now) - back for back in days.values()])
    for back in days.values():
        begin = now - back * 86_400 - (now - back * 86_400) % 3600
        fixes = drive(begin, 30)
        fixes[5] = fixes[5]._replace(alarms=1)
        cursor.execute("BEGIN")
        store(cursor, [Stored(device, fix) for fix in fixes], now)
        cursor.execute("COMMIT")
    with pytest.raises(RuntimeError, match="transaction"):
        store(cursor, [Stored(device, fix) for fix in fixes], now)
    for _ in range(2):
        look_after(owner, Policy(keep_days=60, thin_days=30, thin_seconds=60), now)
    cursor.execute(
        "SELECT count(*) FROM tracking.positions WHERE device = %s GROUP BY tracking.day_of(time) ORDER BY 1",
        (device.id,),
    )
    counts = [row[0] for row in cursor.fetchall()]
    # of five minutes one a minute stays, and the one with an alarm
    assert counts == [6, 30, 30]
    cursor.execute("""
        SELECT d.day FROM tracking.days() d JOIN pg_index i ON i.indrelid = d.place JOIN pg_class c ON c.oid = i.indexrelid
        JOIN pg_am a ON a.oid = c.relam WHERE a.amname = 'gist' AND i.indisvalid""")
    assert len(cursor.fetchall()) == 2
    cursor.execute("SELECT min(day) FROM tracking.days()")
    assert cursor.fetchone()[0].toordinal() > day_of(now) - 60


def test_one_device_day_is_read_by_its_key(tracking_site: Database, owner: connection) -> None:
    with tracking_site.transaction() as conn:
        device = add_device(conn, "13800000002")
    cursor = owner.cursor()
    cursor.execute("""EXPLAIN SELECT * FROM tracking.positions WHERE device = %s AND time >= now() - interval '1 day'
        AND time < now() ORDER BY time, variant""", (device.id,))  # fmt: skip
    plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "_pkey" in plan and "Seq Scan" not in plan.replace("Seq Scan on positions_other", "")
