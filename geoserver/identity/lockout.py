"""What failures of signing in cost: an exponential lock, which nobody else can keep an account's owner behind for ever.

Failures are counted per account, and within it per *client*: an address from which the account has signed in, or a
browser that has (by a signed cookie), each with a counter of its own; all strangers share one more. Guessing from
elsewhere locks strangers out, not the places where the owner works. Every lock ends by itself
(``access.lockout.max_minutes``), attempts during a lock do not prolong it, sessions and keys are not touched by it, and
``citymap user unlock`` on the server lifts it. After: OWASP, *Slow Down Online Guessing Attacks with Device Cookies*.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, text

from geoserver.settings.access import Lockout as LockoutSettings

#: The client of whoever is no known one.
STRANGER = ""
#: A client is known for so long after the last sign-in [d].
KNOWN_DAYS = 90


@dataclass(frozen=True, slots=True)
class Client:
    """From where somebody signs in: the address, the nonce of the browser's cookie if its signature was ours, and the
    request's id."""

    address: str | None = None
    browser: str | None = None
    request: str | None = None


def lock_seconds(failures: int, rules: LockoutSettings) -> float:
    """For how long so many failures in a row lock [s]; 0 for too few of them."""
    if failures < rules.failures:
        return 0.0
    doublings = min(failures - rules.failures, 30)
    return min(rules.first_seconds * 2.0**doublings, rules.max_minutes * 60)


def counter_of(conn: Connection, account: str, client: Client) -> str:
    """The counter on which this client's failures count."""
    if client.browser:
        return f"browser:{client.browser}"
    known = conn.execute(
        text("""
            SELECT 1 FROM access.sign_in_counters
            WHERE account = :account AND client = :client AND succeeded > now() - :known * interval '1 day'"""),
        {"account": account, "client": f"address:{client.address}", "known": KNOWN_DAYS},
    ).first()
    return f"address:{client.address}" if known and client.address else STRANGER


def hold(conn: Connection, account: str, counter: str) -> bool:
    """Whether the counter's lock is closed. Until the transaction ends nobody else tries on the same counter, so
    that a burst of guesses is counted one by one."""
    names = {"account": account, "client": counter}
    conn.execute(
        text("""
        INSERT INTO access.sign_in_counters (account, client) VALUES (:account, :client)
        ON CONFLICT DO NOTHING"""),
        names,
    )
    conn.execute(text("SET LOCAL lock_timeout = '10s'"))
    conn.execute(
        text("""
        SELECT 1 FROM access.sign_in_counters WHERE account = :account AND client = :client FOR UPDATE"""),
        names,
    )
    return bool(conn.execute(text("""
        SELECT locked_until > clock_timestamp() FROM access.sign_in_counters
        WHERE account = :account AND client = :client"""), names).scalar())  # fmt: skip


def count_failure(conn: Connection, account: str, counter: str, rules: LockoutSettings) -> float:
    """Count a failure; returns for how long it locks [s]."""
    names = {"account": account, "client": counter}
    failures = conn.execute(text("""
        UPDATE access.sign_in_counters SET failed = clock_timestamp(),
            failures = 1 + CASE WHEN failed > clock_timestamp() - :window THEN failures ELSE 0 END
        WHERE account = :account AND client = :client RETURNING failures"""),
        {**names, "window": timedelta(minutes=rules.window_minutes)}).scalar_one()  # fmt: skip
    seconds = lock_seconds(failures, rules)
    if seconds:
        conn.execute(text("""
            UPDATE access.sign_in_counters SET locked_until = clock_timestamp() + :lock
            WHERE account = :account AND client = :client"""),
            {**names, "lock": timedelta(seconds=seconds)})  # fmt: skip
    return seconds


def count_success(conn: Connection, account: str, counter: str, client: Client) -> bool:
    """Forget the counter's failures and know the client from now on; whether it was unknown, or not seen for a day."""
    conn.execute(text("""
        UPDATE access.sign_in_counters SET failures = 0, locked_until = NULL
        WHERE account = :account AND client = :client"""), {"account": account, "client": counter})  # fmt: skip
    conn.execute(text("""
        DELETE FROM access.sign_in_counters
        WHERE account = :account AND client <> '' AND succeeded < now() - :known * interval '1 day'"""),
        {"account": account, "known": KNOWN_DAYS})  # fmt: skip
    places = [f"address:{client.address}"] if client.address else []
    places += [f"browser:{client.browser}"] if client.browser else []
    return any([_know(conn, account, place) for place in places]) or not places


def unlock(conn: Connection, account: str) -> None:
    """Lift every lock of an account."""
    conn.execute(text("UPDATE access.sign_in_counters SET failures = 0, locked_until = NULL WHERE account = :account"),
                 {"account": account})  # fmt: skip


def locked_accounts(conn: Connection) -> frozenset[str]:
    """Accounts that some clients cannot sign in to at the moment."""
    rows = conn.execute(text("SELECT DISTINCT account FROM access.sign_in_counters WHERE locked_until > now()"))
    return frozenset(rows.scalars())


def _know(conn: Connection, account: str, place: str) -> bool:
    names = {"account": account, "client": place}
    before = conn.execute(text("""
        SELECT succeeded > now() - interval '1 day' FROM access.sign_in_counters
        WHERE account = :account AND client = :client"""), names).scalar()  # fmt: skip
    conn.execute(
        text("""
        INSERT INTO access.sign_in_counters (account, client, succeeded) VALUES (:account, :client, now())
        ON CONFLICT (account, client) DO UPDATE SET succeeded = excluded.succeeded"""),
        names,
    )
    return not before
