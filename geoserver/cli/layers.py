"""``citymap layers``: what the catalogue holds."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from geoserver.cli.console import ConfigOption, JsonOption, print_json, print_table
from geoserver.cli.describe import describe
from geoserver.cli.proxies import add_proxy, proxies, remove_proxy
from geoserver.cli.session import load_settings, open_layers

app = typer.Typer(help="List, describe and remove layers.")
for _command in (describe, add_proxy, remove_proxy, proxies):
    app.command()(_command)


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
def protect(
    layer: str,
    visibility: Annotated[str | None, typer.Option(help="public, internal, sensitive or core.")] = None,
    field: Annotated[
        list[str] | None, typer.Option("--field", help="NAME=VISIBILITY of one field; may be repeated.")
    ] = None,
    area_field: Annotated[str | None, typer.Option(help="The field with the division code of each row.")] = None,
    department_field: Annotated[str | None, typer.Option(help="The field with the department of each row.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say who may see a layer and its fields, and by which fields its rows belong to somebody. It counts at once."""
    with open_layers(load_settings(config)) as (conn, found):
        from layers.protection import protected
        from layers.registry import update_layer

        levels = dict(_pair(text) for text in field or ())
        changed = protected(found[_known(layer, found)], visibility, levels, area_field, department_field)
        update_layer(conn, changed)
    if as_json:
        print_json({**_summary(changed), "fields": {f.name: f.visibility for f in changed.fields}})
    else:
        typer.echo(f"{changed.id}: {changed.visibility}")
        head = ("字段 field", "可见 visibility", "作用 role")
        print_table(head, ((f.name, f.visibility, f.role or "") for f in changed.fields))


def _pair(text: str) -> tuple[str, str]:
    name, _, level = text.rpartition("=")
    return name, level


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
