"""One export: the formats there are, and a query's result as a stream of bytes or as a file.

A web handler iterates :func:`stream` in a thread and closes it when the client goes away (``contextlib.closing``); it
takes the first chunk before it sends headers, so that refusals still become an answer. The command line uses
:func:`write_file`.
"""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from pkgutil import resolve_name
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Connection, Select, TextClause

from layers.catalogue import Layer, Text
from layers.exporting.errors import UnknownFormat
from layers.exporting.options import Options
from layers.exporting.selection import Limits, Selection
from layers.exporting.text import csv_chunks, geojson_chunks

CHUNK_BYTES = 256 * 1024

Chunks = Callable[[Selection, Options], Iterator[bytes]]
Writer = Callable[[Selection, Options, Path], None]


@dataclass(frozen=True, slots=True)
class Format:
    """A file format, written as chunks of text or by a writer into a file; ``srid`` where it knows one CRS only,
    ``projected`` where it draws in metres.

    Writers are named by their module in this package and imported when first needed: their libraries are large.
    """

    id: str
    title: Text
    media_type: str
    suffix: str
    chunks: Chunks | None = None
    writer: str | None = None
    srid: int | None = None
    projected: bool = False


FORMATS = {
    format.id: format
    for format in (
        Format("gpkg", Text("GeoPackage", "GeoPackage"), "application/geopackage+sqlite3", ".gpkg",
               writer="files:write_geopackage"),
        Format("geojson", Text("GeoJSON", "GeoJSON"), "application/geo+json", ".geojson", chunks=geojson_chunks),
        Format("csv", Text("CSV 表格", "CSV table"), "text/csv", ".csv", chunks=csv_chunks),
        Format("shp", Text("Shapefile 压缩包", "Zipped Shapefile"), "application/zip", ".zip",
               writer="shapefile:write_shapefile"),
        Format("fgb", Text("FlatGeobuf", "FlatGeobuf"), "application/vnd.flatgeobuf", ".fgb",
               writer="files:write_flatgeobuf"),
        Format("parquet", Text("GeoParquet", "GeoParquet"), "application/vnd.apache.parquet", ".parquet",
               writer="files:write_geoparquet"),
        Format("kml", Text("KML", "KML"), "application/vnd.google-earth.kml+xml", ".kml",
               writer="files:write_kml", srid=4326),
        Format("dxf", Text("DXF 图形", "DXF drawing"), "image/vnd.dxf", ".dxf", writer="dxf:write_dxf", projected=True),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Written:
    """What an export to a file made."""

    path: Path
    rows: int
    bytes: int
    srid: int


def format_of(name: str) -> Format:
    """The format with that id, or that a file name's suffix means. Raises UnknownFormat naming those there are."""
    found = FORMATS.get(name) or next((f for f in FORMATS.values() if name.lower().endswith(f.suffix)), None)
    if found is None:
        offered = ", ".join(FORMATS)
        raise UnknownFormat(f"不支持格式 {name}，可用：{offered}", f"format {name} is not offered: use {offered}")
    return found


def stream(
    conn: Connection,
    statement: Select[Any] | TextClause,
    layer: Layer,
    format: str,
    srid: int,
    options: Options = Options(),  # noqa: B008 - immutable
    limits: Limits = Limits(),  # noqa: B008 - immutable
) -> Generator[bytes]:
    """The result as chunks of bytes, with memory that does not grow with it.

    ``statement`` selects id, fields of the layer and ``geom``; coordinates come in ``srid``, east before north. A file
    that needs seeking is made in a temporary directory and unlinked before its first byte is handed out, so nothing
    stays behind whatever becomes of the client. Raises ExportRefused, for text formats possibly after some chunks.
    """
    wanted = format_of(format)
    selection = Selection(conn, statement, layer, wanted.srid or srid, limits)
    if wanted.chunks is not None:
        return _bounded(wanted.chunks(selection, options), selection)
    return _file_chunks(wanted, _writer(wanted), selection, options)


def write_file(
    conn: Connection,
    statement: Select[Any] | TextClause,
    layer: Layer,
    format: str,
    srid: int,
    path: Path,
    options: Options = Options(),  # noqa: B008 - immutable
    limits: Limits = Limits(),  # noqa: B008 - immutable
) -> Written:
    """The result as a file, which appears at ``path`` only when it is complete. See :func:`stream`."""
    wanted = format_of(format)
    selection = Selection(conn, statement, layer, wanted.srid or srid, limits)
    path = path.resolve()
    with TemporaryDirectory(prefix=".citymap-", dir=path.parent) as directory:
        made = Path(directory, f"export{wanted.suffix}")
        if wanted.writer is not None:
            _writer(wanted)(selection, options, made)
        else:
            assert wanted.chunks is not None
            with made.open("wb") as file:
                for chunk in _bounded(wanted.chunks(selection, options), selection):
                    file.write(chunk)
        selection.check_disk(made.parent)
        size = made.stat().st_size
        os.replace(made, path)
    return Written(path, selection.rows, size, selection.srid)


def _writer(format: Format) -> Writer:
    assert format.writer is not None
    writer: Writer = resolve_name(f"layers.exporting.{format.writer}")
    return writer


def _bounded(chunks: Iterator[bytes], selection: Selection) -> Generator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        selection.check_bytes(size)
        yield chunk


def _file_chunks(format: Format, writer: Writer, selection: Selection, options: Options) -> Generator[bytes]:
    with TemporaryDirectory(prefix="citymap-export-", dir=options.directory) as directory:
        path = Path(directory, f"export{format.suffix}")
        writer(selection, options, path)
        selection.check_disk(path.parent)
        file = path.open("rb")
    with closing(file):
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
