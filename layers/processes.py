"""Processes on shared layers: files into layers, and layers into files."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field
from sqlalchemy import Connection

from layers.catalogue import Layer, Text
from layers.cql2 import Cql2Error, parse
from layers.crs import CRS84, parse_crs
from layers.exporting.clipping import area_of, clipped
from layers.exporting.export import format_of, write_file
from layers.exporting.options import Encoding, Options
from layers.importing.options import Coordinates, Mode
from layers.importing.report import Remark
from layers.processing import CityCrs, FileResult, Job, UploadedFile, Workspace, process
from layers.query import Box, FeatureQuery, Filter, rows
from layers.raster.store import RasterStore
from layers.registry import find_layer, row_count
from layers.terrain.geojson import Area

_ShortText = Annotated[str, Field(min_length=1, max_length=200)]
#: The ids of :data:`layers.exporting.export.FORMATS`, spelled out for the process's schema.
ExportFormat = Literal["gpkg", "geojson", "csv", "shp", "fgb", "parquet", "kml", "dxf", "geotiff"]
_FilterText = Annotated[str, Field(min_length=1, max_length=20_000)]


@dataclass(frozen=True, slots=True)
class ImportedLayer:
    """What one table of the file became; lists hold at most 1000 entries, the counts are exact. ``import_id`` is the
    number by which ``undo-import`` takes it back."""

    layer: str
    title: Text
    created: bool
    read: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int
    repaired_count: int
    rejected_count: int
    repaired: tuple[Remark, ...]
    rejected: tuple[Remark, ...]
    warnings: tuple[Text, ...]
    fields: tuple[str, ...]
    ignored_fields: tuple[str, ...]
    encoding: str | None
    source_crs: str | None
    seconds: float
    import_id: int | None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a file became, table by table, and what a reader that fills several layers at once remarked."""

    file: str
    dry_run: bool
    layers: tuple[ImportedLayer, ...]
    repaired: tuple[Remark, ...]
    rejected: tuple[Remark, ...]
    warnings: tuple[Text, ...]


@process(
    edits=True,
    keywords=("导入 import", "入库 load"),
    example={"upload": "00000000-0000-0000-0000-000000000000", "layer": "lamps", "title": "路灯", "dry_run": True},
)
def import_layer(
    conn: Connection,
    job: Job,
    upload: UploadedFile,
    layer: _ShortText | None = None,
    title: _ShortText | None = None,
    mode: Mode = "append",
    key: _ShortText | None = None,
    mapping: dict[str, str] | None = None,
    source_layer: _ShortText | None = None,
    encoding: _ShortText | None = None,
    crs: _ShortText | None = None,
    coordinates: Coordinates | None = None,
    towgs84: Annotated[tuple[float, ...], Field(max_length=7)] = (),
    keep_crs: bool = False,
    prune: bool = False,
    strict: bool = False,
    dry_run: bool = False,
) -> ImportReport:
    """导入图层 | Import a layer

    上传的文件进入已有或新建的图层，全部成功，否则图层保持原样。OpenStreetMap 文件填充基础图层。 | An uploaded file goes
    into an existing or a new layer, as a whole or not at all. OpenStreetMap files fill the base layers.

    upload: 上传文件的编号；由 POST /uploads 得到 | Id of the uploaded file; POST /uploads gives it
    layer: 图层的编号；已有的或新的，缺省取自文件名 | Id of the layer; existing or new, by default from the file's name
    title: 新图层的名称 | Title of a new layer
    mode: 方式；append 追加，replace 替换，update 按标识字段更新 | Mode; append, replace, or update by the key field
    key: 标识字段；新图层中识别要素的源字段 | Key; the file's field that identifies a feature of a new layer
    mapping: 字段对应；图层字段到文件字段 | Mapping; from fields of the layer to columns of the file
    source_layer: 源图层；文件有多个时选一个 | Source layer; the one to take of several in the file
    encoding: 字符编码；文件没有说明或说错时 | Character encoding; where the file tells none or a wrong one
    crs: 文件的坐标系；如 EPSG:4547 | CRS of the file; such as EPSG:4547
    coordinates: 经纬度的种类 | Kind of longitude and latitude
    towgs84: 七参数；西安 80 或北京 54 用（m，″，ppm） | Seven parameters; for Xian 80 or Beijing 54 (m, ″, ppm)
    keep_crs: 保留坐标系；新图层按文件的坐标系存储 | Keep the CRS; store a new layer in the file's own
    prune: 删除缺失；update 时删去文件不再有的要素 | Prune; with update, delete features that the file no longer has
    strict: 严格；不修复也不舍弃，遇到问题即拒绝 | Strict; refuse the file rather than repair or leave out a feature
    dry_run: 试运行；只报告，不改动 | Dry run; report, and change nothing
    returns: 导入报告；每个要素的修复与拒绝 | Report; what was repaired and rejected, feature by feature
    """
    # The readers take a second and 100 MB to import, which a server that only describes them need not spend.
    from layers.importing.file_import import ImportOptions, import_file
    from layers.importing.source import ReadOptions

    options = ImportOptions(
        read=ReadOptions(source_layer, encoding, crs, coordinates, towgs84),
        mode=mode,
        into=layer,
        title=title,
        key=key,
        mapping=mapping or {},
        keep_crs=keep_crs,
        prune=prune,
        strict=strict,
        dry_run=dry_run,
        open_only=True,
    )
    job.progress(1, Text("正在读取文件", "Reading the file"))
    done = import_file(conn, upload.path, options, lambda count: _tell_loaded(job, count))
    reading = done.reading
    return ImportReport(
        upload.name,
        dry_run,
        tuple(_imported(item) for item in done.imports),
        tuple(reading.repaired),
        tuple(reading.rejected),
        tuple(reading.warnings.values()),
    )


@process(
    sync=False,
    keywords=("导出 export", "下载 download"),
    example={"layer": "buildings", "format": "gpkg", "filter": "height > 50", "crs": "EPSG:4547"},
)
def export_layer(
    conn: Connection,
    job: Job,
    workspace: Workspace,
    city: CityCrs,
    store: RasterStore,
    layer: _ShortText,
    format: ExportFormat = "gpkg",
    filter: _FilterText | None = None,
    bbox: tuple[float, float, float, float] | None = None,
    clip: Area | None = None,
    crs: _ShortText | None = None,
    encoding: Encoding = "utf-8",
) -> FileResult:
    """导出图层 | Export a layer

    图层或其中一部分写成文件，完成后从任务结果下载。影像与高程写成 GeoTIFF。 | A layer, or part of it, as a file to
    download from the job's results. Images and elevation become a GeoTIFF.

    layer: 图层的编号 | Id of the layer
    format: 格式 | Format
    filter: 条件；CQL2 文本，如 height > 50 | Filter; CQL2 text, such as height > 50
    bbox: 范围；西、南、东、北 [°] | Box; west, south, east, north [°]
    clip: 裁切范围；GeoJSON 面，越界的部分被切去 | Area to clip by; a polygon of GeoJSON, what lies outside is cut off
    crs: 坐标系；缺省为图层自己的 | CRS; by default the layer's own
    encoding: 字符编码；用于 CSV 与 Shapefile | Character encoding; of CSV and Shapefile
    returns: 文件 | The file
    """
    chosen = find_layer(conn, layer)
    area = area_of({"type": clip.type, "coordinates": clip.coordinates}) if clip else None
    if format == "geotiff":
        system = parse_crs(crs or "EPSG:4490", {*city.offered, chosen.srid})
        return _export_raster(conn, job, workspace, store, chosen, bbox, area, system.srid)
    wanted = format_of(format)
    system = parse_crs(crs or f"EPSG:{chosen.srid}", {*city.offered, chosen.srid})
    query = FeatureQuery(
        limit=1,
        box=Box(*bbox) if bbox else None,
        filter=_filter(filter, city.projected) if filter else None,
        crs=system,
    )
    if not chosen.partial:
        count = row_count(conn, layer)
        job.progress(1, Text(f"图层有 {count} 个要素", f"The layer has {count} features"))
    path = workspace / f"export{wanted.suffix}"
    options = Options(encoding=encoding, directory=workspace)
    written_as, statement = clipped(chosen, query, area) if area is not None else (chosen, rows(chosen, query))
    written = write_file(conn, statement, written_as, wanted.id, system.srid, path, options)
    job.progress(99, Text(f"已写 {written.rows} 个要素", f"{written.rows} features written"))
    return FileResult(path, wanted.media_type, f"{chosen.id}{wanted.suffix}")


def _export_raster(
    conn: Connection,
    job: Job,
    workspace: Workspace,
    store: RasterStore,
    layer: Layer,
    bbox: tuple[float, float, float, float] | None,
    area: Any,
    srid: int,
) -> FileResult:
    from layers.exporting.raster import MEDIA_TYPE, SUFFIX, write_geotiff

    path = workspace / f"export{SUFFIX}"
    columns, lines = write_geotiff(conn, store, layer, path, srid, bbox, area)
    job.progress(99, Text(f"已写 {columns} × {lines} 像元", f"{columns} × {lines} pixels written"))
    return FileResult(path, MEDIA_TYPE, f"{layer.id}{SUFFIX}")


def _tell_loaded(job: Job, count: int) -> None:
    """Readers do not know how much is to come, so the percentage only nears its end."""
    job.progress(99 * count / (count + 50_000), Text(f"已读 {count} 个要素", f"{count} features read"))


def _imported(item: Any) -> ImportedLayer:
    report = item.report
    return ImportedLayer(
        layer=item.layer.id, title=item.layer.title, created=item.created, read=report.read,
        inserted=report.inserted, updated=report.updated, unchanged=report.unchanged, deleted=report.deleted,
        repaired_count=report.repaired_count, rejected_count=report.rejected_count,
        repaired=report.repaired, rejected=report.rejected, warnings=report.warnings,
        fields=report.fields, ignored_fields=report.ignored_fields, encoding=report.encoding,
        source_crs=report.source_crs, seconds=report.seconds, import_id=report.import_id,
    )  # fmt: skip


def _filter(text: str, measured_in: int) -> Filter:
    try:
        expression = parse(text, "cql2-text")
    except Cql2Error as error:
        raise Cql2Error(f"input 'filter': {error}") from None
    return Filter(orjson.dumps(expression).decode(), CRS84, measured_in)
