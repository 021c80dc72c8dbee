"""The SQL of the tables of rules: all of a table is replaced, or rows are added to it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

_TABLES = {"classes": "classes", "conditions": "conditions", "dispatch-rules": "dispatch_rules"}


#: What rows are found by, and in which order they are told.
_ORDER = {
    "classes": "scheme, kind, code",
    "conditions": "scheme, kind, class, condition, area_type",
    "dispatch-rules": "scheme, kind, class, area, rank",
}


def read_rules_of(
    conn: Connection, table: str, words: str, limit: int, offset: int
) -> tuple[int, list[dict[str, Any]]]:
    """How many rows of a table hold these words anywhere, and some of them."""
    name = f"grid.{_TABLES[table]}"
    values = {"words": f"%{words.replace('%', '')}%", "limit": limit, "offset": offset}
    where = "t::text LIKE :words"
    total = conn.execute(text(f"SELECT count(*) FROM {name} t WHERE {where}"), values).scalar_one()
    rows = conn.execute(
        text(f"SELECT to_jsonb(t) FROM {name} t WHERE {where} ORDER BY {_ORDER[table]} LIMIT :limit OFFSET :offset"),
        values,
    )
    return int(total), [dict(row) for row in rows.scalars()]


def write_rules(conn: Connection, table: str, rows: Sequence[dict[str, Any]], *, replace: bool) -> tuple[int, int]:
    """Write rows; returns how many were added or changed, and how many removed.

    With ``replace`` the rows of each scheme that the file names go first (of dispatch rules, all).
    """
    name = f"grid.{_TABLES[table]}"
    removed = 0
    if replace:
        schemes = sorted({row["scheme"] for row in rows})
        where = "true" if table == "dispatch-rules" else "scheme = ANY (:schemes)"
        removed = conn.execute(text(f"DELETE FROM {name} WHERE {where}"), {"schemes": schemes}).rowcount
    if not rows:
        return 0, removed
    columns = list(rows[0])
    key = {"classes": "(scheme, kind, code)", "conditions": "(scheme, kind, class, condition, area_type)"}.get(
        table, "(scheme, kind, class, area, department)"
    )
    changed = ", ".join(f"{column} = excluded.{column}" for column in columns)
    statement = text(
        f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({', '.join(f':{column}' for column in columns)})"
        f" ON CONFLICT {key} DO UPDATE SET {changed}"
    )
    conn.execute(statement, list(rows))
    return len(rows), removed
