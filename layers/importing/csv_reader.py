"""Tables with coordinates: CSV of any delimiter and of the usual Chinese and English column names.

Longitude and latitude may be WGS 84, CGCS2000, GCJ-02 or BD-09; projected coordinates any zone, with or without prefix.
Chinese survey tables call the northing X: which column is which is settled by where the points would lie.
"""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.catalogue import FieldType, Text
from layers.importing.dbf_encoding import told_encoding
from layers.importing.errors import ImportRefused, UnknownCrs, UnreadableFile, UnsafeFile
from layers.importing.limits import MAX_LINE, READ_ROWS
from layers.importing.plausible import looks_swapped
from layers.importing.source import ReadOptions, Source, SourceField
from layers.importing.source_crs import parse_crs

_DEGREES_EAST = ("lng", "lon", "long", "longitude", "经度", "东经")
_EAST = (*_DEGREES_EAST, "x", "x坐标", "坐标x", "east", "easting", "东坐标", "point_x", "xcoord")
_NORTH = ("lat", "latitude", "纬度", "北纬", "y", "y坐标", "坐标y", "north", "northing", "北坐标", "point_y", "ycoord")
_WKT = ("wkt", "geom", "geometry", "the_geom", "shape", "几何")
_SAMPLE_ROWS = 5000
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class _Dialect:
    encoding: str
    delimiter: str
    header: tuple[str, ...]


def open_csv(path: Path, options: ReadOptions) -> Source:
    """A table of points, or of WKT geometries."""
    dialect = _dialect(path, options)
    columns = {name.strip().lower(): name for name in dialect.header}
    wkt = next((columns[name] for name in _WKT if name in columns), None)
    east = next((columns[name] for name in _EAST if name in columns), None)
    north = next((columns[name] for name in _NORTH if name in columns), None)
    sample = next(_tables(path, dialect, _SAMPLE_ROWS), None)
    if sample is None or sample.empty:
        raise UnreadableFile(f"{path.name} 没有数据行", f"{path.name} has no rows")
    if wkt is None and (east is None or north is None):
        shown = ", ".join(dialect.header[:20])
        raise ImportRefused(
            f"找不到坐标列（如 经度/纬度、lng/lat、x/y、wkt），只有：{shown}",
            f"there are no coordinate columns (such as lng/lat, x/y, 经度/纬度, wkt) among {shown}",
        )
    crs = _crs(options, path.name, geographic=east is not None and east.strip().lower() in _DEGREES_EAST)
    warnings: list[Text] = []
    if wkt is None and looks_swapped(_points(sample, east, north), crs) and not crs.is_geographic:
        east, north = north, east
        warnings = [
            Text(
                "X 列是北坐标（测量坐标系），已按此读取",
                "column X holds northings (Chinese survey axes) and was read so",
            ),
        ]
    taken = {wkt} if wkt else {east, north}
    fields = tuple(SourceField(name, _guess(sample[name])) for name in dialect.header if name not in taken)

    def batches() -> Iterator[Any]:
        for table in _tables(path, dialect, READ_ROWS):
            shapes = _wkt_shapes(table[wkt]) if wkt else _points(table, east, north)
            yield gpd.GeoDataFrame(table[[f.name for f in fields]], geometry=shapes, crs=crs)

    return Source(
        name=path.stem,
        format="csv",
        fields=fields,
        geometry_type="Unknown" if wkt else "Point",
        count=None,
        crs=crs,
        encoding=dialect.encoding,
        batches=batches,
        warnings=warnings,
    )


def _crs(options: ReadOptions, name: str, *, geographic: bool) -> Any:
    if options.crs:
        return parse_crs(options.crs, options.towgs84)
    if options.coordinates is not None:
        return parse_crs("EPSG:4490" if options.coordinates == "cgcs2000" else "EPSG:4326")
    if geographic:
        raise UnknownCrs(
            f"{name}：请用 coordinates 指明经纬度的种类（wgs84、cgcs2000、gcj02、bd09），它们相差几百米",
            f"{name}: say by coordinates of what kind the degrees are (wgs84, cgcs2000, gcj02, bd09): "
            "they differ by hundreds of metres",
        )
    raise UnknownCrs(
        f"{name}：请用 crs 指明坐标系，如 EPSG:4547（带号 38 用 EPSG:4526）",
        f"{name}: give the CRS by crs, such as EPSG:4547 (EPSG:4526 with the zone prefix 38)",
    )


def _dialect(path: Path, options: ReadOptions) -> _Dialect:
    encoding = told_encoding(options.encoding) if options.encoding else _encoding(path)
    with path.open(encoding=_python_codec(encoding), newline="") as file:
        try:
            sample = file.read(65536)
        except UnicodeError as error:
            raise UnreadableFile(f"{path.name} 不是 {encoding} 编码", f"{path.name} is no {encoding}") from error
    first = sample.splitlines()[0] if sample else ""
    delimiter = max((",", ";", "\t", "|", "，"), key=first.count)
    header = next(csv.reader([first], delimiter=delimiter), [])
    if not header or len(set(header)) != len(header):
        raise UnreadableFile(f"{path.name} 的表头缺失或重名", f"the header of {path.name} is missing or repeats a name")
    return _Dialect(encoding, delimiter, tuple(header))


def _encoding(path: Path) -> str:
    """BOM, then UTF-8 if the whole file decodes, else GB18030. Bounds the lines on the way."""
    utf8: Any = codecs.getincrementaldecoder("utf-8")()
    is_utf8, line = True, 0
    with path.open("rb") as file:
        head = file.read(4)
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "UTF-16"
        file.seek(0)
        while chunk := file.read(_CHUNK):
            newline = chunk.rfind(b"\n")
            line = line + len(chunk) if newline < 0 else len(chunk) - newline
            if line > MAX_LINE:
                raise UnsafeFile(f"{path.name} 有超长的行", f"{path.name} has a line of more than {MAX_LINE} bytes")
            try:
                utf8.decode(chunk)
            except UnicodeDecodeError:
                is_utf8 = False
                utf8 = codecs.getincrementaldecoder("utf-8")("replace")
    return "UTF-8" if is_utf8 else "GB18030"


def _python_codec(encoding: str) -> str:
    return "utf-8-sig" if encoding == "UTF-8" else encoding


def _tables(path: Path, dialect: _Dialect, rows: int) -> "Iterator[pd.DataFrame]":
    try:
        with pd.read_csv(
            path,
            sep=dialect.delimiter,
            encoding=_python_codec(dialect.encoding),
            dtype=str,
            keep_default_na=False,
            na_values=[""],
            chunksize=rows,
            header=0,
            names=list(dialect.header),
            index_col=False,
            engine="python" if len(dialect.delimiter.encode()) > 1 else "c",
        ) as reader:
            yield from reader
    except (pd.errors.ParserError, UnicodeError, csv.Error) as error:
        raise UnreadableFile(f"{path.name}：{error}", f"{path.name}: {error}") from error


def _points(table: pd.DataFrame, east: str | None, north: str | None) -> Any:
    x = pd.to_numeric(table[str(east)], errors="coerce").to_numpy(dtype=np.float64)
    y = pd.to_numeric(table[str(north)], errors="coerce").to_numpy(dtype=np.float64)
    points = shapely.points(np.nan_to_num(x), np.nan_to_num(y))
    points[~(np.isfinite(x) & np.isfinite(y))] = None
    return points


def _wkt_shapes(column: "pd.Series[Any]") -> Any:
    with np.errstate(invalid="ignore"):
        return shapely.from_wkt(column.where(column.notna(), None).to_numpy(dtype=object), on_invalid="ignore")


def _guess(column: "pd.Series[Any]") -> FieldType:
    """Integer or number where every sampled value is one and none has a leading zero, as codes do; else text."""
    values = column.dropna().str.strip()
    if values.empty or values.str.fullmatch(r"[+-]?0\d+").any():
        return "string"
    if values.str.fullmatch(r"[+-]?\d{1,18}").all():
        return "integer"
    return "number" if values.str.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?").all() else "string"
