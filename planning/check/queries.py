"""The questions of a check, each one statement: candidates by index, cut to the parcel in the plane of its zone.

Vertices are transformed, not the sides between them, as every overlay does. What a statement reads is a layer's table,
or its state at an instant; column names are those of the catalogue.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from sqlalchemy import Connection, TextClause, text

from layers.catalogue import CGCS2000, DATA_SCHEMA, HISTORY_SCHEMA, Layer
from layers.tables import quoted
from planning.check.subject import Subject

#: Whether a row ``n`` of a versioned layer holds on the day ``:on``, as SQL.
IN_FORCE = (
    "n.status IS DISTINCT FROM 'draft' AND coalesce(n.approved_on, '-infinity') <= :on AND coalesce(n.superseded_on,"
    " CASE n.status WHEN 'superseded' THEN '-infinity' ELSE 'infinity' END::date) > :on"
)
#: Most rows that one question answers.
MAX_ROWS = 5000


def source(layer: Layer, names: Sequence[str], as_of: bool) -> str:
    """The layer's rows with system columns, those named (NULL where it has no such field) and ``geom``, as SQL."""
    columns = ", ".join(f"{quoted(n)}" if layer.field(n) else f"NULL::text AS {quoted(n)}" for n in names)
    wanted = f"id, revision, valid_from, geom{', ' + columns if columns else ''}"
    present = f"SELECT {wanted} FROM {quoted(DATA_SCHEMA, layer.table)}"
    if not as_of:
        return f"({present})"
    past = f"SELECT {wanted} FROM {quoted(HISTORY_SCHEMA, layer.table)}"
    then = "valid_from <= :as_of"
    return f"({present} WHERE {then} UNION ALL {past} WHERE {then} AND valid_to > :as_of)"


def near(layer: Layer, names: Sequence[str], as_of: bool) -> str:
    """Rows of the layer whose boxes meet the parcel's, with their shape ``g`` in the parcel's plane, as SQL.

    ``id``, ``revision``, ``valid_from``, the named columns, ``g``; valid, though a transformation may spoil a shape.
    """
    box = "ST_MakeEnvelope(:west, :south, :east, :north, 4490)"
    box = box if layer.srid == CGCS2000 else f"ST_Transform({box}, {layer.srid})"
    columns = "".join(f", f.{quoted(n)}" for n in names)
    return (
        f"SELECT f.id, f.revision, f.valid_from{columns},"
        " CASE WHEN ST_IsValid(t.g) THEN t.g ELSE ST_MakeValid(t.g) END AS g"
        f" FROM {source(layer, names, as_of)} AS f, LATERAL (SELECT ST_Transform(f.geom, CAST(:srid AS int)) AS g) AS t"
        f" WHERE f.geom && {box}"
    )


def ask(
    conn: Connection, name: str, subject: Subject, reach: float, parts: Mapping[str, str], **more: Any
) -> list[Any]:
    """Rows of the statement in ``<name>.sql``, whose ``{parts}`` are SQL made here of the catalogue."""
    statement = _statement(name).format(in_force=IN_FORCE, **parts)
    west, south, east, north = subject.box(reach)
    values: dict[str, Any] = {
        "parcel": subject.ewkb, "srid": subject.zone.srid, "on": subject.on, "as_of": subject.as_of,
        "west": west, "south": south, "east": east, "north": north, "most": MAX_ROWS + 1, **more,
    }  # fmt: skip
    used = {key: value for key, value in values.items() if f":{key}" in statement}
    return list(conn.execute(_clause(statement), used))


@lru_cache(maxsize=32)
def _statement(name: str) -> str:
    return files("planning.check").joinpath(f"{name}.sql").read_text("utf-8")


@lru_cache(maxsize=256)
def _clause(statement: str) -> TextClause:
    """A statement is parsed once: there are as many as layers and questions."""
    return text(statement)


def farthest_rule(conn: Connection) -> float:
    """How far the farthest rule looks beyond a parcel [m]."""
    return float(conn.execute(text("SELECT coalesce(max(distance), 0) FROM planning.rules")).scalar_one())
