"""API keys of other systems: ``cmk_<id>_<secret>``. A key acts for its account, within its scope, until it expires."""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, text

from geoserver.accounts import AccountError
from geoserver.identity.model import Scope, scope_of
from geoserver.identity.sessions import digest

PREFIX = "cmk"
_FORM = re.compile(rf"{PREFIX}_([0-9a-f]{{16}})_[0-9a-f]{{64}}")
#: Live keys of one account at most.
MOST_KEYS = 50
_NONE = digest("")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as people see it: without its secret, which nobody has kept."""

    id: str
    account: str
    label: str
    scope: Scope | None
    made: datetime
    made_by: str
    expires: datetime
    revoked: datetime | None
    used: datetime | None
    used_from: str | None

    @property
    def live(self) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked is None and self.expires > datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """The account behind a live key."""

    key: str
    account: str
    scope: Scope | None
    expires: datetime
    epoch: int


def make_key(
    conn: Connection, account: str, label: str, scope: Scope | None, days: float, made_by: str, most_days: int
) -> tuple[str, ApiKey]:
    """A new key: its text, which is shown once, and what is kept. Raises :class:`AccountError`."""
    if not 0 < days <= most_days:
        raise AccountError(f"a key lives more than 0 and at most {most_days} days (access.key_days), not {days:g}")
    if not label.strip() or len(label) > 100 or not label.isprintable():
        raise AccountError("a key's label has 1 to 100 printable characters: say what it is for")
    if sum(key.live for key in list_keys(conn, account)) >= MOST_KEYS:
        raise AccountError(f"the account has {MOST_KEYS} keys already: revoke what is not used")
    made_id, secret = secrets.token_hex(8), secrets.token_hex(32)
    conn.execute(text("""
        INSERT INTO access.api_keys (id, digest, account, label, scope, made_by, expires)
        VALUES (:id, :digest, :account, :label, :scope, :made_by, now() + :life)"""), {
        "id": made_id, "digest": digest(secret), "account": account, "label": label.strip(), "made_by": made_by,
        "scope": None if scope is None else orjson.dumps(scope.document()).decode(), "life": timedelta(days=days),
    })  # fmt: skip
    made = next(key for key in list_keys(conn, account) if key.id == made_id)
    return f"{PREFIX}_{made_id}_{secret}", made


def key_id(key: str) -> str | None:
    """The public part of a key's text; None for what is no key."""
    found = _FORM.fullmatch(key)
    return found[1] if found else None


def find_key(conn: Connection, key: str, address: str | None) -> KeyHolder | None:
    """Who is behind a key; None when it is wrong, revoked or expired, or its account closed. Keeps when it was used,
    at most once a minute."""
    secret = key.rpartition("_")[2]
    row = conn.execute(text("""
        SELECT k.digest, k.id, a.name, k.scope, k.expires, a.epoch
        FROM access.api_keys k JOIN access.accounts a ON a.name = k.account
        WHERE k.id = :id AND k.revoked IS NULL AND k.expires > now() AND NOT a.disabled"""),
        {"id": key_id(key)}).first()  # fmt: skip
    right = hmac.compare_digest(bytes(row[0]) if row else _NONE, digest(secret))
    if row is None or not right:
        return None
    conn.execute(
        text("""
        UPDATE access.api_keys SET used = now(), used_from = :address
        WHERE id = :id AND (used IS NULL OR used < now() - interval '1 minute')"""),
        {"id": row[1], "address": address},
    )
    return KeyHolder(row[1], row[2], scope_of(row[3]), row[4], row[5])


def key_lives(conn: Connection, key: str, account: str) -> bool:
    """Whether the key by which a token was made still stands."""
    return conn.execute(text("""
        SELECT 1 FROM access.api_keys
        WHERE id = :id AND account = :account AND revoked IS NULL AND expires > now()"""),
        {"id": key, "account": account}).first() is not None  # fmt: skip


def list_keys(conn: Connection, account: str | None = None) -> list[ApiKey]:
    """The keys of an account, or of all, newest first."""
    rows = conn.execute(
        text("""
        SELECT id, account, label, scope, made, made_by, expires, revoked, used, used_from FROM access.api_keys
        WHERE account = :account OR CAST(:account AS text) IS NULL ORDER BY made DESC, id"""),
        {"account": account},
    )
    return [ApiKey(**{**row, "scope": scope_of(row["scope"])}) for row in rows.mappings()]


def revoke_key(conn: Connection, key: str, account: str | None = None) -> bool:
    """End a key for good, if it is that account's (None: anybody's); whether there was such a live one."""
    ended = conn.execute(text("""
        UPDATE access.api_keys SET revoked = now()
        WHERE id = :id AND revoked IS NULL AND (account = :account OR CAST(:account AS text) IS NULL)"""),
        {"id": key.replace("\0", ""), "account": account})  # fmt: skip
    return ended.rowcount == 1


def key_document(key: ApiKey) -> dict[str, Any]:
    """As JSON."""
    return {
        "id": key.id, "account": key.account, "label": key.label,
        "scope": None if key.scope is None else key.scope.document(),
        "made": key.made, "madeBy": key.made_by, "expires": key.expires, "revoked": key.revoked,
        "used": key.used, "usedFrom": key.used_from,
    }  # fmt: skip
