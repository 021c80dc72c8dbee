"""Instants and intervals (OGC 21-065r2, temporal functions).

A date has no time and a timestamp is UTC. Where one meets the other, the date is the whole UTC day: a timestamp equals
a date that it falls on, is after it from the next midnight, and an interval that ends with a date ends with that day.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from operator import eq, ge, gt, le, lt, ne
from typing import Any, Literal

from sqlalchemy import ColumnElement, Date, DateTime, and_, cast, func, literal_column, not_, or_
from sqlalchemy.dialects.postgresql import TIMESTAMP

from layers.cql2.errors import Cql2Error, excerpt
from layers.cql2.operands import SQL_TYPES, Interval, Scalar, Value, bound

Comparison = Callable[[Any, Any], ColumnElement[bool]]

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,12})?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)
_FORMS = {
    "date": "2024-05-01",
    "timestamp": "2024-05-01T08:00:00Z",
    None: "2024-05-01 or 2024-05-01T08:00:00Z",
}
_MIRRORED: dict[Comparison, Comparison] = {eq: eq, ne: ne, lt: gt, gt: lt, le: ge, ge: le}


def instant(text: str, kind: Literal["date", "timestamp"] | None = None) -> Scalar:
    """The date or timestamp a text writes (RFC 3339; without zone: UTC); ``kind`` demands one of them."""
    value: date | datetime
    try:
        if kind != "timestamp" and _DATE.fullmatch(text):
            value = date.fromisoformat(text)
            return Scalar("date", bound(value, SQL_TYPES["date"]), excerpt(text), value)
        if kind != "date" and _TIMESTAMP.fullmatch(text):
            value = datetime.fromisoformat(text.upper())
            value = value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
            return Scalar("timestamp", bound(value, SQL_TYPES["timestamp"]), excerpt(text), value)
    except (ValueError, OverflowError):
        pass
    raise Cql2Error(f"{excerpt(text)} is not a {kind or 'date or timestamp'}; write it like {_FORMS[kind]}")


def compare_instants(op: Comparison, a: Scalar, b: Scalar) -> ColumnElement[bool]:
    """``a op b`` for dates and timestamps, at the granularity of the coarser."""
    if a.kind == b.kind:
        return op(a.sql, b.sql)
    if a.kind == "date":
        return compare_instants(_MIRRORED[op], b, a)
    if a.literal is not None:
        return op(_day_of(a.sql), b.sql)
    begin, after = _midnight(b.sql), _midnight(b.sql + 1)
    if op in (eq, ne):
        same = and_(a.sql >= begin, a.sql < after)
        return same if op is eq else not_(same)
    return {lt: a.sql < begin, le: a.sql < after, gt: a.sql >= after, ge: a.sql >= begin}[op]


def _day_of(timestamp: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(func.timezone("UTC", timestamp), Date)


def _midnight(day: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.timezone("UTC", cast(day, DateTime), type_=TIMESTAMP(timezone=True))


def interval(start: Scalar | None, end: Scalar | None) -> Interval:
    """The interval between two instants; None is open. Raises :class:`Cql2Error` if it ends before it starts."""
    if start and end and start.literal is not None and end.literal is not None:
        first, last = start.literal, end.literal
        if start.kind != end.kind:
            first, last = (v.date() if isinstance(v, datetime) else v for v in (first, last))
        if first > last:
            raise Cql2Error(f"the interval ends ({end.label}) before it starts ({start.label}); exchange its bounds")
    return Interval(start, end)


def temporal_predicate(op: str, a: Value, b: Value) -> ColumnElement[bool]:
    """One of the fifteen ``t_…`` relations (OGC 21-065r2, temporal functions; Allen 1983)."""
    a, b = (_temporal(op, value) for value in (a, b))
    if isinstance(a, Scalar) and isinstance(b, Scalar) and op in _OF_INSTANTS:
        return compare_instants(_OF_INSTANTS[op], a, b)
    first, second = (v if isinstance(v, Interval) else Interval(v, v) for v in (a, b))
    dates_only = all(b.kind == "date" for v in (first, second) for b in (v.start, v.end) if b)
    return _OF_INTERVALS[op](*_bounds(first, dates_only), *_bounds(second, dates_only))


def _temporal(op: str, value: Value) -> Scalar | Interval:
    if isinstance(value, Scalar) and value.kind == "string" and value.literal is not None:
        return instant(value.literal)
    if isinstance(value, Interval) or (isinstance(value, Scalar) and value.kind in {"date", "timestamp"}):
        return value
    raise Cql2Error(f"{op} needs dates, timestamps or intervals, not {value.described}")


def _bounds(value: Interval, dates_only: bool) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Start and end in one type: dates if there is nothing else, else timestamps with dates as whole days."""
    name = "date" if dates_only else "timestamptz"
    start: ColumnElement[Any] = literal_column(f"'-infinity'::{name}")
    end: ColumnElement[Any] = literal_column(f"'infinity'::{name}")
    if value.start:
        start = value.start.sql if dates_only or value.start.kind == "timestamp" else _midnight(value.start.sql)
    if value.end:
        last = _midnight(value.end.sql + 1) - literal_column("interval '1 microsecond'")
        end = value.end.sql if dates_only or value.end.kind == "timestamp" else last
    return start, end


_OF_INSTANTS: dict[str, Comparison] = {
    "t_after": gt,
    "t_before": lt,
    "t_disjoint": ne,
    "t_equals": eq,
    "t_intersects": eq,
}

# start and end of the first interval, then of the second
_OF_INTERVALS: dict[str, Callable[[Any, Any, Any, Any], ColumnElement[bool]]] = {
    "t_after": lambda s1, e1, s2, e2: s1 > e2,
    "t_before": lambda s1, e1, s2, e2: e1 < s2,
    "t_contains": lambda s1, e1, s2, e2: and_(s1 < s2, e1 > e2),
    "t_disjoint": lambda s1, e1, s2, e2: or_(e1 < s2, s1 > e2),
    "t_during": lambda s1, e1, s2, e2: and_(s1 > s2, e1 < e2),
    "t_equals": lambda s1, e1, s2, e2: and_(s1 == s2, e1 == e2),
    "t_finishedby": lambda s1, e1, s2, e2: and_(s1 < s2, e1 == e2),
    "t_finishes": lambda s1, e1, s2, e2: and_(s1 > s2, e1 == e2),
    "t_intersects": lambda s1, e1, s2, e2: and_(s1 <= e2, e1 >= s2),
    "t_meets": lambda s1, e1, s2, e2: e1 == s2,
    "t_metby": lambda s1, e1, s2, e2: s1 == e2,
    "t_overlappedby": lambda s1, e1, s2, e2: and_(s1 > s2, s1 < e2, e1 > e2),
    "t_overlaps": lambda s1, e1, s2, e2: and_(s1 < s2, e1 > s2, e1 < e2),
    "t_startedby": lambda s1, e1, s2, e2: and_(s1 == s2, e1 > e2),
    "t_starts": lambda s1, e1, s2, e2: and_(s1 == s2, e1 < e2),
}

TEMPORAL_PREDICATES = frozenset(_OF_INTERVALS)
