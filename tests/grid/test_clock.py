"""The clock of cases against one that counts minute by minute by another library's calendar, in Python and in SQL."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from grid.clock.calendar import is_workday, working_time
from grid.clock.model import CalendarEnds, Clock, WorkingTime, limit_seconds
from grid.options import ClockOptions

OPTIONS = ClockOptions()
LINE = working_time(OPTIONS, 2010, 2036)
SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTE = timedelta(minutes=1)
#: Spring Festival and National Day with their make-up days, plain weeks, a year's end.
STARTS = [datetime(2026, 2, 12, 16, 50), datetime(2025, 9, 26, 8, 0), datetime(2026, 5, 8, 23, 10), datetime(2025, 12, 31, 11, 0),
          datetime(2024, 6, 3, 12, 30), datetime(2026, 10, 9, 17, 29)]  # fmt: skip


def counts(unit: str, minute: datetime) -> bool:
    """Whether the minute that begins then is counted, plainly said."""
    if unit == "urgent-hours":
        return True
    here = minute.astimezone(SHANGHAI)
    if not chinese_calendar.is_workday(here.date()):
        return False
    return any(begin <= 60 * here.hour + here.minute < end for begin, end in OPTIONS.hours)


def slow_deadline(unit: str, start: datetime, limit: int, pauses: list[tuple[int, int]]) -> datetime:
    """The end of the minute in which the limit is used up; pauses in minutes after the start."""
    left, now = limit // 60, start
    while True:
        after = (now - start) // MINUTE
        if counts(unit, now) and not any(begin <= after < end for begin, end in pauses):
            left -= 1
        now += MINUTE
        if left == 0:
            return now


def fast_clock(unit: str, start: datetime, limit: int, pauses: list[tuple[int, int]]) -> Clock:
    clock = Clock(unit, limit, 0, start)
    for begin, end in pauses:
        clock = clock.paused(LINE, start + begin * MINUTE).resumed(start + end * MINUTE)
    return clock


@st.composite
def runs(draw: Any) -> tuple[str, datetime, int, list[tuple[int, int]]]:
    unit = draw(st.sampled_from(["work-hours", "work-days", "urgent-hours"]))
    start = draw(st.sampled_from(STARTS)).replace(tzinfo=SHANGHAI) + draw(st.integers(0, 4 * 1440)) * MINUTE
    cuts = sorted(draw(st.lists(st.integers(0, 3000), max_size=6, unique=True)))
    pauses = list(zip(cuts[::2], cuts[1::2], strict=False))
    return unit, start.astimezone(UTC), 60 * draw(st.integers(1, 1200)), pauses


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs())
def test_deadlines_are_those_of_counting_minutes(
    conn: Connection, run: tuple[str, datetime, int, list[tuple[int, int]]]
) -> None:
    unit, start, limit, pauses = run
    deadline = slow_deadline(unit, start, limit, pauses)
    if any(start + end * MINUTE > deadline for _, end in pauses):
        pauses = [(begin, end) for begin, end in pauses if start + end * MINUTE <= deadline]
        deadline = slow_deadline(unit, start, limit, pauses)
    clock = fast_clock(unit, start, limit, pauses)
    assert clock.reaches(LINE, limit) == deadline
    assert clock.running_since is not None
    in_sql = conn.execute(
        text("SELECT grid.clock_instant(:u, grid.clock_position(:u, :since) + :limit - :used)"),
        {"u": unit, "since": clock.running_since, "limit": limit, "used": clock.used},
    ).scalar_one()
    assert in_sql == deadline


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs(), st.integers(0, 20_000))
def test_time_used_and_light_are_the_same_in_sql_and_python(
    conn: Connection, run: tuple[str, datetime, int, list[tuple[int, int]]], later: int
) -> None:
    unit, start, limit, pauses = run
    clock, at = fast_clock(unit, start, limit, pauses), start + timedelta(seconds=60 * later + 17.5)
    values = {"u": unit, "limit": limit, "used": clock.used, "since": clock.running_since, "at": at}
    spent, light = conn.execute(
        text("SELECT grid.clock_spent(:u, :used, :since, :at), grid.clock_light(:u, :limit, :used, :since, :at, 0.8)"),
        values,
    ).one()
    assert (spent, light) == (clock.spent(LINE, at), clock.light(LINE, at, OPTIONS))


def test_the_calendar_is_that_of_another_library() -> None:
    days = [date(2011, 1, 1) + timedelta(n) for n in range((date(2026, 12, 31) - date(2011, 1, 1)).days + 1)]
    assert [day for day in days if is_workday(day, OPTIONS) != chinese_calendar.is_workday(day)] == []


def test_a_make_up_saturday_is_worked_and_the_festival_is_not() -> None:
    assert is_workday(date(2026, 2, 14), OPTIONS) and is_workday(date(2026, 2, 28), OPTIONS)
    assert not any(is_workday(date(2026, 2, day), OPTIONS) for day in range(15, 24))


def test_a_city_adds_days_of_its_own() -> None:
    own = replace(OPTIONS, extra_holidays=frozenset({date(2026, 3, 3)}), extra_workdays=frozenset({date(2026, 3, 7)}))
    assert not is_workday(date(2026, 3, 3), own) and is_workday(date(2026, 3, 7), own)


def test_four_hours_from_friday_afternoon_end_on_monday() -> None:
    start = datetime(2026, 11, 20, 16, 0, tzinfo=SHANGHAI)
    clock = Clock("work-hours", limit_seconds(4, "work-hours", OPTIONS), 0, start)
    assert clock.reaches(LINE, clock.limit) == datetime(2026, 11, 23, 11, 0, tzinfo=SHANGHAI)


def test_urgent_hours_run_through_nights_and_holidays() -> None:
    start = datetime(2026, 2, 16, 22, 0, tzinfo=SHANGHAI)
    clock = Clock("urgent-hours", limit_seconds(8, "urgent-hours", OPTIONS), 0, start)
    assert clock.reaches(LINE, clock.limit) == datetime(2026, 2, 17, 6, 0, tzinfo=SHANGHAI)


def test_a_paused_clock_stands() -> None:
    start = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
    stopped = Clock("work-hours", 3600, 0, start).paused(LINE, start + 30 * MINUTE)
    assert (stopped.spent(LINE, start + timedelta(days=9)), stopped.reaches(LINE, 3600)) == (1800, None)
    assert stopped.resumed(start + timedelta(days=1)).reaches(LINE, 3600) == start + timedelta(days=1, minutes=30)


def test_the_light_turns_amber_at_the_reminder_and_red_after_the_deadline() -> None:
    start = datetime(2026, 11, 23, 14, 0, tzinfo=SHANGHAI)
    clock = Clock("work-hours", 3600, 0, start)
    told = {
        seconds: clock.light(LINE, start + timedelta(seconds=seconds), OPTIONS) for seconds in (2879, 2880, 3600, 3601)
    }
    assert told == {2879: "green", 2880: "amber", 3600: "amber", 3601: "red"}


def test_a_deadline_beyond_the_calendar_is_refused_and_none_in_sql(conn: Connection) -> None:
    short = WorkingTime([(0, 3600)])
    with pytest.raises(CalendarEnds):
        Clock("work-hours", 7200, 0, datetime.fromtimestamp(0, UTC)).reaches(short, 7200)
    assert conn.execute(text("SELECT grid.clock_instant('work-hours', 10000000000)")).scalar() is None
