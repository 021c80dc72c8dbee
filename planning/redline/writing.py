"""Writes red lines: a new one with its surveyed points, a step of one, the numbers of documents."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
import shapely
from psycopg2.errors import CheckViolation, ExclusionViolation, InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from layers.features import RowDenied
from planning.errors import PlanningConflict, PlanningError
from planning.options import PlanningOptions
from planning.redline.reading import RedLine, find_redline
from planning.survey.areas import areas_of
from planning.survey.parcel import Parcel

#: Key of the lock under which ground is given out; planning.keep_apart() takes the same.
_GIVE_OUT = "SELECT pg_advisory_xact_lock(hashtextextended('planning.redlines', 0))"
SERIES = "红"


@dataclass(frozen=True, slots=True)
class Signed:
    """Who takes a step, as what, and what is said. ``check`` is the check that it rests on."""

    actor: str
    role: str
    opinion: str = ""
    document: str | None = None
    check: int | None = None


def next_number(conn: Connection, options: PlanningOptions, series: str, today: date) -> str:
    """The next number of a series in the year. It is the transaction's: rolled back, the number is free again."""
    statement = text("SELECT planning.next_number(:series, :year)")
    number = conn.execute(statement, {"series": series, "year": today.year}).scalar_one()
    return options.number(series, today.year, int(number))


def give_out_alone(conn: Connection) -> None:
    """Wait until no other transaction gives out ground; none does until this one ends."""
    conn.execute(text(_GIVE_OUT))


def register(
    conn: Connection,
    options: PlanningOptions,
    parcels: Sequence[Parcel],
    facts: dict[str, Any],
    signed: Signed,
    action: str = "apply",
) -> RedLine:
    """Enter a new red line of these parts, with a number of its own, in the state that ``facts`` say (``applied``).

    Raises :class:`PlanningError` for parts of several zones, :class:`PlanningConflict` for ground that is given out.
    """
    if len({parcel.zone for parcel in parcels}) != 1:
        raise PlanningError("各地块的带号须相同", "all parts of a red line have one zone")
    today = options.today()
    areas = [areas_of(parcel) for parcel in parcels]
    shape = shapely.multipolygons([parcel.degrees for parcel in parcels])
    values = {
        "status": "applied", "applied_on": today, **facts,
        "number": next_number(conn, options, SERIES, today), "zone": parcels[0].zone.number,
        "area": round(sum(a.plane for a in areas), 2), "ellipsoidal_area": round(sum(a.ellipsoidal for a in areas), 2),
    }  # fmt: skip
    columns = ", ".join(values)
    with _guarded(conn):
        line = conn.execute(
            text(
                f"INSERT INTO city.redlines (geom, {columns})"
                f" VALUES (ST_GeomFromWKB(:geom, 4490), {', '.join(':' + name for name in values)}) RETURNING id"
            ),
            {**values, "geom": shapely.to_wkb(shape)},
        ).scalar_one()
        _enter_points(conn, line, parcels)
        _enter_step(conn, int(line), action, None, str(values["status"]), signed, {"parents": values.get("parents")})
    return find_redline(conn, str(values["number"]))


def move(conn: Connection, line: RedLine, action: str, after: str, signed: Signed, **changes: Any) -> None:
    """Take one step of a red line, which the caller has locked. ``changes`` are other fields of its row."""
    values = {"status": after, **changes}
    settings = ", ".join(f"{name} = :{name}" for name in values)
    with _guarded(conn):
        changed = conn.execute(
            text(f"UPDATE city.redlines SET {settings} WHERE id = :id"), {**values, "id": line.id}
        ).rowcount
        if not changed:
            raise RowDenied(f"red line {line.number} is not yours to move")
        detail = {"revision": line.revision, **{k: str(v) for k, v in changes.items() if v is not None}}
        _enter_step(conn, line.id, action, line.status, after, signed, detail)


def step_digest(before: str, row: dict[str, Any]) -> str:
    """The seal of a step: SHA-256 of its fields and of the seal before it."""
    plain = orjson.dumps({"before": before, **row}, option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.sha256(plain).hexdigest()


def sealed_fields(row: Any) -> dict[str, Any]:
    """What the digest of a step is made of."""
    names = ("redline", "place", "action", "before", "after", "actor", "role", "opinion", "document", "check_id")
    at: datetime = row["at"]
    return {name: row[name] for name in names} | {"at": at.isoformat(), "detail": row["detail"]}


def _enter_points(conn: Connection, line: int, parcels: Sequence[Parcel]) -> None:
    rows = [
        {"redline": line, "part": part, "ring": ring, "place": place, "name": point.name, "x": round(point.north, 4),
         "y": round(point.east, 4), "zone": parcel.zone.number, "zone_width": parcel.zone.width}
        for part, parcel in enumerate(parcels, 1)
        for ring, points in enumerate(parcel.rings, 1)
        for place, point in enumerate(points, 1)
    ]  # fmt: skip
    conn.execute(
        text("""INSERT INTO planning.boundary_points (redline, part, ring, place, name, x, y, zone, zone_width)
                SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (redline bigint, part int, ring int,
                    place int, name text, x numeric, y numeric, zone int, zone_width int)"""),
        {"rows": orjson.dumps(rows).decode()},
    )


def _enter_step(
    conn: Connection, line: int, action: str, before: str | None, after: str, signed: Signed, detail: dict[str, Any]
) -> None:
    last = conn.execute(
        text("SELECT place, digest, now() AS at FROM planning.steps WHERE redline = :id ORDER BY place DESC LIMIT 1"),
        {"id": line},
    ).one_or_none()
    at = conn.execute(text("SELECT now()")).scalar_one() if last is None else last.at
    row = {
        "redline": line, "place": last.place + 1 if last else 1, "action": action, "before": before, "after": after,
        "at": at, "actor": signed.actor, "role": signed.role, "opinion": signed.opinion,
        "document": signed.document, "check_id": signed.check, "detail": {k: v for k, v in detail.items() if v},
    }  # fmt: skip
    digest = step_digest(last.digest if last else "", sealed_fields(row))
    conn.execute(
        text("""INSERT INTO planning.steps (redline, place, action, before, after, at, actor, role, opinion, document,
                    check_id, detail, digest)
                VALUES (:redline, :place, :action, :before, :after, :at, :actor, :role, :opinion, :document, :check_id,
                    CAST(:detail AS jsonb), :digest)"""),
        {**row, "detail": orjson.dumps(row["detail"]).decode(), "digest": digest},
    )
    conn.execute(
        text("SELECT audit.append('step', 'redline', :line, detail => CAST(:detail AS jsonb))"),
        {"line": str(line), "detail": orjson.dumps({"action": action, "after": after, "digest": digest}).decode()},
    )


@contextmanager
def _guarded(conn: Connection) -> Iterator[None]:
    """Within the block red lines may move (planning.guard_redline); what the database refuses is told in our words."""
    conn.execute(text("SELECT set_config('citymap.planning_step', 'on', true)"))
    try:
        yield
    except IntegrityError as error:
        if isinstance(error.orig, ExclusionViolation):
            other = error.orig.diag.message_detail or ""
            raise PlanningConflict(
                f"与已批准的用地红线 {other} 重叠", f"it overlaps red line {other}, whose ground is given out"
            ) from None
        if isinstance(error.orig, CheckViolation):
            raise PlanningConflict("红线只能按办理步骤变动", "a red line moves by its steps only") from None
        raise
    except ProgrammingError as error:
        if isinstance(error.orig, InsufficientPrivilege):
            raise RowDenied("the layer 'redlines' is not yours to change, or not there") from None
        raise
    conn.execute(text("SELECT set_config('citymap.planning_step', '', true)"))
