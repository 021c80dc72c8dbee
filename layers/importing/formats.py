"""What a file is, by its name and by its content: both must agree before any reader sees it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from layers.importing.errors import ImportRefused, UnreadableFile, UnsafeFile
from layers.importing.limits import MAX_FILE

Format = Literal[
    "gpkg",
    "shapefile",
    "geojson",
    "geojsonseq",
    "flatgeobuf",
    "parquet",
    "kml",
    "dxf",
    "csv",
    "zip",
    "cityjson",
    "citygml",
]

SUFFIXES: dict[str, Format] = {
    ".gpkg": "gpkg",
    ".shp": "shapefile",
    ".geojson": "geojson",
    ".json": "geojson",
    ".geojsonl": "geojsonseq",
    ".geojsons": "geojsonseq",
    ".ndjson": "geojsonseq",
    ".jsonl": "geojsonseq",
    ".fgb": "flatgeobuf",
    ".parquet": "parquet",
    ".geoparquet": "parquet",
    ".kml": "kml",
    ".dxf": "dxf",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".zip": "zip",
    ".kmz": "zip",
    ".gml": "citygml",
}
_ADVICE = {
    ".dwg": "DXF",
    ".gdb": "GeoPackage",
    ".mdb": "GeoPackage",
    ".tab": "GeoPackage",
    ".xlsx": "CSV",
    ".xls": "CSV",
}
_GEOJSON_TYPE = re.compile(
    rb'"type"\s*:\s*"(FeatureCollection|Feature|(Multi)?(Point|LineString|Polygon)|GeometryCollection)"'
)
_CITYJSON_TYPE = re.compile(rb'"type"\s*:\s*"CityJSON"')
_HEAD = 65536


def local_path(path: str | Path) -> Path:
    """The path of a local regular file or directory. Raises :class:`UnsafeFile` for URLs and GDAL's virtual paths."""
    text = str(path)
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", text) or text.startswith(("/vsi", "\\\\")) or "\0" in text:
        raise UnsafeFile(
            f"只能导入本机文件，不能是 {text[:80]!r}",
            f"only local files can be imported, not {text[:80]!r}",
        )
    found = Path(path)
    if not found.exists():
        raise ImportRefused(f"找不到文件 {text}", f"there is no file {text}")
    if not (found.is_file() or found.is_dir()):
        raise UnsafeFile(f"{text} 不是普通文件", f"{text} is no regular file")
    if found.is_file() and found.stat().st_size > MAX_FILE:
        raise UnsafeFile(f"{found.name} 超过 {MAX_FILE} 字节", f"{found.name} exceeds {MAX_FILE} bytes")
    return found


def format_of(path: Path) -> Format:
    """The format that both name and content tell. Raises :class:`UnreadableFile` if they disagree."""
    suffix = path.suffix.lower()
    named = SUFFIXES.get(suffix)
    if named is None:
        advice = _ADVICE.get(suffix)
        raise ImportRefused(
            f"不支持 {suffix or path.name} 文件" + (f"，请另存为 {advice}" if advice else ""),
            f"{suffix or path.name} files are not supported" + (f": save it as {advice}" if advice else ""),
        )
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise UnreadableFile(f"{path.name} 是空文件", f"{path.name} is empty")
    if named == "geojson" and _CITYJSON_TYPE.search(head):
        return "cityjson"
    if not _CONTENT_CHECKS[named](head):
        raise UnreadableFile(
            f"{path.name} 的内容不是 {named} 格式", f"the content of {path.name} is no {named}, whatever its name says"
        )
    return "geojsonseq" if named == "geojson" and _line_per_feature(head) else named


def _line_per_feature(head: bytes) -> bool:
    lines = head.lstrip(b"\xef\xbb\xbf\x1e \r\n").split(b"\n", 2)
    return (
        len(lines) > 1
        and lines[0].rstrip().endswith(b"}")
        and lines[1].lstrip(b"\x1e").startswith(b"{")
        and b'"Feature"' in lines[0]
    )


def _is_geojson(head: bytes) -> bool:
    body = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\x1e \t\r\n")
    return body.startswith(b"{") and _GEOJSON_TYPE.search(body) is not None


def _is_kml(head: bytes) -> bool:
    markup = head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")
    return markup and re.search(rb"<(\w+:)?kml[\s>]", head) is not None


def _is_dxf(head: bytes) -> bool:
    section = re.match(rb"\s*(999\r?\n[^\n]*\n\s*)*0\s*\r?\nSECTION", head)
    return head.startswith(b"AutoCAD Binary DXF") or section is not None


def _is_text(head: bytes) -> bool:
    return head.startswith((b"\xff\xfe", b"\xfe\xff")) or (b"\0" not in head and not head.lstrip().startswith(b"<"))


_CONTENT_CHECKS: dict[Format, Callable[[bytes], bool]] = {
    "gpkg": lambda head: head.startswith(b"SQLite format 3\0"),
    "shapefile": lambda head: head.startswith(b"\0\0\x27\x0a"),
    "geojson": _is_geojson,
    "geojsonseq": _is_geojson,
    "flatgeobuf": lambda head: head.startswith(b"fgb\x03fgb"),
    "parquet": lambda head: head.startswith(b"PAR1"),
    "kml": _is_kml,
    "dxf": _is_dxf,
    "csv": _is_text,
    "zip": lambda head: head.startswith(b"PK\x03\x04"),
    "cityjson": lambda head: _CITYJSON_TYPE.search(head) is not None,
    "citygml": lambda head: re.search(rb"<(\w+:)?CityModel[\s>]", head) is not None,
}
