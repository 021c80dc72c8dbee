"""Tiles on disk, which all workers of a machine share: files that come by rename and go by unlink.

``<layers>/<grid>/<level>/<column>/<row>-<variant>``; the folder of a set of layers is a digest, and ``.layers`` in it
names them. Each file is a line (snapshot, digest, media type) and the packed body, which the digest proves. Nobody but
the server's account may read them.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tiles.cache.dirty import GROUND, REACH, Dirty
from tiles.cache.snapshot import Snapshot
from tiles.cache.tile import Tile, TileKey
from tiles.matrix_sets import MatrixSet

_NAMES = ".layers"
_PUBLIC, _SCOPED = "p", "s"
#: Sets of layers that have a folder at most: a client may ask for any.
_MOST_SETS = 256
_STRIPES = 256
#: From so many boxes read at once, all tiles of the layer are dropped: renaming their folders costs less than looking.
_BURST = 200
#: A file's time is renewed when it is older [s]: the oldest go first.
_RENEWED = 3600.0
#: The share of the bound that is left when room is made.
_KEPT = 0.9


class DiskTiles:
    """The store below a folder, with at most about ``bound`` bytes; 0 keeps nothing."""

    def __init__(self, folder: Path, bound: int, grids: Mapping[str, MatrixSet]) -> None:
        self._folder = folder
        self._bound = bound
        self._grids = grids
        self._written = 0
        self._sets: dict[str, frozenset[str]] = {}
        if bound:
            (folder / ".locks").mkdir(parents=True, exist_ok=True, mode=0o700)
            self.make_room()

    def get(self, key: TileKey) -> Tile | None:
        """The tile, if the store has it whole."""
        if not self._bound:
            return None
        path = self._path(key)
        try:
            head, _, packed = path.read_bytes().partition(b"\n")
            snapshot, digest, media_type = head.decode().split(" ", 2)
            tile = Tile(packed, digest, Snapshot.parse(snapshot), media_type)
            if not _proved(tile):
                raise ValueError("damaged")
            if path.stat().st_mtime < time.time() - _RENEWED:
                os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            self.drop(key)
            return None
        return tile

    def put(self, key: TileKey, tile: Tile) -> None:
        """Keep a tile, or not, if there is no room to be had."""
        if not self._bound or not self._know(key):
            return
        path = self._path(key)
        beside = path.with_name(f".{path.name}.{os.getpid()}.{id(tile):x}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(f"{tile.snapshot} {tile.digest} {tile.media_type}\n".encode() + tile.packed)
            beside.rename(path)
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink()
            return
        self._written += len(tile.packed) + 200
        if self._written > self._bound // 20:
            self.make_room()

    def drop(self, key: TileKey) -> None:
        """Remove a tile."""
        with contextlib.suppress(OSError):
            self._path(key).unlink()

    def drop_touched(self, found: Iterable[Dirty]) -> None:
        """Remove the tiles that changes touch."""
        if not self._bound:
            return
        changes = list(found)
        for name, layers in self._listed().items():
            boxes = {d.box for d in changes if d.layer in layers}
            whole = len(boxes) >= _BURST
            for grid_folder in _folders(self._folder / name):
                grid = self._grids.get(grid_folder.name)
                for level in _folders(grid_folder):
                    if whole or grid is None or int(level.name) >= len(grid.levels):
                        self._remove_folder(level)
                        continue
                    for box in boxes:
                        _remove(_met(grid, level, box))
                    if any(d.layer == GROUND for d in changes):
                        _remove(level.glob(f"*/*-{_SCOPED}*"))

    def clear(self) -> None:
        """Remove everything."""
        if self._bound:
            for name in self._listed():
                for grid in _folders(self._folder / name):
                    self._remove_folder(grid)

    @contextmanager
    def turn(self, key: TileKey, seconds: float) -> Iterator[None]:
        """Within the block no other worker has its turn with this tile, unless that took longer than ``seconds``."""
        if not self._bound:
            yield
            return
        stripe = int(hashlib.blake2b(str(self._path(key)).encode(), digest_size=2).hexdigest(), 16) % _STRIPES
        with open(self._folder / ".locks" / str(stripe), "ab") as file:
            until = time.monotonic() + seconds
            pause = 0.001
            while not _locked(file.fileno()) and time.monotonic() < until:
                time.sleep(pause)
                pause = min(2 * pause, 0.02)
            yield  # closing the file gives the lock back

    def make_room(self) -> None:
        """Remove the tiles not used for longest until the bound holds; one worker at a time."""
        self._written = 0
        with open(self._folder / ".locks" / "room", "ab") as file:
            if not _locked(file.fileno()):
                return
            files = []
            for path in self._folder.glob("*/*/*/*/*"):
                with contextlib.suppress(OSError):
                    facts = path.stat()
                    files.append((facts.st_mtime, facts.st_size + 200, path))
            size = sum(each[1] for each in files)
            if size <= self._bound:
                return
            for _, taken, path in sorted(files, key=lambda each: each[0]):
                _remove([path])
                size -= taken
                if size <= self._bound * _KEPT:
                    return

    def _remove_folder(self, folder: Path) -> None:
        """Out of the way at once, and from the disk in the background."""
        gone = self._folder / f".gone-{os.getpid()}-{time.monotonic_ns()}"
        with contextlib.suppress(OSError):
            folder.rename(gone)
            threading.Thread(target=shutil.rmtree, args=(gone, True), daemon=True).start()

    def _path(self, key: TileKey) -> Path:
        scope = _SCOPED if key.scoped else _PUBLIC
        folder = self._folder / _set_name(key.layers) / key.grid.id / str(key.z) / str(key.x)
        return folder / f"{key.y}-{scope}{key.variant}"

    def _know(self, key: TileKey) -> bool:
        """Whether the tile's set of layers has its folder, which is made if there is room for one more."""
        name = _set_name(key.layers)
        if name in self._sets:
            return True
        if len(self._listed()) >= _MOST_SETS:
            return False
        folder = self._folder / name
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            beside = folder / f"{_NAMES}.{os.getpid()}"
            beside.write_text("\n".join(key.layers))
            beside.rename(folder / _NAMES)
        except OSError:
            return False
        self._sets[name] = frozenset(key.layers)
        return True

    def _listed(self) -> dict[str, frozenset[str]]:
        """The sets that have a folder now, those of other workers too."""
        for folder in _folders(self._folder):
            if folder.name not in self._sets:
                with contextlib.suppress(OSError):
                    self._sets[folder.name] = frozenset((folder / _NAMES).read_text().split("\n"))
        return dict(self._sets)


def _proved(tile: Tile) -> bool:
    try:
        return hashlib.blake2b(tile.body(), digest_size=12).hexdigest() == tile.digest
    except Exception:  # whatever a damaged member makes of the decoder
        return False


def _set_name(layers: tuple[str, ...]) -> str:
    return hashlib.blake2b("\n".join(layers).encode(), digest_size=10).hexdigest()


def _folders(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [Path(e.path) for e in entries if not e.name.startswith(".") and e.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _met(grid: MatrixSet, level: Path, box: tuple[float, float, float, float]) -> Iterator[Path]:
    met = grid.covering(grid.from_degrees(box), int(level.name), REACH)
    if met is None:
        return
    few = met[2] - met[0] < 8
    columns = [level / str(x) for x in range(met[0], met[2] + 1)] if few else _folders(level)
    for column in columns:
        if met[0] <= int(column.name) <= met[2]:
            with contextlib.suppress(OSError), os.scandir(column) as entries:
                for entry in entries:
                    row = re.match(r"\d+(?=-)", entry.name)
                    if row and met[1] <= int(row[0]) <= met[3]:
                        yield Path(entry.path)


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()


def _locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
