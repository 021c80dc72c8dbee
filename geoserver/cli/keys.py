"""``citymap keys``: the server's own key."""

import typer

from geoserver.cli.console import ConfigOption, JsonOption, print_json
from geoserver.cli.session import load_settings, open_connection

app = typer.Typer(help="The server's own key (access.server_key).", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keeps `rotate` a command of its own while there is but one."""


@app.command()
def rotate(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Make a new key and encrypt one-time codes with it. Nobody is signed out; the key before the last is dropped."""
    from sqlalchemy import text

    from geoserver.identity.server_key import rotate_server_key
    from geoserver.identity.totp import encrypt_anew

    settings = load_settings(config)
    key = rotate_server_key(settings.access.server_key)
    with open_connection(settings) as conn:
        anew = encrypt_anew(conn, key)
        conn.execute(text("NOTIFY citymap_access"))  # workers read the file again
    if as_json:
        print_json({"file": settings.access.server_key, "secrets": anew})
    else:
        typer.echo(f"{settings.access.server_key}: 已更换 rotated; {anew} 个密钥已重新加密 secrets encrypted anew")
