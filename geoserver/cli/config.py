"""``citymap config``: look at the configuration before the server does."""

import json
from typing import Annotated

import typer

from geoserver.cli.console import CommandError, ConfigOption, Exit, JsonOption, print_json

app = typer.Typer(help="Check the configuration, show what is in force, keep its schema in step.")


@app.command()
def check(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Name every mistake of the configuration by file, line and column."""
    from geoserver.config import ConfigError, load

    try:
        load(config)
    except ConfigError as error:
        if not as_json:
            raise
        print_json({"valid": False, "mistakes": error.mistakes})
        raise typer.Exit(Exit.CONFIG) from None
    if as_json:
        print_json({"valid": True, "mistakes": []})
    else:
        typer.echo("配置有效 the configuration is valid")


@app.command()
def show(config: ConfigOption = None) -> None:
    """Print the settings in force, defaults and environment included; passwords are left out."""
    from geoserver.config import load

    settings = load(config).model_dump(mode="json")
    if settings["database"]["url"]:
        from sqlalchemy.engine import make_url

        settings["database"]["url"] = make_url(settings["database"]["url"]).render_as_string(
            hide_password=True
        )
    print_json(settings)


@app.command()
def schema(
    write: Annotated[bool, typer.Option("--write", help="Write geoserver/config.schema.json.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Fail when that file is out of step.")] = False,
) -> None:
    """Print the JSON Schema of config.yml, which editors use to help while typing."""
    from geoserver.config import schema as current
    from geoserver.settings.groups import ROOT

    file = ROOT / "geoserver" / "config.schema.json"
    text = json.dumps(current(), indent=2, ensure_ascii=False) + "\n"
    if write:
        file.write_text(text, encoding="utf-8")
    elif not check:
        typer.echo(text, nl=False)
    elif not file.exists() or file.read_text(encoding="utf-8") != text:
        raise CommandError(
            f"{file} is out of step with geoserver/settings", "`citymap config schema --write`"
        )
