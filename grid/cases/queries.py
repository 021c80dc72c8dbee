"""The SQL of a case's life cycle: read it for an act, keep what became of it, and its steps."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, RowMapping, text

from grid.clock.model import Clock
from grid.errors import CaseNotFound
from grid.model import Case, Limit
from layers.features import RowDenied
from layers.registry import LayerNotFound

#: Members of a case that are columns of the same name.
_SAME = tuple(f.name for f in fields(Case) if f.name not in ("clock", "class_code"))
_READ = f"""
    SELECT {", ".join(f"c.{name}" for name in _SAME)}, c.class AS class_code, c.used_seconds, c.running_since,
           c.kind, c.scheme, c.area_code, c.area_type, c.title
    FROM city.cases c WHERE """


@dataclass(frozen=True, slots=True)
class Found:
    """A case with what its life cycle does not ask for."""

    case: Case
    kind: str
    scheme: str
    area_code: str | None
    area_type: str | None
    title: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a case: who, when, where, why, with what. ``place`` is longitude and latitude [°]."""

    act: str
    from_state: str | None
    to_state: str
    actor: str
    role: str
    at: datetime
    reason: str | None
    detail: Mapping[str, Any]
    place: tuple[float, float] | None
    attachments: tuple[UUID, ...]


def has_cases(conn: Connection) -> bool:
    """Whether there is the layer of cases, and this principal may know of it."""
    known = """SELECT 1 FROM citymap.layers WHERE id = 'cases' AND fields @> '[{"name": "clock_round"}]'"""
    return conn.exec_driver_sql(known).first() is not None


def require_cases(conn: Connection) -> None:
    """Raise :class:`LayerNotFound` unless there is the layer of cases, and this principal may know of it."""
    if not has_cases(conn):
        raise LayerNotFound("there is no layer 'cases' of grid management that you may read")


def read_case(conn: Connection, code: str) -> Found:
    """A case as it is now. Raises :class:`CaseNotFound`."""
    row = conn.execute(text(f"{_READ} c.code = :code"), {"code": code}).mappings().first()
    if row is None:
        raise CaseNotFound(f"没有案卷 {code[:60]}，或您不能看", f"there is no case {code[:60]!r} that you may see")
    return _found(row)


def lock_case(conn: Connection, code: str) -> Found:
    """A case as it is now, which nobody else changes until this transaction ends.

    Raises :class:`CaseNotFound`, or :class:`RowDenied` where the principal may read it and not change it.
    """
    statement = f"{_READ} c.code = :code FOR NO KEY UPDATE OF c"
    row = conn.execute(text(statement), {"code": code}).mappings().first()
    if row is None:
        read_case(conn, code)
        raise RowDenied(f"case {code[:60]!r} lies outside the area or department of yours")
    return _found(row)


def _found(row: RowMapping) -> Found:
    values = {name: row[name] for name in _SAME}
    clock = None
    if row["limit_seconds"] is not None and row["used_seconds"] is not None:
        clock = Clock(
            row["limit_unit"], row["limit_seconds"], row["used_seconds"], row["running_since"], row["clock_round"]
        )
    case = Case(**values, class_code=row["class_code"], clock=clock)
    return Found(case, row["kind"], row["scheme"], row["area_code"], row["area_type"], row["title"])


def limits_of(conn: Connection, found: Found) -> tuple[Limit, ...]:
    """The limits for a case's class and type of area, one per condition: those of the class itself before general
    ones, those of the type of area before those of any."""
    rows = conn.execute(
        text("""
            SELECT DISTINCT ON (condition) condition, amount, unit FROM grid.conditions
            WHERE scheme = :scheme AND kind = :kind AND class IN (:class, '') AND area_type IN (:area_type, '')
            ORDER BY condition, class DESC, area_type DESC"""),
        {
            "scheme": found.scheme,
            "kind": found.kind,
            "class": found.case.class_code or "",
            "area_type": found.area_type or "",
        },
    )
    return tuple(Limit(*row) for row in rows)


def save_case(conn: Connection, case: Case, more: Mapping[str, Any]) -> int:
    """Keep a case after an act, with columns that follow from it; returns its new revision."""
    columns = {name: getattr(case, name) for name in _SAME if name not in ("id", "code", "revision", "channel")}
    columns |= more
    conn.exec_driver_sql("SELECT set_config('citymap.case_act', 'advance', true)")
    sets = ", ".join(f"{name} = :{name}" for name in columns)
    revision: int = conn.execute(
        text(f"UPDATE city.cases SET {sets} WHERE id = :id RETURNING revision"), {**columns, "id": case.id}
    ).scalar_one()
    conn.exec_driver_sql("SELECT set_config('citymap.case_act', '', true)")
    return revision


_ADD_STEP = text("""
    INSERT INTO grid.steps
        (case_id, case_code, act, from_state, to_state, actor, role, at, reason, detail, place, attachments)
    VALUES (:case_id, :case_code, :act, :from_state, :to_state, citymap.actor(), :role, :at, :reason,
            CAST(:detail AS jsonb), ST_SetSRID(ST_MakePoint(:lon, :lat), 4490), CAST(:attachments AS uuid[]))""")


def add_step(
    conn: Connection,
    case: Case,
    act: str,
    from_state: str,
    role: str,
    at: datetime,
    reason: str | None,
    detail: Mapping[str, Any],
    place: tuple[float, float] | None = None,
    attachments: tuple[UUID, ...] = (),
) -> None:
    """Append a step of a case."""
    lon, lat = place or (None, None)
    conn.execute(_ADD_STEP, {
        "case_id": case.id, "case_code": case.code, "act": act, "from_state": from_state, "to_state": case.state,
        "role": role, "at": at, "reason": reason, "detail": orjson.dumps(detail).decode(), "lon": lon, "lat": lat,
        "attachments": [str(one) for one in attachments],
    })  # fmt: skip


def steps_of(conn: Connection, case_id: int) -> tuple[Step, ...]:
    """Every step of a case, in order."""
    rows = conn.execute(
        text("""
            SELECT act, from_state, to_state, actor, role, at, reason, detail, attachments,
                   ST_X(place) AS lon, ST_Y(place) AS lat
            FROM grid.steps WHERE case_id = :id ORDER BY id"""),
        {"id": case_id},
    )
    return tuple(_step(row) for row in rows.mappings())


def _step(row: RowMapping) -> Step:
    values = {f.name: row[f.name] for f in fields(Step) if f.name not in ("place", "attachments")}
    place = (row["lon"], row["lat"]) if row["lon"] is not None else None
    return Step(**values, place=place, attachments=tuple(UUID(str(one)) for one in row["attachments"]))


@dataclass(frozen=True, slots=True)
class CasePhoto:
    """A photo of a case, at ``/photos/{id}``: who added it when, and how far from the case it was taken [m]."""

    id: UUID
    at: datetime
    taken_at: datetime | None
    offset: float | None
    actor: str
    width: int
    height: int


def photos_of(conn: Connection, case_id: int) -> tuple[CasePhoto, ...]:
    """Every photo of a case, the oldest first."""
    rows = conn.execute(
        text("SELECT id, at, taken_at, offset_metres, actor, width, height FROM grid.photos"
             " WHERE case_id = :id ORDER BY at, id"),
        {"id": case_id},
    )  # fmt: skip
    return tuple(CasePhoto(UUID(str(row[0])), *tuple(row)[1:]) for row in rows)


def departments(conn: Connection) -> frozenset[str] | None:
    """The departments there are; None where none is entered yet, so that any name will do."""
    known = conn.exec_driver_sql("SELECT grid.departments()").scalar()
    return frozenset(known) if known else None


def database_now(conn: Connection) -> datetime:
    """The time of this moment by the database's clock."""
    now: datetime = conn.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
    return now


def attachments_of(conn: Connection, case_id: int, wanted: tuple[UUID, ...]) -> tuple[UUID, ...]:
    """Those of the photos that belong to the case."""
    if not wanted:
        return ()
    rows = conn.execute(
        text("SELECT id FROM grid.photos WHERE case_id = :case AND id = ANY (CAST(:ids AS uuid[]))"),
        {"case": case_id, "ids": [str(one) for one in wanted]},
    )
    there = {UUID(str(one)) for one in rows.scalars()}
    return tuple(one for one in dict.fromkeys(wanted) if one in there)


def light_and_deadline(conn: Connection, case_id: int) -> tuple[str | None, datetime | None]:
    """How the clock of a case stands, as it is kept."""
    row = conn.execute(text("SELECT light, deadline FROM city.cases WHERE id = :id"), {"id": case_id}).one()
    return row[0], row[1]
