"""``citymap watch``: images that are laid into a folder go into their coverages."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geoserver.cli.console import ConfigOption, note
from geoserver.cli.session import load_settings, open_database

if TYPE_CHECKING:
    from layers.database import Database
    from layers.raster.store import RasterStore


def watch(
    folder: Annotated[Path, typer.Argument(help="A file <folder>/<coverage>/<file> goes into that coverage.")],
    every: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds between looks.")] = 10,
    once: Annotated[bool, typer.Option("--once", help="Take what lies there, and end.")] = False,
    config: ConfigOption = None,
) -> None:
    """Import the images of a folder as they come; what was taken goes to `done`, else to `refused` with the reason."""
    from geoserver.migrations import migrate
    from layers.database import Database
    from layers.raster.inbox import look, settled
    from layers.raster.store import RasterStore

    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is no folder", param_hint="FOLDER")
    settings = load_settings(config)
    store = RasterStore(Path(settings.rasters.directory))
    with open_database(settings) as url:
        migrate(url)
        database = Database(url, pool_size=1)
        before = look(folder)
        try:
            while True:
                time.sleep(every)
                now = look(folder)
                for path in settled(before, now):
                    _take(database, store, path)
                if once:
                    return
                before = now
        except KeyboardInterrupt:
            note("结束 ended")
        finally:
            database.close()


def _take(database: "Database", store: "RasterStore", path: Path) -> None:
    from layers.importing.errors import ImportRefused
    from layers.raster.inbox import DONE, REFUSED, options_of, put_away
    from layers.raster.ingest import import_images
    from layers.raster.registry import load_coverage
    from layers.registry import LayerNotFound

    try:
        with database.transaction(actor="citymap watch") as conn:
            coverage = load_coverage(conn, path.parent.name)
            images = import_images(conn, store, coverage, path, options_of(path), lambda _share, _text: None)
    except ImportRefused as refusal:
        put_away(path, REFUSED, f"{refusal.text.zh}\n{refusal.text.en}")
        typer.echo(f"拒绝 refused {path.parent.name}/{path.name}: {refusal.text.zh} | {refusal.text.en}")
    except LayerNotFound as error:
        put_away(path, REFUSED, str(error))
        typer.echo(f"拒绝 refused {path.parent.name}/{path.name}: {error}")
    else:
        put_away(path, DONE)
        for image in images:
            typer.echo(f"入库 imported {path.parent.name} #{image.id} {image.name}")
