"""撤销导入 undo of an import: the layer is as it was before, in one transaction; what was undone stays in history.

It is an import itself, so that it can be undone in turn.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from layers.catalogue import DATA_SCHEMA, HISTORY_SCHEMA, Layer
from layers.features import RowDenied
from layers.registry import fit_extent
from layers.tables import quoted
from layers.versions.errors import UndoRefused
from layers.versions.imports import Counted, find_import, noted

#: What to do with rows that were edited after the import: refuse all, leave those, or put those back too.
OnConflict = Literal["refuse", "keep", "overwrite"]
#: Rows that a refusal names.
NAMED = 100
_ROWS = files("layers.versions").joinpath("undo.sql").read_text("utf-8")
_STATEMENT_TIMEOUT = 3600
_CONFLICT = "is_now IS DISTINCT FROM left_at"

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class LaterEdit:
    """A row that was edited after the import: its id and title, and by whom and when (of a deleted row: deleted)."""

    id: int
    title: str | None
    deleted: bool
    actor: str | None
    at: str | None


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing did. ``import_id`` is the number under which it can be undone in turn; ``kept`` are the rows with
    later edits that were left as they are (the first hundred), ``kept_count`` and ``overwritten`` how many."""

    import_id: int
    undoes: int
    layer: str
    inserted: int
    updated: int
    deleted: int
    kept_count: int
    overwritten: int
    kept: tuple[LaterEdit, ...]


def undo_import(
    conn: Connection,
    layer: Layer,
    number: int,
    on_conflict: OnConflict = "refuse",
    progress: Progress | None = None,
) -> Undone:
    """Put every row that an import of the layer touched back as it was before.

    Raises :class:`UndoRefused` where rows were edited later (naming them), where the import was undone already, or
    where a key is taken meanwhile; :class:`RowDenied` where the principal may not edit a row. Then nothing is changed.
    """
    tell = progress or (lambda percent: None)
    savepoint = conn.begin_nested()
    try:
        done = _undo(conn, layer, number, on_conflict, tell)
    except IntegrityError as error:
        savepoint.rollback()
        raise UndoRefused(
            f"不能撤销：恢复的要素与后来的要素标识重复（{error.orig}）",
            f"it cannot be undone: a feature to be restored has a key that a later one has ({error.orig})",
        ) from None
    except BaseException:
        savepoint.rollback()
        raise
    savepoint.commit()
    return done


def _undo(conn: Connection, layer: Layer, number: int, on_conflict: OnConflict, tell: Progress) -> Undone:
    conn.execute(text(f"SET LOCAL statement_timeout = {_STATEMENT_TIMEOUT * 1000:d}"))
    _take(conn, number)
    own, past = quoted(DATA_SCHEMA, layer.table), quoted(HISTORY_SCHEMA, layer.table)
    conn.execute(text("DROP TABLE IF EXISTS pg_temp.undo_rows"))
    conn.execute(text(_ROWS.format(own=own, past=past)), {"import": number})
    conn.execute(text("ALTER TABLE undo_rows ADD PRIMARY KEY (id)"))
    conn.execute(text("ANALYZE undo_rows"))
    tell(20)
    later = int(conn.execute(text(f"SELECT count(*) FROM undo_rows WHERE {_CONFLICT}")).scalar_one())
    named = _later_edits(conn, layer, own, past) if later and on_conflict != "overwrite" else ()
    if later and on_conflict == "refuse":
        raise _refused(number, later, named)
    if on_conflict == "keep":
        conn.execute(text(f"DELETE FROM undo_rows WHERE {_CONFLICT}"))
    with noted(conn, layer.id, "undo", undoes=number) as counted:
        _put_back(conn, own, past, _column_names(conn, layer.id), counted, tell)
    fit_extent(conn, layer)
    conn.execute(text("UPDATE citymap.imports SET undone_by = :by WHERE id = :id"), {"by": counted.id, "id": number})
    conn.execute(text("DROP TABLE undo_rows"))
    over = later if on_conflict == "overwrite" else 0
    kept = later if on_conflict == "keep" else 0
    return Undone(counted.id, number, layer.id, counted.inserted, counted.updated, counted.deleted, kept, over, named)


def _take(conn: Connection, number: int) -> None:
    """Lock the import, so that it is undone once only."""
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('citymap.undo', :id))"), {"id": number})
    found = find_import(conn, number)
    if found.undone_by is not None:
        raise UndoRefused(
            f"导入 {number} 已由 {found.undone_by} 撤销；要恢复它，请撤销 {found.undone_by}",
            f"import {number} was undone by {found.undone_by} already; to have it back, undo {found.undone_by}",
        )


def _put_back(conn: Connection, own: str, past: str, names: list[str], counted: Counted, tell: Progress) -> None:
    """Delete what was not there, change what was otherwise, bring back what is gone; each row by its revision, so that
    an edit that comes in between is seen."""
    columns = ", ".join(quoted(name) for name in names)
    values = ", ".join(f"h.{quoted(name)}" for name in names)
    before = f"FROM undo_rows u JOIN {past} h ON h.id = u.id AND h.revision = u.was"
    counted.deleted = _expect(
        conn, "was IS NULL AND is_now IS NOT NULL",
        f"DELETE FROM {own} t USING undo_rows u WHERE t.id = u.id AND t.revision = u.is_now AND u.was IS NULL",
    )  # fmt: skip
    tell(50)
    counted.updated = _expect(
        conn, "was IS NOT NULL AND is_now IS NOT NULL",
        f"UPDATE {own} t SET ({columns}) = ROW ({values}) {before} WHERE t.id = u.id AND t.revision = u.is_now",
    )  # fmt: skip
    tell(75)
    conn.execute(text("SELECT set_config('citymap.restoring', 'on', true)"))
    counted.inserted = _expect(
        conn, "was IS NOT NULL AND is_now IS NULL",
        f"INSERT INTO {own} (id, {columns}) SELECT u.id, {values} {before} WHERE u.is_now IS NULL",
    )  # fmt: skip
    conn.execute(text("SELECT set_config('citymap.restoring', '', true)"))
    tell(95)


def _expect(conn: Connection, which: str, statement: str) -> int:
    """Run a statement that is to touch those rows of ``undo_rows``, each of them."""
    wanted = int(conn.execute(text(f"SELECT count(*) FROM undo_rows WHERE {which}")).scalar_one())
    if wanted == 0:
        return 0
    touched = int(conn.execute(text(statement)).rowcount)
    if touched != wanted:
        raise RowDenied(
            f"{wanted - touched} of the rows to put back may not be edited by you, or are being edited now:"
            " nothing was undone; try again, or ask somebody who may edit all of them"
        )
    return touched


def _column_names(conn: Connection, layer_id: str) -> list[str]:
    """All columns of a feature, those that the principal may not see among them."""
    found = conn.execute(text("SELECT fields FROM citymap.layers WHERE id = :id"), {"id": layer_id}).scalar_one()
    return ["geom", *(field["name"] for field in found)]


def _later_edits(conn: Connection, layer: Layer, own: str, past: str) -> tuple[LaterEdit, ...]:
    title = layer.title_field or layer.key_field
    shown, gone = (f"{t}.{quoted(title)}::text" if title else "NULL::text" for t in ("t", "h"))
    moment = "to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24\\:MI\\:SS\"Z\"')"
    rows = conn.execute(
        text(f"""
            SELECT u.id, coalesce({shown}, h.title), t.id IS NULL, coalesce(t.actor, h.ended_by),
                   coalesce({moment.format("t.valid_from")}, h.at)
            FROM undo_rows u LEFT JOIN {own} t ON t.id = u.id
            LEFT JOIN LATERAL (SELECT {gone} AS title, h.ended_by, {moment.format("h.valid_to")} AS at FROM {past} h
                               WHERE t.id IS NULL AND h.id = u.id ORDER BY h.valid_to DESC LIMIT 1) h ON true
            WHERE {_CONFLICT} ORDER BY u.id LIMIT {NAMED}
        """)
    )
    return tuple(LaterEdit(*row) for row in rows)


def _refused(number: int, count: int, named: tuple[LaterEdit, ...]) -> UndoRefused:
    shown = ", ".join(f"{edit.id}" + (f" ({edit.title})" if edit.title else "") for edit in named)
    more = "…" if count > len(named) else ""
    return UndoRefused(
        f"导入 {number} 之后有 {count} 个要素被改过：{shown}{more}。可选择保留它们（keep）或一并恢复（overwrite）",
        f"{count} features were edited after import {number}: {shown}{more}."
        " Choose to keep those as they are (keep), or to put them back too (overwrite)",
    )
