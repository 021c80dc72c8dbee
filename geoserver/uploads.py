"""Uploaded files: rows of ``citymap.uploads`` and, under their ids, files. A client's name for a file is data only."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from sqlalchemy import text

from geoserver.errors import Busy, NoSuchUpload
from geoserver.settings.server import Uploads as UploadSettings
from geoserver.upkeep import upkeep
from layers.database import Database
from layers.processing import UploadedFile

#: Bytes that must stay free on the disk.
_FREE = 2**30
#: What a broken upload or a killed import left is removed when it is older than any file may be by so much [h].
_LEFTOVER_HOURS = 24
_MAX_NAME = 200
#: What of a client's name becomes part of a path; Chinese stays readable in messages and in the ids of new layers.
_HARMFUL = re.compile(r"[^0-9A-Za-z\u4e00-\u9fff._-]+")


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file."""

    id: UUID
    name: str
    bytes: int
    actor: str | None


class Uploads:
    """The uploaded files of one city."""

    def __init__(self, settings: UploadSettings, database: Database) -> None:
        self.settings = settings
        self._database = database
        self.directory = Path(settings.directory)

    def arriving(self, upload: UUID) -> Path:
        """Where a file is written while it arrives."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.directory / f"{upload}.part"

    def require_room(self, actor: str | None) -> None:
        """Raise :class:`Busy` when the account or the disk holds too much already."""
        self.require_disk()
        with self._database.transaction(actor) as conn:
            count = conn.execute(
                text(
                    "SELECT count(*) FROM citymap.uploads WHERE actor IS NOT DISTINCT FROM :actor AND expires > now()"
                ),
                {"actor": actor},
            ).scalar_one()
        if count >= self.settings.per_account:
            raise Busy(f"{count} uploaded files are kept already; DELETE some of them, or wait until they expire")

    def require_disk(self) -> None:
        """Raise :class:`Busy` when the disk has too little room."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(self.directory).free < _FREE:
            raise Busy("the server's disk is too full to take files")

    def keep(self, upload: UUID, name: str, actor: str | None) -> Upload:
        """Enter a file that has arrived whole."""
        size = self.arriving(upload).stat().st_size
        os.replace(self.arriving(upload), self._path(upload))
        with self._database.transaction(actor) as conn:
            conn.execute(
                text("INSERT INTO citymap.uploads (id, name, bytes, actor, expires)"
                     " VALUES (:id, :name, :bytes, :actor, now() + :hours * interval '1 hour')"),
                {"id": upload, "name": name, "bytes": size, "actor": actor, "hours": self.settings.keep_hours},
            )  # fmt: skip
        return Upload(upload, name, size, actor)

    def get(self, upload: UUID | str, actor: str | None) -> Upload:
        """A file of this account. Raises :class:`NoSuchUpload`, also for other people's."""
        missing = NoSuchUpload(f"there is no uploaded file {str(upload)[:80]!r}: it may have expired; upload it again")
        try:
            wanted = upload if isinstance(upload, UUID) else UUID(upload)
        except ValueError:
            raise missing from None
        with self._database.transaction(actor) as conn:
            row = conn.execute(
                text("SELECT id, name, bytes, actor FROM citymap.uploads WHERE id = :id AND expires > now()"
                     " AND actor IS NOT DISTINCT FROM :actor"),
                {"id": wanted, "actor": actor},
            ).one_or_none()  # fmt: skip
        if row is None:
            raise missing
        return Upload(*row)

    @contextmanager
    def opened(self, upload: UUID, actor: str | None) -> Iterator[UploadedFile]:
        """The file under a harmless form of its name; it stays readable within the block even if it is removed."""
        found = self.get(upload, actor)
        with TemporaryDirectory(prefix="import-", dir=self.directory) as directory:
            path = Path(directory, harmless(found.name))
            try:
                os.link(self._path(upload), path)
            except FileNotFoundError:
                raise NoSuchUpload(f"the uploaded file {upload} is gone; upload it again") from None
            yield UploadedFile(path, found.name)

    def remove(self, upload: UUID | str, actor: str | None) -> None:
        """Remove a file of this account. Raises :class:`NoSuchUpload`."""
        found = self.get(upload, actor)
        with self._database.transaction(actor) as conn:
            conn.execute(text("DELETE FROM citymap.uploads WHERE id = :id"), {"id": found.id})
        self._path(found.id).unlink(missing_ok=True)

    def expire(self) -> int:
        """Remove files whose time has come, and what broken uploads left; returns how many files expired."""
        with upkeep(self._database) as conn:
            gone = conn.execute(text("DELETE FROM citymap.uploads WHERE expires < now() RETURNING id")).scalars()
            ids = [UUID(str(one)) for one in gone]
        for one in ids:
            self._path(one).unlink(missing_ok=True)
        self._remove_leftovers()
        return len(ids)

    def _remove_leftovers(self) -> None:
        oldest = time.time() - 3600 * (self.settings.keep_hours + _LEFTOVER_HOURS)
        for entry in self.directory.iterdir() if self.directory.is_dir() else ():
            if entry.lstat().st_mtime < oldest:
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)

    def _path(self, upload: UUID) -> Path:
        return self.directory / str(upload)


def checked_name(name: str | None) -> str | None:
    """The client's name for a file without directories, or None when it is unusable."""
    last = re.split(r"[/\\]", name or "")[-1].strip()
    return last if 0 < len(last) <= _MAX_NAME and last.isprintable() and last.strip(".") else None


def harmless(name: str) -> str:
    """A file name of letters, digits, Chinese, and ``._-``, at most 100 characters, that keeps its suffixes."""
    clean = _HARMFUL.sub("_", name).lstrip(".-") or "upload"
    stem, dot, suffixes = clean.partition(".")
    return f"{stem[:60] or 'upload'}{dot}{suffixes[-39:]}"
