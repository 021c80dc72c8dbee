"""The SQL of dispatch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.errors import InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from layers.features import RowDenied
from layers.registry import LayerNotFound, find_layer
from tracking.alarms.fences import Fence
from tracking.alarms.watch import FENCE_COLUMNS, fence_of
from tracking.dispatching.model import OPEN, Place, TaskNotFound, TaskState, Unit
from tracking.tracks import MOST_DEVICES

_UNITS = text("""
    SELECT d.code AS device, coalesce(d.name, d.code) AS name, coalesce(d.kind, 'other') AS kind, d.department, d.duty,
           coalesce(d.skills, '{}') AS skills, coalesce(d.capacity, 1) AS capacity, p.state,
           extract(epoch FROM p.time)::float8 AS time, ST_X(p.geom) AS lon, ST_Y(p.geom) AS lat, p.speed,
           coalesce(t.tasks, 0) AS tasks
    FROM city.positions p JOIN city.devices d ON d.code = p.device
    LEFT JOIN (SELECT device, count(*) AS tasks FROM city.unit_tasks WHERE state = ANY (:open) GROUP BY device) t
        ON t.device = d.code
    WHERE d.enabled IS DISTINCT FROM false AND p.geom IS NOT NULL AND p.time IS NOT NULL
        AND (d.code = :only OR CAST(:only AS text) IS NULL)
    ORDER BY d.code LIMIT :most""")
_CASE = text("""
    SELECT concat_ws(' ', coalesce(title, class_name), place), ST_X(at), ST_Y(at)
    FROM city.cases, ST_Transform(geom, 4490) AS at WHERE code = :code AND geom IS NOT NULL""")
_PLAN = text(f"""
    SELECT {FENCE_COLUMNS} FROM city.geofences
    WHERE enabled IS DISTINCT FROM false AND NOT ST_IsEmpty(geom) AND ST_Dimension(geom) > 0
        AND (id = ANY (:only) OR CAST(:only AS bigint[]) IS NULL)
        AND (cardinality(devices) > 0 OR cardinality(kinds) > 0)
    ORDER BY id LIMIT 10000""")
_NUMBER = text("SELECT 'T' || nextval('tracking.task_number')")
_ADD = text("""
    INSERT INTO city.unit_tasks (geom, code, title, device, name, department, case_id, state, assigned, assigned_by,
                                 eta, seconds, length, within, command)
    SELECT ST_SetSRID(ST_MakeLine(array_agg(ST_MakePoint(lon, lat) ORDER BY n)), 4490), :code, :title, :device, :name,
           :department, :case, 'assigned', now(), nullif(current_setting('citymap.actor', true), ''),
           now() + make_interval(secs => CAST(:seconds AS float8)), :seconds, :length, :within, :command
    FROM unnest(CAST(:lon AS float8[]), CAST(:lat AS float8[])) WITH ORDINALITY AS t (lon, lat, n)
    RETURNING assigned, eta""")
_TASK = text("""
    SELECT code, device, title, state, department FROM city.unit_tasks WHERE code = :code""")
_ADVANCE = text("""
    UPDATE city.unit_tasks SET state = :to, note = coalesce(:note, note),
        under_way = CASE WHEN :to = 'under-way' THEN now() ELSE under_way END,
        arrived = CASE WHEN :to = 'arrived' THEN now() ELSE arrived END,
        ended = CASE WHEN :to IN ('done', 'cancelled') THEN now() ELSE ended END
    WHERE code = :code AND state = :before""")


@dataclass(frozen=True, slots=True)
class Task:
    """A task as its life goes on."""

    code: str
    device: str
    title: str
    state: TaskState
    department: str | None


def read_units(conn: Connection, only: str | None = None) -> list[Unit]:
    """The units that the principal may see, where they were last; ``only`` the one of that device.

    Raises :class:`layers.registry.LayerNotFound`.
    """
    for layer in ("devices", "positions", "unit-tasks"):
        find_layer(conn, layer)
    rows: Any = conn.execute(_UNITS, {"open": list(OPEN), "only": only, "most": MOST_DEVICES})
    return [Unit(**{**row, "skills": frozenset(row["skills"])}) for row in rows.mappings()]


def read_case(conn: Connection, code: str) -> tuple[str, Place]:
    """What a case is called, and where it is. Raises :class:`layers.registry.LayerNotFound`."""
    find_layer(conn, "cases")
    row = conn.execute(_CASE, {"code": code}).one_or_none()
    if row is None:
        raise LayerNotFound(f"there is no case {code[:80]!r} with a place")
    return row[0] or code, (row[1], row[2])


def read_plan(conn: Connection, only: Sequence[int] = ()) -> list[Fence]:
    """The routes and areas that are planned for some devices or kinds, or those of these ids.

    Raises :class:`layers.registry.LayerNotFound`.
    """
    find_layer(conn, "geofences")
    rows: Any = conn.execute(_PLAN, {"only": list(only) or None})
    return [fence_of(row) for row in rows]


def lock_unit(conn: Connection, device: str) -> None:
    """Let one transaction at a time send this unit."""
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('tracking.unit ' || :device))"), {"device": device})


def next_code(conn: Connection) -> str:
    """The number of a new task."""
    return str(conn.execute(_NUMBER).scalar_one())


def add_task(conn: Connection, values: Mapping[str, Any], line: Sequence[Place]) -> tuple[datetime, datetime | None]:
    """Enter a task with its way; when it was assigned, and when the unit should be there.

    Raises :class:`layers.features.RowDenied` where the principal may not.
    """
    lon, lat = zip(*line, strict=True)
    try:
        row = conn.execute(_ADD, {**values, "lon": list(lon), "lat": list(lat)}).one()
    except ProgrammingError as error:
        if isinstance(error.orig, InsufficientPrivilege):
            raise RowDenied(f"you may not send device {values['device']!r}") from None
        raise
    return row.assigned, row.eta


def read_task(conn: Connection, code: str) -> Task:
    """The task of that number. Raises :class:`TaskNotFound`."""
    find_layer(conn, "unit-tasks")
    row = conn.execute(_TASK, {"code": code}).one_or_none()
    if row is None:
        raise TaskNotFound(f"there is no task {code[:80]!r}")
    return Task(*row)


def advance(conn: Connection, task: Task, to: TaskState, note: str | None) -> bool:
    """Let a task become that, unless it has become something else meanwhile or the principal may not."""
    values = {"code": task.code, "before": task.state, "to": to, "note": note}
    return conn.execute(_ADVANCE, values).rowcount == 1
