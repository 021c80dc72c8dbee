"""``citymap export``: a layer, or part of it, as a file."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

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
    encoding: _EncodingOption = _Encoding.UTF8,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a layer to a file; an existing file is replaced when the new one is complete."""
    settings = load_settings(config)
    with open_layers(settings) as (conn, found):
        from geoserver.parameters import Limits, feature_query
        from layers.exporting.export import write_file
        from layers.exporting.options import Options
        from layers.features import set_statement_timeout
        from layers.query import rows
        from layers.registry import LayerNotFound

        if layer not in found:
            raise LayerNotFound(f"没有图层 no layer {layer!r}")
        chosen = found[layer]
        asked = {"bbox": bbox, "filter": filter, "crs": crs or f"EPSG:{chosen.srid}"}
        values = {name: value for name, value in asked.items() if value is not None}
        offered = {*settings.crs.offered, chosen.srid}
        query = feature_query(chosen, values, offered, Limits(), settings.crs.projected)
        set_statement_timeout(conn, BATCH_SECONDS)
        options = Options(encoding=encoding.value)
        written = write_file(conn, rows(chosen, query), chosen, file.name, query.crs.srid, file, options)
    if as_json:
        print_json({"file": str(written.path), "features": written.rows, "bytes": written.bytes, "srid": written.srid})
    else:
        typer.echo(f"{written.path}: {written.rows} 个要素 features, {written.bytes} B, EPSG:{written.srid}")
