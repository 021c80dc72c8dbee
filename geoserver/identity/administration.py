"""What administrators do with the accounts of others. ``asker`` None is the operator at the server's command line.

The three roles that are kept apart (三员分立: 管理员, 安全管理员, 审计管理员) watch each other, so none can take over
or shut out another: an account that holds one of them has its password reset at the command line only, and the last
account that can sign in with one of them stays open.
"""

from sqlalchemy import Connection, text

from geoserver.accounts import add_account, set_disabled, set_password
from geoserver.errors import Conflict, NotAllowed, NotThere
from geoserver.identity import totp
from geoserver.identity.api_keys import list_keys, revoke_key
from geoserver.identity.lockout import unlock
from geoserver.identity.passwords import random_password, require_new, require_strong
from geoserver.identity.record import record
from geoserver.identity.sessions import end_sessions
from geoserver.settings.access import Password

#: Changes of who holds which role, and of who is open, happen one after the other.
_LOCK = 0x6163_6373


def make_account(conn: Connection, name: str, password: str | None, rules: Password) -> str:
    """Make an account, whose first password must be changed; returns that. Raises :class:`AccountError`."""
    chosen = password if password is not None else random_password(name, rules)
    require_strong(chosen, name, rules)
    add_account(conn, name, chosen, must_change=True)
    return chosen


def reset_password(conn: Connection, asker: str | None, name: str, password: str | None, rules: Password) -> str:
    """Give another account a password that must be changed, and end its sessions, tokens, locks and one-time codes.

    Its keys go on: revoke them where the account may have been misused. Raises :class:`NotAllowed`.
    """
    require_account(conn, name)
    _require_other(asker, name, "change your own password at POST /account/password")
    if asker is not None and kept_apart_roles(conn, name):
        raise NotAllowed(
            f"account {name!r} holds a role that is kept apart: only 'citymap user passwd' at the server resets it"
        )
    chosen = password if password is not None else random_password(name, rules)
    require_strong(chosen, name, rules)
    require_new(conn, name, chosen, rules)
    set_password(conn, name, chosen, must_change=True)
    totp.remove(conn, name)
    unlock(conn, name)
    ended = end_sessions(conn, name)
    record(conn, "administer", "account", name, change="password reset", sessions=ended)
    return chosen


def keep_password(conn: Connection, name: str) -> None:
    """The account's owner chose its password, which need not be changed first."""
    conn.execute(text("UPDATE access.accounts SET must_change = false WHERE name = :name"), {"name": name})


def close_account(conn: Connection, asker: str | None, name: str) -> None:
    """Disable an account and end its sessions and tokens.

    Raises :class:`Conflict` for the last one with a kept-apart role.
    """
    require_account(conn, name)
    _require_other(asker, name, "another administrator can disable your account")
    hold_roles(conn)
    set_disabled(conn, name, True)
    require_holders(conn, kept_apart_roles(conn, name))
    end_sessions(conn, name)


def open_account(conn: Connection, asker: str | None, name: str) -> None:
    """Open a disabled account again."""
    require_account(conn, name)
    _require_other(asker, name, "another administrator can enable your account")
    set_disabled(conn, name, False)


def unlock_account(conn: Connection, name: str) -> None:
    """Lift the locks that failures of signing in have put on."""
    require_account(conn, name)
    unlock(conn, name)
    record(conn, "administer", "account", name, change="unlock")


def remove_codes_of(conn: Connection, name: str) -> None:
    """Turn another account's one-time codes off (a lost phone). Raises :class:`NotThere` where they are not on."""
    require_account(conn, name)
    if not totp.remove(conn, name):
        raise NotThere(f"account {name!r} has no one-time codes")
    conn.execute(text("UPDATE access.accounts SET epoch = epoch + 1 WHERE name = :name"), {"name": name})
    record(conn, "administer", "account", name, change="one-time codes off")


def revoke_key_of(conn: Connection, key_id: str) -> None:
    """End anybody's key. Raises :class:`NotThere`."""
    if not revoke_key(conn, key_id):
        raise NotThere(f"there is no live key {key_id!r}")
    record(conn, "administer", "api-key", key_id, change="revoke")


def end_sessions_of(conn: Connection, name: str) -> int:
    """Sign an account out everywhere; returns how many sessions that ended."""
    require_account(conn, name)
    conn.execute(text("UPDATE access.accounts SET epoch = epoch + 1 WHERE name = :name"), {"name": name})
    ended = end_sessions(conn, name)
    record(conn, "administer", "account", name, change="signed out everywhere", sessions=ended)
    return ended


def revoke_keys_of(conn: Connection, name: str) -> int:
    """End every key of an account; returns how many."""
    live = [key.id for key in list_keys(conn, name) if key.live]
    for key_id in live:
        revoke_key_of(conn, key_id)
    return len(live)


def require_account(conn: Connection, name: str) -> None:
    """Raise :class:`NotThere` unless there is such an account."""
    query = text("SELECT 1 FROM access.accounts WHERE name = :name")
    found = "\0" not in name and conn.execute(query, {"name": name}).first()
    if not found:
        raise NotThere(f"there is no account {name!r}")


def kept_apart_roles(conn: Connection, name: str) -> frozenset[str]:
    """The kept-apart roles that an account holds: one at most, as the database sees to."""
    return frozenset(conn.execute(text("""
        SELECT DISTINCT m.role FROM access.memberships m JOIN access.roles r ON r.id = m.role
        WHERE m.account = :name AND r.kept_apart"""), {"name": name}).scalars())  # fmt: skip


def hold_roles(conn: Connection) -> None:
    """Until the transaction ends nobody else changes who holds which role or who is open: two administrators who close
    each other at once would both be the last."""
    conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def require_holders(conn: Connection, roles: frozenset[str]) -> None:
    """Raise :class:`Conflict` unless each of the roles still has an open account."""
    for role in sorted(roles):
        held = conn.execute(text("""
            SELECT 1 FROM access.memberships m JOIN access.accounts a ON a.name = m.account
            WHERE m.role = :role AND NOT a.disabled LIMIT 1"""), {"role": role}).first()  # fmt: skip
        if held is None:
            raise Conflict(f"this is the last open account with role {role!r}: give the role to another one first")


def _require_other(asker: str | None, name: str, instead: str) -> None:
    if asker == name:
        raise NotAllowed(f"not with one's own account: {instead}")
