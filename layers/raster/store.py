"""The directory of COGs: files appear with their transaction, and go when no state of the catalogue needs them.

``<layer>/<random>/original.tif`` holds an image in its own CRS, ``<tile matrix set>.tif`` beside it its aligned copies.
A folder is written below ``.new`` and moved to its place just before the transaction commits, so that no row ever names
files that are not there. When the commit fails, or the process dies in between, no row names the folder, and
:func:`sweep` removes it.

What history needs stays: an image that was removed or replaced is read ``as_of`` a time before, until :func:`sweep` is
told that so old a past is not kept.
"""

import fcntl
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, event, text

from layers.importing.errors import ImportRefused
from layers.raster.errors import ImageGone

ORIGINAL = "original"
_DRAFTS = ".new"
_LOCK = ".lock"
_FOLDER = re.compile(r"[0-9a-z\u4e00-\u9fff][0-9a-z_\u4e00-\u9fff-]{0,50}/[0-9a-f]{16}")
#: Seconds after which what nobody names is taken for forgotten.
_SETTLED = 3600
_COPY = re.compile(r"[A-Za-z0-9]{1,40}")


@dataclass(frozen=True, slots=True)
class RasterStore:
    """Where the files of images are."""

    directory: Path

    def path(self, folder: str, copy: str = ORIGINAL) -> Path:
        """The COG of an image; ``copy`` is ``original`` or a tile matrix set. Raises :class:`ImageGone`."""
        if not _FOLDER.fullmatch(folder) or not _COPY.fullmatch(copy):
            raise ImageGone(f"image folder {folder[:80]!r} is not one of this store")
        path = self.directory / folder / f"{copy}.tif"
        if not path.is_file():
            raise ImageGone(f"the files of the image in {folder} are no longer kept")
        return path

    @contextmanager
    def draft(self, conn: Connection, layer_id: str, needs: int) -> Iterator["Draft"]:
        """A directory to write an image's COGs into. It goes with the block, unless it was kept.

        ``needs`` [bytes] must be free; raises :class:`ImportRefused`.
        """
        folder = f"{layer_id}/{secrets.token_hex(8)}"
        drafts = self.directory / _DRAFTS / secrets.token_hex(8)
        (drafts / "image").mkdir(parents=True)
        with (drafts / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            draft = Draft(conn, folder, drafts, self.directory / folder)
            try:
                _refuse_without_room(drafts, needs)
                yield draft
            finally:
                if not draft.kept:
                    shutil.rmtree(drafts, ignore_errors=True)


@dataclass(slots=True)
class Draft:
    """COGs being written: ``directory`` now, ``folder`` of the store when the transaction commits."""

    conn: Connection
    folder: str
    drafts: Path
    target: Path
    kept: bool = False

    @property
    def directory(self) -> Path:
        """Where to write ``original.tif`` and the copies."""
        return self.drafts / "image"

    def keep(self) -> None:
        """The COGs are complete: they go to their place at the commit, or away at the rollback."""
        self.kept = True
        event.listen(self.conn, "commit", lambda _: self._end(keep=True))
        event.listen(self.conn, "rollback", lambda _: self._end(keep=False))

    def _end(self, *, keep: bool) -> None:
        if keep and self.directory.exists():
            self.target.parent.mkdir(parents=True, exist_ok=True)
            self.directory.rename(self.target)
        shutil.rmtree(self.drafts, ignore_errors=True)


def _refuse_without_room(directory: Path, needs: int) -> None:
    free = shutil.disk_usage(directory).free
    if free < needs:
        raise ImportRefused(
            f"磁盘剩余 {free >> 20} MB，导入可能需要 {needs >> 20} MB",
            f"{free >> 20} MB are free on the disk; the import may need {needs >> 20} MB",
        )


def sweep(conn: Connection, store: RasterStore, keep: timedelta) -> list[str]:
    """Remove what no state of the catalogue needs, and return the folders: those that no row names (left by a process
    that died), and those that only history names, from states that ended longer than ``keep`` ago."""
    removed = _sweep_drafts(store)
    since = datetime.now(UTC) - keep
    needed = set(conn.execute(text("SELECT citymap.raster_folders(:since)"), {"since": since}).scalars())
    # Files come to their place just before their row is committed: what is new may be named in a moment.
    before = time.time() - _SETTLED
    found = {
        path.relative_to(store.directory).as_posix()
        for path in store.directory.glob("*/*")
        if path.is_dir() and path.stat().st_mtime < before
    }
    found = {folder for folder in found if _FOLDER.fullmatch(folder)}
    for folder in sorted(found - needed):
        shutil.rmtree(store.directory / folder, ignore_errors=True)
        removed.append(folder)
    return removed


def _sweep_drafts(store: RasterStore) -> list[str]:
    """Drafts that nobody writes: unlocked, and older than a transaction between its last block and its commit."""
    before = time.time() - _SETTLED
    removed = []
    for drafts in (store.directory / _DRAFTS).glob("*"):
        if drafts.stat().st_mtime > before:
            continue
        with suppress(OSError), (drafts / _LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(drafts, ignore_errors=True)
            removed.append(drafts.relative_to(store.directory).as_posix())
    return removed
