"""``citymap audit``: the audit log, for the 审计管理员 audit administrator and whoever keeps the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geoserver.cli.console import CommandError, ConfigOption, Exit, JsonOption, note, print_json, print_table
from geoserver.cli.session import load_settings, open_database

if TYPE_CHECKING:
    from geoserver.audit.chain import Place, Report
    from geoserver.audit.heads import Head
    from geoserver.settings import Settings
    from layers.database import Database

app = typer.Typer(help="Read, verify, export and prune the audit log.", no_args_is_help=True)

_HeadFiles = Annotated[
    list[Path] | None, typer.Option("--head", metavar="FILE", help="A head exported before; may be repeated.")
]
_ExportFile = Annotated[
    Path | None, typer.Option("--file", metavar="FILE", help="Verify this export; no database is needed.")
]
_Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the head to this file.")]
_Stamped = Annotated[bool, typer.Option("--timestamp", help="Have it timestamped by audit.timestamp_url.")]


@app.command()
def verify(
    file: _ExportFile = None, head: _HeadFiles = None, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Name every entry that was changed, removed, reordered or put in; exit code 1 if there is one."""
    settings = load_settings(config)
    with _refusals():
        heads = _read_heads(head or [], settings)
        report = _verify_file(file, heads) if file else _verify_database(settings, heads)
    if as_json:
        print_json({"valid": report.ok, **asdict(report)})
    else:
        _tell(report)
    if not report.ok:
        raise typer.Exit(Exit.FAILED)


@app.command("list")
def list_(
    actor: str | None = None,
    action: str | None = None,
    object_id: Annotated[str | None, typer.Option("--object")] = None,
    request: str | None = None,
    datetime: Annotated[str | None, typer.Option(help="An instant, a day, or an interval a/b, a/.., ../b.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show entries, newest first."""
    from geoserver.audit.entries import Filters, page
    from geoserver.parameters import interval

    begin, end = interval(datetime) if datetime else (None, None)
    filters = Filters(actor, action, object_id, request, begin, end, limit=limit)
    with _owner(load_settings(config)) as database, database.engine.connect() as conn:
        found, _ = page(conn, filters)
    if as_json:
        print_json(found)
        return
    head = ("编号 id", "时间 at", "何人 who", "来自 from", "操作 action", "对象 object", "行数 rows", "结果 outcome")
    print_table(head, (_row(entry) for entry in found))


@app.command()
def export(file: Path, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Write all entries and their chain as JSON lines, which `citymap audit verify --file` verifies anywhere."""
    from geoserver.audit.files import write
    from geoserver.audit.sealing import seal
    from geoserver.audit.verification import pruned_part, rows

    settings = load_settings(config)
    with _refusals(), _owner(settings) as database:
        seal(database, settings.audit.hash, wait=True)
        with _snapshot(database) as conn:
            after, _, _ = pruned_part(conn)
            written = write(file, rows(conn, after), after)
    if as_json:
        print_json({"file": str(file), **asdict(written)})
    else:
        typer.echo(f"{file}: {written.links} 条 entries, SHA-256 {written.sha256}")


@app.command()
def head(
    output: _Output = None, timestamp: _Stamped = False, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Print the chain's head; kept elsewhere, it shows later whether the chain was made anew."""
    import orjson

    settings = load_settings(config)
    with _refusals():
        found = _current(settings, timestamp)
        if output:
            with output.open("xb") as stream:
                stream.write(orjson.dumps(found.document(), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    if as_json:
        print_json(found.document())
        return
    said = found.statement
    typer.echo(f"链首 head: {said['seq']}  {said['algorithm']} {said['hash']}\n封存 sealed: {said['sealed']}")
    if found.timestamp:
        typer.echo(f"时间戳 timestamp: {settings.audit.timestamp_url}")


@app.command()
def prune(file: Path, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Write entries older than audit.keep_days to FILE, verify that file, then remove them."""
    from geoserver.audit.pruning import prune as remove

    settings = load_settings(config)
    with _refusals(), _owner(settings) as database:
        written = remove(database, file, settings.audit.keep_days, settings.audit.hash)
    if as_json:
        print_json({"file": str(file) if written else None, **(asdict(written) if written else {"links": 0})})
    elif written is None:
        typer.echo(
            f"没有超过 {settings.audit.keep_days} 天的条目 nothing is older than {settings.audit.keep_days} days"
        )
    else:
        typer.echo(f"已移出 {written.links} 条到 moved {written.links} entries to {file}, SHA-256 {written.sha256}")


@contextmanager
def _owner(settings: "Settings") -> "Iterator[Database]":
    """The migrated database, as its owner."""
    with open_database(settings) as url:
        from geoserver.migrations import migrate
        from layers.database import Database

        migrate(url)
        database = Database(url, pool_size=1, statement_timeout=3600)
        try:
            yield database
        finally:
            database.close()


@contextmanager
def _snapshot(database: "Database") -> "Iterator[Any]":
    with database.engine.connect() as conn:
        yield conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


@contextmanager
def _refusals() -> Iterator[None]:
    """What the audit log's own errors mean to who runs the command."""
    from geoserver.audit.chain import AlgorithmMissing
    from geoserver.audit.files import FileRefused
    from geoserver.audit.heads import HeadRefused
    from geoserver.audit.pruning import PruneRefused
    from geoserver.audit.timestamps import TimestampRefused

    try:
        yield
    except FileExistsError as error:
        raise CommandError(f"{error.filename2 or error.filename} exists", "name another file", Exit.REFUSED) from None
    except (FileRefused, HeadRefused) as error:
        raise CommandError(str(error), "name a file that `citymap audit` wrote", Exit.REFUSED) from None
    except AlgorithmMissing as error:
        raise CommandError(str(error), "run the command where it has", Exit.FAILED) from None
    except PruneRefused as error:
        raise CommandError(str(error), "`citymap audit verify` names all that is wrong", Exit.FAILED) from None
    except TimestampRefused as error:
        raise CommandError(str(error), "check audit.timestamp_url and audit.timestamp_ca", Exit.FAILED) from None


def _read_heads(files: list[Path], settings: "Settings") -> "list[Place]":
    """The heads in these files; a timestamp that does not hold is an error."""
    from geoserver.audit.heads import read_head, timestamped

    places = []
    for file in files:
        found = read_head(file)
        when = timestamped(found, settings.audit.timestamp_ca)
        note(f"{file}: {found.place.seq}" + (f", 时间戳 timestamp {when}" if when else ""))
        places.append(found.place)
    return places


def _verify_file(file: Path, heads: "list[Place]") -> "Report":
    from geoserver.audit.files import verify_file

    return verify_file(file, heads)


def _verify_database(settings: "Settings", heads: "list[Place]") -> "Report":
    from geoserver.audit.sealing import seal
    from geoserver.audit.verification import verify as verify_chain

    with _owner(settings) as database:
        seal(database, settings.audit.hash, wait=True)
        with _snapshot(database) as conn:
            return verify_chain(conn, heads)


def _current(settings: "Settings", stamped: bool) -> "Head":
    from geoserver.audit.heads import Head, current_head
    from geoserver.audit.sealing import seal
    from geoserver.audit.timestamps import timestamp

    url, authorities = settings.audit.timestamp_url, settings.audit.timestamp_ca
    if stamped and not (url and authorities):
        raise CommandError("no timestamp authority is configured", "set audit.timestamp_url and audit.timestamp_ca")
    with _owner(settings) as database:
        seal(database, settings.audit.hash, wait=True)
        with database.engine.connect() as conn:
            found = current_head(conn)
    if found is None:
        raise CommandError("the audit log has no entry yet", code=Exit.NOT_FOUND)
    if stamped and url and authorities:
        return Head(found.statement, timestamp(found.signed, url, Path(authorities)))
    return found


def _row(entry: dict[str, Any]) -> tuple[str, ...]:
    who = entry["actor"] or f"({entry['login']})"
    where = " ".join(filter(None, (entry["via"], entry["address"])))
    what = " ".join(filter(None, (entry["kind"], entry["object"])))
    rows = "" if entry["row_count"] is None else str(entry["row_count"])
    return str(entry["id"]), entry["at"], who, where, entry["action"], what, rows, entry["outcome"]


def _tell(report: "Report") -> None:
    if report.links:
        algorithms = ", ".join(f"{name} {count}" for name, count in sorted(report.algorithms.items()))
        typer.echo(f"条目 entries: {report.links} ({algorithms})  {report.sealed_from} … {report.sealed_to}")
    if report.head:
        typer.echo(f"链首 head: {report.head.seq} {report.head.hash}")
    if report.pruned:
        told = report.pruned
        typer.echo(
            f"已清理 pruned: links {told['after'] + 1}–{told['upto']}, {told['sealed_from']} … {told['sealed_to']}, "
            f"in {told['file']} (SHA-256 {told['sha256']})"
        )
    if report.late:
        typer.echo(f"迟封 sealed more than a day after they were made: {report.late}")
    for remark in report.remarks:
        typer.echo(f"备注 remark: {remark}")
    for fault in report.faults:
        typer.echo(f"{_KINDS[fault.kind]} {fault.kind}: {fault.text}")
    if report.fault_count > len(report.faults):
        typer.echo(f"… 共 in all {report.fault_count}")
    typer.echo("完整 the log is whole" if report.ok else f"不完整 {report.fault_count} faults")


_KINDS = {
    "changed": "篡改", "removed": "删除", "reordered": "乱序", "inserted": "插入", "broken": "断链", "head": "链首不符",
    "guard": "缺触发器",
}  # fmt: skip
