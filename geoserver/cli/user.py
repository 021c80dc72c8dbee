"""``citymap user``: accounts, their roles, keys and sessions, for the operator of the server, who needs no role."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from geoserver.cli import user_keys
from geoserver.cli.console import ConfigOption, JsonOption, print_json, print_table
from geoserver.cli.session import load_settings, open_connection

if TYPE_CHECKING:
    from geoserver.identity.memberships import Membership

app = typer.Typer(help="Look after the accounts.", no_args_is_help=True)
app.add_typer(user_keys.app, name="key")
app.add_typer(user_keys.totp_app, name="totp")
app.add_typer(user_keys.link_app, name="link")

_FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
_Own = Annotated[bool, typer.Option("--own", help="The account's owner chose it, so it need not be changed first.")]
_Role = Annotated[str, typer.Option("--role", help="Such as administrator, planner, grid-worker.")]
_Department = Annotated[str, typer.Option("--department", help="In which department; default: in all.")]
_Area = Annotated[str, typer.Option("--area", help="Division code such as 420704; default: the whole city.")]


@app.command("list")
def list_(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the accounts with their roles."""
    from geoserver.accounts import list_accounts
    from geoserver.identity.lockout import locked_accounts
    from geoserver.identity.memberships import list_memberships

    with open_connection(load_settings(config)) as conn:
        found, memberships, locked = list_accounts(conn), list_memberships(conn), locked_accounts(conn)
    roles = {a.name: [m for m in memberships if m.account == a.name] for a in found}
    if as_json:
        print_json([
            {"name": a.name, "created": a.created.isoformat(), "disabled": a.disabled, "mustChange": a.must_change,
             "locked": a.name in locked, "roles": [_place(m) for m in roles[a.name]]} for a in found
        ])  # fmt: skip
        return
    head = ("账号 account", "创建 created", "角色 roles", "状态 state")
    rows = ((a.name, f"{a.created:%Y-%m-%d}", " ".join(map(_told, roles[a.name])),
             _state(a.disabled, a.name in locked, a.must_change)) for a in found)  # fmt: skip
    print_table(head, rows)


@app.command()
def add(
    name: str, password_stdin: _FromStdin = False, own: _Own = False, role: _Role = "", department: _Department = "",
    area: _Area = "", config: ConfigOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Make an account; without --password-stdin its random password is shown once. It must be changed first."""
    from geoserver.identity.administration import keep_password, make_account
    from geoserver.identity.memberships import Membership, give_role

    settings, chosen = load_settings(config), _chosen(password_stdin)
    with open_connection(settings) as conn:
        password = make_account(conn, name, chosen, settings.access.password)
        if own:
            keep_password(conn, name)
        if role:
            give_role(conn, None, Membership(name, role, department, area))
    _tell(name, password, chosen is not None, as_json)


@app.command()
def passwd(
    name: str, password_stdin: _FromStdin = False, own: _Own = False, config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Give an account another password; its sessions, tokens, locks and one-time codes end."""
    from geoserver.identity.administration import keep_password, reset_password

    settings, chosen = load_settings(config), _chosen(password_stdin)
    with open_connection(settings) as conn:
        password = reset_password(conn, None, name, chosen, settings.access.password)
        if own:
            keep_password(conn, name)
    _tell(name, password, chosen is not None, as_json)


@app.command()
def disable(name: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Close an account; its sessions, tokens and keys do no more."""
    from geoserver.identity.administration import close_account

    with open_connection(load_settings(config)) as conn:
        close_account(conn, None, name)
    _done(as_json, f"{name}: 已停用 disabled", name=name, disabled=True)


@app.command()
def enable(name: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Open a closed account again; its keys count again."""
    from geoserver.identity.administration import open_account

    with open_connection(load_settings(config)) as conn:
        open_account(conn, None, name)
    _done(as_json, f"{name}: 已启用 enabled", name=name, disabled=False)


@app.command()
def unlock(name: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Lift the locks that failures of signing in have put on an account."""
    from geoserver.identity.administration import unlock_account

    with open_connection(load_settings(config)) as conn:
        unlock_account(conn, name)
    _done(as_json, f"{name}: 已解锁 unlocked", name=name, locked=False)


@app.command()
def grant(
    name: str, role: _Role, department: _Department = "", area: _Area = "", config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Give an account a role, in a department and an area."""
    from geoserver.identity.memberships import Membership, give_role

    membership = Membership(name, role, department, area)
    with open_connection(load_settings(config)) as conn:
        give_role(conn, None, membership)
    _done(as_json, f"{name}: + {_told(membership)}", name=name, granted=_place(membership))


@app.command()
def revoke(
    name: str, role: _Role, department: _Department = "", area: _Area = "", config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Take a role away from an account, as it was given."""
    from geoserver.identity.memberships import Membership, take_role

    membership = Membership(name, role, department, area)
    with open_connection(load_settings(config)) as conn:
        take_role(conn, None, membership)
    _done(as_json, f"{name}: - {_told(membership)}", name=name, revoked=_place(membership))


@app.command()
def sessions(
    name: str,
    end: Annotated[bool, typer.Option("--end", help="Sign the account out everywhere.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List where an account is signed in, or end that."""
    from geoserver.identity.administration import end_sessions_of, require_account
    from geoserver.identity.sessions import list_sessions

    settings = load_settings(config)
    with open_connection(settings) as conn:
        require_account(conn, name)
        if end:
            ended = end_sessions_of(conn, name)
            _done(as_json, f"{name}: 已退出 signed out ({ended})", name=name, ended=ended)
            return
        found = list_sessions(conn, name, settings.access.sessions)
    rows = [{"id": str(s.id), "seen": f"{s.seen:%Y-%m-%d %H:%M}", "address": s.address or "", "agent": s.agent or ""}
            for s in found]  # fmt: skip
    if as_json:
        print_json(rows)
    else:
        print_table(("会话 session", "最近 seen", "地址 address", "浏览器 browser"), (row.values() for row in rows))


def _chosen(from_stdin: bool) -> str | None:
    return typer.get_text_stream("stdin").readline().rstrip("\r\n") if from_stdin else None


def _tell(name: str, password: str, chosen: bool, as_json: bool) -> None:
    if as_json:
        print_json({"name": name} if chosen else {"name": name, "password": password})
    else:
        typer.echo(f"账号 account: {name}")
        if not chosen:
            typer.echo(f"密码 password: {password}  (只显示一次 shown once)")


def _done(as_json: bool, told: str, **document: Any) -> None:
    if as_json:
        print_json(document)
    else:
        typer.echo(told)


def _state(disabled: bool, locked: bool, must_change: bool) -> str:
    states = ((disabled, "停用 disabled"), (locked, "锁定 locked"), (must_change, "须改密 must change"))
    return " ".join(text for holds, text in states if holds)


def _told(membership: "Membership") -> str:
    place = "/".join(filter(None, (membership.department, membership.area)))
    return f"{membership.role}@{place}" if place else membership.role


def _place(membership: "Membership") -> dict[str, str]:
    return {"role": membership.role, "department": membership.department, "area": membership.area}
