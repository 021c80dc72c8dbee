"""Tiles in the memory of one worker: least recently used, bounded in bytes, found by layer and place."""

from collections import OrderedDict
from collections.abc import Iterable

from tiles.cache.dirty import GROUND, REACH, Dirty
from tiles.cache.tile import Tile, TileKey
from tiles.matrix_sets import MatrixSet

type Place = tuple[MatrixSet, int]

#: From so many boxes of one layer read at once the layer is dropped whole, if it has fewer tiles than that times ten:
#: going through its tiles costs less than going through the boxes.
BURST = 2000


class Kept:
    """A place in memory for one tile; empty as soon as the tile is no longer good, so whoever holds it need not ask."""

    __slots__ = ("tile", "used")

    def __init__(self, tile: Tile) -> None:
        self.tile: Tile | None = tile
        self.used = False


class MemoryTiles:
    """Not safe for threads by itself: its owner holds a lock, except for :meth:`get`.

    What was used since it was last looked at is passed over once when room is made (the clock algorithm), so that a hit
    moves nothing.
    """

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._tiles: OrderedDict[TileKey, Kept] = OrderedDict()
        self._places: dict[str, dict[Place, dict[tuple[int, int], set[TileKey]]]] = {}
        self._scoped: set[TileKey] = set()
        self.size = 0

    def __len__(self) -> int:
        return len(self._tiles)

    def get(self, key: TileKey) -> Kept | None:
        """The tile's place."""
        kept = self._tiles.get(key)
        if kept is not None:
            kept.used = True
        return kept

    def put(self, key: TileKey, tile: Tile) -> Kept:
        """Keep a tile; answers with its place, which is empty at once if the tile is far too large."""
        self.drop(key)
        kept = Kept(tile)
        if tile.size > self._bound // 4:
            kept.tile = None
            return kept
        self._tiles[key] = kept
        self.size += tile.size
        for layer in key.layers:
            places = self._places.setdefault(layer, {}).setdefault((key.grid, key.z), {})
            places.setdefault((key.x, key.y), set()).add(key)
        if key.scoped:
            self._scoped.add(key)
        while self.size > self._bound:
            oldest, place = next(iter(self._tiles.items()))
            if place.used and oldest != key:
                place.used = False
                self._tiles.move_to_end(oldest)
            else:
                self.drop(oldest)
        return kept

    def drop(self, key: TileKey) -> None:
        """Forget a tile."""
        kept = self._tiles.pop(key, None)
        if kept is None or kept.tile is None:
            return
        self.size -= kept.tile.size
        kept.tile = None
        self._scoped.discard(key)
        for layer in key.layers:
            levels = self._places[layer]
            places = levels[key.grid, key.z]
            places[key.x, key.y].discard(key)
            if not places[key.x, key.y]:
                del places[key.x, key.y]
            if not places:
                del levels[key.grid, key.z]
            if not levels:
                del self._places[layer]

    def touched(self, found: Iterable[Dirty]) -> set[TileKey]:
        """The kept tiles that changes touch."""
        by_layer: dict[str, list[Dirty]] = {}
        for dirty in found:
            by_layer.setdefault(dirty.layer, []).append(dirty)
        keys: set[TileKey] = set()
        for layer, boxes in by_layer.items():
            keys |= self._scoped if layer == GROUND else set()
            levels = self._places.get(layer, {})
            whole = len(boxes) >= BURST and sum(map(len, levels.values())) < 10 * len(boxes)
            for (grid, z), places in levels.items():
                if whole:
                    keys.update(*places.values())
                else:
                    for dirty in boxes:
                        keys |= _met(grid, z, places, dirty)
        return keys


def _met(grid: MatrixSet, z: int, places: dict[tuple[int, int], set[TileKey]], dirty: Dirty) -> set[TileKey]:
    met = grid.covering(grid.from_degrees(dirty.box), z, REACH)
    if met is None:
        return set()
    first_x, first_y, last_x, last_y = met
    keys: set[TileKey] = set()
    if (last_x - first_x + 1) * (last_y - first_y + 1) <= len(places):
        for x in range(first_x, last_x + 1):
            for y in range(first_y, last_y + 1):
                keys |= places.get((x, y), set())
    else:
        for (x, y), found in places.items():
            if first_x <= x <= last_x and first_y <= y <= last_y:
                keys |= found
    return keys
