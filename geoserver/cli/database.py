"""``citymap db``: the database's own upkeep."""

import typer

from geoserver.cli.console import ConfigOption, JsonOption, note, print_json
from geoserver.cli.session import load_settings, open_database

app = typer.Typer(help="Look after the database.")


@app.callback()
def database() -> None:
    """Look after the database."""


@app.command()
def migrate(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Bring the database to this version's tables; does nothing when it is there already."""
    settings = load_settings(config)
    with open_database(settings) as url:
        from sqlalchemy import create_engine

        from geoserver.migrations import migrate as upgrade
        from geoserver.migrations import pending
        from layers.database import psycopg2_url

        engine = create_engine(psycopg2_url(url))
        try:
            with engine.connect() as connection:
                applied = pending(connection)
        finally:
            engine.dispose()
        note("正在升级数据库 migrating the database")
        upgrade(url)
    if as_json:
        print_json({"applied": applied})
    else:
        typer.echo("\n".join(applied) or "数据库已是最新 the database is up to date")
