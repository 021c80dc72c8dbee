"""Reads and writes the features of a layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.errors import InsufficientPrivilege, UniqueViolation
from sqlalchemy import Connection, bindparam, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from layers.catalogue import Layer
from layers.crs import Crs
from layers.database import Reader
from layers.editing import Edit
from layers.query import (
    FeatureQuery,
    Statement,
    count_statement,
    encode_cursor,
    feature_statement,
    features_statement,
    page_statement,
    wide_integers_statement,
)
from layers.tables import feature_table


class FeatureNotFound(LookupError):
    """The layer has no feature of that id (at that time)."""


class EditConflict(Exception):
    """The feature was changed by someone else since the client read it."""


class RowDenied(PermissionError):
    """The principal may not do that with this feature: it is of another area or department."""


class DuplicateKey(Exception):
    """Another feature of the layer already has that key."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of features, each as GeoJSON (UTF-8); ``cursor`` leads behind the last one when there are more."""

    features: list[bytes]
    cursor: str | None


def read_page(reader: Reader, layer: Layer, query: FeatureQuery) -> Page:
    """The features that the query asks for."""
    found = _fetch(reader, page_statement(layer, query), query.values())
    shown = found[: query.limit]
    more = len(found) > query.limit
    return Page([row[0] for row in shown], encode_cursor(query.sort, shown[-1][1]) if more and shown else None)


def count(reader: Reader, layer: Layer, query: FeatureQuery) -> int:
    """How many features match: the maintained count of a whole layer that is seen whole, else a real count."""
    if not query.restricted and not layer.partial:
        return int(reader.fetch("SELECT citymap.row_count(%(layer)s)", {"layer": layer.id})[0][0])
    return int(_fetch(reader, count_statement(layer, query), query.values())[0][0])


def wide_integers(reader: Reader, layer: Layer) -> list[str]:
    """The integer fields that hold a value of more than 32 bits. Reads the whole layer."""
    names = [f.name for f in layer.fields if f.type == "integer"]
    found = _fetch(reader, wide_integers_statement(layer), {})[0] if names else ()
    return [name for name, wide in zip(names, found, strict=True) if wide]


def read_feature(
    reader: Reader, layer: Layer, feature_id: int, crs: Crs, as_of: datetime | None = None
) -> tuple[bytes, int]:
    """A feature as GeoJSON (UTF-8), and its revision. Raises :class:`FeatureNotFound`."""
    found = _fetch(reader, feature_statement(layer, crs, as_of is not None), {"id": feature_id, "as_of": as_of})
    if not found:
        raise FeatureNotFound(f"layer {layer.id!r} has no feature {feature_id}")
    return found[0][0], found[0][1]


def read_features(reader: Reader, layer: Layer, ids: Sequence[int], crs: Crs) -> dict[int, bytes]:
    """Those of the features that there are and may be seen, by id, each as GeoJSON (UTF-8)."""
    return {row[0]: row[1] for row in _fetch(reader, features_statement(layer, crs), {"ids": list(ids)})}


def _fetch(reader: Reader, statement: Statement, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    return reader.fetch(statement.sql, statement.bind(values), as_bytes=True)


def create_feature(conn: Connection, layer: Layer, edit: Edit) -> tuple[int, int]:
    """Add a feature; returns its id and revision."""
    table = feature_table(layer)
    statement = insert(table).values(_columns(layer, edit)).returning(table.c.id, table.c.revision)
    return tuple(_write(conn, layer, statement).one())


def change_feature(conn: Connection, layer: Layer, feature_id: int, edit: Edit, expected: frozenset[int] | None) -> int:
    """Apply an edit to a feature; returns the new revision.

    Raises :class:`FeatureNotFound`, or :class:`EditConflict` unless its revision is among the ``expected`` (None: any).
    """
    table = feature_table(layer)
    if not (columns := _columns(layer, edit)):
        return _revision(conn, layer, feature_id, expected)
    statement = update(table).where(*_target(layer, feature_id, expected)).values(columns).returning(table.c.revision)
    revision = _write(conn, layer, statement).scalar()
    return int(revision) if revision is not None else _refuse(conn, layer, feature_id, expected)


def delete_feature(conn: Connection, layer: Layer, feature_id: int, expected: frozenset[int] | None) -> None:
    """Remove a feature; its history stays. Raises as :func:`change_feature`."""
    statement = delete(feature_table(layer)).where(*_target(layer, feature_id, expected))
    if conn.execute(statement).rowcount == 0:
        _refuse(conn, layer, feature_id, expected)


def _target(layer: Layer, feature_id: int, expected: frozenset[int] | None) -> list[Any]:
    table = feature_table(layer)
    return [table.c.id == feature_id, *([table.c.revision.in_(expected)] if expected is not None else [])]


def _revision(conn: Connection, layer: Layer, feature_id: int, expected: frozenset[int] | None) -> int:
    statement = select(feature_table(layer).c.revision).where(*_target(layer, feature_id, expected))
    revision = conn.execute(statement).scalar()
    return int(revision) if revision is not None else _refuse(conn, layer, feature_id, expected)


def _refuse(conn: Connection, layer: Layer, feature_id: int, expected: frozenset[int] | None) -> int:
    table = feature_table(layer)
    present = conn.execute(select(table.c.revision).where(table.c.id == feature_id)).scalar()
    if present is None:
        raise FeatureNotFound(f"layer {layer.id!r} has no feature {feature_id}")
    if expected is None or present in expected:
        raise RowDenied(f"feature {feature_id} of layer {layer.id!r} lies outside the area or department of yours")
    raise EditConflict(
        f"feature {feature_id} is at revision {present}, not one that If-Match names: read it again"
    )


def _columns(layer: Layer, edit: Edit) -> dict[str, Any]:
    columns = dict(edit.values)
    if edit.sets_geometry:
        # EWKB carries its SRID: as a second argument GeoAlchemy writes it into the SQL text, which SQLAlchemy then
        # reuses from its cache for other SRIDs. The parameter is in capitals, as no field's name is.
        geometry = func.ST_GeomFromEWKB(bindparam("EWKB", edit.geometry)) if edit.geometry else None
        if geometry is not None and edit.srid != layer.srid:
            geometry = func.ST_Transform(geometry, layer.srid)
        columns["geom"] = geometry
    return columns


def _write(conn: Connection, layer: Layer, statement: Any) -> Any:
    try:
        with conn.begin_nested():
            return conn.execute(statement)
    except IntegrityError as error:
        if isinstance(error.orig, UniqueViolation):
            raise DuplicateKey(f"layer {layer.id!r} already has a feature with that {layer.key_field}") from None
        raise
    except ProgrammingError as error:
        if isinstance(error.orig, InsufficientPrivilege):
            raise RowDenied(
                f"the feature would lie outside the area or department in which you may edit layer {layer.id!r}"
            ) from None
        raise


def set_statement_timeout(conn: Connection, seconds: float) -> None:
    """Bound the statements of this transaction to ``seconds`` [s] (long exports get more than requests)."""
    conn.execute(text("SELECT set_config('statement_timeout', :ms, true)"), {"ms": str(int(seconds * 1000))})
