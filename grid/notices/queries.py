"""The SQL of notices: put one in the queue, take those that are due, keep what became of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

from grid.notices.model import Audience, Notice

_ADD = text("""
    INSERT INTO grid.notices (road, receiver, event, case_id, body)
    VALUES (:road, :receiver, :event, :case, CAST(:body AS jsonb))""")


def enqueue(
    conn: Connection, road: str, receivers: Iterable[str], event: str, case_id: int, body: Mapping[str, Any]
) -> None:
    """Let a message wait for each receiver; it is sent only if this transaction is committed."""
    for receiver in receivers:
        values = {"road": road, "receiver": receiver, "event": event, "case": case_id}
        conn.execute(_ADD, {**values, "body": orjson.dumps(body).decode()})


def phones(conn: Connection, audience: Audience, department: str | None, area: str | None) -> list[str]:
    """The telephones of the workers on duty of a department, or of those whose area a division code lies in."""
    found = conn.execute(
        text("SELECT grid.phones(:audience, :department, :area)"),
        {"audience": audience, "department": department, "area": area},
    ).scalar()
    return list(found or ())


def take_due(conn: Connection, at: datetime, most: int) -> list[Notice]:
    """Messages that are due, which no other worker takes until this transaction ends."""
    rows = conn.execute(
        text("""
            SELECT id, road, receiver, event, body, attempts FROM grid.notices
            WHERE state = 'waiting' AND next_at <= :at ORDER BY next_at, id LIMIT :most FOR UPDATE SKIP LOCKED"""),
        {"at": at, "most": most},
    )
    return [Notice(*tuple(row)) for row in rows]


def mark_sent(conn: Connection, notice: int) -> None:
    """It was handed over."""
    conn.execute(
        text("""
            UPDATE grid.notices SET state = 'sent', sent = now(), attempts = attempts + 1, problem = NULL
            WHERE id = :id"""),
        {"id": notice},
    )


def mark_failed(conn: Connection, notice: int, problem: str, again: datetime | None) -> None:
    """It failed: it waits for another attempt, or is dead."""
    conn.execute(
        text("""
            UPDATE grid.notices SET attempts = attempts + 1, problem = :problem,
                state = CASE WHEN CAST(:again AS timestamptz) IS NULL THEN 'dead' ELSE 'waiting' END,
                next_at = coalesce(CAST(:again AS timestamptz), next_at) WHERE id = :id"""),
        {"id": notice, "problem": problem[:500], "again": again},
    )


def forget_old(conn: Connection, days: float) -> None:
    """Remove messages that were sent so long ago [d]; dead ones stay for their administrator."""
    conn.execute(
        text("DELETE FROM grid.notices WHERE state = 'sent' AND sent < now() - :days * interval '1 day'"),
        {"days": days},
    )
