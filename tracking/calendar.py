"""When something holds: ``Mon-Fri 07:00-19:00; Sat 08:00-12:00``, in the city's time (GMT+8).

工作时间 duty hours of people and vehicles, 生效时间 of geofences. Days are Mon … Sun, a list or a range; ``daily`` is
all of them. A time that ends before it begins goes on into the next day.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_PART = re.compile(r"(?:([a-z,\- ]+?)\s+)?(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)")
_BEIJING, _DAY, _WEEK = 8 * 3600, 86_400, 7 * 86_400
#: Unix time 0 was a Thursday.
_THURSDAY = 3 * 86_400
#: Longest calendar, and parts of one.
_LONGEST, _MOST = 500, 50


class CalendarError(ValueError):
    """A calendar's text is none."""


def holds(calendar: str | None, at: float) -> bool:
    """Whether a Unix time [s] is within; without a calendar every time is. Raises :class:`CalendarError`."""
    if not calendar or not calendar.strip():
        return True
    moment = (at + _BEIJING + _THURSDAY) % _WEEK
    return any(begin <= moment < end for begin, end in _spans(calendar))


@lru_cache(maxsize=4096)
def _spans(calendar: str) -> tuple[tuple[int, int], ...]:
    """Seconds of the week, Monday 0:00 being 0."""
    parts = [part.strip() for part in calendar.lower().split(";") if part.strip()]
    if len(calendar) > _LONGEST or len(parts) > _MOST:
        raise CalendarError(f"a calendar has {_LONGEST} letters and {_MOST} parts at most")
    return tuple(span for part in parts for span in _part(part))


def _part(part: str) -> Iterator[tuple[int, int]]:
    found = _PART.fullmatch(part)
    if found is None:
        raise CalendarError(f"{part[:60]!r} is not such as 'Mon-Fri 07:00-19:00'")
    days, *clock = found.groups()
    begin_hour, begin_minute, end_hour, end_minute = map(int, clock)
    if begin_hour > 24 or end_hour > 24 or begin_minute > 59 or end_minute > 59:
        raise CalendarError(f"{part[:60]!r} has no time of day")
    begin, end = begin_hour * 3600 + begin_minute * 60, end_hour * 3600 + end_minute * 60
    if end <= begin:
        end += _DAY
    for day in _named(days, part):
        start, stop = day * _DAY + begin, day * _DAY + end
        yield start, min(stop, _WEEK)
        if stop > _WEEK:
            yield 0, stop - _WEEK


def _named(days: str | None, part: str) -> Iterator[int]:
    if days is None or days == "daily":
        yield from range(7)
        return
    for each in days.split(","):
        ends = [day.strip() for day in each.split("-")]
        if not 1 <= len(ends) <= 2 or any(day not in _DAYS for day in ends):
            raise CalendarError(f"{part[:60]!r} names no days such as 'Mon-Fri' or 'Sat,Sun'")
        first, last = _DAYS.index(ends[0]), _DAYS.index(ends[-1])
        yield from ((first + n) % 7 for n in range((last - first) % 7 + 1))
