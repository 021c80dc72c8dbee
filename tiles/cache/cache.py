"""The cache of one worker: memory over disk, one render per tile however many ask, nothing that has changed since."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from tiles.cache.dirty import REMEMBERED, Dirty, RecentChanges
from tiles.cache.disk import DiskTiles
from tiles.cache.memory import Kept, MemoryTiles
from tiles.cache.tile import Tile, TileKey
from tiles.rendered import Rendered

#: Seconds after which changes that could not be read make the cache stand aside: it would not know what is stale.
LONGEST_UNREAD = 1.0
#: Seconds for which a tile that another worker renders is waited for.
_TURN = 10.0

type Found = tuple[Tile, Kept | None]


class TileCache:
    """Safe for threads. Until :meth:`apply` has been called lately it keeps and gives nothing."""

    def __init__(self, memory_bytes: int, disk: DiskTiles) -> None:
        self.disk = disk
        self._memory = MemoryTiles(memory_bytes)
        self._changes = RecentChanges()
        self._lock = threading.Lock()
        self._turns: dict[TileKey, _Turn] = {}
        self._read = float("-inf")

    @property
    def current(self) -> bool:
        """Whether changes were read within the last second."""
        return time.monotonic() - self._read < LONGEST_UNREAD

    def tile(self, key: TileKey, render: Callable[[], Rendered]) -> Found:
        """The tile, rendered if it is not there, and its place in memory if it has one."""
        found = self._found(key)
        if found is not None:
            return found
        with self._turn(key), self.disk.turn(key, _TURN):
            return self._found(key) or self._rendered(key, render)

    def apply(self, found: Sequence[Dirty], read: float) -> None:
        """Drop what changes touch. All changes committed before ``read`` (monotonic time) have been told then."""
        if found:
            with self._lock:
                self._changes.add(found)
                for key in self._memory.touched(found):
                    self._memory.drop(key)
            self.disk.drop_touched(found)
        self._read = read

    def _found(self, key: TileKey) -> Found | None:
        """The tile from memory, or from disk if no change has touched it."""
        if not self.current:
            return None
        kept = self._memory.get(key)
        if kept is not None and (there := kept.tile) is not None:
            return there, kept
        tile = self.disk.get(key)
        kept = self._remember(key, tile) if tile else None
        return (tile, kept) if tile and kept else None

    def _rendered(self, key: TileKey, render: Callable[[], Rendered]) -> Found:
        begun = time.monotonic()
        rendered = render()
        tile = Tile.finish(rendered)
        if rendered.passing or not self.current or time.monotonic() - begun > REMEMBERED / 3:
            return tile, None
        kept = self._remember(key, tile)
        if kept is None:
            return tile, None
        self.disk.put(key, tile)
        with self._lock:  # a change read meanwhile may have looked for the file before it was there
            outdated = self._changes.outdates(key, tile.snapshot)
        if outdated:
            self.disk.drop(key)
        return tile, kept

    def _remember(self, key: TileKey, tile: Tile) -> Kept | None:
        """Keep the tile in memory, unless a change that it was not read with touches it."""
        with self._lock:
            if self._changes.outdates(key, tile.snapshot):
                return None
            return self._memory.put(key, tile)

    @contextmanager
    def _turn(self, key: TileKey) -> Iterator[None]:
        """Within the block no other thread has its turn with this tile."""
        with self._lock:
            turn = self._turns.setdefault(key, _Turn())
            turn.waiting += 1
        try:
            with turn.lock:
                yield
        finally:
            with self._lock:
                turn.waiting -= 1
                if not turn.waiting:
                    del self._turns[key]


class _Turn:
    __slots__ = ("lock", "waiting")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting = 0
