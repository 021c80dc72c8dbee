"""What is done to stored positions as time goes by: partitions are made, stretches drawn, old days indexed and thinned.

Run as the database's owner, by one process at a time (an advisory lock says whose turn it is).
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta

import psycopg2
from psycopg2.extensions import connection

from tracking.storing import day_of, make_days
from tracking.stretches import draw_due

LOGGER = logging.getLogger("citymap")
#: Seconds between rounds.
EVERY = 30.0
#: "trac": one process at a time.
_LOCK = 0x7472_6163
#: Days after which a day gets its spatial index: late reports have come by then.
_CLOSED_AFTER = 2
_EPOCH = date(1970, 1, 1)
#: Days for which unreadable messages are kept, and commands and links that have ended.
_QUARANTINE, _COMMANDS = 90, 400

_MINE = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND pid = pg_backend_pid()"
_THIN = """
    DELETE FROM {place} WHERE ctid IN (
        SELECT ctid FROM (
            SELECT ctid, alarms, row_number() OVER (
                PARTITION BY device, floor(extract(epoch FROM time) / %s) ORDER BY time, variant) AS n
            FROM {place}) AS t
        WHERE n > 1 AND alarms = 0)"""
_DONE = """
    INSERT INTO tracking.closed_days (day, {what}) VALUES (%s, now())
    ON CONFLICT (day) DO UPDATE SET {what} = excluded.{what}"""


@dataclass(frozen=True, slots=True)
class Policy:
    """Days for which raw positions are kept; days after which one in so many seconds [s] stays, beside alarms."""

    keep_days: int = 1095
    thin_days: int = 365
    thin_seconds: float = 60.0


def look_after(conn: connection, policy: Policy, now: float) -> None:
    """One round, on a connection in autocommit: each step is a transaction of its own. Raises the driver's errors."""
    today = day_of(now)
    with _transaction(conn) as cursor:
        make_days(cursor, range(today - 1, today + 3))
    with _transaction(conn) as cursor:
        draw_due(cursor, now)
    for day, place, indexed, thinned in _days(conn):
        age = today - (day - _EPOCH).days
        if age > policy.keep_days:
            _drop(conn, day, place)
        elif age > policy.thin_days and not thinned:
            _thin(conn, day, place, policy.thin_seconds)
        elif age > _CLOSED_AFTER and not indexed:
            _index(conn, day, place)
    with _transaction(conn) as cursor:
        oldest = timedelta(days=policy.keep_days)
        cursor.execute("DELETE FROM tracking.positions_other WHERE received < now() - %s", (oldest,))
        cursor.execute("DELETE FROM city.trajectories WHERE ended < now() - %s", (oldest,))
        cursor.execute("DELETE FROM tracking.notes WHERE received < now() - %s", (oldest,))
        cursor.execute("DELETE FROM tracking.quarantine WHERE received < now() - %s", (timedelta(days=_QUARANTINE),))
        cursor.execute("DELETE FROM tracking.shares WHERE expires < now() - %s", (timedelta(days=_COMMANDS),))
        cursor.execute("DELETE FROM tracking.commands WHERE made < now() - %s", (timedelta(days=_COMMANDS),))


@contextmanager
def upkeep(url: str, policy: Policy, every: float = EVERY) -> Iterator[None]:
    """Rounds in a thread, ``every`` so many seconds, until the block ends. ``url`` is the owner's."""
    ending = threading.Event()
    rounds = (url, policy, lambda: ending.wait(every))
    thread = threading.Thread(target=_rounds, args=rounds, name="tracking-upkeep", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(EVERY)


def _rounds(url: str, policy: Policy, wait: Callable[[], bool]) -> None:
    conn: connection | None = None
    while not wait():
        try:
            if conn is None or conn.closed:
                conn = psycopg2.connect(url, application_name="citymap tracking upkeep")
                conn.autocommit = True
            if take_turn(conn):
                look_after(conn, policy, time.time())
        except psycopg2.Error as error:
            LOGGER.warning("upkeep of positions failed, trying again: %s", str(error).strip().split("\n")[0])
            if conn is not None:
                conn.close()
    if conn is not None:
        with suppress(psycopg2.Error):
            conn.close()


def take_turn(conn: connection) -> bool:
    """Whether the upkeep is this connection's now. The lock is the session's: another process takes over when this one
    has gone. It is none that anything else waits for."""
    with conn.cursor() as cursor:
        cursor.execute(_MINE, (_LOCK,))
        if (cursor.fetchone() or (0,))[0]:
            return True
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,))
        return bool((cursor.fetchone() or (False,))[0])


@contextmanager
def _transaction(conn: connection) -> Iterator[psycopg2.extensions.cursor]:
    with conn.cursor() as cursor:
        cursor.execute("BEGIN")
        try:
            yield cursor
        except BaseException:
            if not conn.closed:
                cursor.execute("ROLLBACK")
            raise
        cursor.execute("COMMIT")


def _days(conn: connection) -> list[tuple[date, str, bool, bool]]:
    with conn.cursor() as cursor:
        cursor.execute(
            "SELECT d.day, d.place::text, c.indexed IS NOT NULL, c.thinned IS NOT NULL FROM tracking.days() d"
            " LEFT JOIN tracking.closed_days c USING (day) ORDER BY d.day"
        )
        return list(cursor.fetchall())


def _index(conn: connection, day: date, place: str) -> None:
    """The spatial index of a day that is over, without keeping late reports out meanwhile."""
    with conn.cursor() as cursor:
        name = f"positions_{day:%Y%m%d}_geom"
        cursor.execute(f"DROP INDEX IF EXISTS tracking.{name}")  # one that was broken off
        cursor.execute(f"CREATE INDEX CONCURRENTLY {name} ON {place} USING gist (geom)")
        cursor.execute(_DONE.format(what="indexed"), (day,))


def _thin(conn: connection, day: date, place: str, seconds: float) -> None:
    with _transaction(conn) as cursor:
        cursor.execute(_THIN.format(place=place), (seconds,))
        cursor.execute(_DONE.format(what="thinned"), (day,))


def _drop(conn: connection, day: date, place: str) -> None:
    with _transaction(conn) as cursor:
        cursor.execute("SET LOCAL lock_timeout = '5s'")  # rather later than in the way of positions that come in
        cursor.execute(f"DROP TABLE {place}")
        cursor.execute("DELETE FROM tracking.closed_days WHERE day = %s", (day,))
