"""Results of checks, kept with what they saw, so that they can be replayed and their age recognised."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Connection, text

from layers.tables import quoted
from planning.check.answers import Checked
from planning.check.queries import farthest_rule
from planning.check.subject import Subject, Wishes
from planning.errors import PlanningError

_CHECKED = TypeAdapter(Checked)
#: How far beyond the parcel a change matters [m], if no rule reaches farther.
_REACH = 100.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A check as it was kept."""

    id: int
    redline: int | None
    at: datetime
    actor: str
    inputs: dict[str, Any]
    result: Checked
    rules: str


@dataclass(frozen=True, slots=True)
class Change:
    """A layer, or the rules, that changed near the parcel since a check."""

    layer: str
    changes: int


def keep(conn: Connection, subject: Subject, wishes: Wishes, redline: int | None, result: Checked) -> int:
    """Store a result with the snapshot it was found in; returns its id."""
    inputs = _inputs(subject, wishes)
    west, south, east, north = subject.box(max(_REACH, farthest_rule(conn)))
    return int(
        conn.execute(
            text("""
                INSERT INTO planning.checks (redline, at, layers, box, visibility, inputs, result, blocking)
                VALUES (:redline, clock_timestamp(), :layers, ST_MakeEnvelope(:west, :south, :east, :north)::box2d,
                    coalesce((SELECT visibility FROM citymap.layers WHERE id = ANY (:layers)
                              ORDER BY citymap.visibility_rank(visibility) DESC LIMIT 1), 'public'),
                    CAST(:inputs AS jsonb), CAST(:result AS jsonb), :blocking)
                RETURNING id"""),
            {
                "redline": redline, "layers": list(result.layers), "west": west, "south": south, "east": east,
                "north": north, "inputs": orjson.dumps(inputs).decode(), "blocking": result.blocking,
                "result": _CHECKED.dump_json(result).decode(),
            },
        ).scalar_one()
    )  # fmt: skip


def kept_check(conn: Connection, check: int) -> Kept:
    """A check by its id. Raises :class:`PlanningError` where there is none, or it is not the principal's to see."""
    row = conn.execute(
        text("SELECT id, redline, at, actor, inputs, result, rules FROM planning.checks WHERE id = :id"), {"id": check}
    ).one_or_none()
    if row is None:
        raise PlanningError(f"没有检查 {check}", f"there is no check {check}")
    result = _CHECKED.validate_python(row.result)
    return Kept(row.id, row.redline, row.at, row.actor, row.inputs, result, row.rules)


def latest_check(conn: Connection, redline: int) -> int | None:
    """The newest check of a red line."""
    statement = text("SELECT max(id) FROM planning.checks WHERE redline = :redline")
    found: int | None = conn.execute(statement, {"redline": redline}).scalar()
    return found


def changes_since(conn: Connection, check: int) -> tuple[Change, ...]:
    """What a check looked at that has changed near the parcel since; empty while its result is fresh.

    The dirty log knows by transactions what the check could not have seen, also one that began before it and was
    committed after. It is kept some days; an older check is held against the layers' histories.
    """
    found = conn.execute(
        text("""
            WITH seen AS (SELECT * FROM planning.checks WHERE id = :id)
            SELECT d.layer, count(*) AS changes FROM seen c JOIN citymap.dirty d ON d.layer = ANY (c.layers)
            WHERE d.tx >= pg_snapshot_xmin(c.snapshot) AND NOT pg_visible_in_snapshot(d.tx, c.snapshot)
              AND d.west <= ST_XMax(c.box) AND d.east >= ST_XMin(c.box)
              AND d.south <= ST_YMax(c.box) AND d.north >= ST_YMin(c.box)
            GROUP BY d.layer
            UNION ALL
            SELECT 'planning.rules', 1 FROM seen WHERE rules <> planning.rules_version()
            ORDER BY layer"""),
        {"id": check},
    ).all()
    changes = {row.layer: row.changes for row in found}
    for layer, count in _in_histories(conn, check).items():
        changes[layer] = max(count, changes.get(layer, 0))
    return tuple(Change(layer, count) for layer, count in sorted(changes.items()))


def rules_changed(conn: Connection, kept: Kept) -> bool:
    """Whether the rules are others than those of a check."""
    return bool(conn.execute(text("SELECT planning.rules_version()")).scalar_one() != kept.rules)


def digest(result: Checked) -> str:
    """A digest of everything that a check found, to compare a replay with."""
    plain = orjson.dumps(orjson.loads(_CHECKED.dump_json(result)), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(plain).hexdigest()


def _inputs(subject: Subject, wishes: Wishes) -> dict[str, Any]:
    """Everything that a check depends on but the layers."""
    shape = subject.ewkb.hex()
    return {
        "shape": shape, "zone": asdict(subject.zone), "use": asdict(subject.use), "on": subject.on,
        "tolerance": asdict(subject.tolerance), "number": subject.number, "parents": list(subject.parents),
        "as_of": subject.as_of, "wishes": asdict(wishes),
    }  # fmt: skip


def _in_histories(conn: Connection, check: int) -> dict[str, int]:
    """Rows of each layer that became or ended after a check that is older than the dirty log is sure to reach."""
    rows = conn.execute(
        text("""
            SELECT l.id, l.table_name, c.at, ST_SetSRID(c.box, 4490)::text AS box FROM planning.checks c
            JOIN citymap.layers l ON l.id = ANY (c.layers) AND l.srid = 4490
            WHERE c.id = :id AND c.at < clock_timestamp() - interval '6 days'"""),
        {"id": check},
    ).all()
    found = {}
    for row in rows:
        count = conn.execute(
            text(
                f"SELECT (SELECT count(*) FROM {quoted('city', row.table_name)} WHERE geom && CAST(:box AS geometry)"
                f" AND valid_from > :at) + (SELECT count(*) FROM {quoted('history', row.table_name)}"
                " WHERE geom && CAST(:box AS geometry) AND valid_to > :at)"
            ),
            {"box": row.box, "at": row.at},
        ).scalar_one()
        if count:
            found[row.id] = int(count)
    return found
