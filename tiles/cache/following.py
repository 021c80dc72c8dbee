"""Follows ``citymap.dirty`` into a cache: NOTIFY wakes, what is read is decided by snapshots.

A reading takes every row that it sees and that the reading before did not: no transaction is missed that commits late,
and none is held up by another that runs for hours.
"""

import logging
import select
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from psycopg2.extensions import connection as PsycopgConnection

from layers.database import Database
from tiles.cache.cache import TileCache
from tiles.cache.dirty import Dirty
from tiles.cache.positions import Position

LOGGER = logging.getLogger("citymap")
#: Seconds between readings when nothing wakes it, and between attempts to connect again.
_EVERY = 0.25
_RETRY = 0.8
#: The snapshot of this reading, and every change that it sees and ``last`` did not.
READ = """
    SELECT s.now, d.layer, d.tx::text::bigint, d.west, d.south, d.east, d.north
    FROM (SELECT pg_current_snapshot()::text AS now) AS s
    LEFT JOIN citymap.dirty AS d
    ON d.tx >= %(xmin)s::text::xid8 AND NOT pg_visible_in_snapshot(d.tx, %(last)s::pg_snapshot)
"""
_NOW = "SELECT pg_current_snapshot()::text"

#: Hears of changes, and of the snapshot up to which they tell.
type Listener = Callable[[Sequence[Dirty], str], None]


class ChangeFollower:
    """A thread of one worker. ``told`` hears of changes after the cache has dropped what they touch."""

    def __init__(self, database: Database, cache: TileCache, position: Position, told: Listener | None = None) -> None:
        self._database = database
        self._cache = cache
        self._position = position
        self._told = told
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="dirty boxes", daemon=True)
        self._last: str | None = None

    def start(self) -> None:
        """Follow until :meth:`stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and leave word up to where changes were applied to the disk."""
        self._stopping.set()
        self._thread.join(5)
        self._position.close()

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                connection = self._database.listen("citymap_dirty")
                try:
                    self._while_connected(connection)
                finally:
                    connection.close()
            except Exception as error:
                if not self._stopping.is_set():
                    LOGGER.warning("changes cannot be followed, tiles are not cached meanwhile: %s", error)
                    self._stopping.wait(_RETRY)

    def _while_connected(self, connection: PsycopgConnection) -> None:
        if self._last is None:
            self._begin(connection)
        while not self._stopping.is_set():
            self._read(connection)
            if select.select([connection], [], [], _EVERY)[0]:
                connection.poll()
                connection.notifies.clear()

    def _begin(self, connection: PsycopgConnection) -> None:
        """Apply to the disk what workers that are gone did not, and what the others are about to."""
        with connection.cursor() as cursor:
            cursor.execute(_NOW)
            [(now,)] = cursor.fetchall()
        self._position.write(now)
        for left in self._position.left_behind():
            if left is None:
                self._cache.disk.clear()
            else:
                self._cache.apply(_changes(connection, left)[1], float("-inf"))
        self._position.settle()
        self._last = now

    def _read(self, connection: PsycopgConnection) -> None:
        assert self._last
        begun = time.monotonic()
        now, found = _changes(connection, self._last)
        self._cache.apply(found, begun)
        self._last = now
        self._position.write(now)
        if found and self._told:
            self._told(found, now)


def _changes(connection: PsycopgConnection, last: str) -> tuple[str, list[Dirty]]:
    """The snapshot of this reading, and what it sees that the last did not."""
    with connection.cursor() as cursor:
        cursor.execute(READ, {"xmin": last.partition(":")[0], "last": last})
        rows: list[Any] = cursor.fetchall()
    return rows[0][0], [Dirty(row[1], row[2], tuple(row[3:7])) for row in rows if row[1] is not None]
