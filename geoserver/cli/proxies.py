"""``citymap layers add-proxy``, ``remove-proxy`` and ``proxies``: layers of other servers."""

from enum import StrEnum
from typing import Annotated

import typer

from geoserver.cli.console import ConfigOption, JsonOption, print_json, print_table
from geoserver.cli.session import load_settings, open_layers


class _Kind(StrEnum):
    OGCAPI = "ogcapi-features"
    WFS = "wfs"
    WMS = "wms"
    WMTS = "wmts"
    ARCGIS = "arcgis"


class _Visibility(StrEnum):
    PUBLIC = "public"
    INTERNAL = "internal"
    SENSITIVE = "sensitive"
    CORE = "core"


def add_proxy(
    collection: Annotated[str, typer.Argument(help="Id of the collection here.")],
    kind: Annotated[_Kind, typer.Argument(help="Kind of the other service.")],
    url: Annotated[str, typer.Argument(help="Address of the service; its host stands in outbound.hosts.")],
    name: Annotated[str, typer.Argument(help="Name of the layer there; of ArcGIS its number.")] = "",
    title: Annotated[str | None, typer.Option(help="In Chinese.")] = None,
    title_en: Annotated[str | None, typer.Option(help="In English.")] = None,
    description: str = "",
    visibility: _Visibility = _Visibility.PUBLIC,
    attribution: Annotated[str, typer.Option(help="By default the service's own.")] = "",
    licence: str = "",
    cache_seconds: Annotated[int, typer.Option(min=0, max=86_400, help="How long answers are kept [s].")] = 60,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a layer of another server as a collection of this one."""
    settings = load_settings(config)
    with open_layers(settings) as (conn, _):
        from geoserver.proxies.upstream import Upstreams
        from layers.exchange.proxies import processes

        made = processes.add_proxy(
            conn, Upstreams(settings.outbound), collection, kind.value, url, name, title, title_en, description,
            visibility.value, attribution, licence, cache_seconds,
        )  # fmt: skip
    if as_json:
        print_json({"collection": made.collection, "extent": made.extent, "properties": made.properties})
    else:
        typer.echo(f"{made.collection}: {made.kind} {url} {name}")


def remove_proxy(collection: str, config: ConfigOption = None) -> None:
    """Remove a layer of another server."""
    with open_layers(load_settings(config)) as (conn, _):
        from layers.exchange.proxies import processes

        processes.remove_proxy(conn, collection)
    typer.echo(f"已移除 removed {collection}")


def proxies(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the layers of other servers."""
    with open_layers(load_settings(config)) as (conn, _):
        from layers.exchange.proxies.store import load_proxies

        found = list(load_proxies(conn).values())
    rows = [(p.id, p.kind, p.url, p.name, p.visibility) for p in found]
    if as_json:
        print_json([dict(zip(("id", "kind", "url", "name", "visibility"), row, strict=True)) for row in rows])
    else:
        print_table(("集合 collection", "类型 kind", "地址 url", "图层 layer", "可见 visibility"), rows)
