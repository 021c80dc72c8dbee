"""Local accounts: names and argon2id hashes in ``access.accounts``. The rules for them are in geoserver/identity/."""

import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, text

from geoserver.errors import BodyError

#: Shortest and longest password that is hashed at all [characters].
MIN_PASSWORD = 10
MAX_PASSWORD = 256
#: RFC 9106's second recommended parameters, which are the library's defaults.
_HASHER = PasswordHasher()
#: Kept beside the present password: the most that ``access.password.history`` may ask for.
_FORMER = 24


class AccountError(BodyError):
    """An account cannot be made or changed as asked."""


@dataclass(frozen=True, slots=True)
class Account:
    """A local account."""

    name: str
    created: datetime
    disabled: bool
    must_change: bool = False


def list_accounts(conn: Connection) -> list[Account]:
    """Every account by name."""
    rows = conn.execute(text("SELECT name, created, disabled, must_change FROM access.accounts ORDER BY name"))
    return [Account(*row) for row in rows]


def add_account(conn: Connection, name: str, password: str, *, must_change: bool = False) -> None:
    """Make an account. Raises :class:`AccountError` for a name taken or a password too short to be one."""
    if not name.isprintable() or set(name) & set(":/") or not 1 <= len(name.strip()) == len(name) <= 64:
        raise AccountError("an account name has 1 to 64 printable characters, no ':' or '/', and no space at its ends")
    statement = text("""
        INSERT INTO access.accounts (name, hash, must_change) VALUES (:name, :hash, :must_change)
        ON CONFLICT DO NOTHING""")
    values = {"name": name, "hash": hash_password(password), "must_change": must_change}
    if conn.execute(statement, values).rowcount == 0:
        raise AccountError(f"account {name!r} exists; change its password instead")


def set_password(conn: Connection, name: str, password: str, *, must_change: bool = False) -> None:
    """Give an account another password; the one before is kept among the former ones, and tokens end."""
    values = {"name": name, "hash": hash_password(password), "must_change": must_change, "kept": _FORMER}
    conn.execute(text("""
        INSERT INTO access.former_passwords (account, hash)
        SELECT name, hash FROM access.accounts WHERE name = :name AND hash IS NOT NULL"""), values)  # fmt: skip
    _change(conn, """
        UPDATE access.accounts SET hash = :hash, must_change = :must_change, password_set = now(), epoch = epoch + 1
        WHERE name = :name""", values)  # fmt: skip
    conn.execute(text("""
        DELETE FROM access.former_passwords WHERE account = :name AND ctid NOT IN (
            SELECT ctid FROM access.former_passwords WHERE account = :name ORDER BY replaced DESC LIMIT :kept)
        """), values)  # fmt: skip


def set_disabled(conn: Connection, name: str, disabled: bool) -> None:
    """Close an account, which ends its tokens, or open it again."""
    _change(conn, "UPDATE access.accounts SET disabled = :disabled, epoch = epoch + 1 WHERE name = :name",
            {"name": name, "disabled": disabled})  # fmt: skip


def epoch_of(conn: Connection, name: str) -> int | None:
    """What ends the account's tokens when it is raised; None for an account that is closed or is none."""
    found: int | None = conn.execute(
        text("SELECT epoch FROM access.accounts WHERE name = :name AND NOT disabled"), {"name": name}
    ).scalar()
    return found


def password_matches(found: str | None, password: str) -> bool:
    """Whether the hash is of that password. Without a hash the answer takes as long, so that its time tells nothing."""
    try:
        _HASHER.verify(found or _nobody(), _normal(password))
    except (VerificationError, InvalidHashError):
        return False
    return found is not None


def hash_password(password: str) -> str:
    """The argon2id hash. Raises :class:`AccountError` for a length that is never taken."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        relation = f"shorter than {MIN_PASSWORD}" if len(password) < MIN_PASSWORD else f"longer than {MAX_PASSWORD}"
        raise AccountError(f"the password is {relation} characters")
    return _HASHER.hash(_normal(password))


def _normal(password: str) -> str:
    """One form whichever keyboard or input method wrote it (NIST SP 800-63B §5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


@cache
def _nobody() -> str:
    return _HASHER.hash(secrets.token_urlsafe(16))


def _change(conn: Connection, statement: str, values: dict[str, object]) -> None:
    if conn.execute(text(statement), values).rowcount == 0:
        raise AccountError(f"there is no account {values['name']!r}")
