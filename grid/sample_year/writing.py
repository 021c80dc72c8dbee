"""Writes the sample year's cases and steps by COPY, as the life cycle and the layer's triggers leave them."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, text

from grid.model import Case
from grid.options import GridOptions
from grid.sample_year.places import Spot
from grid.sample_year.year import Told, position

SOURCE = "示范城市"
#: What the triggers of a report would do again: locate it, number it, compare it, enter its first step.
_TRIGGERS = ("case_1_checked", "case_2_located", "case_3_begun", "case_4_compared", "case_recorded")
_OF_CASE = (
    "state", "department", "condition", "found", "consistent", "accepted_at", "filed_at", "filing_due", "dispatched_at",
    "handled_at", "check_due", "checked_at", "closed_at", "limit_amount", "limit_unit", "limit_seconds", "clock_round",
    "escalation", "dispatches", "returns", "reworks", "extensions", "urges", "supervised", "asked_extension",
    "suspended_from",
)  # fmt: skip
_OF_CLOCK = ("used_seconds", "running_since", "light", "remind_at", "deadline", "supervise_at")
_OF_SPOT = ("grid", "social_grid", "area_code", "area_type", "place")
_MORE = ("id", "geom", "code", "title", "kind", "scheme", "class", "class_name", "channel", "reporter", "reported_at",
         "duplicate_of", "reports", "photos", "satisfaction", "source")  # fmt: skip
_CASES = (*_MORE, *_OF_SPOT, *_OF_CASE, *_OF_CLOCK)
_STEPS = ("case_id", "case_code", "act", "from_state", "to_state", "actor", "role", "at", "reason", "detail", "place")


def write_cases(conn: Connection, told: Sequence[Told], spots: Sequence[Spot], options: GridOptions) -> None:
    """Enter cases with their steps, in the order in which they were reported."""
    scheme = options.reports.event_scheme
    names = {
        row[0]: row[1]
        for row in conn.execute(
            text("SELECT code, name FROM grid.classes WHERE scheme = :scheme AND kind = 'event'"), {"scheme": scheme}
        )
    }
    reserved = "SELECT nextval(pg_get_serial_sequence('city.cases', 'id')) FROM generate_series(1, :count)"
    ids = list(conn.execute(text(reserved), {"count": len(told)}).scalars())
    for name in _TRIGGERS:
        conn.exec_driver_sql(f"ALTER TABLE city.cases DISABLE TRIGGER {name}")
    _copy(conn, "city.cases", _CASES, _case_rows(told, ids, spots, names, scheme))
    for name in _TRIGGERS:
        conn.exec_driver_sql(f"ALTER TABLE city.cases ENABLE TRIGGER {name}")
    _copy(conn, "grid.steps", _STEPS, _step_rows(told, ids, spots))


def _case_rows(
    told: Sequence[Told], ids: Sequence[int], spots: Sequence[Spot], names: dict[str, str], scheme: str
) -> Iterator[tuple[Any, ...]]:
    for n, one in enumerate(told):
        spot, case, birth = spots[one.birth.spot], one.life.case, one.birth
        name = names.get(birth.kind.code, birth.kind.code)
        of = None if one.repeats is None else told[one.repeats].life.case.code
        more = (
            ids[n], _point(one, spots), case.code, " ".join(filter(None, (name, spot.place))), "event", scheme,
            birth.kind.code, name, birth.channel, birth.reporter, birth.at, of, one.reports, 0, _satisfaction(n, case),
            SOURCE,
        )  # fmt: skip
        yield (
            *more,
            *(getattr(spot, column) for column in _OF_SPOT),
            *(getattr(case, column) for column in _OF_CASE),
            *(one.life.columns.get(column) for column in _OF_CLOCK),
        )


def _step_rows(told: Sequence[Told], ids: Sequence[int], spots: Sequence[Spot]) -> Iterator[tuple[Any, ...]]:
    """In the order in which they were done, over all cases."""
    done = sorted((step.at, n, k) for n, one in enumerate(told) for k, step in enumerate(one.life.steps))
    for _, n, k in done:
        step = told[n].life.steps[k]
        place = _point(told[n], spots) if step.role == "reporter" else None
        yield (
            ids[n], told[n].life.case.code, step.act, step.from_state, step.to_state, step.actor, step.role, step.at,
            step.reason, orjson.dumps(step.detail).decode(), place,
        )  # fmt: skip


def _satisfaction(n: int, case: Case) -> int | None:
    """Of every fourth case of a citizen that was closed: worse where it took long."""
    if case.state != "closed" or case.channel not in ("public", "hotline", "open311") or n % 4:
        return None
    late = case.clock is not None and case.clock.used > case.clock.limit
    return (2, 3, 1, 4)[n // 4 % 4] if late else (5, 4, 5, 3, 5, 4)[n // 4 % 6]


def _point(one: Told, spots: Sequence[Spot]) -> str:
    lon, lat = position(one.birth, spots)
    return f"SRID=4490;POINT({lon!r} {lat!r})"


def _copy(conn: Connection, table: str, columns: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    out = io.StringIO()
    csv.writer(out).writerows(tuple(_plain(value) for value in row) for row in rows)
    out.seek(0)
    named = ", ".join(f'"{column}"' for column in columns)
    conn.connection.cursor().copy_expert(f"COPY {table} ({named}) FROM STDIN (FORMAT csv)", out)


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value
