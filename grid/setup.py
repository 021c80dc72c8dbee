"""What grid management keeps in the database of its configuration and of the classes that ship with it."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from sqlalchemy import Connection, text

from grid.cases.queries import has_cases
from grid.clock.calendar import working_periods, years
from grid.options import ClockOptions, GridOptions

_LOCK = 0x6772_6964  # "grid": servers that start together


def prepare(conn: Connection, options: GridOptions) -> bool:
    """Write the configuration and the calendar of working time where they differ; whether anything was written.

    Deadlines of clocks that run are worked out anew by the new calendar.
    """
    first, last = years(datetime.now(UTC).date())
    digest = f"{options.digest()} {first}-{last}"
    if conn.execute(text("SELECT digest FROM grid.options")).scalar() == digest:
        return False
    conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if conn.execute(text("SELECT digest FROM grid.options")).scalar() == digest:
        return False
    _write_working_time(conn, options, first, last)
    _write_options(conn, options, digest)
    if has_cases(conn):
        _set_clocks_anew(conn, options.clock)
    return True


def first_prepare(conn: Connection) -> None:
    """What every new database has: the classes that ship, and the defaults until a server starts with its own."""
    load_classes(conn)
    if conn.execute(text("SELECT 1 FROM grid.options")).first() is None:
        prepare(conn, GridOptions())


def load_classes(conn: Connection) -> int:
    """Enter the classes that ship with the program and are not there yet; returns how many were new."""
    rows = [*_classes("event", "events.csv"), *_classes("component", "components.csv")]
    statement = text(
        "INSERT INTO grid.classes (scheme, kind, code, major, major_name, name, provenance)"
        " VALUES (:scheme, :kind, :code, :major, :major_name, :name, :provenance) ON CONFLICT DO NOTHING"
    )
    return sum(conn.execute(statement, row).rowcount for row in rows)


def _classes(kind: str, file: str) -> Iterator[dict[str, Any]]:
    with files("grid").joinpath("data", file).open(encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            yield {**row, "kind": kind, "major_name": row["major_name"] or None}


def _set_clocks_anew(conn: Connection, clock: ClockOptions) -> None:
    """The thresholds of clocks that run, by the calendar as it is now."""
    reached = "grid.clock_instant(limit_unit, grid.clock_position(limit_unit, running_since) + {} - used_seconds)"
    remind, supervise = (f"grid.clock_share(limit_seconds, :{name})" for name in ("remind", "supervise"))
    conn.exec_driver_sql("SELECT set_config('citymap.case_act', 'advance', true)")
    conn.execute(
        text(f"""
            UPDATE city.cases SET remind_at = {reached.format(remind)}, deadline = {reached.format("limit_seconds")},
                supervise_at = {reached.format(supervise)},
                light = grid.clock_light(limit_unit, limit_seconds, used_seconds, running_since, now(), :remind)
            WHERE running_since IS NOT NULL"""),
        {"remind": clock.remind_share, "supervise": clock.supervise_share},
    )
    conn.exec_driver_sql("SELECT set_config('citymap.case_act', '', true)")


def _write_working_time(conn: Connection, options: GridOptions, first: int, last: int) -> None:
    periods = list(working_periods(options.clock, first, last))
    conn.execute(text("DELETE FROM grid.working_time"))
    conn.execute(
        text("""
            INSERT INTO grid.working_time (begins, ends, seconds_before)
            SELECT b, e, coalesce(sum(extract(epoch FROM e - b)) OVER earlier, 0)
            FROM unnest(CAST(:begins AS timestamptz[]), CAST(:ends AS timestamptz[])) AS p (b, e)
            WINDOW earlier AS (ORDER BY b ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"""),
        {"begins": [begin for begin, _ in periods], "ends": [end for _, end in periods]},
    )


def _write_options(conn: Connection, options: GridOptions, digest: str) -> None:
    reports = options.reports
    conn.execute(
        text("""
            INSERT INTO grid.options (digest, timezone, event_scheme, component_scheme, similar_metres, similar_hours,
                                      component_metres)
            VALUES (:digest, :timezone, :event_scheme, :component_scheme, :similar_metres, :similar_hours,
                    :component_metres)
            ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, timezone = excluded.timezone,
                event_scheme = excluded.event_scheme, component_scheme = excluded.component_scheme,
                similar_metres = excluded.similar_metres, similar_hours = excluded.similar_hours,
                component_metres = excluded.component_metres"""),
        {
            "digest": digest,
            "timezone": options.clock.timezone,
            "event_scheme": reports.event_scheme,
            "component_scheme": reports.component_scheme,
            "similar_metres": reports.similar_metres,
            "similar_hours": reports.similar_hours,
            "component_metres": reports.component_metres,
        },
    )
