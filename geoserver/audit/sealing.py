"""Link the entries that wait into the chain.

An entry waits in ``audit.unsealed`` from its own transaction on. Sealing takes what is committed and waits, in the
order of ids, so it never waits for a writer and an entry that commits late is linked later, not skipped. One process
seals at a time: an advisory lock says who. It must be the database's owner: the server's own roles write no links.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from geoserver.audit.chain import Algorithm, Link, Place, linked
from geoserver.audit.entries import COLUMNS, document
from layers.database import Database

LOGGER = logging.getLogger("citymap")
#: "audi": one sealer at a time.
_LOCK = 0x6175_6469
#: Entries sealed in one transaction.
_BATCH = 2000
#: Seconds between sealings in the worker, and at most after failures.
EVERY = 1.0
_LONGEST_PAUSE = 60.0

_WAITING = f"""
    SELECT DISTINCT ON (e.id) {COLUMNS}, l.seq IS NOT NULL AS linked
    FROM audit.unsealed u JOIN audit.entries e ON e.id = u.entry LEFT JOIN audit.links l ON l.entry = e.id
    ORDER BY e.id LIMIT %(most)s"""
#: The head, and a time that is not before its own.
_HEAD = """
    SELECT coalesce(l.seq, 0), encode(l.hash, 'hex'),
           to_char(greatest(clock_timestamp(), l.sealed) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    FROM (SELECT) one LEFT JOIN (SELECT seq, hash, sealed FROM audit.links ORDER BY seq DESC LIMIT 1) l ON true"""
_ADD = """
    INSERT INTO audit.links (seq, entry, sealed, algorithm, digest, hash)
    SELECT seq, entry, sealed::timestamptz, algorithm, decode(digest, 'hex'), decode(hash, 'hex')
    FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[])
        AS t (seq, entry, sealed, algorithm, digest, hash)"""


def seal(database: Database, algorithm: Algorithm = "sha256", *, wait: bool = False) -> int:
    """Seal all that waits; the number of links made.

    While another process seals this makes none, unless ``wait``: then it takes its turn.
    """
    total = 0
    while True:
        with database.engine.begin() as conn:
            if not lock(conn, wait=wait):
                return total
            made = seal_waiting(conn, algorithm)
        total += made
        if made < _BATCH:
            return total


def lock(conn: Connection, *, wait: bool) -> bool:
    """Be the one who seals until the transaction's end; False if another is and this one does not wait."""
    if wait:
        conn.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        return True
    return bool(conn.exec_driver_sql("SELECT pg_try_advisory_xact_lock(%s)", (_LOCK,)).scalar_one())


def seal_waiting(conn: Connection, algorithm: Algorithm) -> int:
    """Link one batch; the caller holds :func:`lock`. A waiting id without its entry stays, for verify to name."""
    waiting = conn.exec_driver_sql(_WAITING, {"most": _BATCH}).all()
    if not waiting:
        return 0
    seq, hash_, now = conn.exec_driver_sql(_HEAD).one()
    place, links = Place(seq, hash_) if seq else Place(), []
    for row in waiting:
        if not row.linked:
            link = linked(document(row[:-1]), place, now, algorithm)
            links.append(link)
            place = Place(link.seq, link.hash)
    _store(conn, links)
    conn.exec_driver_sql("DELETE FROM audit.unsealed WHERE entry = ANY (%s)", ([row.id for row in waiting],))
    return len(waiting)


def _store(conn: Connection, links: list[Link]) -> None:
    columns = [[getattr(link, name) for link in links] for name in Link.__slots__]
    conn.exec_driver_sql(_ADD, tuple(columns))


@contextmanager
def sealing(owner_url: str, algorithm: Algorithm) -> Iterator[None]:
    """Seal every second in a thread of this process until the block ends."""
    database = Database(owner_url, pool_size=1)
    ending = threading.Event()
    thread = threading.Thread(
        target=_keep_sealing, args=(database, algorithm, ending), name="audit-sealer", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join(10)
        database.close()


def _keep_sealing(database: Database, algorithm: Algorithm, ending: threading.Event) -> None:
    pause = EVERY
    while not ending.wait(pause):
        try:
            seal(database, algorithm)
            pause = EVERY
        except Exception as error:
            pause = min(2 * pause, _LONGEST_PAUSE)
            LOGGER.warning("audit entries wait to be sealed, trying again in %.0f s: %s", pause, error)
