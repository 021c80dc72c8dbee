"""``citymap demo``: make the sample city."""

from typing import Annotated

import typer

from geoserver.cli.console import (
    CommandError,
    ConfigOption,
    Exit,
    JsonOption,
    print_json,
    print_table,
    progress,
)
from geoserver.cli.demo_live import drive_about
from geoserver.cli.session import load_settings, open_database

_Buildings = Annotated[int, typer.Option(min=100, max=2_000_000, help="Buildings of the city; it grows with them.")]
_Seed = Annotated[int, typer.Option(min=0, help="The same seed makes the same city.")]
_Live = Annotated[bool, typer.Option("--live", help="Let vehicles drive about and report, until Ctrl-C.")]
_Vehicles = Annotated[int, typer.Option(min=1, max=20_000, help="With --live: how many.")]
_Rate = Annotated[
    float | None,
    typer.Option(
        min=0.1, max=50_000, help="With --live: messages a second of all together; without it each sends every 5 s."
    ),
]
_Force = Annotated[bool, typer.Option("--force", help="Replace features that the base layers have.")]


def demo(
    buildings: _Buildings = 20_000,
    seed: _Seed = 1,
    force: _Force = False,
    live: _Live = False,
    vehicles: _Vehicles = 50,
    rate: _Rate = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a fictitious sample city in the base layers; or let vehicles drive about the roads that there are."""
    settings = load_settings(config)
    if live:
        drive_about(settings, vehicles, rate)
        return
    with open_database(settings) as url:
        from geoserver.migrations import migrate
        from geoserver.sample import SampleYear, is_empty, make_sample_city
        from layers.database import Database

        migrate(url)
        database = Database(url, pool_size=2, statement_timeout=3600)
        try:
            if not force and not is_empty(database):
                raise CommandError(
                    "图层中已有数据 the layers have features already",
                    "`citymap demo --force` replaces those of the base layers (their history stays)",
                    Exit.REFUSED,
                )
            year = SampleYear(settings.grid.for_processes(), settings.crs.projected)
            made = make_sample_city_with_bar(lambda report: make_sample_city(database, buildings, seed, report, year))
        finally:
            database.close()
    if as_json:
        print_json({"buildings": buildings, "seed": seed, "layers": made})
    else:
        print_table(("图层 layer", "要素 features"), ((name, str(count)) for name, count in made.items()))


def make_sample_city_with_bar(make: object) -> dict[str, int]:
    """Runs ``make(report)`` under a progress bar."""
    assert callable(make)
    with progress("示范城市 sample city", total=100) as advance:
        done = 0.0

        def report(_part: str, share: float) -> None:
            nonlocal done
            advance(max(0.0, share * 100 - done))
            done = max(done, share * 100)

        made: dict[str, int] = make(report)
    return made
