"""GeoPackage, Shapefile, GeoJSON, FlatGeobuf and KML, read by GDAL in streaming Arrow batches.

GDAL sees a file only under a name of ours in a directory of ours (links to the original's parts), so neither siblings
(journals, indexes, .aux.xml) nor odd names reach it, and it never reaches the network.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyogrio
from pyogrio.errors import DataLayerError, DataSourceError
from pyogrio.raw import open_arrow

from layers.catalogue import Text
from layers.importing import content_checks
from layers.importing.arrow_frames import field_type, frame
from layers.importing.dbf_encoding import DbfEncoding, dbf_encoding, told_encoding
from layers.importing.dbf_numbers import field_complained_of, not_numbers
from layers.importing.errors import ImportRefused, UnknownCrs, UnreadableFile, UnsafeFile
from layers.importing.formats import Format
from layers.importing.limits import MAX_FIELDS, READ_ROWS
from layers.importing.source import ReadOptions, Source, SourceField
from layers.importing.source_crs import parse_crs

#: What pyogrio must find, so that no other driver reads the file.
_DRIVERS: dict[Format, tuple[str, ...]] = {
    "gpkg": ("GPKG",),
    "shapefile": ("ESRI Shapefile",),
    "geojson": ("GeoJSON",),
    "geojsonseq": ("GeoJSONSeq",),
    "flatgeobuf": ("FlatGeobuf",),
    "kml": ("LIBKML", "KML"),
}
_PREFIXES: dict[Format, str] = {"geojson": "GeoJSON:", "geojsonseq": "GeoJSONSeq:"}
#: SQLite shall neither lock the file nor look for journals: it follows links back to the original's directory.
_OPEN_OPTIONS: dict[Format, dict[str, str]] = {"gpkg": {"IMMUTABLE": "YES"}}
#: Different complaints of GDAL that are kept.
MAX_NOTES = 50
_PARTS = (".shp", ".shx", ".dbf", ".prj")
#: Nothing that GDAL reads for us may call out: a proxy where nobody listens.
_NO_NETWORK = {"GDAL_HTTP_PROXY": "127.0.0.1:1", "GDAL_HTTP_TIMEOUT": "1", "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}


@dataclass(frozen=True, slots=True)
class _Opened:
    """A file as GDAL is to see it."""

    name: str
    format: Format
    path: str
    encoding: DbfEncoding | None


def open_with_gdal(path: Path, kind: Format, options: ReadOptions, workspace: Path) -> list[Source]:
    """The layers of a checked file (or the chosen one). Raises :class:`ImportRefused` and its kinds."""
    pyogrio.set_gdal_config_options(_NO_NETWORK)
    tables = _checked(path, kind)
    opened = _linked(path, kind, options, workspace)
    try:
        names = tables if tables is not None else [str(name) for name, _ in pyogrio.list_layers(opened.path)]
        if options.layer is not None and kind != "shapefile":
            if options.layer not in names:
                raise ImportRefused(
                    f"{path.name} 中没有图层 {options.layer}，有：{'、'.join(names[:20])}",
                    f"{path.name} has no layer {options.layer}; it has {', '.join(names[:20])}",
                )
            names = [options.layer]
        return [_source(opened, name, options) for name in names]
    except (DataSourceError, DataLayerError, UnicodeDecodeError) as error:
        raise _unreadable(path.name, kind, error) from error


def _unreadable(name: str, kind: Format, error: Exception) -> UnreadableFile:
    reason = str(error).splitlines()[0][:200]
    return UnreadableFile(f"{name} 不是完好的 {kind} 文件：{reason}", f"{name} is no sound {kind} file: {reason}")


def _checked(path: Path, kind: Format) -> list[str] | None:
    if kind == "gpkg":
        return content_checks.feature_tables(path)
    if kind == "kml":
        content_checks.check_kml(path)
    if kind in ("geojson", "geojsonseq"):
        content_checks.check_geojson(path)
    return None


def _linked(path: Path, kind: Format, options: ReadOptions, workspace: Path) -> _Opened:
    """Links to the file, and to a Shapefile's parts in whatever case they are written, under a plain name."""
    encoding = DbfEncoding(told_encoding(options.encoding), "told") if options.encoding else None
    directory = workspace / f"source{len(list(workspace.iterdir()))}"
    directory.mkdir()
    if kind != "shapefile":
        target = directory / f"source.{'json' if kind.startswith('geojson') else kind}"
        if kind == "flatgeobuf":
            target = target.with_suffix(".fgb")
        target.symlink_to(path.absolute())
        return _Opened(path.stem, kind, _PREFIXES.get(kind, "") + str(target), encoding)
    parts = {p.suffix.lower(): p for p in path.parent.iterdir() if p.stem == path.stem and p.is_file()}
    for suffix in _PARTS:
        if suffix in parts:
            if parts[suffix].is_symlink():
                raise UnsafeFile(f"{parts[suffix].name} 是链接", f"{parts[suffix].name} is a link")
            (directory / f"source{suffix}").symlink_to(parts[suffix].absolute())
    if ".shx" not in parts:
        raise UnreadableFile(
            f"缺少 {path.stem}.shx，请一并提供",
            f"{path.stem}.shx is missing: give it along with the .shp",
        )
    if encoding is None and ".dbf" in parts:
        encoding = dbf_encoding(parts[".dbf"], parts.get(".cpg"))
    return _Opened(path.stem, kind, str(directory / "source.shp"), encoding)


def _source(opened: _Opened, layer: str, options: ReadOptions) -> Source:
    encoding = opened.encoding.name if opened.encoding else None
    more = _OPEN_OPTIONS.get(opened.format, {})
    info = pyogrio.read_info(opened.path, layer=layer, encoding=encoding, force_feature_count=False, **more)
    if info["driver"] not in _DRIVERS[opened.format]:
        raise UnsafeFile(
            f"{opened.name} 实际是 {info['driver']} 文件", f"{opened.name} is in truth a {info['driver']} file"
        )
    if len(info["fields"]) > MAX_FIELDS:
        raise UnsafeFile(f"字段超过 {MAX_FIELDS} 个", f"{layer} has more than {MAX_FIELDS} fields")
    crs = _crs(options, info["crs"], opened.name)
    notes = [opened.encoding.warning] if opened.encoding and opened.encoding.warning else []
    read = partial(_batches, opened, layer, encoding, crs, notes)
    with open_arrow(opened.path, layer=layer, encoding=encoding, use_pyarrow=True, **more) as (meta, reader):
        schema = reader.schema
        geometry = meta["geometry_name"] or "wkb_geometry"
    if len(set(schema.names)) != len(schema.names):
        raise UnreadableFile(f"{opened.name} 有同名字段", f"{opened.name} has two fields of one name")
    fields = tuple(SourceField(f.name, field_type(f.type)) for f in schema if f.name != geometry)
    return Source(
        name=opened.name if opened.format not in ("gpkg", "kml") else layer,
        format=opened.format,
        fields=fields,
        geometry_type=info["geometry_type"] or "Unknown",
        count=info["features"] if info["features"] >= 0 else None,
        crs=crs,
        encoding=encoding or "UTF-8",
        batches=_named(read, opened),
        warnings=notes,
    )


def _crs(options: ReadOptions, declared: str | None, name: str) -> Any:
    told = options.crs or declared
    if told is None:
        raise UnknownCrs(
            f"{name} 没有坐标系信息，请用 crs 指明，如 EPSG:4490 或 EPSG:4547",
            f"{name} has no CRS: give it by crs, such as EPSG:4490 or EPSG:4547",
        )
    return parse_crs(told, options.towgs84)


def _batches(
    opened: _Opened, layer: str, encoding: str | None, crs: Any, notes: list[Text]
) -> Iterator[Any]:
    more = _OPEN_OPTIONS.get(opened.format, {})
    with open_arrow(
        opened.path, layer=layer, encoding=encoding, use_pyarrow=True, batch_size=READ_ROWS, **more
    ) as (meta, reader):
        geometry = meta["geometry_name"] or "wkb_geometry"
        names = [name for name in reader.schema.names if name != geometry]
        done = 0
        while True:
            batch, odd_fields = _next(reader, notes)
            if batch is None:
                return
            rows = frame(batch, geometry, crs)
            for name in odd_fields & set(names) if opened.format == "shapefile" else ():
                odd = not_numbers(Path(opened.path).with_suffix(".dbf"), names.index(name))
                rows[name] = rows[name].mask(odd[done : done + len(rows)])
            done += len(rows)
            yield rows


def _next(reader: Any, notes: list[Text]) -> tuple[Any, set[str]]:
    """The next batch, or None, and the fields with texts for numbers; what GDAL complains of on the way is noted."""
    odd_fields: set[str] = set()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        batch = next(reader, None)
    for one in said:
        message = str(one.message).replace("source.", "")[:200]
        odd = field_complained_of(message)
        if odd is None:
            note = Text(f"读取时：{message}", f"while reading: {message}")
        else:
            odd_fields.add(odd)
            note = Text(f"字段 {odd} 有非数字的值，已留空", f"field {odd} has values that are no numbers: left empty")
        if note not in notes and len(notes) < MAX_NOTES:
            notes.append(note)
    return batch, odd_fields


def _named(read: Callable[[], Iterator[Any]], opened: _Opened) -> Callable[[], Iterator[Any]]:
    """Reading whose driver errors say which file they are about."""

    def batches() -> Iterator[Any]:
        try:
            yield from read()
        except (DataSourceError, DataLayerError, pa.ArrowException, OSError) as error:
            raise _unreadable(opened.name, opened.format, error) from error

    return batches


