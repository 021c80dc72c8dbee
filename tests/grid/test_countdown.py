"""What an inbox shows beside a case: its countdown in working time, its photos, and what its acts may be given."""

from datetime import UTC, datetime, timedelta

import holidays
import pytest

from grid.clock.calendar import working_time
from grid.options import ClockOptions
from tests.grid.site import GridSite

PLACE = {"position": [114.9052, 30.4052], "class_code": "0102", "separate": True, "description": "路口有垃圾"}


def dispatched(site: GridSite) -> str:
    case = site.done("worker", "report-case", **PLACE)["case"]
    for who, act, more in (
        ("clerk", "accept", {}), ("shift", "file", {"condition": "小于一立方米"}),
        ("dispatcher", "dispatch", {"department": "sanitation"}),
    ):  # fmt: skip
        site.done(who, "advance-case", case=case, act=act, **more)
    return str(case)


def working_seconds(begin: datetime, end: datetime) -> int:
    """Minute by minute through the days of the library: 08:30–12:00 and 14:00–17:30 of working days, in China."""
    days, minutes, at = holidays.country_holidays("CN", years=(begin.year, begin.year + 1)), 0, begin
    while at < end:
        local = at + timedelta(hours=8)
        minute = 60 * local.hour + local.minute
        minutes += days.is_working_day(local.date()) and (510 <= minute < 720 or 840 <= minute < 1050)
        at += timedelta(minutes=1)
    return 60 * minutes


def test_countdown_is_what_is_left_of_the_limit_in_working_time(site: GridSite) -> None:
    case = dispatched(site)
    began = datetime.now(UTC) - timedelta(days=3)
    site.sql(
        "WITH act AS (SELECT set_config('citymap.case_act', 'advance', true))"
        " UPDATE city.cases SET running_since = :at FROM act WHERE code = :case",
        at=began, case=case,
    )  # fmt: skip
    told = site.done("handler", "case-clocks", cases=[case, "no-such-case"])
    (clock,) = told["clocks"]
    spent = working_seconds(began, datetime.fromisoformat(told["now"]))
    assert (clock["what"], clock["unit"]) == ("handling", "work-hours")
    assert (clock["limit"], told["day_seconds"]) == (4 * 3600, 7 * 3600)
    assert clock["remaining"] == pytest.approx(4 * 3600 - spent, abs=60)
    assert clock["ticking"] == told["working"]


def test_countdown_stands_outside_working_hours() -> None:
    line = working_time(ClockOptions(), 2026, 2026)
    china = {"2026-11-23T08:30": True, "2026-11-23T12:00": False, "2026-11-23T14:00": True, "2026-11-22T10:00": False}
    for local, works in china.items():
        assert line.working(datetime.fromisoformat(f"{local}+08:00")) is works, local


def test_choices_have_the_conditions_of_the_class_and_departments_by_name(site: GridSite) -> None:
    case = site.done("worker", "report-case", **PLACE)["case"]
    found = site.done("dispatcher", "case-choices", case=case)
    limits = {(one["condition"], one["amount"], one["unit"]) for one in found["conditions"]}
    assert limits == {("小于一立方米", 4, "work-hours"), ("一立方米以上", 1, "work-days")}
    assert {"sanitation", "water"} <= {one["id"] for one in found["departments"]}
    assert site.run("away", "case-choices", case=case).status_code == 404
