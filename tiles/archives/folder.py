"""A folder whose archives are served while they lie in it: each worker looks at it by itself, twice a second.

What lies in ``<folder>/`` is everybody's; in ``<folder>/internal/`` it is for those who may read internal layers
everywhere. A file is taken when it has not changed between two looks; one that cannot be served is told in the log.
"""

import logging
import re
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from layers.catalogue import Layer, Text, Visibility
from tiles.archives.errors import ArchiveBusy, ArchiveUnreadable, NoSuchArchive
from tiles.archives.reading import Archive, MbtilesArchive, PmtilesArchive
from tiles.matrix_sets import MatrixSet
from tiles.rendered import MVT

LOGGER = logging.getLogger("citymap")
_GZIP = b"\x1f\x8b"
#: Seconds between looks, and for which an archive stays open after it has gone: a request may still read it.
_EVERY, _GRACE = 0.5, 60.0
_FOLDERS: Mapping[str, Visibility] = {"": "public", "internal": "internal"}
_SUFFIXES = (".pmtiles", ".mbtiles", ".tif", ".tiff")
_NAME = re.compile(r"[\w-]{1,80}")

#: Visibility, file, its number, size and time of change.
type Stamp = tuple[Visibility, Path, int, int, int]


@dataclass(frozen=True, slots=True)
class Served:
    """An archive under its name, and who may see it."""

    id: str
    visibility: Visibility
    archive: Archive
    stamp: Stamp

    def tile(self, grid: MatrixSet, z: int, y: int, x: int) -> bytes | None:
        """The tile's body; None where the archive has none.

        Raises :class:`ArchiveBusy` while the file is written over, :class:`NoSuchArchive` where it is damaged.
        Where another file has taken its place, the one that is open stays as it was.
        """
        try:
            body = self.archive.tile(grid, z, y, x)
            if body and self.archive.facts.media_type == MVT and not body.startswith(_GZIP):
                raise ArchiveUnreadable("a vector tile is not packed as the archive says")
        except Exception as error:
            if self._written_over():
                raise ArchiveBusy(f"archive {self.id!r} is being replaced") from error
            LOGGER.warning("archive %s is damaged at %s %d/%d/%d: %s", self.stamp[1], grid.id, z, y, x, error)
            raise NoSuchArchive(f"archive {self.id!r} is damaged at this tile") from error
        if self._written_over():
            raise ArchiveBusy(f"archive {self.id!r} is being replaced")
        return body

    def _written_over(self) -> bool:
        try:
            facts = self.stamp[1].stat()
        except OSError:
            return False
        return facts.st_ino == self.stamp[2] and (facts.st_size, facts.st_mtime_ns) != self.stamp[3:]

    @property
    def layer(self) -> Layer:
        """What stands for it where rights are asked: a grant for the collection ``archive`` is for all of them."""
        title = Text(self.archive.facts.name, self.archive.facts.name)
        return Layer("archive", title, title, "Geometry", (), visibility=self.visibility)


class ArchiveFolder:
    """What a folder holds; without a folder, nothing. :meth:`look` may be called by one thread only."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._before: dict[str, Stamp] = {}
        self._refused: dict[str, Stamp] = {}
        self._stopping = threading.Event()
        self.served: Mapping[str, Served] = {}

    def start(self) -> None:
        """Look at the folder until :meth:`stop`."""
        if self._folder is not None:
            threading.Thread(target=self._watch, name="archives", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def look(self) -> None:
        """Take what is new and settled, and let go what is not there any more."""
        found = self._listed()
        served = dict(self.served)
        for name, one in self.served.items():
            if found.get(name) != one.stamp and self._before.get(name) == found.get(name):
                del served[name]
                threading.Timer(_GRACE, one.archive.close).start()
        for name, stamp in found.items():
            settled = self._before.get(name) == stamp and self._refused.get(name) != stamp
            if settled and name not in served and (archive := self._opened(name, stamp)):
                served[name] = Served(name, stamp[0], archive, stamp)
        self._before = found
        if served != self.served:
            self.served = served

    def _watch(self) -> None:
        while not self._stopping.wait(_EVERY):
            try:
                self.look()
            except Exception:
                LOGGER.exception("the folder of archives cannot be read")

    def _listed(self) -> dict[str, Stamp]:
        """The files there are by the names that they are served under; of equal names the most protected."""
        assert self._folder
        found: dict[str, Stamp] = {}
        for below, visibility in _FOLDERS.items():
            for path in sorted((self._folder / below).glob("*.*")):
                if path.suffix.lower() in _SUFFIXES and _NAME.fullmatch(path.stem) and not _being_written(path):
                    with suppress(OSError):
                        facts = path.stat()
                        found[path.stem] = (visibility, path, facts.st_ino, facts.st_size, facts.st_mtime_ns)
        return found

    def _opened(self, name: str, stamp: Stamp) -> Archive | None:
        path = stamp[1]
        try:
            return open_archive(path)
        except (ArchiveUnreadable, OSError) as error:
            LOGGER.warning("archive %s is not served: %s", path, error)
            self._refused[name] = stamp
            return None


def open_archive(path: Path) -> Archive:
    """The archive in a file. Raises :class:`ArchiveUnreadable`."""
    match path.suffix.lower():
        case ".pmtiles":
            return PmtilesArchive(path)
        case ".mbtiles":
            return MbtilesArchive(path)
        case _:
            # GDAL is loaded by those workers that have such files.
            from tiles.archives.geotiff import GeotiffArchive

            return GeotiffArchive(path)


def _being_written(path: Path) -> bool:
    return any(path.with_name(path.name + more).exists() for more in ("-journal", "-wal"))
