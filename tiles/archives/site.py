"""What making tiles needs of a server beside a request: its grids, and where it keeps tiles."""

import fcntl
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from layers.database import Database
from tiles.archives.errors import ArchiveBusy
from tiles.archives.work import Work, opened
from tiles.matrix_sets import MatrixSet

#: The share of the room for tiles on disk that working files may take.
_SHARE = 0.25


@dataclass(frozen=True)
class TileSite:
    """``directory`` is that of the tiles on disk, which may take ``disk_mb`` [MB]; 0: nothing is kept there."""

    database: Database
    grids: Mapping[str, MatrixSet]
    directory: str
    disk_mb: float

    @contextmanager
    def working_file(self, definition: str, beside: Path) -> Iterator[Work]:
        """The working file of the archive of that definition, kept for its next run.

        Where nothing is kept, or another run has it, one of its own in the folder ``beside``.
        """
        name = hashlib.blake2b(definition.encode(), digest_size=12).hexdigest() + ".work"
        if not self.disk_mb:
            with opened(beside / name, definition) as work:
                yield work
            return
        folder = Path(self.directory) / "archives"
        kept = opened(folder / name, definition)
        try:
            work = kept.__enter__()
        except ArchiveBusy:
            with opened(beside / name, definition) as own:
                yield own
            return
        try:
            yield work
        finally:
            kept.__exit__(None, None, None)
            _make_room(folder, name, int(self.disk_mb * 1_000_000 * _SHARE))


def _make_room(folder: Path, but: str, bound: int) -> None:
    """Remove the working files that nobody used for longest until the bound holds."""
    files = sorted((path.stat().st_mtime, path.stat().st_size, path) for path in folder.glob("*.work"))
    size = sum(each[1] for each in files)
    for _, taken, path in files:
        if size <= bound:
            return
        if path.name != but and _removed(path):
            size -= taken


def _removed(path: Path) -> bool:
    """Whether the file is gone; one that is worked on stays."""
    lock_path = path.with_name(path.name + ".lock")
    with suppress(OSError), lock_path.open("rb+") as lock:
        fcntl.flock(lock.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
        path.with_name(path.name + "-journal").unlink(missing_ok=True)
        return True
    return False
