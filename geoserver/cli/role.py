"""``citymap role`` and ``citymap department``: what roles may do, for the operator of the server, who needs no role."""

from dataclasses import asdict
from typing import Annotated

import typer

from geoserver.cli.console import CommandError, ConfigOption, Exit, JsonOption, print_json, print_table
from geoserver.cli.session import load_settings, open_connection

app = typer.Typer(help="What roles may do.", no_args_is_help=True)
department_app = typer.Typer(help="The departments that people work in.", no_args_is_help=True)

_Collection = Annotated[str | None, typer.Option("--collection", help="A layer's id, or * for all that are not named.")]
_Process = Annotated[str | None, typer.Option("--process", help="A process's id, or * for all that edit nothing.")]
_Actions = Annotated[
    list[str] | None, typer.Option("--action", help="read, create, update, delete, manage; may be repeated.")
]
_Visibility = Annotated[str, typer.Option("--visibility", help="Up to public, internal, sensitive or core.")]
_Within = Annotated[str, typer.Option("--within", help="everywhere, area or department of the person.")]
_Zh = Annotated[str, typer.Option("--zh", help="Its Chinese name.")]
_En = Annotated[str, typer.Option("--en", help="Its English name.")]


@app.command("list")
def list_(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the roles."""
    from geoserver.rights import list_roles

    with open_connection(load_settings(config)) as conn:
        found = list_roles(conn)
    if as_json:
        print_json([asdict(role) for role in found])
    else:
        head = ("角色 role", "名称 name", "三员 kept apart", "权限 permissions")
        print_table(head, ((r.id, r.zh, "是" if r.kept_apart else "", str(len(r.permissions))) for r in found))


@app.command()
def show(role: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Say what one role may do."""
    from geoserver.errors import NotThere
    from geoserver.rights import list_roles

    with open_connection(load_settings(config)) as conn:
        found = next((r for r in list_roles(conn) if r.id == role), None)
    if found is None:
        raise NotThere(f"没有角色 there is no role {role!r}")
    if as_json:
        print_json(asdict(found))
    else:
        typer.echo(f"{found.id}  {found.zh} / {found.en}")
        head = ("种类 kind", "对象 resource", "操作 action", "至 up to", "范围 within")
        print_table(head, ((p.kind, p.resource, p.action, p.visibility, p.within) for p in found.permissions))


@app.command()
def add(role: str, zh: _Zh, en: _En, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Make a role that may do nothing yet."""
    from geoserver.rights import add_role

    with open_connection(load_settings(config)) as conn:
        add_role(conn, role, zh, en)
    _done({"role": role}, f"已建角色 made role {role}", as_json)


@app.command()
def remove(role: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Remove a role that nobody has."""
    from geoserver.rights import remove_role

    with open_connection(load_settings(config)) as conn:
        remove_role(conn, role)
    _done({"removed": role}, f"已删除角色 removed role {role}", as_json)


@app.command()
def permit(
    role: str, collection: _Collection = None, process: _Process = None, action: _Actions = None,
    visibility: _Visibility = "internal", within: _Within = "everywhere", config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Let a role do something with a collection, or execute a process. It counts within a second."""
    from geoserver import rights

    kind, resource, actions = _object(collection, process, action)
    with open_connection(load_settings(config)) as conn:
        rights.permit(conn, role, kind, resource, actions, visibility, within)
    _done({"role": role, kind: resource, "actions": actions}, f"已授权 {role}: {' '.join(actions)} {resource}", as_json)


@app.command()
def forbid(
    role: str, collection: _Collection = None, process: _Process = None, action: _Actions = None,
    config: ConfigOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Take permissions away from a role."""
    from geoserver import rights

    kind, resource, actions = _object(collection, process, action)
    with open_connection(load_settings(config)) as conn:
        rights.forbid(conn, role, kind, resource, actions)
    _done({"role": role, kind: resource, "actions": actions}, f"已收回 {role}: {' '.join(actions)} {resource}", as_json)


@department_app.command("list")
def departments(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the departments."""
    from geoserver.rights import list_departments

    with open_connection(load_settings(config)) as conn:
        found = list_departments(conn)
    if as_json:
        print_json([asdict(department) for department in found])
    else:
        print_table(("部门 department", "上级 parent", "名称 name"), ((d.id, d.parent or "", d.zh) for d in found))


@department_app.command("add")
def add_department(
    department: str, zh: _Zh, en: _En, parent: Annotated[str | None, typer.Option(help="The department above.")] = None,
    config: ConfigOption = None, as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Make a department."""
    from geoserver import rights

    with open_connection(load_settings(config)) as conn:
        rights.add_department(conn, department, zh, en, parent)
    _done({"department": department}, f"已建部门 made department {department}", as_json)


@department_app.command("remove")
def remove_department(department: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Remove a department without people."""
    from geoserver import rights

    with open_connection(load_settings(config)) as conn:
        rights.remove_department(conn, department)
    _done({"removed": department}, f"已删除 removed {department}", as_json)


def _object(collection: str | None, process: str | None, actions: list[str] | None) -> tuple[str, str, list[str]]:
    """Kind, resource and actions."""
    if (collection is None) == (process is None):
        raise CommandError("指明 --collection 或 --process 之一 name one of --collection, --process", "", Exit.USAGE)
    if process is not None:
        return "process", process, ["execute"]
    return "collection", str(collection), actions or ["read"]


def _done(document: dict[str, object], told: str, as_json: bool) -> None:
    if as_json:
        print_json(document)
    else:
        typer.echo(told)
