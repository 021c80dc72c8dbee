"""脏框 dirty boxes: what was changed lately, and whether it touched a tile."""

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from tiles.cache.snapshot import Snapshot
from tiles.cache.tile import TileKey
from tiles.matrix_sets import Box
from tiles.vector import BUFFER, EXTENT

#: How far a tile reaches over its edges [tile sides]: its buffer, and what rounding to the MVT grid may add.
REACH = BUFFER / EXTENT + 0.001
#: Its outlines are the ground of division codes, by which rows of any layer may be seen or not (``layers/access.sql``).
GROUND = "admin-areas"
#: Seconds for which changes are remembered: longer than a tile may take to be rendered.
REMEMBERED = 90.0


@dataclass(frozen=True, slots=True)
class Dirty:
    """A box [CGCS2000 degrees] in which a transaction changed a layer."""

    layer: str
    transaction: int
    box: Box

    def touches(self, key: TileKey) -> bool:
        """Whether the tile shows, or hides by rights, what was changed."""
        if key.scoped and self.layer == GROUND:
            return True
        if self.layer not in key.layers:
            return False
        met = key.grid.covering(key.grid.from_degrees(self.box), key.z, REACH)
        return met is not None and met[0] <= key.x <= met[2] and met[1] <= key.y <= met[3]


class RecentChanges:
    """The dirty boxes that this worker read in the last minute, by layer; ``most`` of a layer at once.

    Older ones were applied to all that was kept then, and nothing is kept that took so long to be read. A layer with
    more counts as changed everywhere by the latest that was forgotten.
    """

    def __init__(self, most: int = 5000) -> None:
        self._most = most
        self._boxes: dict[str, deque[tuple[float, Dirty]]] = {}
        self._everywhere: dict[str, tuple[float, int]] = {}

    def add(self, found: Sequence[Dirty]) -> None:
        """Remember boxes just read."""
        now = time.monotonic()
        for dirty in found:
            boxes = self._boxes.setdefault(dirty.layer, deque())
            boxes.append((now, dirty))
            while len(boxes) > self._most or boxes[0][0] < now - REMEMBERED:
                read, forgotten = boxes.popleft()
                if read >= now - REMEMBERED:
                    latest = max(forgotten.transaction, self._everywhere.get(dirty.layer, (0.0, 0))[1])
                    self._everywhere[dirty.layer] = (now, latest)

    def outdates(self, key: TileKey, snapshot: Snapshot) -> bool:
        """Whether a change that the snapshot did not see touched the tile."""
        since = time.monotonic() - REMEMBERED
        for layer in {*key.layers, GROUND} if key.scoped else key.layers:
            read, transaction = self._everywhere.get(layer, (0.0, 0))
            if read >= since and not snapshot.sees(transaction):
                return True
            for _, dirty in reversed(self._boxes.get(layer, ())):
                if not snapshot.sees(dirty.transaction) and dirty.touches(key):
                    return True
        return False
