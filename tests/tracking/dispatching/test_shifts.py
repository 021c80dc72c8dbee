"""What was done of what was planned: by hand-made tracks whose answer is plain, and by rights."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from shapely import LineString, box
from sqlalchemy import Connection, text

from layers.access import Grant
from tests.tracking.conftest import NOON, add_device, drive
from tests.tracking.test_importing import Silent
from tests.tracking.test_storing import act_as
from tracking.alarms.fences import Fence
from tracking.dispatching.model import WrongInputs
from tracking.dispatching.shift_processes import ShiftReport, shift_report
from tracking.dispatching.shifts import done_at
from tracking.model import Device, Fix, Stored
from tracking.storing import cursor_of, store
from tracking.tracks import Track

CAR = Device(1, "139", "车", "roads", "sanitation")
STEP = 100 / (111_195 * 0.8625)  # 100 m to the east at 30.4°
BEGIN = datetime.fromtimestamp(NOON, UTC)


def track_of(fixes: list[Fix], doubt: int = 0) -> Track:
    columns = [[f.time for f in fixes], [f.lon for f in fixes], [f.lat for f in fixes]]
    time, lon, lat = (np.array(column) for column in columns)
    nothing, whole = np.full(len(time), np.nan), np.zeros(len(time), np.int64)
    return Track(CAR, time, lon, lat, nothing, nothing, nothing, time, whole, whole, whole + doubt)


def route(east: float, **more: object) -> Fence:
    line = LineString([(114.9, 30.4), (114.9 + east * STEP, 30.4)])
    return Fence(8, "清扫线路", line, devices=frozenset({"139"}), width=20.0, **more)  # type: ignore[arg-type]


def test_the_length_of_the_route_that_was_driven_is_done() -> None:
    found = done_at(route(20), track_of(drive(NOON, 11)))  # 1 km of 2
    assert found.planned == pytest.approx(2000, rel=1e-3)
    assert found.done == pytest.approx(1020, rel=1e-3)  # and the half width that it sees ahead
    assert found.share == pytest.approx(0.51, rel=1e-3)
    assert (found.seconds, found.first, found.last) == (100, BEGIN, BEGIN + timedelta(seconds=100))
    there_and_back = [*drive(NOON, 11), *[f._replace(time=f.time + 200) for f in drive(NOON, 11)]]
    assert done_at(route(20), track_of(there_and_back)).done == pytest.approx(found.done)  # once is enough


def test_beside_the_route_in_doubt_or_out_of_its_hours_nothing_is_done() -> None:
    beside = [fix._replace(lat=30.4005) for fix in drive(NOON, 11)]  # 56 m
    for found in (
        done_at(route(20), track_of(beside)),
        done_at(route(20), track_of(drive(NOON, 11), doubt=2)),
        done_at(route(20, calendar="Fri 11:00-12:00"), track_of(drive(NOON, 11))),  # NOON is a Friday, 10:00
        done_at(route(20, calendar="nonsense"), track_of(drive(NOON, 11))),
        done_at(route(20), track_of([])),
    ):
        assert (found.done, found.share, found.seconds, found.first, found.last) == (0, 0, 0, None, None)


def test_what_lies_between_fixes_far_apart_was_not_seen() -> None:
    ends = [drive(NOON, 1)[0], drive(NOON, 11)[10]._replace(time=NOON + 400)]
    found = done_at(route(20), track_of(ends))
    assert found.done == pytest.approx(20 + 40, rel=0.01)
    assert found.seconds == 0


def test_an_area_counts_the_time_in_it() -> None:
    area = Fence(9, "片区", box(114.9 + 2.5 * STEP, 30.3, 114.9 + 6.5 * STEP, 30.5), kinds=frozenset({"sanitation"}))
    found = done_at(area, track_of(drive(NOON, 11)))
    assert (found.planned, found.done, found.share, found.seconds) == (None, None, None, 30)
    assert (found.first, found.last) == (BEGIN + timedelta(seconds=30), BEGIN + timedelta(seconds=60))


def report(conn: Connection, **inputs: object) -> ShiftReport:
    return shift_report(conn, Silent(), BEGIN, BEGIN + timedelta(hours=8), **inputs)  # type: ignore[arg-type]


def test_each_unit_is_compared_with_what_is_planned_for_it(conn: Connection) -> None:
    first, other = add_device(conn, "139"), add_device(conn, "140", kind="bus")
    add_device(conn, "141", department="water")
    with cursor_of(conn) as cursor:
        store(cursor, [Stored(first, fix) for fix in drive(NOON, 11)], NOON + 500)
    fences = (("线路", LineString([(114.9, 30.4), (114.9 + 10 * STEP, 30.4)]), "{139}", None),
              ("片区", box(114.8, 30.3, 115, 30.5), None, "{bus,sanitation}"), ("点", box(0, 0, 1, 1), None, None))  # fmt: skip
    for name, shape, devices, kinds in fences:
        conn.execute(text("INSERT INTO city.geofences (geom, name, devices, kinds, width) VALUES (ST_GeomFromText(:g, 4490), :n,"
                          " CAST(:d AS text[]), CAST(:k AS text[]), 20)"), {"g": shape.wkt, "n": name, "d": devices, "k": kinds})  # fmt: skip
    found = {(row.name, row.device): row for row in report(conn).rows}
    assert set(found) == {("线路", "139"), ("片区", "139"), ("片区", "140"), ("片区", "141")}
    assert found["线路", "139"].share == pytest.approx(1.0)
    assert (found["片区", "139"].seconds, found["片区", other.code].seconds) == (100, 0)
    assert {row.device for row in report(conn, devices=("140",)).rows} == {"140"}
    assert {row.name for row in report(conn, fences=(found["线路", "139"].fence,)).rows} == {"线路"}
    own = frozenset({"read"})
    act_as(conn, *(Grant(name, own, "internal", departments=("roads",)) for name in ("devices", "positions")),
           Grant("geofences", own, "internal"))  # fmt: skip
    assert {row.device for row in report(conn).rows} == {"139", "140"}


def test_a_shift_has_a_day_at_most(conn: Connection) -> None:
    for hours in (0, 25):
        with pytest.raises(WrongInputs):
            shift_report(conn, Silent(), BEGIN, BEGIN + timedelta(hours=hours))
