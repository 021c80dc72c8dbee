"""What was imported into a layer: who, when, which file, how many. Triggers note every row that an import touches."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, text

from layers.versions.errors import NoSuchVersion

Mode = Literal["append", "replace", "update", "undo"]


@dataclass(frozen=True, slots=True)
class Import:
    """One load of one layer. One of mode ``undo`` took back the import that ``undoes`` names; ``undone_by`` is the one
    that took back this one. Counts are of features."""

    id: int
    layer: str
    at: datetime
    actor: str
    file: str | None
    mode: Mode
    inserted: int
    updated: int
    unchanged: int
    deleted: int
    rejected: int
    undoes: int | None
    undone_by: int | None


@dataclass(slots=True)
class Counted:
    """What an import did so far, filled by who does it."""

    id: int
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    rejected: int = 0


_COLUMNS = "id, layer, at, actor, file, mode, inserted, updated, unchanged, deleted, rejected, undoes, undone_by"


@contextmanager
def noted(
    conn: Connection, layer_id: str, mode: Mode, file: str | None = None, undoes: int | None = None
) -> Iterator[Counted]:
    """Enter an import in the list; the edits of the block, by this transaction and to this layer, belong to it.

    It goes with the transaction, or with the savepoint in which it was begun.
    """
    statement = text(
        "INSERT INTO citymap.imports (layer, file, mode, undoes) VALUES (:layer, :file, :mode, :undoes) RETURNING id"
    )
    values = {"layer": layer_id, "file": file, "mode": mode, "undoes": undoes}
    counted = Counted(int(conn.execute(statement, values).scalar_one()))
    _begin(conn, str(counted.id))
    yield counted
    _begin(conn, "")
    conn.execute(
        text(
            "UPDATE citymap.imports SET inserted = :inserted, updated = :updated, unchanged = :unchanged,"
            " deleted = :deleted, rejected = :rejected WHERE id = :id"
        ),
        {name: getattr(counted, name) for name in Counted.__slots__},
    )


def _begin(conn: Connection, number: str) -> None:
    conn.execute(text("SELECT set_config('citymap.import', :number, true)"), {"number": number})


def imports_of(conn: Connection, layer_id: str, limit: int = 100, before: int | None = None) -> list[Import]:
    """The imports of a layer, the newest first: those below number ``before``."""
    statement = text(
        f"SELECT {_COLUMNS} FROM citymap.imports WHERE layer = :layer AND id < :before ORDER BY id DESC LIMIT :limit"
    )
    rows = conn.execute(statement, {"layer": layer_id, "before": 2**62 if before is None else before, "limit": limit})
    return [_import(row) for row in rows]


def find_import(conn: Connection, number: int) -> Import:
    """The import of that number. Raises :class:`NoSuchVersion`."""
    row = conn.execute(text(f"SELECT {_COLUMNS} FROM citymap.imports WHERE id = :id"), {"id": number}).first()
    if row is None:
        raise NoSuchVersion(f"没有编号为 {number} 的导入", f"there is no import {number}")
    return _import(row)


def _import(row: Any) -> Import:
    return Import(**row._mapping)
