"""``citymap user key``, ``totp`` and ``link``: other systems' keys, lost phones, providers' identities."""

from typing import Annotated, Any

import typer

from geoserver.cli.console import ConfigOption, JsonOption, print_json, print_table
from geoserver.cli.session import load_settings, open_connection

app = typer.Typer(help="API keys of other systems.", no_args_is_help=True)
link_app = typer.Typer(help="Identities of providers that sign in to an account.", no_args_is_help=True)
totp_app = typer.Typer(help="One-time codes.", no_args_is_help=True)

_Ids = list[str] | None


@app.command("add")
def add(
    account: str,
    label: Annotated[str, typer.Option("--label", help="What the key is for.")],
    days: Annotated[float, typer.Option("--days", help="How long it lives [d].")] = 90,
    collection: Annotated[_Ids, typer.Option("--collection", help="Only these layers; may be repeated.")] = None,
    action: Annotated[_Ids, typer.Option("--action", help="Only read, create, update or delete; repeated.")] = None,
    process: Annotated[_Ids, typer.Option("--process", help="Only these processes; may be repeated.")] = None,
    area: Annotated[_Ids, typer.Option("--area", help="Only these division codes; may be repeated.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key, shown once, that acts for an account within its rights."""
    from geoserver.identity.administration import require_account
    from geoserver.identity.api_keys import key_document, make_key
    from geoserver.identity.model import scope_of
    from geoserver.identity.record import record

    parts = {"collections": collection, "actions": action, "processes": process, "areas": area}
    given = {name: values for name, values in parts.items() if values}
    settings = load_settings(config)
    with open_connection(settings) as conn:
        require_account(conn, account)
        most = settings.access.key_days
        key, made = make_key(conn, account, label, scope_of(given or None), days, "citymap", most)
        record(conn, "administer", "api-key", made.id, change="create", account=account, label=made.label)
    if as_json:
        print_json({"key": key, **key_document(made)})
    else:
        typer.echo(f"密钥 key: {key}  (只显示一次 shown once; {made.expires:%Y-%m-%d} 到期 expires)")


@app.command("list")
def list_(
    account: Annotated[str | None, typer.Argument(help="Default: of all accounts.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List keys without their secrets."""
    from geoserver.identity.api_keys import key_document, list_keys

    with open_connection(load_settings(config)) as conn:
        found = list_keys(conn, account)
    if as_json:
        print_json([key_document(key) for key in found])
        return
    head = ("密钥 key", "账号 account", "用途 label", "到期 expires", "最近 used", "状态 state")
    print_table(head, (
        (k.id, k.account, k.label, f"{k.expires:%Y-%m-%d}", f"{k.used:%Y-%m-%d %H:%M}" if k.used else "",
         "" if k.live else "失效 ended") for k in found
    ))  # fmt: skip


@app.command("revoke")
def revoke(key: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """End a key for good, by its id."""
    from geoserver.identity.administration import revoke_key_of

    with open_connection(load_settings(config)) as conn:
        revoke_key_of(conn, key)
    _done(as_json, f"{key}: 已撤销 revoked", key=key, revoked=True)


@totp_app.command("reset")
def reset(account: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Turn an account's one-time codes off (a lost phone)."""
    from geoserver.identity.administration import remove_codes_of

    with open_connection(load_settings(config)) as conn:
        remove_codes_of(conn, account)
    _done(as_json, f"{account}: 已关闭动态验证码 one-time codes are off", account=account, codes=False)


@link_app.command("list")
def list_links(
    account: Annotated[str | None, typer.Argument(help="Default: of all accounts.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List which identities of providers sign in to which account."""
    from geoserver.identity import links

    settings = load_settings(config)
    with open_connection(settings) as conn:
        found = [links.link_document(one, settings.access.oidc) for one in links.list_links(conn, account)]
    if as_json:
        print_json([{**one, "id": str(one["id"]), "made": one["made"].isoformat()} for one in found])
        return
    head = ("关联 link", "账号 account", "提供方 provider", "身份 subject", "建立 made")
    print_table(head, ((str(one["id"]), one["account"], one["provider"] or one["issuer"], one["subject"],
                        f"{one['made']:%Y-%m-%d}") for one in found))  # fmt: skip


@link_app.command("remove")
def remove_link(link: str, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Remove a link by its id, with the roles that stood by the provider's word; ends the account's sessions."""
    from geoserver.identity import links
    from geoserver.identity.own_account import parse_id

    settings = load_settings(config)
    with open_connection(settings) as conn:
        account = links.remove_link(conn, parse_id(link), None, settings.access.oidc)
    _done(as_json, f"{account}: 已解除关联 unlinked {link}", account=account, removed=link)


def _done(as_json: bool, told: str, **document: Any) -> None:
    if as_json:
        print_json(document)
    else:
        typer.echo(told)
