"""Reads tiles of archives that others made: PMTiles v3, MBTiles 1.3, and cloud-optimised GeoTIFFs.

An opened archive is good for as long as its file is; safe for threads.
"""

import gzip
import json
import os
import sqlite3
import threading
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from pmtiles.tile import Compression, Entry, deserialize_directory, deserialize_header, find_tile, zxy_to_tileid

from tiles.archives.errors import ArchiveUnreadable
from tiles.archives.facts import FORMATS, Facts
from tiles.archives.pmtiles import TYPES
from tiles.matrix_sets import MatrixSet
from tiles.rendered import MVT

#: Bytes of a directory, or of the metadata, at most; of one tile at most.
_MOST_DIRECTORY, _MOST_TILE = 64 << 20, 32 << 20
_DIRECTORIES = 64
_WHOLE_WORLD = (-180.0, -85.05, 180.0, 85.05)
_MEDIA_TYPES = {name: media_type for media_type, name in FORMATS.items()} | {"jpeg": "image/jpeg", "mvt": MVT}


class Archive(Protocol):
    """What an archive is for a server. ``grids`` are the ids of the tile matrix sets that it has tiles in; None: all.

    Vector tiles come as one gzip member.
    """

    facts: Facts
    grids: tuple[str, ...] | None

    def tile(self, grid: MatrixSet, z: int, y: int, x: int) -> bytes | None:
        """The tile's body; None where it has none."""

    def close(self) -> None:
        """Close the file."""


class PmtilesArchive:
    """PMTiles v3. Raises :class:`ArchiveUnreadable` for a file that is none, or is packed in ways not served."""

    grids: tuple[str, ...] | None = ("WebMercatorQuad",)

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY)
        try:
            self._header: dict[str, Any] = dict(deserialize_header(self._read(0, 127)))
            self.facts = self._facts(path)
            self._directory(self._header["root_offset"], self._header["root_length"])
        except ArchiveUnreadable:
            self.close()
            raise
        except Exception as error:  # whatever a damaged file makes of the library
            self.close()
            raise ArchiveUnreadable(f"{path.name} is no PMTiles of version 3: {error}") from error
        self._directory = lru_cache(_DIRECTORIES)(self._directory)  # type: ignore[method-assign]

    def tile(self, grid: MatrixSet, z: int, y: int, x: int) -> bytes | None:
        """The tile's body."""
        number = zxy_to_tileid(z, x, y)
        offset, length = self._header["root_offset"], self._header["root_length"]
        for _ in range(4):  # directories lie no deeper
            found = find_tile(self._directory(offset, length), number)
            if found is None:
                return None
            if found.run_length:
                body = self._read(self._header["tile_data_offset"] + found.offset, found.length, _MOST_TILE)
                return gzip.compress(body, 1, mtime=0) if self._plain else body
            offset, length = self._header["leaf_directory_offset"] + found.offset, found.length
        return None

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    @property
    def _plain(self) -> bool:
        return self.facts.media_type == MVT and self._header["tile_compression"] is Compression.NONE

    def _facts(self, path: Path) -> Facts:
        header = self._header
        media_type = next((name for name, kind in TYPES.items() if kind is header["tile_type"]), None)
        packed = (Compression.GZIP, Compression.NONE) if media_type == MVT else (Compression.NONE, Compression.UNKNOWN)
        if media_type is None or header["tile_compression"] not in packed:
            kind = f"{header['tile_type'].name}, {header['tile_compression'].name}"
            raise ArchiveUnreadable(f"{path.name}: tiles of {kind} are not served; vectors with gzip, and pictures are")
        if header["internal_compression"] is not Compression.GZIP:
            raise ArchiveUnreadable(f"{path.name}: its directories are not packed with gzip")
        said = json.loads(gzip.decompress(self._read(header["metadata_offset"], header["metadata_length"])))
        bounds = tuple(header[f"{side}_e7"] / 1e7 for side in ("min_lon", "min_lat", "max_lon", "max_lat"))
        return _facts(path, said, media_type, header["min_zoom"], header["max_zoom"], bounds)

    def _directory(self, offset: int, length: int) -> list[Entry]:
        return deserialize_directory(self._read(offset, length))

    def _read(self, offset: int, length: int, most: int = _MOST_DIRECTORY) -> bytes:
        if length > most:
            raise ArchiveUnreadable(f"a part of {length} bytes is too long")
        found = os.pread(self._file, length, offset)
        if len(found) < length:
            raise ArchiveUnreadable("the file ends too early")
        return found


class MbtilesArchive:
    """MBTiles 1.3. Raises :class:`ArchiveUnreadable`."""

    grids: tuple[str, ...] | None = ("WebMercatorQuad",)

    def __init__(self, path: Path) -> None:
        # The file is not changed while it is served: another one takes its place.
        self._file = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
        )
        self._lock = threading.Lock()
        try:
            said = dict(self._file.execute("SELECT name, value FROM metadata LIMIT 1000").fetchall())
            levels = self._file.execute("SELECT min(zoom_level), max(zoom_level) FROM tiles").fetchone()
            self.facts = _mbtiles_facts(path, said, levels)
        except ArchiveUnreadable:
            self.close()
            raise
        except (sqlite3.Error, ValueError, TypeError, KeyError) as error:
            self.close()
            raise ArchiveUnreadable(f"{path.name} is no MBTiles: {error}") from error

    def tile(self, grid: MatrixSet, z: int, y: int, x: int) -> bytes | None:
        """The tile's body."""
        with self._lock:
            row = self._file.execute(
                "SELECT CAST(tile_data AS blob) FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?",
                (z, x, 2**z - 1 - y),
            ).fetchone()
        if row is None or not row[0]:
            return None
        body = bytes(row[0])
        plain = self.facts.media_type == MVT and body[:2] != b"\x1f\x8b"
        return gzip.compress(body, 1, mtime=0) if plain else body

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _mbtiles_facts(path: Path, said: dict[str, str], levels: tuple[int | None, int | None]) -> Facts:
    media_type = _MEDIA_TYPES.get(said.get("format", ""))
    if media_type is None:
        raise ArchiveUnreadable(f"{path.name}: format {said.get('format')!r} is not served; pbf, png, jpg and webp are")
    if levels[0] is None or levels[1] is None:
        raise ArchiveUnreadable(f"{path.name} has no tiles")
    bounds: Iterable[float] = map(float, said["bounds"].split(",")) if "bounds" in said else _WHOLE_WORLD
    more = {**said, **(json.loads(said["json"]) if "json" in said else {})}
    return _facts(path, more, media_type, int(levels[0]), int(levels[1]), tuple(bounds))


def _facts(
    path: Path, said: dict[str, Any], media_type: str, lowest: int, deepest: int, bounds: tuple[float, ...]
) -> Facts:
    west, south, east, north = bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90) or not 0 <= lowest <= deepest <= 30:
        raise ArchiveUnreadable(f"{path.name}: bounds {bounds} or levels {lowest} to {deepest} cannot be")
    texts = [str(said.get(name) or "")[:2000] for name in ("name", "attribution", "description")]
    kept = {name: value for name, value in said.items() if name in ("vector_layers", "encoding")}
    return Facts(
        texts[0] or path.stem, texts[1], media_type, lowest, deepest, (west, south, east, north), texts[2], kept
    )
