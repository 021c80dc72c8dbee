"""Local accounts: names and argon2 hashes in ``access.accounts``."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, text

#: Shortest password taken [characters].
MIN_PASSWORD = 10
_HASHER = PasswordHasher()
#: Verified when the account does not exist, so that the answer's time does not tell which accounts do.
_NOBODY = _HASHER.hash(secrets.token_urlsafe(16))


class AccountError(ValueError):
    """An account cannot be made or changed as asked."""


@dataclass(frozen=True, slots=True)
class Account:
    """A local account."""

    name: str
    created: datetime
    disabled: bool


def list_accounts(conn: Connection) -> list[Account]:
    """Every account by name."""
    rows = conn.execute(text("SELECT name, created, disabled FROM access.accounts ORDER BY name"))
    return [Account(*row) for row in rows]


def add_account(conn: Connection, name: str, password: str) -> None:
    """Make an account. Raises :class:`AccountError` for a name taken or a weak password."""
    if not name or len(name) > 64 or ":" in name or not name.isprintable():
        raise AccountError("an account name has 1 to 64 printable characters and no colon")
    statement = text("INSERT INTO access.accounts (name, hash) VALUES (:name, :hash) ON CONFLICT DO NOTHING")
    if conn.execute(statement, {"name": name, "hash": _hash(password)}).rowcount == 0:
        raise AccountError(f"account {name!r} exists; change its password instead")


def set_password(conn: Connection, name: str, password: str) -> None:
    """Give an account another password."""
    _change(conn, name, "UPDATE access.accounts SET hash = :value WHERE name = :name", _hash(password))


def set_disabled(conn: Connection, name: str, disabled: bool) -> None:
    """Close an account, or open it again."""
    _change(conn, name, "UPDATE access.accounts SET disabled = :value WHERE name = :name", disabled)


def verify_password(conn: Connection, name: str, password: str) -> bool:
    """Whether the account exists, is open, and has that password."""
    found = conn.execute(
        text("SELECT hash FROM access.accounts WHERE name = :name AND NOT disabled"), {"name": name}
    ).scalar()
    try:
        _HASHER.verify(found or _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return False
    return found is not None


def random_password() -> str:
    """A password that nobody has thought of."""
    return secrets.token_urlsafe(12)


def _hash(password: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise AccountError(f"the password is shorter than {MIN_PASSWORD} characters")
    return _HASHER.hash(password)


def _change(conn: Connection, name: str, statement: str, value: object) -> None:
    if conn.execute(text(statement), {"name": name, "value": value}).rowcount == 0:
        raise AccountError(f"there is no account {name!r}")
