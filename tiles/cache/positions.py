"""Up to which snapshot each worker has applied changes to the tiles on disk, kept beside them.

A worker holds a lock on its file while it lives. The files of those that are gone tell the next one to start from where
changes must be applied again.
"""

import contextlib
import fcntl
import os
import re
import time
from pathlib import Path

#: Seconds between writings; what was applied since is applied again.
_EVERY = 2.0
#: Older positions are of no use: ``citymap.tidy()`` removes dirty boxes after seven days.
_OLDEST = 6 * 86_400.0


class Position:
    """The position of this worker. ``folder`` None: there is nothing on disk to keep a position of."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._written = float("-inf")
        self._latest = ""
        self._file: int | None = None
        self._name = f"{os.getpid()}-{time.time_ns()}"
        self._gone: list[Path] = []
        if folder:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(folder / self._name, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def write(self, snapshot: str) -> None:
        """Remember a position; it is written now and then."""
        self._latest = snapshot
        if time.monotonic() - self._written > _EVERY:
            self._put()

    def left_behind(self) -> list[str | None]:
        """The positions of all other workers, gone or not; None stands for what cannot be known."""
        if self._folder is None:
            return []
        found: set[str | None] = set()
        others = [path for path in self._folder.iterdir() if path.name != self._name]
        for path in others:
            with contextlib.suppress(FileNotFoundError), open(path, "rb+") as file:
                try:
                    fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._gone.append(path)
                except OSError:
                    pass  # it lives
                found.add(_position(file.read()) if path.stat().st_mtime > time.time() - _OLDEST else None)
        return [None] if None in found or not found else list(found)

    def settle(self) -> None:
        """What was left behind has been applied."""
        for path in self._gone:
            path.unlink(missing_ok=True)
        self._gone.clear()

    def close(self) -> None:
        """Write the position a last time, and let another worker take over."""
        if self._file is not None:
            if self._latest:
                self._put()
            os.close(self._file)
            self._file = None

    def _put(self) -> None:
        if self._file is None:
            return
        text = f"{self._latest};".encode()  # the mark tells that it was written whole
        os.pwrite(self._file, text, 0)
        os.ftruncate(self._file, len(text))
        self._written = time.monotonic()


def _position(text: bytes) -> str | None:
    """A position that was written whole."""
    found = re.fullmatch(rb"(\d+:\d+:[\d,]*);", text)
    return found[1].decode() if found else None
