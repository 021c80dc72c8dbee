"""Alarms of fixes: the list of handlers, the fences against a plain reference, and what a restart or disorder changes."""

import random
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import orjson
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon, box

from tests.tracking.conftest import NOON, drive
from tracking.alarms.conditions import Alarm, Limits
from tracking.alarms.engine import Engine, replayed
from tracking.alarms.fences import Fence, FenceIndex, grounds_of
from tracking.alarms.watch import Watch, _memory, _state
from tracking.model import Device, Doubt, Fix, Stored
from tracking.states import Seen

LIMITS = Limits()
CAR = Device(1, "139", "车", "roads", "sanitation")
#: The car of :func:`drive` is in it from fix 10 to fix 20, at 10 s each.
STEP = 36.0 / 3.6 * 10 / (111_195 * 0.8625)
YARD = box(114.9 + 9.5 * STEP, 30.3, 114.9 + 20.5 * STEP, 30.5)


def alarms_of(fixes: Sequence[Fix], *fences: Fence, device: Device = CAR, limits: Limits = LIMITS) -> list[Alarm]:
    engine = Engine(FenceIndex(fences), limits)
    found: dict[str, Alarm] = {}
    for fix in fixes:  # one at a time: batches must not matter
        alarms, late = engine.run([Stored(device, fix)])
        assert not late
        found |= {alarm.key: alarm for alarm in alarms}
    return list(found.values())


def told(alarms: Sequence[Alarm]) -> list[tuple[str, float, float | None]]:
    return [(a.kind, (a.began - NOON) / 10, None if a.ended is None else (a.ended - NOON) / 10) for a in alarms]


def test_entering_leaving_and_being_inside() -> None:
    fence = Fence(7, "院子", YARD, frozenset({"enter", "leave", "inside"}))
    assert told(alarms_of(drive(NOON, 40), fence)) == [("enter", 10, 10), ("inside", 10, 21), ("leave", 21, 21)]


def test_who_is_inside_from_the_beginning_has_not_entered() -> None:
    fence = Fence(7, "院子", YARD, frozenset({"enter", "leave"}))
    assert told(alarms_of(drive(NOON, 40)[15:], fence)) == [("leave", 21, 21)]


def test_a_dwell_confirms_and_the_alarm_keeps_its_beginning() -> None:
    fence = Fence(7, "院子", YARD, frozenset({"enter", "leave"}), dwell=50)
    assert told(alarms_of(drive(NOON, 40), fence)) == [("enter", 10, 10), ("leave", 21, 21)]
    through = [*drive(NOON, 13), *[fix._replace(lon=114.9) for fix in drive(NOON + 130, 20)]]
    assert told(alarms_of(through, fence)) == [("leave", 13, 13)]  # 30 s inside were too short


def test_hysteresis_keeps_a_receiver_on_the_edge_from_many_alarms() -> None:
    chance = random.Random(3)
    edge = 114.9 + 9.5 * STEP
    fixes = [Fix(NOON + n * 10, edge + chance.gauss(0, 10) / 96_000, 30.4, 5.0, 0, 0, 0, 3) for n in range(300)]
    fixes = [*drive(NOON - 100, 5), *fixes]
    without = alarms_of(fixes, Fence(7, "院子", YARD, frozenset({"enter"})))
    with_it = alarms_of(fixes, Fence(7, "院子", YARD, frozenset({"enter"}), hysteresis=60))
    assert len(without) > 20 and len(with_it) == 0


def test_overspeed_of_a_device_and_in_a_fence_tells_the_highest() -> None:
    fixes = drive(NOON, 30)
    fixes[12] = fixes[12]._replace(speed=70.0)
    fixes[13] = fixes[13]._replace(speed=81.0)
    quick = Device(1, "139", "车", "roads", "sanitation", speed_limit=60)
    (alarm,) = alarms_of(fixes, device=quick)
    assert (alarm.kind, alarm.value, alarm.most, alarm.began, alarm.ended) == (
        "overspeed",
        81.0,
        60,
        NOON + 120,
        NOON + 140,
    )
    (alarm,) = alarms_of(fixes, Fence(7, "院子", YARD, frozenset({"overspeed"}), speed_limit=75))
    assert (alarm.fence, alarm.value, alarm.most) == (7, 81.0, 75)


def test_staying_outside_and_leaving_a_route() -> None:
    line = shapely.LineString([(114.9, 30.4), (114.9 + 12 * STEP, 30.4)])
    route = Fence(8, "线路", line, frozenset({"deviation"}), width=50, dwell=60)
    assert told(alarms_of(drive(NOON, 30), route)) == [("deviation", 13, None)]
    area = Fence(9, "区域", YARD, frozenset({"outside"}))
    assert told(alarms_of(drive(NOON, 30), area)) == [("outside", 0, 10), ("outside", 21, None)]


def test_a_fence_without_a_ground_is_left_out_and_the_others_are_not() -> None:
    entered = Fence(7, "院子", YARD, frozenset({"enter"}))
    empty = Fence(8, "空", Polygon(), frozenset({"enter", "outside"}), hysteresis=30.0)
    endless = Fence(9, "无限", YARD, frozenset({"enter"}), hysteresis=float("inf"))
    assert told(alarms_of(drive(NOON, 40), empty, entered, endless)) == [("enter", 10, 10)]


def test_crossing_a_line() -> None:
    gate = Fence(
        3, "卡口", shapely.LineString([(114.9 + 5.5 * STEP, 30.3), (114.9 + 5.5 * STEP, 30.5)]), frozenset({"cross"})
    )
    assert told(alarms_of(drive(NOON, 30), gate)) == [("cross", 6, 6)]


def test_a_fence_is_for_the_devices_and_times_that_it_names() -> None:
    def entered(**more: object) -> int:
        return len(alarms_of(drive(NOON, 30), Fence(7, "", YARD, frozenset({"enter"}), **more)))  # type: ignore[arg-type]

    assert (
        entered(kinds=frozenset({"sanitation"}))
        == entered(devices=frozenset({"139"}))
        == entered(department="roads")
        == 1
    )
    assert entered(kinds=frozenset({"bus"})) == entered(devices=frozenset({"1"})) == entered(department="water") == 0
    assert entered(calendar="Fri 09:00-11:00") == 1  # NOON is a Friday, 10:00
    assert entered(calendar="Fri 11:00-12:00") == entered(calendar="nonsense") == 0


def test_the_terminals_own_bits_are_alarms_while_they_are_set() -> None:
    fixes = drive(NOON, 10)
    for n in (3, 4, 5):
        fixes[n] = fixes[n]._replace(alarms=1 | 1 << 8 | 1 << 2 | 1 << 15)  # 15 is reserved
    found = alarms_of(fixes)
    assert sorted(told(found)) == [("power-cut", 3, 6), ("sos", 3, 6), ("terminal", 3, 6)]
    assert {a.detail for a in found if a.kind == "terminal"} == {"疲劳驾驶 fatigue"}


def test_idling_standing_off_duty_and_maintenance() -> None:
    stands = [fix._replace(lon=114.9, speed=0.0) for fix in drive(NOON, 200)]
    assert told(alarms_of(stands, limits=Limits(idling=600))) == [("idling", 0, None)]
    assert told(alarms_of([f._replace(status=2) for f in stands], limits=Limits(idling=600))) == []
    on_duty = Device(1, "139", "车", "roads", "sanitation", duty="Fri 08:00-18:00")
    assert told(alarms_of([f._replace(status=2) for f in stands], device=on_duty, limits=Limits(stay=900))) == [
        ("over-stay", 0, None)
    ]
    late = Device(1, "139", "车", "roads", "sanitation", duty="Fri 12:00-18:00")
    assert told(alarms_of(drive(NOON, 20), device=late)) == [("off-duty", 0, None)]
    engine = Engine(FenceIndex(()), Limits(), {CAR.id: 5000.0})
    counter = [fix._replace(mileage=9999.0 + n * 0.1) for n, fix in enumerate(drive(NOON, 20))]
    alarms, _ = engine.run([Stored(CAR, fix) for fix in counter])
    assert [(a.kind, a.most) for a in alarms] == [("maintenance", 10_000.0)]


def test_maintenance_without_a_counter_goes_by_the_way_that_was_driven() -> None:
    drives = [fix._replace(mileage=None) for fix in drive(NOON, 101)]  # 100 m each: 10 km
    stands = [fix._replace(lon=drives[-1].lon + n % 2 * 5e-5) for n, fix in enumerate(drive(NOON + 1010, 400))]
    goes_on = [f._replace(lon=f.lon + drives[-1].lon - 114.9, mileage=None) for f in drive(NOON + 6000, 60)]
    rows = [Stored(CAR, fix) for fix in (*drives, *(f._replace(time=NOON + 1000 + 12 * (n + 1), mileage=None)
                                                    for n, f in enumerate(stands)), *goes_on)]  # fmt: skip
    whole = Engine(FenceIndex(()), Limits(), {CAR.id: 4.0})
    due = [(a.most, a.began) for a in whole.run(rows)[0] if a.kind == "maintenance"]
    # 4 and 8 km while it drives, none by the noise of its stand (5 m in 12 s), and 12 km when it drives on
    assert [km for km, _ in due] == [4.0, 8.0, 12.0]
    assert whole.memories[CAR.id].driven == pytest.approx(15.9, rel=0.01)
    # a gateway that starts again takes up what it remembered, by the same keys
    first, second = Engine(FenceIndex(()), Limits(), {CAR.id: 4.0}), Engine(FenceIndex(()), Limits(), {CAR.id: 4.0})
    keys = [a.key for a in first.run(rows[:50])[0]]
    second.memories[CAR.id] = _memory(orjson.loads(_state(first.memories[CAR.id])))
    keys += [a.key for a in second.run(rows[45:])[0]]
    assert keys == [a.key for a in Engine(FenceIndex(()), Limits(), {CAR.id: 4.0}).run(rows)[0]]


def test_silence_is_an_alarm_from_the_last_word_until_the_next() -> None:
    watch, seen = Watch(Limits(offline=1800)), Seen(CAR, drive(NOON, 1)[0], NOON + 5)
    assert watch._silent([seen], NOON + 1805) == []
    (silent,) = watch._silent([seen], NOON + 1806)
    assert (silent.kind, silent.key, silent.began, silent.ended) == (
        "offline",
        f"139 offline {NOON + 5:.0f}",
        NOON + 5,
        None,
    )
    assert watch._silent([seen], NOON + 4000) == []
    seen.heard = NOON + 4001
    (over,) = watch._silent([seen], NOON + 4002)
    assert (over.key, over.ended) == (silent.key, NOON + 4001)
    assert watch._silent([seen], NOON + 4003) == []


def test_doubtful_fixes_make_no_alarm() -> None:
    fixes = drive(NOON, 8)
    fixes[5] = fixes[5]._replace(lon=114.9 + 15 * STEP, doubt=int(Doubt.JUMP))
    assert alarms_of(fixes, Fence(7, "", YARD, frozenset({"enter"}))) == []


def test_a_call_for_help_without_a_fix_is_an_alarm_where_the_device_was_last() -> None:
    fixes = drive(NOON, 10)
    for n in (4, 5):
        fixes[n] = fixes[n]._replace(alarms=1, lon=0.0, lat=0.0, doubt=int(Doubt.NO_PLACE | Doubt.NO_FIX))
    (alarm,) = alarms_of(fixes)
    assert told([alarm]) == [("sos", 4, 6)] and (alarm.lon, alarm.lat) == (fixes[3].lon, fixes[3].lat)


def test_the_same_fixes_again_double_nothing_and_late_ones_are_marked() -> None:
    fence = Fence(7, "院子", YARD, frozenset({"enter", "leave", "inside"}))
    index = FenceIndex((fence,))
    rows = [Stored(CAR, fix) for fix in drive(NOON, 40)]
    in_time = {a.key for a in Engine(index, Limits()).run(rows)[0]}
    engine = Engine(index, Limits())
    first, late = engine.run(rows)
    assert engine.run(rows[-1:]) == ([], [])
    # a gateway that forgot everything looks again: the same keys
    assert {a.key for a in Engine(index, Limits()).run(rows)[0]} == in_time
    # the stretch through the yard comes later, from memory
    engine = Engine(index, Limits())
    assert engine.run([*rows[:8], *rows[25:]])[0] == []
    alarms, late = engine.run(rows[8:25])
    assert (alarms, late) == ([], rows[8:25])
    found = replayed(index, Limits(), rows, late[0].fix.time, late[-1].fix.time)
    assert {a.key for a in found} == in_time and all(a.late for a in found)


_corner = st.tuples(st.integers(0, 40), st.integers(0, 40))


@st.composite
def _fences(draw: st.DrawFn) -> Fence:
    ring = draw(st.lists(_corner, min_size=3, max_size=6, unique=True))
    shape = shapely.make_valid(Polygon([(114 + x / 1000, 30 + y / 1000) for x, y in ring]).convex_hull.buffer(1e-9))
    return Fence(0, "", shape, frozenset({"enter", "leave"}), hysteresis=draw(st.sampled_from((0.0, 30.0, 200.0))))


@given(st.lists(_fences(), max_size=8), st.lists(st.lists(_corner, min_size=1, max_size=15), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_fences_give_the_events_that_a_plain_scan_gives(
    fences: list[Fence], walks: list[list[tuple[int, int]]]
) -> None:
    fences = [replace(fence, id=n) for n, fence in enumerate(fences)]
    engine = Engine(FenceIndex(fences), Limits())
    for number, walk in enumerate(walks):
        device = Device(number, str(number), "", None, "other")
        fixes = [Fix(NOON + n * 60, 114 + x / 1000, 30 + y / 1000) for n, (x, y) in enumerate(walk)]
        alarms, _ = engine.run([Stored(device, fix) for fix in fixes])
        assert sorted((a.kind, a.fence, a.began) for a in alarms) == sorted(_scanned(fences, fixes))


def _scanned(fences: Sequence[Fence], fixes: Sequence[Fix]) -> list[tuple[str, int, float]]:
    """Every fence and every fix, one by one."""
    found = []
    for fence in fences:
        inner, outer = grounds_of(fence)
        before: bool | None = None
        for fix in fixes:
            point = Point(fix.lon, fix.lat)
            inside = inner.intersects(point) or (bool(before) and outer.intersects(point))
            if before is not None and inside != before:
                found.append(("enter" if inside else "leave", fence.id, fix.time))
            before = inside
    return found


def test_a_fence_moves_its_edges_by_metres() -> None:
    inner, outer = grounds_of(Fence(1, "", box(114.0, 30.0, 114.01, 30.01), hysteresis=100))
    scale = np.cos(np.radians(30.005))
    assert outer.bounds[0] == pytest.approx(114.0 - 100 / 111_195 / scale, abs=1e-7)
    assert inner.bounds[1] == pytest.approx(30.0 + 100 / 111_195, abs=1e-7)


def test_two_thousand_fences_are_looked_through_quickly() -> None:
    """A floor far below what the benchmark measures, so that a scan of every fence would be noticed."""
    chance = np.random.default_rng(1)
    fences = [
        Fence(n, "", Point(x, y).buffer(0.002), frozenset({"enter"}))
        for n, (x, y) in enumerate(chance.uniform((114, 30), (114.5, 30.5), (2000, 2)))
    ]
    engine = Engine(FenceIndex(fences), Limits())
    places = chance.uniform((114, 30), (114.5, 30.5), (5000, 2))
    devices = [Device(n, str(n), "", None, "other") for n in range(500)]
    rows = [Stored(devices[n // 10], Fix(NOON + n % 10, x, y, 30.0)) for n, (x, y) in enumerate(places)]
    begun = time.process_time()
    engine.run(rows)
    assert len(rows) / (time.process_time() - begun) > 5000
