"""Sessions of browsers: the cookie holds a random secret, the database only its SHA-256 (OWASP ASVS 5.0 §7)."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import Connection, text

from geoserver.identity.lockout import Client
from geoserver.settings.access import Sessions as SessionSettings

#: Longest text kept of a browser's description of itself [characters].
_AGENT = 200


@dataclass(frozen=True, slots=True)
class Session:
    """A session that has not ended."""

    id: UUID
    account: str
    via: str
    made: datetime
    seen: datetime
    expires: datetime
    address: str | None
    agent: str | None


@dataclass(frozen=True, slots=True)
class Signed:
    """The account behind a live session."""

    session: UUID
    account: str
    must_change: bool
    password_set: datetime
    epoch: int
    remaining: timedelta


def make_session(
    conn: Connection, account: str, via: str, client: Client, agent: str | None, rules: SessionSettings
) -> tuple[str, UUID]:
    """A new session: the cookie's secret, and the id by which people speak of it. Sessions long over are removed."""
    conn.execute(text("DELETE FROM access.sessions WHERE expires < now()"))
    secret = secrets.token_urlsafe(32)
    values = {
        "digest": digest(secret), "account": account, "via": via, "address": client.address,
        "agent": (agent or "")[:_AGENT] or None, "life": timedelta(hours=rules.max_hours),
    }  # fmt: skip
    found: UUID = conn.execute(text("""
        INSERT INTO access.sessions (digest, account, via, expires, address, agent)
        VALUES (:digest, :account, :via, now() + :life, :address, :agent)
        RETURNING id"""), values).scalar_one()  # fmt: skip
    return secret, found


def find_session(conn: Connection, secret: str, rules: SessionSettings) -> Signed | None:
    """Who is behind the cookie; None when the session has ended or its account is closed. Keeps it from idling out."""
    row = conn.execute(text("""
        SELECT s.id, a.name, a.must_change,
            CASE WHEN a.hash IS NULL THEN now() ELSE a.password_set END, a.epoch,
            least(s.expires, s.seen + :idle) - now()
        FROM access.sessions s
        JOIN access.accounts a ON a.name = s.account
        WHERE s.digest = :digest AND s.expires > now() AND s.seen > now() - :idle AND NOT a.disabled"""),
        {"digest": digest(secret), "idle": timedelta(minutes=rules.idle_minutes)}).first()  # fmt: skip
    if row is None:
        return None
    conn.execute(
        text("""
        UPDATE access.sessions SET seen = now()
        WHERE id = :id AND seen < now() - interval '1 minute'"""),
        {"id": row[0]},
    )
    return Signed(*row)


def session_lives(conn: Connection, session: UUID, account: str) -> bool:
    """Whether the session by which a token was made still stands."""
    return conn.execute(text("""
        SELECT 1 FROM access.sessions WHERE id = :id AND account = :account AND expires > now()"""),
        {"id": session, "account": account}).first() is not None  # fmt: skip


def list_sessions(conn: Connection, account: str, rules: SessionSettings) -> list[Session]:
    """The account's sessions, the one used last first."""
    rows = conn.execute(text("""
        SELECT id, account, via, made, seen, expires, address, agent FROM access.sessions
        WHERE account = :account AND expires > now() AND seen > now() - :idle ORDER BY seen DESC LIMIT 1000"""),
        {"account": account, "idle": timedelta(minutes=rules.idle_minutes)})  # fmt: skip
    return [Session(*row) for row in rows]


def end_session(conn: Connection, account: str, session: UUID) -> bool:
    """End one session of the account; whether there was such a one."""
    return conn.execute(text("DELETE FROM access.sessions WHERE id = :id AND account = :account"),
                        {"id": session, "account": account}).rowcount == 1  # fmt: skip


def end_sessions(conn: Connection, account: str) -> int:
    """End every session of the account; returns how many."""
    return conn.execute(text("DELETE FROM access.sessions WHERE account = :account"), {"account": account}).rowcount


def digest(secret: str) -> bytes:
    """What is stored of a random secret: it has too many values for guessing, so a plain hash will do."""
    return sha256(secret.encode()).digest()
