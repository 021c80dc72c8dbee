"""One file into layers: read, define or find the layer, load, report."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from geopandas import GeoDataFrame
from sqlalchemy import Connection

from layers.catalogue import CGCS2000, CatalogueError, Layer, Text
from layers.importing import osm
from layers.importing.definition import Definition, field_name, infer_layer, layer_id
from layers.importing.errors import ImportRefused
from layers.importing.formats import local_path
from layers.importing.loader import Progress, load
from layers.importing.options import Mode
from layers.importing.readers import open_sources
from layers.importing.report import Findings, LoadReport
from layers.importing.source import ReadOptions, Source
from layers.importing.source_crs import parse_crs
from layers.registry import create_layer, fit_extent, load_layers
from layers.three_d.shells import SHELL


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How a file goes into the catalogue.

    ``into``: an existing layer (or the id of the new one); ``mapping`` gives, for fields of an existing layer, the
    source's column (fields of the same name need none). ``key``: the source field that identifies a feature of a new
    layer. ``srid``: storage CRS of a new layer, or ``keep_crs`` for the file's own. ``existing_only``
    refuses to make one, ``open_only`` to fill one that is closed to edits.
    """

    read: ReadOptions = field(default_factory=ReadOptions)
    mode: Mode = "append"
    into: str | None = None
    title: str | None = None
    key: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    srid: int = CGCS2000
    keep_crs: bool = False
    prune: bool = False
    strict: bool = False
    dry_run: bool = False
    existing_only: bool = False
    open_only: bool = False


@dataclass(frozen=True, slots=True)
class LayerImport:
    """What one table of the file became."""

    layer: Layer
    created: bool
    report: LoadReport


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What the file became, table by table; ``reading`` holds remarks of a reader that fills several layers at once."""

    path: Path
    imports: tuple[LayerImport, ...]
    reading: Findings = field(default_factory=Findings)


def import_file(
    conn: Connection, path: str | Path, options: ImportOptions, progress: Progress | None = None
) -> ImportResult:
    """Import every table of a file, or the one that ``options.read.layer`` names, within the caller's transaction.

    An OpenStreetMap file fills the base layers (or the one that ``options.into`` names).
    Raises :class:`ImportRefused` having changed nothing: all tables go in, or none.
    """
    savepoint = conn.begin_nested()
    try:
        is_osm = str(path).lower().endswith(osm.SUFFIXES)
        result = (_import_osm if is_osm else _import_tables)(conn, local_path(path), options, progress)
    except BaseException:
        savepoint.rollback()
        raise
    if options.dry_run:
        savepoint.rollback()
    else:
        savepoint.commit()
    return result


def _import_tables(conn: Connection, path: Path, options: ImportOptions, progress: Progress | None) -> ImportResult:
    with open_sources(path, options.read) as sources:
        if len(sources) > 1 and options.into is not None:
            names = ", ".join(source.name for source in sources)
            raise ImportRefused(
                f"文件中有多个图层（{names}），请用 source-layer 选一个",
                f"the file has several layers ({names}): choose one by source-layer",
            )
        return ImportResult(path, tuple(_import_one(conn, source, path, options, progress) for source in sources))


def _import_osm(conn: Connection, path: Path, options: ImportOptions, progress: Progress | None) -> ImportResult:
    layers = load_layers(conn)
    reading = Findings()
    imports = []
    with osm.layers_of(path, progress, reading) as found:
        wanted = found if options.into is None else {options.into: found.get(options.into, iter(()))}
        for layer_id, frames in wanted.items():
            if layer_id not in layers:
                raise ImportRefused(f"没有图层 {layer_id}", f"there is no layer {layer_id}")
            _require_open(layers[layer_id], options)
            report = load(
                conn,
                layers[layer_id],
                frames,
                options.mode,
                prune=options.prune,
                strict=options.strict,
                dry_run=options.dry_run,
                encoding="UTF-8",
                file=path.name,
            )
            imports.append(_imported(conn, layers[layer_id], report, options, created=False))
    return ImportResult(path, tuple(imports), reading)


def _import_one(
    conn: Connection, source: Source, path: Path, options: ImportOptions, progress: Progress | None
) -> LayerImport:
    existing = load_layers(conn)
    found = existing.get(options.into) if options.into else None
    if found is None and options.existing_only:
        raise ImportRefused(f"没有图层 {options.into}", f"there is no layer {options.into}")
    if found is not None:
        _require_open(found, options)
        definition = Definition(found, _mapped(found, source, options.mapping))
    else:
        if options.mapping:
            raise ImportRefused("字段映射只用于已有图层", "a field mapping needs an existing layer")
        definition = _create(conn, source, options, stem=path.name.partition(".")[0], taken=set(existing))
    report = load(
        conn,
        definition.layer,
        _renamed(source, definition.columns),
        options.mode,
        progress,
        prune=options.prune,
        strict=options.strict,
        encoding=source.encoding,
        warnings=source.warnings,
        unused=[column.name for column in source.fields if column.name not in definition.columns.values()],
        dry_run=options.dry_run,
        file=path.name,
    )
    return _imported(conn, definition.layer, report, options, created=found is None)


def _require_open(layer: Layer, options: ImportOptions) -> None:
    """The footprints of a coverage come and go with their files; other closed layers are their steward's."""
    if not layer.editable and (options.open_only or layer.kind == "coverage"):
        raise ImportRefused(f"图层 {layer.id} 只读", f"layer {layer.id!r} is read-only")


def _imported(
    conn: Connection, layer: Layer, report: LoadReport, options: ImportOptions, *, created: bool
) -> LayerImport:
    """The result, with the layer as the catalogue now has it."""
    if options.mode != "append" and not options.dry_run:
        fit_extent(conn, layer)
    return LayerImport(load_layers(conn)[layer.id], created, report)


def _create(conn: Connection, source: Source, options: ImportOptions, *, stem: str, taken: set[str]) -> Definition:
    srid = options.srid
    if options.keep_crs:
        code = source.crs.to_epsg()
        if code is None:
            raise ImportRefused(
                f"{source.crs.name} 没有 EPSG 代码，不能作为存储坐标系",
                f"{source.crs.name} has no EPSG code, so it cannot be the storage CRS",
            )
        srid = int(code)
    else:
        parse_crs(str(srid))
    try:
        definition = infer_layer(source, options.into, options.title, key=options.key, srid=srid)
        if definition.layer.id in taken and options.into is None:
            # "water" of a file of many layers shall not end in the base layer of that name
            other = layer_id(f"{stem}-{source.name}")
            definition = infer_layer(source, other, options.title, key=options.key, srid=srid)
        if definition.layer.id in taken:
            raise ImportRefused(
                f"图层 {definition.layer.id} 已存在：用 into 指明导入到它，或另起一个名字",
                f"the layer {definition.layer.id} exists: say so by into, or choose another id",
            )
        create_layer(conn, definition.layer)
    except CatalogueError as error:
        raise ImportRefused(f"不能建立图层：{error}", f"the layer cannot be made: {error}") from error
    return definition


def _mapped(layer: Layer, source: Source, mapping: Mapping[str, str]) -> dict[str, str]:
    """Layer field → source column: the told ones, then those whose names agree after cleaning."""
    columns = {column.name for column in source.fields}
    for name, column in mapping.items():
        if layer.field(name) is None:
            raise ImportRefused(f"图层 {layer.id} 没有字段 {name}", f"the layer {layer.id} has no field {name}")
        if column not in columns:
            shown = ", ".join(sorted(columns)[:20])
            raise ImportRefused(
                f"文件没有字段 {column}，有：{shown}",
                f"the file has no field {column}; it has {shown}",
            )
    taken = set(mapping.values())
    same = {field_name(column, set()): column for column in sorted(columns - taken)}
    return {**{f.name: same[f.name] for f in layer.fields if f.name in same}, **mapping}


def _renamed(source: Source, columns: Mapping[str, str]) -> Iterator[GeoDataFrame]:
    """Batches whose columns are named like the layer's fields; one column may fill several. Shells go with them."""
    for frame in source.batches():
        data: dict[str, Any] = {name: frame[column] for name, column in columns.items()}
        if SHELL in frame:
            data[SHELL] = frame[SHELL]
        yield GeoDataFrame(data, geometry=frame.geometry.array, crs=source.crs)


def summary(item: LayerImport) -> Text:
    """One line for people."""
    report, layer = item.report, item.layer
    zh = (
        f"{layer.title.zh}（{layer.id}）：读 {report.read}，新增 {report.inserted}，更新 {report.updated}，"
        f"不变 {report.unchanged}，删除 {report.deleted}，修复 {report.repaired_count}，拒绝 {report.rejected_count}"
        + (f"；导入编号 {report.import_id}" if report.import_id else "")
    )
    en = (
        f"{layer.title.en} ({layer.id}): {report.read} read, {report.inserted} inserted, {report.updated} updated, "
        f"{report.unchanged} unchanged, {report.deleted} deleted, {report.repaired_count} repaired, "
        f"{report.rejected_count} rejected" + (f"; import {report.import_id}" if report.import_id else "")
    )
    return Text(zh, en)
