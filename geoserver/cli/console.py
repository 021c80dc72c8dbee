"""What all commands share: options, answers on stdout, progress and errors on stderr, exit codes."""

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup


class Exit(IntEnum):
    """The exit codes; scripts rely on them (docs/cli.md)."""

    OK = 0
    FAILED = 1
    USAGE = 2
    CONFIG = 3
    DATABASE = 4
    NOT_FOUND = 5
    REFUSED = 6


class CommandError(Exception):
    """A command cannot do its work: the cause, the cure, and the exit code."""

    def __init__(self, cause: str, cure: str = "", code: Exit = Exit.FAILED) -> None:
        super().__init__(cause)
        self.cause, self.cure, self.code = cause, cure, code


#: Error type, by its full name so that nothing is imported for it → exit code and cure. Covers subclasses too.
ERRORS: dict[str, tuple[Exit, str]] = {
    "geoserver.config.ConfigError": (Exit.CONFIG, "correct these places; `citymap config check` looks again"),
    "geoserver.cluster.ClusterError": (Exit.DATABASE, "`citymap doctor` looks at everything that it needs"),
    "psycopg2.OperationalError": (Exit.DATABASE, "check database.url or DATABASE_URL; then `citymap doctor`"),
    "psycopg.OperationalError": (Exit.DATABASE, "check database.url or DATABASE_URL; then `citymap doctor`"),
    "layers.registry.LayerNotFound": (Exit.NOT_FOUND, "`citymap layers` lists what there is"),
    "layers.catalogue.CatalogueError": (Exit.REFUSED, "change the definition accordingly"),
    "layers.exporting.errors.ExportRefused": (Exit.REFUSED, "ask for another format, CRS or part of the layer"),
    "tiles.archives.errors.ArchiveError": (Exit.REFUSED, "see `citymap tiles --help`"),
    "tiles.archives.errors.ArchiveBusy": (Exit.REFUSED, "wait until the other run has ended"),
    "geoserver.errors.ParameterError": (Exit.USAGE, "see `citymap export --help`"),
    "geoserver.errors.NotThere": (Exit.NOT_FOUND, "`citymap user list` shows what there is"),
    "geoserver.errors.Conflict": (Exit.REFUSED, "change what stands in the way first"),
    "geoserver.errors.NotAllowed": (Exit.REFUSED, "ask somebody who may"),
    "geoserver.identity.passwords.PasswordRefused": (
        Exit.REFUSED, "choose another; without --password-stdin a random one is made and shown once"
    ),
    "geoserver.accounts.AccountError": (Exit.REFUSED, "see `citymap user --help`"),
    "geoserver.identity.server_key.ServerKeyError": (Exit.FAILED, "docs/accounts.md says how the key file is kept"),
    "builtins.FileNotFoundError": (Exit.NOT_FOUND, "check the path"),
    "builtins.PermissionError": (Exit.REFUSED, "run as the owner of the file, or change its permissions"),
    "builtins.IsADirectoryError": (Exit.REFUSED, "name a file"),
}

JsonOption = Annotated[bool, typer.Option("--json", help="Answer as JSON on standard output.")]
ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="The configuration; default: config.yml."),
]
_DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]


def remember_debug(context: typer.Context, debug: _DebugOption = False) -> None:
    """CityMap 城市一张图: one spatial server for a city."""
    context.obj = debug


class CityMapGroup(TyperGroup):
    """The root command: turns errors into cause, cure and exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the command; an unexpected error ends with code 1 and asks for --debug."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            # Usage errors and exits are the command-line library's own business.
            if type(error).__module__.startswith(("typer", "click")) or ctx.obj:
                raise
            cause, cure, code = explain(error)
            print_error(cause, cure)
            raise typer.Exit(int(code)) from None


def explain(error: BaseException) -> tuple[str, str, Exit]:
    """Cause, cure and exit code of an error, by the table :data:`ERRORS`."""
    if isinstance(error, CommandError):
        return error.cause, error.cure, error.code
    driver_error = getattr(error, "orig", None)  # SQLAlchemy wraps the driver's error, and adds the statement
    for known in filter(None, (driver_error, error)):
        for kind in type(known).__mro__:
            if row := ERRORS.get(f"{kind.__module__}.{kind.__qualname__}"):
                return str(known).strip(), row[1], row[0]
    cause = f"{type(error).__name__}: {str(driver_error or error).strip()}"
    return cause, "this is unexpected: run again with `citymap --debug …` and report it", Exit.FAILED


def print_error(cause: str, cure: str) -> None:
    """Writes cause and cure to standard error."""
    colour = sys.stderr.isatty()
    typer.secho("错误 error: " + cause, err=True, fg="red" if colour else None)
    if cure:
        typer.echo("解决 cure:  " + cure, err=True)


def print_json(answer: Any) -> None:
    """Writes one JSON document to standard output."""
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=2, default=str))


def note(text: str) -> None:
    """Tells a person what is being done, on standard error; silent when nobody watches."""
    if sys.stderr.isatty():
        typer.secho(text, err=True, dim=True)


@contextmanager
def progress(description: str, total: float | None = None) -> Iterator[Any]:
    """A progress bar on standard error, silent when that is no terminal; yields ``advance(steps=1)``."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(description, total=total)
        yield lambda steps=1: bar.advance(task, steps)


def print_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> None:
    """Writes a table to standard output: aligned for people, tab-separated into a pipe."""
    if not sys.stdout.isatty():
        for row in rows:
            typer.echo("\t".join(row))
        return
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    table = Table(*head, box=SIMPLE)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
