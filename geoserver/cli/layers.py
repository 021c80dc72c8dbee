"""``citymap layers``: what the catalogue holds."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from geoserver.cli.console import ConfigOption, JsonOption, print_json, print_table
from geoserver.cli.session import load_settings, open_layers

app = typer.Typer(help="List, describe and remove layers.")


@app.callback(invoke_without_command=True)
def layers(context: typer.Context, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the layers with their size."""
    if context.invoked_subcommand:
        return
    with open_layers(load_settings(config)) as (conn, found):
        from layers.registry import row_count

        rows = [{**_summary(layer), "features": row_count(conn, layer.id)} for layer in found.values()]
    if as_json:
        print_json(rows)
    else:
        head = ("图层 layer", "名称 title", "几何 geometry", "EPSG", "要素 features")
        names = ("id", "title", "geometry", "srid", "features")
        print_table(head, ([r["title"]["zh"] if n == "title" else str(r[n]) for n in names] for r in rows))


@app.command()
def show(layer: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Describe one layer and its fields."""
    with open_layers(load_settings(config)) as (_, found):
        described = found[_known(layer, found)]
    fields = [
        {"name": f.name, "type": f.type, "title": asdict(f.title), "unit": f.unit}
        for f in described.fields
    ]
    if as_json:
        print_json({**_summary(described), "extent": described.extent, "fields": fields})
    else:
        typer.echo(f"{described.id}  {described.title.zh} / {described.title.en}  EPSG:{described.srid}")
        head = ("字段 field", "类型 type", "别名 alias", "单位 unit")
        print_table(head, ((f.name, f.type, f.title.zh, f.unit or "") for f in described.fields))


@app.command()
def drop(
    layer: str,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove a layer, its features and their history."""
    with open_layers(load_settings(config)) as (conn, found):
        from layers.registry import drop_layer, row_count

        name, count = _known(layer, found), row_count(conn, layer)
        if not yes:
            typer.confirm(f"删除图层 drop layer {name} ({count})?", abort=True, err=True)
        drop_layer(conn, name)
    if as_json:
        print_json({"dropped": name, "features": count})
    else:
        typer.echo(f"已删除 dropped {name} ({count})")


def _known(name: str, found: Any) -> str:
    from layers.registry import LayerNotFound

    if name not in found:
        raise LayerNotFound(f"没有图层 no layer {name!r}")
    return name


def _summary(layer: Any) -> dict[str, Any]:
    return {
        "id": layer.id,
        "title": asdict(layer.title),
        "geometry": layer.geometry_type,
        "srid": layer.srid,
        "visibility": layer.visibility,
        "editable": layer.editable,
        "source": layer.source,
    }
