"""One number per client and purpose, shared by the worker processes of a machine in a small mapped file.

Its size is fixed, so no flood of addresses can fill the memory: a new client takes the place of the one whose time lies
furthest back, which as a rule has long recovered its whole quota and so loses nothing. Entries are found by a keyed
hash whose key is drawn when the file is made, so nobody can choose addresses that share a place with another's.

Nothing is locked. Two processes that write the same entry at once may count one request for two; an entry is eight
aligned bytes, which processors write whole.
"""

import logging
import mmap
import os
from hashlib import blake2b
from pathlib import Path

LOGGER = logging.getLogger("citymap")
#: Entries of a set; a client's entry is one of them.
WAYS = 8
_SETS = 2**14
_KEY_BYTES = 32
_MAGIC = b"citymap1"
#: Words [8 bytes] before the first set: magic, key, and the rest of a cache line.
_HEAD = 8
_SET_WORDS = 2 * WAYS
SIZE = 8 * (_HEAD + _SETS * _SET_WORDS)


class SharedTimes:
    """A table from names to seconds of the machine's monotonic clock. Made by :func:`open_shared_times`."""

    def __init__(self, memory: mmap.mmap) -> None:
        self._tags = memoryview(memory).cast("Q")
        self._times = memoryview(memory).cast("d")
        self._key = bytes(memory[8 : 8 + _KEY_BYTES])

    def place(self, name: bytes) -> int:
        """Where a name's time stands: its own entry, else one freed for it, with the time 0."""
        digest = blake2b(name, digest_size=16, key=self._key).digest()
        first = _HEAD + int.from_bytes(digest[:4], "little") % _SETS * _SET_WORDS
        tag = int.from_bytes(digest[8:], "little") | 1  # 0 is no tag
        tags = self._tags[first : first + WAYS].tolist()
        if tag in tags:
            return first + WAYS + tags.index(tag)
        times = self._times[first + WAYS : first + _SET_WORDS].tolist()
        way = times.index(min(times))
        self._times[first + WAYS + way] = 0.0
        self._tags[first + way] = tag
        return first + WAYS + way

    def read(self, place: int) -> float:
        """The time at a place."""
        return self._times[place]

    def write(self, place: int, time: float) -> None:
        """Set the time at a place."""
        self._times[place] = time


def open_shared_times(file: Path) -> SharedTimes:
    """The table in a file, made if it is missing; without a usable file one of this process alone."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        _make(file)
        descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            return SharedTimes(mmap.mmap(descriptor, SIZE))
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        LOGGER.warning("%s cannot be shared (%s): each worker process counts requests by itself", file, error)
        memory = mmap.mmap(-1, SIZE)
        memory[: 8 + _KEY_BYTES] = _MAGIC + os.urandom(_KEY_BYTES)
        return SharedTimes(memory)


def _make(file: Path) -> None:
    """Put a fresh table there unless there is a whole one; of several processes that do, one wins."""
    try:
        with file.open("rb") as found:
            if found.read(8) == _MAGIC and file.stat().st_size == SIZE:
                return
        file.unlink()
    except FileNotFoundError:
        pass
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        os.write(descriptor, _MAGIC + os.urandom(_KEY_BYTES))
        os.posix_fallocate(descriptor, 0, SIZE)  # else a full disk would kill the process at its first write
        os.link(fresh, file)
    except FileExistsError:
        pass
    finally:
        os.close(descriptor)
        fresh.unlink()
