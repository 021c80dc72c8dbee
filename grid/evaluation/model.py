"""By what cases are evaluated: areas, departments, classes, posts, persons, and periods. No I/O.

Every group says itself in CQL2, so that whoever sees a number can list its cases.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from grid.errors import GridError

Area = Literal["city", "district", "street", "community"]
Step = Literal["day", "week", "month", "quarter", "year"]
By = Literal[
    "city", "district", "street", "community", "grid", "department", "class", "channel", "kind",
    "day", "week", "month", "quarter", "year", "post", "person",
]  # fmt: skip
Basis = Literal["reported", "accepted", "filed", "dispatched", "handled", "checked", "closed"]

#: Digits of a division code at each level (domain facts §2).
DIGITS: dict[str, int] = {"city": 4, "district": 6, "street": 9, "community": 12}
#: Groups that are a column of the layer ``cases``.
COLUMNS = frozenset({"department", "class", "channel", "kind"})
STEPS = frozenset({"day", "week", "month", "quarter", "year"})
#: Groups that the steps of a case tell: the role of an act, and who did it.
DOERS = frozenset({"post", "person"})
MOST_PERIODS = 1000


@dataclass(frozen=True, slots=True)
class Period:
    """From ``begin`` up to and without ``end``; ``name`` is such as ``2026-11``, ``2026-Q4``, ``2026-W47``."""

    name: str
    begin: datetime
    end: datetime


def periods(step: str, begin: datetime, end: datetime, zone: ZoneInfo) -> tuple[Period, ...]:
    """The days, weeks, months … of the city's calendar between two instants, the first and last cut to them.

    Raises :class:`GridError` for more than :data:`MOST_PERIODS`.
    """
    found: list[Period] = []
    day = _FIRST[step](begin.astimezone(zone).date())
    while (start := _midnight(day, zone)) < end:
        following = _NEXT[step](day)
        found.append(Period(_NAME[step](day), max(start, begin), min(_midnight(following, zone), end)))
        day = following
        if len(found) > MOST_PERIODS:
            raise GridError(
                f"时段超过 {MOST_PERIODS} 个，请取更长的步长", f"more than {MOST_PERIODS} periods; take longer ones"
            )
    return tuple(found)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _months_on(day: date, months: int) -> date:
    total = day.year * 12 + day.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)


_FIRST: dict[str, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
    "quarter": lambda day: date(day.year, (day.month - 1) // 3 * 3 + 1, 1),
    "year": lambda day: date(day.year, 1, 1),
}
_NEXT: dict[str, Callable[[date], date]] = {
    "day": lambda day: day + timedelta(days=1),
    "week": lambda day: day + timedelta(days=7),
    "month": lambda day: _months_on(day, 1),
    "quarter": lambda day: _months_on(day, 3),
    "year": lambda day: date(day.year + 1, 1, 1),
}
_NAME: dict[str, Callable[[date], str]] = {
    "day": date.isoformat,
    "week": lambda day: day.strftime("%G-W%V"),
    "month": lambda day: day.strftime("%Y-%m"),
    "quarter": lambda day: f"{day.year}-Q{(day.month + 2) // 3}",
    "year": lambda day: str(day.year),
}


def quoted(text: str) -> str:
    """A text as CQL2 writes it (OGC 21-065r2, character literals)."""
    return "'" + text.replace("'", "''") + "'"


def instant(at: datetime) -> str:
    """An instant as CQL2 writes it, to the microsecond."""
    return f"TIMESTAMP('{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z')"


def between(column: str, begin: datetime, end: datetime) -> str:
    """A time from an instant up to and without another, in CQL2."""
    return f"{column} >= {instant(begin)} AND {column} < {instant(end)}"


def group_filter(by: str, key: str | None) -> str:
    """The cases of a group of areas, grids or a column, in CQL2."""
    if by in DIGITS:
        digits = DIGITS[by]
        if key is None:
            return f"(area_code IS NULL OR char_length(area_code) < {digits})"
        return f"area_code LIKE {quoted(key + '%')}"
    if by == "grid":
        if key is None:
            return "(social_grid IS NULL AND grid IS NULL)"
        return f"(social_grid = {quoted(key)} OR (social_grid IS NULL AND grid = {quoted(key)}))"
    return f"{by} IS NULL" if key is None else f"{by} = {quoted(key)}"
