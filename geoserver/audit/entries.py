"""Entries of the audit log: append one, and read them, newest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import orjson
from sqlalchemy import Connection

Action = Literal[
    "create", "update", "delete", "read", "execute", "export",
    "sign-in", "sign-in-refused", "sign-out", "refused", "administer",
]  # fmt: skip
Outcome = Literal["done", "refused", "failed"]

#: An entry as it is hashed, exported and answered.
Document = dict[str, Any]

#: Ids of rows that an entry names at most; the table refuses more.
MOST_ROW_IDS = 100
#: Characters of a text in ``detail`` at most: with 4 bytes each a few of them stay below the table's 4 KB.
_MOST_TEXT = 300

#: Times and details as text, so that what is hashed is what stands there, whatever a driver makes of it.
COLUMNS = """
    e.id, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, e.login, e.actor, e.via, e.address,
    e.request, e.action, e.kind, e.object, e.row_count, e.row_ids, e.outcome, e.detail::text AS detail"""
NAMES = (
    "id", "at", "login", "actor", "via", "address", "request", "action", "kind", "object", "row_count", "row_ids",
    "outcome", "detail",
)  # fmt: skip

#: For a caller that sends it together with another statement; its values are :func:`append_values`'.
APPEND = (
    "SELECT audit.append(%(audit_action)s, %(audit_kind)s, %(audit_object)s, %(audit_rows)s, "
    "%(audit_row_ids)s::bigint[], %(audit_outcome)s, %(audit_detail)s::jsonb)"
)


def append(
    conn: Connection,
    action: Action,
    kind: str | None = None,
    object_id: str | None = None,
    *,
    rows: int | None = None,
    row_ids: Sequence[int] = (),
    outcome: Outcome = "done",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Append an entry in the connection's transaction, whose settings say who acts (``layers/database.py``).

    ``kind`` and ``object_id`` name what was acted on (``layer`` ``buildings``), ``rows`` how many rows of it and
    ``row_ids`` the first of them. Texts that are too long are cut. Edits of layers and of access need no call:
    triggers keep them. A refusal whose transaction is rolled back belongs into a transaction of its own.
    """
    conn.exec_driver_sql(
        APPEND,
        append_values(action, kind, object_id, rows=rows, row_ids=row_ids, outcome=outcome, detail=detail),
    )


def append_values(
    action: Action,
    kind: str | None = None,
    object_id: str | None = None,
    *,
    rows: int | None = None,
    row_ids: Sequence[int] = (),
    outcome: Outcome = "done",
    detail: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The values of :data:`APPEND`; parameters as of :func:`append`."""
    return {
        "audit_action": action,
        "audit_kind": _storable(kind),
        "audit_object": _storable(object_id),
        "audit_rows": rows,
        "audit_row_ids": list(row_ids[:MOST_ROW_IDS]) or None,
        "audit_outcome": outcome,
        "audit_detail": None if detail is None else orjson.dumps(_bounded(detail)).decode(),
    }


def _storable(text: str | None) -> str | None:
    """Without what PostgreSQL keeps in no text: NUL and lone surrogates."""
    return None if text is None else text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _bounded(value: Any) -> Any:
    if isinstance(value, str):
        return _storable(value[:_MOST_TEXT])
    if isinstance(value, Mapping):
        return {str(_bounded(str(key))): _bounded(child) for key, child in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_bounded(child) for child in list(value)[:MOST_ROW_IDS]]
    return value if isinstance(value, int | float | bool | None) else _bounded(str(value))


def document(row: Sequence[Any]) -> Document:
    """The entry in a row of :data:`COLUMNS`."""
    return dict(zip(NAMES, row, strict=True))


@dataclass(frozen=True, slots=True)
class Filters:
    """Which entries to read; None is all. ``before`` is the id above which a page ends: its successor's cursor."""

    actor: str | None = None
    action: str | None = None
    object: str | None = None
    request: str | None = None
    begin: datetime | None = None
    end: datetime | None = None
    before: int | None = None
    limit: int = 100


_CONDITIONS = {
    "actor": "e.actor = %(actor)s",
    "action": "e.action = %(action)s",
    "object": "e.object = %(object)s",
    "request": "e.request = %(request)s",
    "begin": "e.at >= %(begin)s",
    "end": "e.at <= %(end)s",
    "before": "e.id < %(before)s",
}


def page(conn: Connection, filters: Filters) -> tuple[list[Document], int | None]:
    """Entries, newest first, and the ``before`` of the page that follows, None after the last.

    ``detail`` is JSON text. The connection's role needs SELECT on ``audit.entries``: ``citymap_access`` has it.
    """
    values = {name: getattr(filters, name) for name in _CONDITIONS}
    wanted = [condition for name, condition in _CONDITIONS.items() if values[name] is not None]
    where = f"WHERE {' AND '.join(wanted)} " if wanted else ""
    found = conn.exec_driver_sql(
        f"SELECT {COLUMNS} FROM audit.entries e {where}ORDER BY e.id DESC LIMIT %(most)s",
        {**values, "most": filters.limit + 1},
    )
    entries = [document(row) for row in found]
    more = len(entries) > filters.limit
    return entries[: filters.limit], entries[filters.limit - 1]["id"] if more else None
