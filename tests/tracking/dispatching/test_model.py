"""Who can be sent, what a task may become, and when a unit has arrived."""

import numpy as np
import pytest

from tests.tracking.conftest import NOON, drive
from tracking.dispatching.model import BECOMES, OPEN, DispatchRefused, Unit, Wanted, allow, counted, progress, unfit
from tracking.judging import metres


def unit(**more: object) -> Unit:
    values = {"device": "1", "name": "车", "kind": "sanitation", "department": "roads", "duty": None,
              "skills": frozenset({"高压清洗"}), "capacity": 2, "state": "moving", "time": NOON, "lon": 114.9, "lat": 30.4,
              "speed": 30.0, "tasks": 0}  # fmt: skip
    return Unit(**(values | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(("is_", "wanted", "reason"), [
    ({}, Wanted(), None),
    ({}, Wanted(kinds=frozenset({"bus"})), "kind"),
    ({"state": "offline"}, Wanted(), "stale"),
    ({"time": NOON - 301}, Wanted(), "stale"),
    ({"time": NOON - 301}, Wanted(age=400), None),
    ({}, Wanted(skills=frozenset({"高压清洗"})), None),
    ({}, Wanted(skills=frozenset({"高压清洗", "吊装"})), "skill"),
    ({"duty": "Fri 08:00-18:00"}, Wanted(), None),
    ({"duty": "Fri 12:00-18:00"}, Wanted(), "off-duty"),
    ({"duty": "nonsense"}, Wanted(), "off-duty"),
    ({"duty": "Fri 12:00-18:00"}, Wanted(on_duty=False), None),
    ({"tasks": 1}, Wanted(), None),
    ({"tasks": 2}, Wanted(), "busy"),
    ({"tasks": 2}, Wanted(free=False), None),
])  # fmt: skip
def test_a_unit_is_left_out_for_the_first_reason(is_: dict[str, object], wanted: Wanted, reason: str | None) -> None:
    assert unfit(unit(**is_), wanted, NOON) == reason  # NOON is a Friday, 10:00


def test_reasons_are_counted() -> None:
    assert counted(["stale", None, "busy", "stale"]) == {"busy": 1, "stale": 2}


def test_every_open_task_can_be_ended_and_no_ended_one_goes_on() -> None:
    for state in OPEN:
        allow(state, "done")
        allow(state, "cancelled")
    for ended in ("done", "cancelled"):
        assert not BECOMES[ended]
        with pytest.raises(DispatchRefused, match=ended):
            allow(ended, "arrived")
    with pytest.raises(DispatchRefused):
        allow("arrived", "under-way")


def test_a_unit_sets_off_and_arrives_by_its_positions() -> None:
    fixes = drive(NOON, 60)  # 100 m each 10 s to the east
    time = np.array([fix.time for fix in fixes])
    lonlat = np.array([(fix.lon, fix.lat) for fix in fixes])
    start, place = (fixes[0].lon, fixes[0].lat), (fixes[40].lon, fixes[40].lat + 0.0005)  # 56 m beside the road
    left, arrived = progress(start, place, 100.0, time, lonlat)
    expected = next(f.time for f in fixes if metres(f.lon, f.lat, *place) <= 100)
    assert (left, arrived) == (fixes[1].time if metres(*start, *lonlat[1]) >= 100 else fixes[2].time, expected)
    assert progress(start, place, 30.0, time, lonlat)[1] is None
    assert progress(start, place, 100.0, time[:1], lonlat[:1]) == (None, None)
    jumped = lonlat.copy()
    jumped[10] = (114.95, 30.6)  # 20 km away and back
    assert progress(start, (114.95, 30.6), 100.0, time, jumped)[1] is None
