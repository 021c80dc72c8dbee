"""The SQL of the tables of rules: all of a table is replaced, or rows are added to it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

_TABLES = {"classes": "classes", "conditions": "conditions", "dispatch-rules": "dispatch_rules"}


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
