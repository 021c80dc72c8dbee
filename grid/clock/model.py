"""The clock of a case: how much of its limit is used, when it ends, which light it shows. No I/O.

工作时 working hours and 工作日 working days run in the city's working time, 紧急工作时 urgent hours round the clock.
A working day counts as the length of the city's normal one. Times are whole seconds; ``grid/clock/clock.sql`` does the
same arithmetic in SQL. Source: domain facts §1 (the limit starts with the dispatch; it is per condition and area type).
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from grid.options import ClockOptions

type Light = Literal["green", "amber", "red"]

URGENT = "urgent-hours"


class CalendarEnds(ValueError):
    """A deadline lies beyond the years for which the city's calendar is made."""


class WorkingTime:
    """The city's working periods as a time line: the seconds of working time before each instant.

    ``periods`` are (begin, end) as seconds since 1970, in order and apart from each other.
    """

    def __init__(self, periods: Sequence[tuple[int, int]]) -> None:
        self._begins = [begin for begin, _ in periods]
        self._ends = [end for _, end in periods]
        self._before = [0]
        for begin, end in periods:
            self._before.append(self._before[-1] + end - begin)

    def position(self, unit: str, at: datetime) -> int:
        """The reading of the city's time line at an instant [s]; for urgent hours that of the clock on the wall."""
        second = math.floor(at.timestamp())
        if unit == URGENT:
            return second
        n = bisect_right(self._begins, second) - 1
        return self._before[n] + min(second, self._ends[n]) - self._begins[n] if n >= 0 else 0

    def working(self, at: datetime) -> bool:
        """Whether an instant lies in a working period."""
        second = math.floor(at.timestamp())
        n = bisect_right(self._begins, second) - 1
        return n >= 0 and second < self._ends[n]

    def instant(self, unit: str, position: int) -> datetime:
        """The first instant at which the time line reads so. Raises :class:`CalendarEnds`."""
        if unit == URGENT:
            return datetime.fromtimestamp(position, UTC)
        n = max(bisect_left(self._before, position) - 1, 0)
        if n >= len(self._begins):
            raise CalendarEnds("the deadline lies beyond the city's calendar; shorten the limit or restart the server")
        return datetime.fromtimestamp(self._begins[n] + position - self._before[n], UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of one case: of ``limit`` [s] so many were ``used`` when it last stopped; None: it stands still.

    ``round`` grows with every new limit, so that each deadline is told of once.
    """

    unit: str
    limit: int
    used: int = 0
    running_since: datetime | None = None
    round: int = 1

    def spent(self, line: WorkingTime, at: datetime) -> int:
        """The time used up to an instant [s]; an instant before the start counts as the start."""
        if self.running_since is None:
            return self.used
        return self.used + max(0, line.position(self.unit, at) - line.position(self.unit, self.running_since))

    def paused(self, line: WorkingTime, at: datetime) -> "Clock":
        """The clock standing still from an instant on."""
        return replace(self, used=self.spent(line, at), running_since=None)

    def resumed(self, at: datetime) -> "Clock":
        """The clock going on from an instant."""
        return self if self.running_since else replace(self, running_since=at)

    def extended(self, seconds: int) -> "Clock":
        """The clock with a longer limit, in a new round."""
        return replace(self, limit=self.limit + seconds, round=self.round + 1)

    def reaches(self, line: WorkingTime, seconds: int) -> datetime | None:
        """When so many seconds will be used; None while it stands still."""
        if self.running_since is None:
            return None
        return line.instant(self.unit, line.position(self.unit, self.running_since) + seconds - self.used)

    def light(self, line: WorkingTime, at: datetime, options: ClockOptions) -> Light:
        """Green, amber from the reminder on, red beyond the limit."""
        spent = self.spent(line, at)
        if spent > self.limit:
            return "red"
        return "amber" if spent >= share_of(self.limit, options.remind_share) else "green"


def share_of(limit: int, share: float) -> int:
    """A share of a limit [s], rounded up to a whole second; shares have six decimals at most."""
    return -(-limit * round(share * 1_000_000) // 1_000_000)


def limit_seconds(amount: float, unit: str, options: ClockOptions) -> int:
    """A limit as seconds of its own time line."""
    return round(amount * (options.day_seconds if unit == "work-days" else 3600))


def running(limit: int, unit: str, at: datetime, former_round: int) -> Clock:
    """A clock that starts at an instant."""
    return Clock(unit, limit, 0, at, former_round + 1)
