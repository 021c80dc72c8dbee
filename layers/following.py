"""What a process keeps in memory of layers, as of the last committed edit.

What is kept remembers the database snapshot that it was read under. Before each answer, one indexed look at the dirty
log asks whether any change of its layers has become visible since: if none has, it is exactly the tables. If some has,
what lies in the changed boxes is read anew, while whoever else needs it waits. So an answer given after an edit was
committed always knows of it, by whatever road the edit came, and no notification can be lost.

A transaction that has itself changed the layers gets a state of its own, since it may yet be rolled back.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine

#: West, south, east, north [°].
Box = tuple[float, float, float, float]
#: Rights may depend on the ground of these.
_AREAS = "admin-areas"
#: More changed boxes than this are not worth a patch.
_PATCHED = 64
#: How often what others change meanwhile is read again; they may go on for ever.
_ROUNDS = 5
#: The next look begins at the snapshot of the last one that is this old [s], so that looks stay short.
_FORWARD = 10.0
#: A state that was not looked at for so long is read anew [s]: the dirty log keeps a week.
_OLDEST = 24 * 3600
#: States of different scopes (who may read what) that a process keeps for one database.
_SCOPES = 4

#: What the dirty log has that the earlier snapshot did not see, and always what the transaction itself changed. Not
#: told by ``seq``: of two transactions the later number may be the first to commit. ``tx`` and the snapshot tell
#: exactly. Rows restored from another server, whose transaction numbers are not of this one, are left out.
_LOOK = """
    SELECT now.*, change.* FROM (
        SELECT pg_current_snapshot()::text, pg_current_xact_id_if_assigned() IS NOT NULL,
            (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
            CASE WHEN bool_or(id = %(main)s AND visibility = 'public') AND bool_and(visibility = 'public') THEN ''
            ELSE concat_ws(' ', current_user, current_setting('citymap.grants', true), max(updated)) END
        FROM citymap.layers WHERE id = ANY (%(layers)s)
    ) AS now LEFT JOIN (
        SELECT layer, west, south, east, north FROM citymap.dirty
        WHERE layer = ANY (%(watched)s) AND tx >= pg_snapshot_xmin(%(seen)s::pg_snapshot)
            AND (NOT pg_visible_in_snapshot(tx, %(seen)s::pg_snapshot) AND tx < pg_snapshot_xmax(pg_current_snapshot())
                 OR tx = pg_current_xact_id_if_assigned())
        LIMIT %(at_most)s
    ) AS change ON true"""


@dataclass(frozen=True, slots=True)
class Change:
    """A box in which rows of a layer changed, old and new places of them."""

    layer: str
    box: Box


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A moment of the database as a transaction sees it.

    ``seen``: PostgreSQL's snapshot. ``writes``: the transaction has changed something. ``database``: its oid.
    ``scope``: empty where everybody may read the layers, else what decides which of their rows.
    """

    seen: str
    writes: bool
    database: int
    scope: str


@dataclass(slots=True)
class _Kept[T]:
    """One scope's state, the snapshot at which it was current, and when that was."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    state: T | None = None
    seen: str | None = None
    at: float = 0.0

    def keep(self, state: T, now: Snapshot) -> None:
        self.state, self.seen, self.at = state, now.seen, time.monotonic()


class Followed[T]:
    """The state of ``layers``, of which the first is the ``main`` one.

    ``read`` gives it anew; ``patched`` gives an earlier one with what lies in changed boxes of the layers read anew.
    """

    def __init__(
        self,
        layers: tuple[str, ...],
        read: Callable[[Connection], T],
        patched: Callable[[Connection, T, Sequence[Change]], T],
    ) -> None:
        self._layers = layers
        self._read = read
        self._patched = patched
        self._lock = threading.Lock()
        self._states: WeakKeyDictionary[Engine, OrderedDict[tuple[int, str], _Kept[T]]] = WeakKeyDictionary()

    def current(self, conn: Connection) -> T:
        """The state that the connection may read, no older than this call.

        It is shared by the threads of the process and never changed.
        """
        seen = self._last_seen(conn.engine)
        now, changes = self.look(conn, seen, _PATCHED)
        kept = self._kept(conn.engine, now)
        with kept.lock:
            if kept.seen != seen:  # another scope's, or another thread was faster
                now, changes = self.look(conn, kept.seen, _PATCHED)
            age = time.monotonic() - kept.at
            state = kept.state if age <= _OLDEST else None
            if state is None or changes:
                state, now = self._brought_up(conn, state, now, changes)
            # Once it writes, a transaction's snapshot counts its own changes as seen, also those still to come.
            if not now.writes and (state is not kept.state or age > _FORWARD):
                kept.keep(state, now)
        return state

    def look(self, conn: Connection, seen: str | None, at_most: int) -> tuple[Snapshot, list[Change]]:
        """What the connection sees now, and what has changed since an earlier snapshot, in one statement.

        Whatever is read after it is no older. ``at_most`` + 1 changes tell that there are more. Changed areas count
        for those alone whose rights depend on them.
        """
        values = {
            "main": self._layers[0],
            "layers": list(self._layers),
            "watched": [*self._layers, _AREAS],
            "seen": seen,
            "at_most": at_most + 1,
        }
        # By the driver itself: this comes before every answer, and SQLAlchemy would triple its time.
        cursor = conn.connection.cursor()
        cursor.execute(_LOOK, values)
        rows = cursor.fetchall()
        cursor.close()
        now = Snapshot(*rows[0][:4])
        changes = [Change(row[4], (row[5], row[6], row[7], row[8])) for row in rows if row[4] is not None]
        return now, [change for change in changes if now.scope or change.layer != _AREAS]

    def _brought_up(
        self, conn: Connection, state: T | None, now: Snapshot, changes: Sequence[Change]
    ) -> tuple[T, Snapshot]:
        """The state with the changes, and the snapshot at which it is current.

        An edit that is committed between two reads would be seen by half: then what it changed is read again.
        """
        current = self._with_changes(conn, state, changes)
        for _ in range(_ROUNDS):
            later, changes = self.look(conn, now.seen, _PATCHED)
            if now.writes or not changes:
                break
            current, now = self._with_changes(conn, current, changes), later
        return current, now

    def _with_changes(self, conn: Connection, state: T | None, changes: Sequence[Change]) -> T:
        unfit = state is None or len(changes) > _PATCHED or {change.layer for change in changes} - set(self._layers)
        return self._read(conn) if unfit or state is None else self._patched(conn, state, changes)

    def _last_seen(self, engine: Engine) -> str | None:
        """The snapshot of the scope that was asked for last: most often the one that is asked for now."""
        with self._lock:
            scopes = self._states.get(engine)
            return next(reversed(scopes.values())).seen if scopes else None

    def _kept(self, engine: Engine, now: Snapshot) -> _Kept[T]:
        with self._lock:
            scopes = self._states.setdefault(engine, OrderedDict())
            kept = scopes.setdefault((now.database, now.scope), _Kept())
            scopes.move_to_end((now.database, now.scope))
            while len(scopes) > _SCOPES:
                scopes.popitem(last=False)
            return kept
