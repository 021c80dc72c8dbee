"""``citymap export``: a layer, or part of it, as a file."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from geoserver.cli.console import ConfigOption, JsonOption, print_json
from geoserver.cli.session import load_settings, open_layers

#: Longest time that the database may take for one batch of rows [s].
BATCH_SECONDS = 3600.0


class _Encoding(StrEnum):
    UTF8 = "utf-8"
    UTF8_WITH_MARK = "utf-8-sig"
    GBK = "gbk"


_File = Annotated[Path, typer.Argument(help="Its suffix is the format, such as .gpkg, .csv, .zip (Shapefile).")]
_Box = Annotated[str | None, typer.Option("--bbox", help="west,south,east,north in degrees.")]
_Filter = Annotated[str | None, typer.Option("--filter", help="A CQL2 text, such as \"height > 50\".")]
_Crs = Annotated[str | None, typer.Option("--crs", help="Such as EPSG:4547; default: the layer's own.")]
_EncodingOption = Annotated[_Encoding, typer.Option(help="Of CSV and Shapefile; utf-8-sig is what Excel reads.")]


def export(
    layer: str,
    file: _File,
    bbox: _Box = None,
    filter: _Filter = None,
    crs: _Crs = None,
    clip: Annotated[
        Path | None, typer.Option(exists=True, help="GeoJSON of an area in degrees; what lies outside is cut off.")
    ] = None,
    encoding: _EncodingOption = _Encoding.UTF8,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a layer to a file; an existing file is replaced when the new one is complete."""
    settings = load_settings(config)
    with open_layers(settings) as (conn, found):
        from geoserver.parameters import Limits, feature_query
        from layers.exporting.clipping import area_of, clipped
        from layers.exporting.export import write_file
        from layers.exporting.options import Options
        from layers.features import set_statement_timeout
        from layers.query import rows
        from layers.registry import LayerNotFound

        if layer not in found:
            raise LayerNotFound(f"没有图层 no layer {layer!r}")
        chosen = found[layer]
        area = area_of(_geometry(clip)) if clip else None
        if file.suffix.lower() in (".tif", ".tiff"):
            _raster(conn, settings, chosen, file, bbox, area, crs)
            return
        asked = {"bbox": bbox, "filter": filter, "crs": crs or f"EPSG:{chosen.srid}"}
        values = {name: value for name, value in asked.items() if value is not None}
        offered = {*settings.crs.offered, chosen.srid}
        query = feature_query(chosen, values, offered, Limits(), settings.crs.projected)
        set_statement_timeout(conn, BATCH_SECONDS)
        options = Options(encoding=encoding.value)
        written_as, statement = clipped(chosen, query, area) if area is not None else (chosen, rows(chosen, query))
        written = write_file(conn, statement, written_as, file.name, query.crs.srid, file, options)
    if as_json:
        print_json({"file": str(written.path), "features": written.rows, "bytes": written.bytes, "srid": written.srid})
    else:
        typer.echo(f"{written.path}: {written.rows} 个要素 features, {written.bytes} B, EPSG:{written.srid}")


def _geometry(file: Path) -> Any:
    """The geometry in a GeoJSON file: itself, of a feature, or of the first feature of a collection."""
    import orjson

    found = orjson.loads(file.read_bytes())
    found = found["features"][0] if "features" in found else found
    return found.get("geometry", found)


def _raster(conn: Any, settings: Any, layer: Any, file: Path, bbox: str | None, area: Any, crs: str | None) -> None:
    from geoserver.parameters import box_parameter
    from layers.crs import parse_crs
    from layers.exporting.raster import write_geotiff
    from layers.raster.store import RasterStore

    system = parse_crs(crs or "EPSG:4490", {*settings.crs.offered, layer.srid})
    asked = box_parameter({"bbox": bbox}, settings.crs.offered) if bbox else None
    box = (asked.west, asked.south, asked.east, asked.north) if asked else None
    store = RasterStore(Path(settings.rasters.directory))
    columns, lines = write_geotiff(conn, store, layer, file, system.srid, box, area)
    typer.echo(f"{file}: {columns} × {lines} 像元 pixels, EPSG:{system.srid}")
