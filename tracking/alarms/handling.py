"""The SQL of handling alarms: one alarm, the case that is made of it, and how many there were of what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection, text

from layers.features import RowDenied
from layers.registry import find_layer

type Group = Literal["kind", "device", "department", "fence", "state", "late", "day", "hour"]
#: What alarms are counted by; days and hours are the city's (GMT+8).
_GROUPS: dict[str, str] = {
    "kind": "kind", "device": "device", "department": "department", "fence": "fence::text", "state": "state",
    "late": "coalesce(late, false)::text", "day": "tracking.day_of(began)::text",
    "hour": "to_char(began AT TIME ZONE interval '8 hours', 'HH24')",
}  # fmt: skip
assert set(_GROUPS) == set(get_args(Group.__value__))
#: Groups of one answer.
MOST_GROUPS = 10_000
_ALARM = text("""
    SELECT key, kind, device, name, detail, began, state, case_id, ST_X(geom) AS lon, ST_Y(geom) AS lat
    FROM city.alarms WHERE key = :key""")
_HANDLED = text("""
    UPDATE city.alarms SET case_id = :case, state = CASE WHEN state = 'closed' THEN state ELSE 'assigned' END,
        handled = coalesce(handled, now())
    WHERE key = :key AND case_id IS NULL""")
_COUNTED = """
    SELECT ARRAY[{groups}]::text[] AS of, count(*) AS alarms,
           count(*) FILTER (WHERE coalesce(state, 'new') = 'new') AS waiting,
           count(*) FILTER (WHERE state = 'closed') AS closed, count(*) FILTER (WHERE late) AS late,
           count(*) FILTER (WHERE case_id IS NOT NULL) AS cases, count(DISTINCT device) AS devices,
           avg(extract(epoch FROM ended - began)) FILTER (WHERE ended > began)::float8 AS seconds,
           avg(extract(epoch FROM handled - began)) FILTER (WHERE handled >= began)::float8 AS handled_after
    FROM city.alarms
    WHERE began >= :begin AND began < :end AND (kind = ANY (:kinds) OR CAST(:kinds AS text[]) IS NULL)
    GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT :most"""


class AlarmNotFound(LookupError):
    """There is no alarm of that key, or not for whoever asks."""


class AlarmHandled(ValueError):
    """A case has been made of the alarm already."""


@dataclass(frozen=True, slots=True)
class HandledAlarm:
    """An alarm as whoever handles it needs it."""

    key: str
    kind: str
    device: str
    name: str | None
    detail: str | None
    began: datetime
    state: str | None
    case_id: str | None
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Counted:
    """Alarms of one group: ``of`` has the values of what was counted by. How many wait, are closed, came late, became
    cases, and of how many devices; their mean length and the mean time until they were handled [s]."""

    of: tuple[str | None, ...]
    alarms: int
    waiting: int
    closed: int
    late: int
    cases: int
    devices: int
    seconds: float | None
    handled_after: float | None


def lock_alarm(conn: Connection, key: str) -> HandledAlarm:
    """An alarm that nobody else makes a case of until this transaction ends. Raises :class:`AlarmNotFound`."""
    find_layer(conn, "alarms")
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('tracking.alarm ' || :key))"), {"key": key})
    row = conn.execute(_ALARM, {"key": key}).one_or_none()
    if row is None:
        raise AlarmNotFound(f"there is no alarm {key[:80]!r}")
    return HandledAlarm(*row)


def enter_case(conn: Connection, alarm: HandledAlarm, case: str) -> None:
    """Enter that a case was made of an alarm. Raises :class:`RowDenied` where the principal may not."""
    if conn.execute(_HANDLED, {"key": alarm.key, "case": case}).rowcount != 1:
        raise RowDenied(f"you may not handle alarm {alarm.key!r}")


def count_alarms(
    conn: Connection, begin: datetime, end: datetime, by: Sequence[Group], kinds: Sequence[str] | None
) -> list[Counted]:
    """The alarms that began in ``[begin, end)`` and the principal may see, by groups, the most frequent first."""
    find_layer(conn, "alarms")
    statement = text(_COUNTED.format(groups=", ".join(_GROUPS[name] for name in by)))
    values = {"begin": begin, "end": end, "kinds": list(kinds) if kinds else None, "most": MOST_GROUPS}
    rows: Any = conn.execute(statement, values)
    return [Counted(tuple(row[0]), *row[1:]) for row in rows]
