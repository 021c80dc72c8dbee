"""``citymap import``: a file into layers."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from geoserver.cli.console import (
    CommandError,
    ConfigOption,
    Exit,
    JsonOption,
    note,
    print_json,
    progress,
)
from geoserver.cli.session import load_settings, open_connection

if TYPE_CHECKING:
    from layers.importing.file_import import ImportOptions, ImportResult

#: Remarks on single features that are shown to people; --json gives them all.
_SHOWN = 20


def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            help="GeoPackage, Shapefile, GeoJSON, FlatGeobuf, GeoParquet, KML, DXF, CSV, OSM PBF; images: GeoTIFF, "
            "JPEG 2000, ASC, HGT, PNG and JPEG with world file; in 3D: CityJSON, CityGML, LAS, LAZ."
        ),
    ],
    into: Annotated[str | None, typer.Option("--layer", "--into", help="The layer to fill, existing or new.")] = None,
    title: Annotated[str | None, typer.Option(help="The title of a new layer.")] = None,
    mode: Annotated[str, typer.Option(help="append, replace, or update by the key field.")] = "append",
    key: Annotated[str | None, typer.Option(help="The file's field that identifies a feature of a new layer.")] = None,
    mapping: Annotated[
        str, typer.Option("--map", metavar="FIELD=COLUMN,…", help="Fields of the layer and the file's columns.")
    ] = "",
    source_layer: Annotated[str | None, typer.Option(help="The one layer of the file to import.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Character encoding, if the file says it wrongly.")] = None,
    crs: Annotated[str | None, typer.Option(help="The file's CRS, such as EPSG:4547.")] = None,
    coordinates: Annotated[
        str | None, typer.Option(help="The kind of longitude and latitude: wgs84, cgcs2000, gcj02, bd09.")
    ] = None,
    towgs84: Annotated[
        str, typer.Option(metavar="DX,DY,DZ,RX,RY,RZ,DS", help="Seven parameters for Xian 80 or Beijing 54.")
    ] = "",
    keep_crs: Annotated[bool, typer.Option(help="Store a new layer in the file's CRS instead of EPSG:4490.")] = False,
    prune: Annotated[bool, typer.Option(help="With update: delete features that the file no longer has.")] = False,
    strict: Annotated[bool, typer.Option(help="Refuse the file rather than repair or leave out a feature.")] = False,
    acquired: Annotated[str | None, typer.Option(help="Image: a date or instant, or two as 'begin/end'.")] = None,
    priority: Annotated[int, typer.Option(help="Image: the higher lies on top.")] = 0,
    bands: Annotated[str, typer.Option(metavar="NAME,…", help="Image: names of its bands, in order.")] = "",
    vertical_datum: Annotated[str | None, typer.Option(help="Image: vertical datum of elevation.")] = None,
    replaces: Annotated[int | None, typer.Option(help="Image: the id of the image that it replaces.")] = None,
    resolution: Annotated[float, typer.Option(help="Point cloud: side of a cell of the grids made of it.")] = 1.0,
    dry_run: Annotated[bool, typer.Option(help="Tell what would happen, and change nothing.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import a file into layers, and report what became of every feature; or an image into a coverage."""
    from geoserver.cli.import_point_cloud import SUFFIXES, import_point_cloud
    from layers.raster.formats import holds_rasters

    asked: dict[str, Any]
    if file.suffix.lower() in SUFFIXES:
        asked = dict(name=title, priority=priority, vertical_datum=vertical_datum, crs=crs, dry_run=dry_run)
        import_point_cloud(file, acquired, resolution, asked, config, as_json)
        return
    if holds_rasters(file):
        from geoserver.cli.import_image import import_image

        named = tuple(name.strip() for name in bands.split(",") if name.strip())
        asked = dict(name=title, priority=priority, bands=named, vertical_datum=vertical_datum, crs=crs)
        asked |= dict(towgs84=_numbers(towgs84), replaces=replaces, dry_run=dry_run)
        import_image(file, into, acquired, asked, config, as_json)
        return
    from layers.importing.errors import ImportRefused
    from layers.importing.file_import import ImportOptions, import_file
    from layers.importing.options import Coordinates, Mode
    from layers.importing.source import ReadOptions

    _one_of("--mode", mode, get_args(Mode))
    if coordinates is not None:
        _one_of("--coordinates", coordinates, get_args(Coordinates))
    options = ImportOptions(
        read=ReadOptions(source_layer, encoding, crs, coordinates, _numbers(towgs84)),  # type: ignore[arg-type]
        mode=mode,  # type: ignore[arg-type]
        into=into,
        title=title,
        key=key,
        mapping=_pairs(mapping),
        keep_crs=keep_crs,
        prune=prune,
        strict=strict,
        dry_run=dry_run,
    )
    try:
        with open_connection(load_settings(config)) as conn, progress(file.name) as advance:
            result = import_file(conn, file, options, _steps(advance))
    except ImportRefused as refusal:
        cure = "文件没有入库，图层保持原样 nothing was imported"
        raise CommandError(f"{refusal.text.zh} | {refusal.text.en}", cure, Exit.REFUSED) from refusal
    if as_json:
        print_json(_json(result))
    else:
        _print(result, options)


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise typer.BadParameter(f"{value!r} is none of {', '.join(known)}", param_hint=name)


def _pairs(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",") if part]
    if any(not equals or not name or not column for name, equals, column in pairs):
        raise typer.BadParameter("write it like name=NAME,height=HEIGHT", param_hint="--map")
    return {name.strip(): column.strip() for name, _, column in pairs}


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",")) if text else ()
    except ValueError as error:
        raise typer.BadParameter("seven numbers with commas between", param_hint="--towgs84") from error


def _steps(advance: Any) -> Any:
    """The loader tells totals, which begin anew with each layer; the bar takes steps."""
    last = 0

    def tell(total: int) -> None:
        nonlocal last
        advance(total - last if total >= last else total)
        last = total

    return tell


def _json(result: "ImportResult") -> dict[str, Any]:
    imports = [{"layer": i.layer.id, "created": i.created, **asdict(i.report)} for i in result.imports]
    reading = asdict(result.reading)
    reading["warnings"] = [asdict(text) for text in result.reading.warnings.values()]
    return {"file": str(result.path), "imports": imports, "reading": reading}


def _print(result: "ImportResult", options: "ImportOptions") -> None:
    from layers.importing.file_import import summary

    if options.dry_run:
        note("试运行，没有改动 dry run, nothing was changed")
    for item in result.imports:
        text, report = summary(item), item.report
        typer.echo(text.zh)
        typer.echo(text.en)
        typer.echo(f"  {report.source_crs} → EPSG:{item.layer.srid}  {report.encoding}  {report.seconds:.1f} s")
        if report.ignored_fields:
            typer.echo(f"  未导入的字段 columns left out: {', '.join(report.ignored_fields)}")
        for warning in report.warnings:
            typer.echo(f"  注意 {warning.zh} | {warning.en}")
        _print_remarks("修复 repaired", report.repaired, report.repaired_count)
        _print_remarks("拒绝 rejected", report.rejected, report.rejected_count)
    _print_remarks("读取时修复 repaired while reading", result.reading.repaired, result.reading.repaired_count)
    _print_remarks("读取时拒绝 rejected while reading", result.reading.rejected, result.reading.rejected_count)


def _print_remarks(title: str, remarks: Any, count: int) -> None:
    for remark in remarks[:_SHOWN]:
        typer.echo(f"  {title} {remark.id}: {remark.reason.zh} | {remark.reason.en}")
    if count > _SHOWN:
        typer.echo(f"  {title}: +{count - _SHOWN} (--json)")
