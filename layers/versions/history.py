"""The history of one feature: every state it was in, by whom, and what each edit changed."""

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import BigInteger, Select, bindparam, cast, literal_column, select, union_all

from layers.catalogue import Layer
from layers.crs import Crs
from layers.database import Reader
from layers.features import FeatureNotFound
from layers.query import FeatureQuery, compiled, feature_text
from layers.tables import feature_table, history_table

#: States of one answer at most.
MAX_STATES = 1000


@dataclass(frozen=True, slots=True)
class State:
    """One state of a feature: valid in ``[valid_from, valid_to)``, the last without an end while the feature is there.

    ``operation`` began it (``insert``, ``update``, or ``restore`` after it was deleted); ``ended_with`` is the one that
    ended it. ``changed`` names the fields (and ``geometry``) that differ from the state before; None where that is
    not there, or may not be seen. ``before`` holds their values in the state before; ``feature`` is GeoJSON.
    """

    revision: int
    valid_from: str
    valid_to: str | None
    actor: str | None
    ended_by: str | None
    operation: str
    ended_with: str | None
    feature: dict[str, Any]
    changed: tuple[str, ...] | None
    before: dict[str, Any] | None


def states_of(
    reader: Reader, layer: Layer, feature_id: int, crs: Crs, *, limit: int = 100, before: int | None = None
) -> list[State]:
    """The states of a feature as the reader may see them, the newest first: those below revision ``before``.

    Raises :class:`FeatureNotFound` where none may be seen.
    """
    statement = compiled(_states(layer, crs, limit + 1))
    top = 2**62 if before is None else before
    found = reader.fetch(statement.sql, statement.bind({"id": feature_id, "below": top}))
    if not found and before is None:
        raise FeatureNotFound(f"layer {layer.id!r} has no feature {feature_id}, and had none")
    return [_state(layer, row, found[n + 1] if n + 1 < len(found) else None) for n, row in enumerate(found[:limit])]


def _states(layer: Layer, crs: Crs, limit: int) -> Select[Any]:
    """Rows (revision, from, to, actor, ended by, ended with, feature, exact geometry), newest first.

    One more than is shown: what an edit changed is told against the state before it.
    """
    present, past = feature_table(layer), history_table(layer)
    names = [column.name for column in present.columns]
    ends = ("valid_to", "ended_by", "operation")
    types = ("timestamptz", "text", "text")
    none: list[Any] = [literal_column(f"NULL::{type_}").label(n) for n, type_ in zip(ends, types, strict=True)]
    t = union_all(select(present, *none), select(*(past.c[n] for n in names), *(past.c[n] for n in ends))).alias("t")
    moment = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    return (
        select(
            t.c.revision,
            literal_column(moment.format("t.valid_from")),
            literal_column(moment.format("t.valid_to")),
            t.c.actor,
            t.c.ended_by,
            t.c.operation,
            feature_text(layer, t, FeatureQuery(crs=crs)),
            literal_column("ST_AsEWKB(t.geom)"),
        )
        .where(t.c.id == cast(bindparam("id"), BigInteger), t.c.revision < cast(bindparam("below"), BigInteger))
        .order_by(t.c.revision.desc())
        .limit(limit)
    )


def _state(layer: Layer, row: tuple[Any, ...], older: tuple[Any, ...] | None) -> State:
    revision, since, until, actor, ended_by, ended_with, text, shape = row
    feature = orjson.loads(text)
    follows = older is not None and older[0] == revision - 1
    if follows and older is not None and older[5] == "delete":
        operation, changed, before = "restore", None, None
    elif revision == 1 or not follows or older is None:
        operation, changed, before = ("insert" if revision == 1 else "update"), None, None
    else:
        operation = "update"
        changed, before = _difference(layer, feature, shape, orjson.loads(older[6]), older[7])
    return State(revision, since, until, actor, ended_by, operation, ended_with, feature, changed, before)


def _difference(
    layer: Layer, after: dict[str, Any], shape: Any, former: dict[str, Any], former_shape: Any
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The fields in which two states differ, and their values in the former one. Shapes are compared as stored."""
    fields = [f.name for f in layer.fields if after["properties"][f.name] != former["properties"][f.name]]
    before = {name: former["properties"][name] for name in fields}
    if _bytes(shape) != _bytes(former_shape):
        fields.append("geometry")
        before["geometry"] = former["geometry"]
    return tuple(fields), before


def _bytes(value: Any) -> bytes | None:
    return None if value is None else bytes(value)
