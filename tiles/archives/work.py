"""The working file of archives: which tiles of some layers are done, as of which snapshot. SQLite, so nothing is lost.

Archives of the same layers share it, whatever their area and levels: ``wanted`` are the tiles of the one that is being
made. Equal bodies are kept once. A tile with nothing on it is done, and has no body.
"""

import fcntl
import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tiles.archives.errors import ArchiveBusy
from tiles.archives.plan import Address

_TABLES = """
    CREATE TABLE IF NOT EXISTS state (name text PRIMARY KEY, value text NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS bodies (digest blob PRIMARY KEY, body blob NOT NULL);
    CREATE TABLE IF NOT EXISTS tiles (
        z int, x int, y int, digest blob, passing int NOT NULL, PRIMARY KEY (z, x, y)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS wanted (z int, x int, y int, PRIMARY KEY (z, x, y)) WITHOUT ROWID;
"""


class Work:
    """Opened by :func:`opened`; used by one thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = sqlite3.connect(path)
        self._file.execute("PRAGMA synchronous = NORMAL")
        self._file.executescript(_TABLES)

    def close(self) -> None:
        """Close the file; what was put is kept."""
        self._file.close()

    def about(self, definition: str) -> None:
        """Keep what the file has only if it is of the same archive."""
        if self._state("definition") != definition:
            self.forget()
            with self._file:
                self._file.execute("DELETE FROM state")
            self._set("definition", definition)

    @property
    def snapshot(self) -> str | None:
        """The state of the database that all tiles show, or a later one; None where there is none yet."""
        return self._state("snapshot")

    @property
    def age(self) -> float:
        """Seconds since the snapshot was noted."""
        return time.time() - float(self._state("at") or 0)

    def note(self, snapshot: str) -> None:
        """All tiles there are show this snapshot, or a later one."""
        with self._file:
            self._set("snapshot", snapshot)
            self._set("at", str(time.time()))

    def forget(self) -> None:
        """Forget all tiles."""
        with self._file:
            self._file.execute("DELETE FROM tiles")
            self._file.execute("DELETE FROM bodies")

    def drop(self, z: int, met: tuple[int, int, int, int]) -> None:
        """Forget the tiles of a level from the first column and row to the last."""
        with self._file:
            self._file.execute(
                "DELETE FROM tiles WHERE z = ? AND x BETWEEN ? AND ? AND y BETWEEN ? AND ?",
                (z, met[0], met[2], met[1], met[3]),
            )

    def drop_passing(self) -> None:
        """Forget the tiles that are drawn better by now."""
        with self._file:
            self._file.execute("DELETE FROM tiles WHERE passing")

    def want(self, addresses: Iterable[Address]) -> int:
        """Say which tiles the archive has; answers with their number."""
        with self._file:
            self._file.execute("DELETE FROM wanted")
            self._file.executemany("INSERT INTO wanted (z, y, x) VALUES (?, ?, ?)", addresses)
        [count] = self._file.execute("SELECT count(*) FROM wanted").fetchone()
        return int(count)

    def missing(self) -> list[Address]:
        """Those that are wanted and not done."""
        return self._file.execute(
            "SELECT z, y, x FROM wanted EXCEPT SELECT z, y, x FROM tiles ORDER BY 1, 3, 2"
        ).fetchall()

    def put(self, tiles: Iterable[tuple[Address, bytes | None, bool]]) -> None:
        """Keep finished tiles: address, body as it will stand in the archive, and whether it is passing."""
        with self._file:
            for (z, y, x), body, passing in tiles:
                digest = None if body is None else hashlib.blake2b(body, digest_size=16).digest()
                if body is not None:
                    self._file.execute("INSERT OR IGNORE INTO bodies VALUES (?, ?)", (digest, body))
                self._file.execute("INSERT OR REPLACE INTO tiles VALUES (?, ?, ?, ?, ?)", (z, x, y, digest, passing))

    def tidy(self) -> None:
        """Remove bodies that no tile has any more."""
        with self._file:
            self._file.execute("DELETE FROM bodies WHERE digest NOT IN (SELECT digest FROM tiles WHERE digest NOTNULL)")

    def tiles(self) -> list[tuple[Address, bytes]]:
        """Address and digest of every tile that is wanted and has something on it."""
        rows = self._file.execute("SELECT z, y, x, digest FROM wanted JOIN tiles USING (z, x, y) WHERE digest NOTNULL")
        return [((z, y, x), digest) for z, y, x, digest in rows]

    def body(self, digest: bytes) -> bytes:
        """The body of that digest."""
        [body] = self._file.execute("SELECT body FROM bodies WHERE digest = ?", (digest,)).fetchone()
        return bytes(body)

    def _state(self, name: str) -> str | None:
        found = self._file.execute("SELECT value FROM state WHERE name = ?", (name,)).fetchone()
        return None if found is None else str(found[0])

    def _set(self, name: str, value: str) -> None:
        self._file.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, value))
        self._file.commit()


@contextmanager
def opened(path: Path, definition: str) -> Iterator[Work]:
    """The working file of an archive, for one run at a time; made where it is not there, or is damaged.

    Raises :class:`ArchiveBusy`.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600), "rb+") as lock:
        try:
            fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ArchiveBusy(f"{path.name} is being worked on") from None
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(_opened(path)) as work:
            work.about(definition)
            yield work


def _opened(path: Path) -> Work:
    try:
        return Work(path)
    except sqlite3.DatabaseError:
        path.write_bytes(b"")
        return Work(path)
