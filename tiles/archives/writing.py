"""Writes an archive of a finished working file; it appears at its place only when it is complete."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from tiles.archives.errors import ArchiveError
from tiles.archives.facts import Facts
from tiles.archives.mbtiles import write_mbtiles
from tiles.archives.pmtiles import write_pmtiles
from tiles.archives.work import Work

type Writer = Callable[[Work, Facts, Path], None]

#: Suffix → media type and writer.
FORMATS: dict[str, tuple[str, Writer]] = {
    ".pmtiles": ("application/vnd.pmtiles", write_pmtiles),
    ".mbtiles": ("application/vnd.mapbox-vector-tile+sqlite3", write_mbtiles),
}
#: Both know web mercator only.
GRID = "WebMercatorQuad"


def format_of(name: str) -> str:
    """The suffix of a format. Raises :class:`ArchiveError`."""
    suffix = Path(name).suffix.lower()
    if suffix not in FORMATS:
        raise ArchiveError(f"{name} 不是 .pmtiles 或 .mbtiles", f"{name} ends neither in .pmtiles nor in .mbtiles")
    return suffix


def write(work: Work, facts: Facts, path: Path) -> int:
    """Write the archive, in the format of its suffix; answers with its size [bytes]. Raises :class:`ArchiveError`."""
    _, writer = FORMATS[format_of(path.name)]
    if not work.tiles():
        raise ArchiveError("这个范围没有瓦片", "there is nothing to be seen there: no tile has anything on it")
    path = path.resolve()
    with TemporaryDirectory(prefix=".citymap-", dir=path.parent) as folder:
        made = Path(folder, path.name)
        writer(work, facts, made)
        size = made.stat().st_size
        os.replace(made, path)
    return size
