"""``citymap tiles``: archives of tiles, and the cache filled before it is asked for."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geoserver.cli.console import CommandError, ConfigOption, Exit, JsonOption, note, print_json, progress
from geoserver.cli.session import load_settings, open_database

if TYPE_CHECKING:
    from geoserver.settings import Settings
    from tiles.archives.site import TileSite

app = typer.Typer(name="tiles", no_args_is_help=True, help="瓦片 tiles: archives, and the cache filled ahead.")


class _Picture(StrEnum):
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    AVIF = "avif"


class _Terrain(StrEnum):
    TERRAIN_RGB = "terrain-rgb"
    TERRARIUM = "terrarium"


_File = Annotated[Path, typer.Argument(help="The archive: .pmtiles or .mbtiles.")]
_Layers = Annotated[list[str] | None, typer.Argument(help="Layers; default: the base layers, or those of the map.")]
_Zooms = Annotated[str, typer.Option("--zooms", help="Lowest and deepest level, such as 0-14.")]
_Box = Annotated[str | None, typer.Option("--bbox", help="west,south,east,north in degrees.")]
_Area = Annotated[str | None, typer.Option("--area", help="A division code; with those below it.")]
_Threads = Annotated[int, typer.Option("--threads", min=1, max=64, help="Tiles rendered at once.")]
_Together = Annotated[bool, typer.Option("--together", help="The layers in the same tiles.")]
_Grid = Annotated[str, typer.Option("--grid", help="The tile matrix set.")]
_Everything = Annotated[
    bool, typer.Option("--everything", help="Also what is not public: the file then needs the same protection.")
]


@app.command("export")
def export(
    file: _File,
    layers: _Layers = None,
    zooms: _Zooms = "0-14",
    bbox: _Box = None,
    area: _Area = None,
    picture: Annotated[_Picture, typer.Option(help="Of a coverage.")] = _Picture.WEBP,
    terrain: Annotated[_Terrain | None, typer.Option(help="Pack a coverage of heights as a terrain.")] = None,
    everything: _Everything = False,
    threads: _Threads = 2,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write tiles to an archive; run again, it goes on where it was, and makes only what edits touched."""
    settings = load_settings(config)
    with _site(settings, everything) as site:
        from layers.access import ANONYMOUS
        from layers.raster.store import RasterStore
        from tiles.archives.asking import bounded, chosen, content_of, ground, working
        from tiles.archives.facts import facts_of
        from tiles.archives.filling import fill
        from tiles.archives.plan import Plan
        from tiles.archives.writing import GRID, format_of, write

        format_of(file.name)
        principal = ANONYMOUS
        with site.database.transaction(principal=principal) as conn:
            store = RasterStore(Path(settings.rasters.directory))
            content = content_of(
                conn, chosen(conn, tuple(layers or ())), store, picture.value, terrain.value if terrain else None
            )  # fmt: skip
            where = ground(conn, content, _numbers(bbox), area, None)
        plan = bounded(Plan(site.grids[GRID], *_levels(zooms), *where))
        with ExitStack() as stack:
            readers = [stack.enter_context(site.database.reading()) for _ in range(threads)]
            work = stack.enter_context(working(site, file.resolve().parent, plan, content, principal))
            filled = fill(work, plan, content, readers, stack.enter_context(_bar("瓦片 tiles")))
            note("正在写瓦片包 writing the archive")
            size = write(work, facts_of(plan, content, settings.server.languages[0]), file)
    if as_json:
        print_json({"file": str(file), "bytes": size, "rendered": filled.rendered, "kept": filled.kept})
    else:
        typer.echo(f"{file}: {size} B，新做 rendered {filled.rendered}，沿用 kept {filled.kept}")


@app.command("seed")
def seed(
    layers: _Layers = None,
    zooms: _Zooms = "0-14",
    together: _Together = False,
    grid: _Grid = "WebMercatorQuad",
    bbox: _Box = None,
    area: _Area = None,
    threads: _Threads = 2,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fill the cache on disk with tiles of public layers; without layers, with those that the map asks for."""
    settings = load_settings(config)
    with _site(settings, everything=False) as site:
        from layers.access import ANONYMOUS
        from layers.raster.store import RasterStore
        from tiles.archives.asking import bounded, chosen, content_of, ground
        from tiles.archives.plan import Plan
        from tiles.archives.seeding import seed as fill_cache

        if grid not in site.grids:
            raise CommandError(f"没有网格 no grid {grid!r}", f"choose one of {', '.join(site.grids)}", Exit.USAGE)
        store = RasterStore(Path(settings.rasters.directory))
        told: list[dict[str, Any]] = []
        with site.database.transaction(principal=ANONYMOUS) as conn:
            sets = [tuple(layers)] if layers and together else [(name,) for name in layers or ()] or _of_map(conn)
            contents = [content_of(conn, chosen(conn, names), store, None, None) for names in sets]
            grounds = [ground(conn, content, _numbers(bbox), area, None) for content in contents]
        for names, content, where in zip(sets, contents, grounds, strict=True):
            plan = bounded(Plan(site.grids[grid], *_levels(zooms), *where))
            with _bar(",".join(names)) as advance:
                done = fill_cache(site, plan, content, threads, advance)
            told.append({"layers": list(names), "tiles": done.tiles, "rendered": done.rendered})
    if as_json:
        print_json(told)
    else:
        for one in told:
            typer.echo(f"{','.join(one['layers'])}: {one['tiles']} 瓦片 tiles，新做 rendered {one['rendered']}")


@contextmanager
def _site(settings: "Settings", everything: bool) -> "Iterator[TileSite]":
    """What makes tiles, as the public sees them or, as the database's owner, ``everything``."""
    with open_database(settings) as url:
        from geoserver.database_roles import role_url
        from geoserver.migrations import migrate
        from layers.access import APP_ROLE
        from layers.database import Database
        from tiles.archives.site import TileSite
        from tiles.matrix_sets import load_sets

        migrate(url)
        as_public = settings.database.app_url or role_url(url, APP_ROLE)
        database = Database(
            url if everything else as_public, pool_size=4, overflow=64, statement_timeout=600,
            warm_srids=settings.crs.offered,
        )  # fmt: skip
        tiles = settings.tiles
        try:
            yield TileSite(database, load_sets(tiles.matrix_sets), tiles.directory, tiles.disk_mb)
        finally:
            database.close()


def _of_map(conn: Any) -> list[tuple[str, ...]]:
    """The sets of vector layers whose tiles the city's map asks for, as far as there is anything in them."""
    from geoserver.web.style import city_style
    from layers.registry import load_layers

    here = load_layers(conn)
    sets = []
    for source in city_style(here, "")["sources"].values():
        _, _, names = str(source.get("tiles", [""])[0]).partition("?collections=")
        if names and any(here[name].extent for name in names.split(",")):
            sets.append(tuple(names.split(",")))
    return sets


@contextmanager
def _bar(what: str) -> Iterator[Callable[[float], None]]:
    with progress(what, total=100) as advance:
        done = 0.0

        def tell(percent: float) -> None:
            nonlocal done
            advance(max(0.0, percent - done))
            done = max(done, percent)

        yield tell


def _levels(zooms: str) -> tuple[int, int]:
    low, _, high = zooms.partition("-")
    if not low.isdigit() or (high and not high.isdigit()):
        raise CommandError(f"--zooms {zooms!r}", "write it as 0-14", Exit.USAGE)
    return int(low), int(high or low)


def _numbers(bbox: str | None) -> tuple[float, float, float, float] | None:
    if bbox is None:
        return None
    try:
        west, south, east, north = (float(part) for part in bbox.split(","))
    except ValueError:
        raise CommandError(f"--bbox {bbox!r}", "write it as west,south,east,north [°]", Exit.USAGE) from None
    return west, south, east, north
