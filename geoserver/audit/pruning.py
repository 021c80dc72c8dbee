"""Remove entries that are older than they must be kept, after they were written to a file.

What goes is the beginning of the chain. A ``prune`` entry, sealed like every other, tells how far it went and with
which hash it ended, so the rest still verifies. Triggers of ``layers/audit.sql`` let no other DELETE pass.
"""

from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection

from geoserver.audit.chain import Algorithm, Place
from geoserver.audit.files import Written, verify_file, write
from geoserver.audit.sealing import lock, seal, seal_waiting
from geoserver.audit.verification import pruned_part, rows
from layers.database import Database

#: The last link that is old enough. Times of sealing only grow along the chain.
_UPTO = "SELECT max(seq) FROM audit.links WHERE sealed < now() - make_interval(days => %(days)s)"
_RECORD = "SELECT audit.record('prune', 'audit', NULL, %(rows)s, NULL, 'done', %(detail)s::jsonb)"


class PruneRefused(RuntimeError):
    """Nothing was removed; the text says why."""


def prune(database: Database, path: Path, keep_days: int, algorithm: Algorithm) -> Written | None:
    """Write what is older than ``keep_days`` [d] to ``path`` and remove it; None if there is nothing.

    ``database`` must be the owner's. Raises :class:`PruneRefused` if the old part of the chain does not verify: what
    was tampered with stays. Raises :class:`FileExistsError`.
    """
    seal(database, algorithm, wait=True)
    with database.engine.begin() as conn:
        after, _, _ = pruned_part(conn)
        upto = conn.exec_driver_sql(_UPTO, {"days": keep_days}).scalar()
        if upto is None:
            return None
        written = write(path, rows(conn, after, upto), after)
    report = verify_file(path)
    if not report.ok or written.head.seq != upto:
        raise PruneRefused(f"{path} does not verify, nothing was removed: {report.faults[:1]}")
    told = {
        "upto": upto, "hash": written.head.hash, "links": written.links, "after": after.seq,
        "sealed_from": report.sealed_from, "sealed_to": report.sealed_to, "file": path.name[:200],
        "sha256": written.sha256,
    }  # fmt: skip
    with database.engine.begin() as conn:
        _remove(conn, told, written.head, algorithm)
    return written


def _remove(conn: Connection, told: dict[str, Any], upto: Place, algorithm: Algorithm) -> None:
    """The prune entry, its link, and the removal: all or nothing."""
    lock(conn, wait=True)
    still = conn.exec_driver_sql("SELECT encode(hash, 'hex') FROM audit.links WHERE seq = %s", (upto.seq,)).scalar()
    if still != upto.hash:
        raise PruneRefused(f"link {upto.seq} changed while it was exported; nothing was removed")
    conn.exec_driver_sql(_RECORD, {"rows": told["links"], "detail": orjson.dumps(told).decode()})
    while seal_waiting(conn, algorithm):
        pass
    conn.exec_driver_sql(
        "DELETE FROM audit.entries e USING audit.links l WHERE l.entry = e.id AND l.seq <= %s", (upto.seq,)
    )
    conn.exec_driver_sql("DELETE FROM audit.links WHERE seq <= %s", (upto.seq,))
