"""``citymap layers describe``: what the catalogue says of a layer."""

from pathlib import Path
from typing import Annotated, Any

import typer

from geoserver.cli.console import ConfigOption, JsonOption, print_json
from geoserver.cli.session import load_settings, open_layers

_File = Annotated[
    Path | None, typer.Option("--file", "-f", help="YAML or JSON of the metadata (docs/exchange.md); replaces them.")
]


def describe(
    layer: str,
    file: _File = None,
    title: Annotated[str | None, typer.Option(help="In Chinese.")] = None,
    title_en: Annotated[str | None, typer.Option(help="In English.")] = None,
    description: Annotated[str | None, typer.Option(help="In Chinese.")] = None,
    description_en: Annotated[str | None, typer.Option(help="In English.")] = None,
    keyword: Annotated[list[str] | None, typer.Option(help="May be repeated; replaces those there are.")] = None,
    source: Annotated[str | None, typer.Option(help="Where the data come from.")] = None,
    licence: Annotated[str | None, typer.Option(help="Under which terms they may be used.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change a layer's metadata; without options, show them."""
    with open_layers(load_settings(config)) as (conn, _):
        from layers.exchange.records.model import Statement, metadata_from
        from layers.exchange.records.processes import describe_layer

        found = describe_layer(
            conn,
            layer,
            title=Statement(title or "", title_en or "") if title or title_en else None,
            description=Statement(description or "", description_en or "") if description or description_en else None,
            keywords=tuple(keyword) if keyword else None,
            source=source,
            licence=licence,
            metadata=metadata_from(_read(file)) if file else None,
        )
    if as_json:
        print_json(found)
    else:
        typer.echo(f"{layer}:")
        for name, value in found.items():
            typer.echo(f"  {name}: {value}")


def _read(file: Path) -> Any:
    from ruamel.yaml import YAML

    return YAML(typ="safe").load(file.read_text("utf-8"))
