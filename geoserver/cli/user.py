"""``citymap user``: the accounts that may edit."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from geoserver.cli.console import CommandError, ConfigOption, Exit, JsonOption, print_json, print_table
from geoserver.cli.session import load_settings, open_connection

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

app = typer.Typer(help="Look after the accounts.", no_args_is_help=True)

_PASSWORD_CURE = "choose another; or leave --password-stdin out, and a random one is made and shown once"
_FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.command("list")
def list_(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the accounts."""
    from geoserver.accounts import list_accounts

    with _accounts(config) as conn:
        found = list_accounts(conn)
    if as_json:
        print_json(
            [{"name": a.name, "created": a.created.isoformat(), "disabled": a.disabled} for a in found]
        )
    else:
        head = ("账号 account", "创建 created", "状态 state")
        print_table(
            head, ((a.name, f"{a.created:%Y-%m-%d}", "停用 disabled" if a.disabled else "") for a in found)
        )


@app.command()
def add(
    name: str, password_stdin: _FromStdin = False, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Make an account; without --password-stdin its random password is shown once."""
    from geoserver.accounts import add_account

    password = _password(password_stdin)
    with _accounts(config) as conn:
        add_account(conn, name, password)
    _tell(name, password, password_stdin, as_json)


@app.command()
def passwd(
    name: str, password_stdin: _FromStdin = False, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Give an account another password."""
    from geoserver.accounts import set_password

    password = _password(password_stdin)
    with _accounts(config) as conn:
        set_password(conn, name, password)
    _tell(name, password, password_stdin, as_json)


@app.command()
def disable(name: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Close an account."""
    _set_disabled(name, True, config, as_json)


@app.command()
def enable(name: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Open a closed account again."""
    _set_disabled(name, False, config, as_json)


def _set_disabled(name: str, disabled: bool, config: "Path | None", as_json: bool) -> None:
    from geoserver.accounts import set_disabled

    with _accounts(config) as conn:
        set_disabled(conn, name, disabled)
    if as_json:
        print_json({"name": name, "disabled": disabled})
    else:
        typer.echo(f"{name}: {'已停用 disabled' if disabled else '已启用 enabled'}")


@contextmanager
def _accounts(config: "Path | None") -> "Iterator[Connection]":
    """A transaction on the migrated database; mistakes about accounts end with exit code 6."""
    from geoserver.accounts import AccountError

    with open_connection(load_settings(config)) as conn:
        try:
            yield conn
        except AccountError as error:
            raise CommandError(
                str(error), _PASSWORD_CURE if "password" in str(error) else "", Exit.REFUSED
            ) from None


def _password(from_stdin: bool) -> str:
    from geoserver.accounts import random_password

    return typer.get_text_stream("stdin").readline().rstrip("\r\n") if from_stdin else random_password()


def _tell(name: str, password: str, chosen: bool, as_json: bool) -> None:
    if as_json:
        print_json({"name": name} if chosen else {"name": name, "password": password})
    else:
        typer.echo(f"账号 account: {name}")
        if not chosen:
            typer.echo(f"密码 password: {password}  (只显示一次 shown once)")
