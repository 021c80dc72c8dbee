"""``citymap versions`` and ``citymap imports``: past states of layers, names for them, imports to take back."""

from dataclasses import asdict
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geoserver.cli.console import CommandError, ConfigOption, Exit, JsonOption, print_json, print_table, progress
from geoserver.cli.session import load_settings, open_layers

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from layers.catalogue import Layer
    from layers.database import Reader

app = typer.Typer(help="Past states of layers: names for them, the history of a feature, what differs.")
imports_app = typer.Typer(help="What was imported into a layer; take an import back.")

_Layer = Annotated[str, typer.Argument(help="Id of the layer.")]
_Moment = Annotated[str, typer.Argument(help="An instant such as 2026-11-22 or 2026-11-22T08:00:00+08:00, or a name.")]


class _OnConflict(StrEnum):
    REFUSE = "refuse"
    KEEP = "keep"
    OVERWRITE = "overwrite"


@app.command("list")
def list_versions(
    layer: Annotated[str | None, typer.Argument(help="Only those of this layer.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the named versions."""
    from layers.versions.names import versions

    with open_layers(load_settings(config)) as (conn, _):
        found = versions(conn, layer)
    if as_json:
        print_json([_plain(version) for version in found])
    else:
        head = ("名称 name", "时刻 instant", "图层 layers", "何人 by", "说明 note")
        print_table(head, ((v.name, v.at.isoformat(), ", ".join(v.layers), v.actor or "", v.note) for v in found))


@app.command("name")
def name_version(
    name: Annotated[str, typer.Argument(help="The name, such as 2026版控规.")],
    layer: Annotated[list[str], typer.Option("--layer", help="A layer; may be repeated.")],
    at: Annotated[datetime | None, typer.Option(help="The instant; default: now.")] = None,
    note: Annotated[str, typer.Option(help="What the version is.")] = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give a name to the state of layers, now or at an instant of this machine's time zone."""
    from layers.versions import names

    with open_layers(load_settings(config)) as (conn, found):
        for one in layer:
            _known(one, found)
        made = names.name_version(conn, name, layer, at.astimezone() if at else None, note)
    _tell(as_json, _plain(made), f"{made.name}: {made.at.isoformat()} ({', '.join(made.layers)})")


@app.command("forget")
def forget_version(
    name: Annotated[str, typer.Argument(help="The name.")], config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Delete a name; the layers and their history stay."""
    from layers.versions import names

    with open_layers(load_settings(config)) as (conn, _):
        gone = names.forget_version(conn, name)
    _tell(as_json, _plain(gone), f"已删除名称 name deleted: {gone.name}")


@app.command()
def history(
    layer: _Layer,
    feature: Annotated[int, typer.Argument(help="Id of the feature.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell every state of a feature, the newest first."""
    from layers.crs import CRS84
    from layers.versions.history import states_of

    with open_layers(load_settings(config)) as (conn, found):
        states = states_of(_reader(conn), _known(layer, found), feature, CRS84)
    if as_json:
        print_json([_plain(state) for state in states])
    else:
        head = ("修订 revision", "自 from", "至 to", "何人 by", "操作 operation", "所改 changed")
        shown = (
            (s.valid_from, s.valid_to or "", s.actor or "", s.operation, ", ".join(s.changed or ())) for s in states
        )
        print_table(head, ((str(s.revision), *row) for s, row in zip(states, shown, strict=True)))


@app.command()
def difference(
    layer: _Layer,
    begin: _Moment,
    end: Annotated[str | None, typer.Argument(help="The same; default: now.")] = None,
    file: Annotated[Path | None, typer.Option("--output", help="Write the changes here as GeoJSON.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count what was added, changed and deleted between two instants, or write it with both states."""
    from layers.query import FeatureQuery
    from layers.versions.difference import PRESENT, count_changes, every_change
    from layers.versions.files import write_changes
    from layers.versions.moments import moment_of

    with open_layers(load_settings(config)) as (conn, found):
        chosen, reader = _known(layer, found), _reader(conn)
        span = moment_of(reader, begin, layer), moment_of(reader, end, layer) if end else PRESENT
        counts = count_changes(reader, chosen, *span, FeatureQuery())
        if file is not None:
            write_changes(every_change(reader, chosen, *span, FeatureQuery(limit=2000)), file)
    text = f"新增 added {counts.added}  修改 changed {counts.changed}  删除 deleted {counts.deleted}"
    _tell(as_json, {**asdict(counts), "file": str(file) if file else None}, text)


@imports_app.command("list")
def list_imports(layer: _Layer, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List what was imported into a layer, the newest first."""
    from layers.versions.imports import imports_of

    with open_layers(load_settings(config)) as (conn, found):
        imports = imports_of(conn, _known(layer, found).id)
    if as_json:
        print_json([_plain(one) for one in imports])
        return
    head = ("编号 number", "时刻 at", "何人 by", "文件 file", "方式 mode", "+", "~", "-", "已撤销 undone by")
    print_table(head, ([str(_shown(value)) for value in (
        i.id, i.at.isoformat(timespec="seconds"), i.actor, i.file, i.mode, i.inserted, i.updated, i.deleted, i.undone_by
    )] for i in imports))  # fmt: skip


@imports_app.command()
def undo(
    number: Annotated[int, typer.Argument(help="The number of the import, as its report and the list tell it.")],
    on_conflict: Annotated[
        _OnConflict, typer.Option(help="Features that were edited since: refuse, keep them, or overwrite them.")
    ] = _OnConflict.REFUSE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take an import back: the layer is as it was before. That can be undone too."""
    from layers.versions.errors import VersionError
    from layers.versions.imports import find_import
    from layers.versions.undo import undo_import

    try:
        with open_layers(load_settings(config)) as (conn, found), progress("undo") as advance:
            chosen = _known(find_import(conn, number).layer, found)
            done = undo_import(conn, chosen, number, on_conflict.value, lambda percent: advance(int(percent)))
    except VersionError as error:
        cure = "图层保持原样 nothing was changed"
        raise CommandError(f"{error.text.zh} | {error.text.en}", cure, Exit.REFUSED) from error
    text = (
        f"{done.layer}: 恢复 restored {done.inserted}，改回 changed back {done.updated}，移除 removed {done.deleted}，"
        f"保留 kept {done.kept_count}；可用 undo {done.import_id} 再撤销 undo {done.import_id} takes this back"
    )
    _tell(as_json, _plain(done), text)


def _tell(as_json: bool, document: Any, text: str) -> None:
    if as_json:
        print_json(document)
    else:
        typer.echo(text)


def _plain(value: Any) -> dict[str, Any]:
    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in asdict(value).items()}


def _shown(value: Any) -> Any:
    return "" if value is None else value


def _known(name: str, found: "dict[str, Layer]") -> "Layer":
    from layers.registry import LayerNotFound

    if name not in found:
        raise LayerNotFound(f"没有图层 no layer {name!r}")
    return found[name]


def _reader(conn: "Connection") -> "Reader":
    from layers.database import Reader

    raw: Any = conn.connection.driver_connection
    return Reader(raw)
