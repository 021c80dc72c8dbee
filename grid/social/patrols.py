"""巡查计划 patrol plans against what was walked. No I/O.

A plan asks for so many walks in each day, week or month. A walk is done when the worker's device covered, within one
slot, at least the plan's share of its grids or route: a slot is a day, or of a plan by days the part of the day that
``times`` leaves for one walk (twice a day: before and after noon).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from grid.evaluation.model import Period, periods

#: Walks of a day that can be told apart, the share that counts as walked where a plan says none, and the swath [m].
MOST_A_DAY, LEAST_SHARE, WIDTH = 4, 0.6, 50.0
_MOMENT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """Who walks which grids, or a route, how often: ``times`` in each ``every`` (day, week, month)."""

    code: str
    name: str | None
    worker: str | None
    device: str | None
    grids: tuple[str, ...]
    route: str | None
    times: int
    every: str
    least_share: float
    width: float
    begins: date | None
    ends: date | None


@dataclass(frozen=True, slots=True)
class Slot:
    """A time within which one walk may be done, and the period of the plan that it belongs to."""

    period: int
    begin: datetime
    end: datetime


def whole_periods(plan: Plan, begin: datetime, end: datetime, zone: ZoneInfo) -> tuple[Period, ...]:
    """The plan's periods that lie wholly between two instants and in which the plan is in force."""
    first, last = plan.begins or date.min, plan.ends or date.max
    return tuple(
        one
        for one in periods(plan.every, begin, end, zone)
        if _is_whole(one, plan.every, zone)
        and first <= one.begin.astimezone(zone).date()
        and (one.end - _MOMENT).astimezone(zone).date() <= last
    )


def slots(plan: Plan, found: Sequence[Period], zone: ZoneInfo) -> list[Slot]:
    """The slots of these periods, in order."""
    parts = min(plan.times, MOST_A_DAY) if plan.every == "day" else 1
    made = []
    for number, one in enumerate(found):
        for day in periods("day", one.begin, one.end, zone):
            length = (day.end - day.begin) / parts
            made += [Slot(number, day.begin + n * length, day.begin + (n + 1) * length) for n in range(parts)]
    return made


def fulfilled(plan: Plan, walked: Sequence[Slot], count: int) -> int:
    """How many of the walks planned for ``count`` periods were done: more in one do not make up for another."""
    of_each = [sum(one.period == number for one in walked) for number in range(count)]
    return sum(min(plan.times, done) for done in of_each)


def _is_whole(one: Period, every: str, zone: ZoneInfo) -> bool:
    """Whether a period is not cut by the ends of what was asked for."""
    begin, end = one.begin.astimezone(zone), one.end.astimezone(zone)
    if begin.time() != time.min or end.time() != time.min:
        return False
    edges = {"day": (True, True), "week": (begin.weekday() == 0, end.weekday() == 0)}
    return all(edges.get(every, (begin.day == 1, end.day == 1)))
