"""``make bench``: makes one city, measures every piece side by side with its peers, and writes RESULTS.md.

``--only items access`` measures some pieces and leaves the others' figures as they are. ``--buildings``, ``--rounds`` and
``--seconds`` make it smaller; the figures of record are of the defaults.
"""

import argparse
import datetime
import os
import platform
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import (
    access,
    cold_tiles,
    dispatch,
    evaluation,
    geocoding,
    grid,
    importing,
    items,
    planning,
    raster_tiles,
    routing,
    terrain,
    three_d,
    tracking,
    tracks,
    vector_tiles,
    zonal,
)
from benchmarks.bench import Bench
from geoserver.cluster import Cluster
from geoserver.migrations import migrate
from geoserver.sample import make_sample_city
from layers.database import Database
from layers.registry import row_count

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "var" / "bench"
RESULTS = ROOT / "benchmarks" / "RESULTS.md"
#: In the order of the page.
PIECES: Mapping[str, Callable[[Bench], list[str]]] = {
    "items": items.piece,
    "access": access.piece,
    "routing": routing.piece,
    "geocoding": geocoding.piece,
    "terrain": terrain.piece,
    "three_d": three_d.piece,
    "vector_tiles": vector_tiles.piece,
    "cold_tiles": cold_tiles.piece,
    "raster_tiles": raster_tiles.piece,
    "zonal": zonal.piece,
    "importing": importing.piece,
    "planning": planning.piece,
    "grid": grid.piece,
    "evaluation": evaluation.piece,
    "tracking": tracking.piece,
    "tracks": tracks.piece,
    "dispatch": dispatch.piece,
}
_MARK = "<!-- piece: {} -->"


def main() -> None:
    arguments = _arguments()
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    FOLDER.mkdir(parents=True, exist_ok=True)
    told = _told()
    cluster = Cluster(FOLDER / "postgres", durable=False)
    with cluster:
        url = cluster.tcp_url
        migrate(url)
        database = Database(url, pool_size=4, statement_timeout=3600)
        _city(database, arguments.buildings)
        bench = Bench(url, database, FOLDER, arguments.rounds, arguments.seconds)
        for name in arguments.only or PIECES:
            others = os.getloadavg()[0]
            lines = PIECES[name](bench)
            if not lines:
                continue
            told[name] = "\n".join([*lines, "", f"*{_when(arguments.buildings, others)}*"])
            print(told[name], flush=True)
            RESULTS.write_text(_page(told))
        database.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(PIECES), help="pieces to measure; default: all")
    parser.add_argument("--buildings", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="length of one burst")
    return parser.parse_args()


def _city(database: Database, buildings: int) -> None:
    with database.transaction() as conn:
        present = row_count(conn, "buildings")
    if present != buildings:
        print(f"making the city of {buildings} buildings (once)", file=sys.stderr)
        make_sample_city(database, buildings, 1)


def _when(buildings: int, others: float) -> str:
    return (
        f"{datetime.date.today()}, {os.cpu_count()} cores shared by PostgreSQL, the server and the load ({platform.machine()}), a city of {buildings} "
        f"buildings, load average of other work before it {others:.1f}"
    )


def _told() -> dict[str, str]:
    """The pieces that stand in RESULTS.md."""
    page = RESULTS.read_text() if RESULTS.exists() else ""
    parts = re.split(re.escape(_MARK).replace(r"\{\}", r"(\w+)"), page)
    return {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def _page(told: Mapping[str, str]) -> str:
    head = [
        "# Benchmark results",
        "",
        "By `make bench`, or `python -m benchmarks --only PIECE …`. Ratios are what counts; absolute figures are of one machine on one day,",
        "named below each piece.",
    ]
    pieces = [f"{_MARK.format(name)}\n{told[name]}" for name in PIECES if name in told]
    return "\n\n".join(["\n".join(head), *pieces]) + "\n"


main()
