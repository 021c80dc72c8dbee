"""Proves a password, and a one-time code where the account has them. Every outcome costs the same time and is kept."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, text

from geoserver.accounts import password_matches
from geoserver.identity.lockout import Client, count_failure, count_success, counter_of, hold
from geoserver.identity.record import acts, record
from geoserver.identity.server_key import ServerKey
from geoserver.identity.totp import verify_code
from geoserver.settings.access import Access
from layers.access import Principal
from layers.database import Database

Reason = Literal["right", "code-needed", "wrong", "wrong-code", "locked", "disabled", "unknown"]


@dataclass(frozen=True, slots=True)
class Proof:
    """What became of an attempt. ``account`` is None unless it succeeded, or only a code is missing."""

    reason: Reason
    account: str | None = None
    must_change: bool = False
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    hash: str | None
    disabled: bool
    must_change: bool
    password_set: datetime
    epoch: int
    codes: bool


def prove_password(
    gate: Database, settings: Access, key: ServerKey, account: str, password: str, code: str | None, client: Client,
    *, counted: bool = True, kept_daily: bool = False,
) -> Proof:  # fmt: skip
    """Whether the account is open to whoever has this password (and code). It is one transaction, kept either way.

    ``counted`` False: a failure is the same as one that has been counted already. ``kept_daily``: the log has a success
    of a client once a day, for programs that send the password again and again; else the caller keeps it.
    """
    asking = Principal(via="password", address=client.address, request=client.request)
    with gate.transaction(principal=asking) as conn:
        found = _find(conn, account)
        if found is None:
            proof = Proof("unknown")
        else:
            counter = counter_of(conn, account, client)
            proof = _attempt(conn, settings, key, found, password, code, counter, counted)
            if proof.reason == "right" and count_success(conn, account, counter, client) and kept_daily:
                acts(conn, account)
                record(conn, "sign-in", "account", account)
        if proof.account is None:
            record(conn, "sign-in-refused", "account", account, reason=proof.reason)
    if proof.reason in ("unknown", "locked"):  # after the transaction: nobody need wait for this
        password_matches(None, password)
    return proof


def too_old(password_set: datetime, settings: Access) -> bool:
    """Whether a password must be changed for its age."""
    days = settings.password.max_age_days
    return days > 0 and password_set < datetime.now(UTC) - timedelta(days=days)


def _attempt(
    conn: Connection, settings: Access, key: ServerKey, found: _Found, password: str, code: str | None,
    counter: str, counted: bool,
) -> Proof:  # fmt: skip
    if hold(conn, found.name, counter):
        return Proof("locked")
    reason: Reason = "right"
    if not password_matches(found.hash, password):
        reason = "wrong"
    elif found.disabled:
        reason = "disabled"
    elif found.codes and code is None:
        reason = "code-needed"
    elif found.codes and not verify_code(conn, key, found.name, code or ""):
        reason = "wrong-code"
    if reason in ("wrong", "wrong-code") and counted:
        seconds = count_failure(conn, found.name, counter, settings.lockout)
        if seconds:
            where = counter.partition(":")[0] or "strangers"
            record(conn, "administer", "account", found.name, change="lock-out", seconds=seconds, of=where)
    if reason not in ("right", "code-needed"):
        return Proof(reason)
    must_change = found.must_change and settings.password.force_first_change
    return Proof(reason, found.name, must_change or too_old(found.password_set, settings), found.epoch)


def _find(conn: Connection, account: str) -> _Found | None:
    row = conn.execute(text("""
        SELECT a.name, a.hash, a.disabled, a.must_change, a.password_set, a.epoch, t.confirmed IS NOT NULL
        FROM access.accounts a LEFT JOIN access.totp t ON t.account = a.name WHERE a.name = :account"""),
        {"account": account}).first()  # fmt: skip
    return _Found(*row) if row else None
