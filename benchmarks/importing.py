"""Imports side by side with ``ogr2ogr``: the same file into the same database, ours with history, checks and tiles told.

``python -m benchmarks --only importing``. The file is the city's buildings as GeoPackage; the peer makes a table with a
spatial index and nothing else. Seconds by the clock, since both wait for PostgreSQL.
"""

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import text
from sqlalchemy.engine import make_url

from benchmarks.bench import Bench
from layers.importing.file_import import ImportOptions, import_file

#: Features of the file.
_FEATURES = 100_000


def piece(bench: Bench, features: int = _FEATURES) -> list[str]:
    """The figures as lines of a page; nothing where GDAL's programs are missing."""
    if shutil.which("ogr2ogr") is None:
        print("left out: ogr2ogr is missing (apt-get install gdal-bin)", file=sys.stderr)
        return []
    with TemporaryDirectory(prefix="citymap-import-") as folder:
        path = Path(folder) / "buildings.gpkg"
        _write(bench, path, features)
        ours = _median(lambda: _ours(bench, path), bench.rounds)
        copy = _median(lambda: _ogr(bench, path, copy=True), bench.rounds)
        insert = _median(lambda: _ogr(bench, path, copy=False), bench.rounds)
    version = subprocess.run(["ogr2ogr", "--version"], capture_output=True, text=True, check=True).stdout.split(",")[0]
    return [
        "## Import",
        "",
        f"{features} buildings from a GeoPackage into PostGIS, seconds by the clock, medians of {bench.rounds}; peer {version}."
        " CityMap checks and repairs geometry, keeps history, counts rows and writes the dirty log besides.",
        "",
        "| | s | features/s | × CityMap's time |",
        "|---|---|---|---|",
        *(
            f"| {name} | {seconds:.1f} | {features / seconds:.0f} | {seconds / ours:.2f} |"
            for name, seconds in (("CityMap", ours), ("ogr2ogr, COPY", copy), ("ogr2ogr, INSERT", insert))
        ),
    ]


def _write(bench: Bench, path: Path, features: int) -> None:
    select = f"SELECT name, use, floors, height, year_built, address, geom FROM city.buildings ORDER BY id LIMIT {features:d}"
    subprocess.run(
        ["ogr2ogr", "-q", "-f", "GPKG", str(path), f"PG:{_dsn(bench)}", "-sql", select, "-nln", "buildings"], check=True
    )


def _ours(bench: Bench, path: Path) -> None:
    with bench.database.engine.connect() as conn:
        transaction = conn.begin()
        done = import_file(conn, path, ImportOptions(into="bench-import"))
        assert done.imports[0].report.inserted > 0
        transaction.rollback()


def _ogr(bench: Bench, path: Path, *, copy: bool) -> None:
    subprocess.run(
        ["ogr2ogr", "-q", "-f", "PostgreSQL", f"PG:{_dsn(bench)}", str(path), "-nln", "public.bench_ogr", "-overwrite",
         "-gt", "65536", "--config", "PG_USE_COPY", "YES" if copy else "NO"],
        check=True,
    )  # fmt: skip
    with bench.database.engine.begin() as conn:
        conn.execute(text("DROP TABLE IF EXISTS public.bench_ogr"))


def _dsn(bench: Bench) -> str:
    url = make_url(bench.url)
    parts = {"host": url.host, "port": url.port, "dbname": url.database, "user": url.username, "password": url.password}
    return " ".join(f"{name}={value}" for name, value in parts.items() if value)


def _median(task: Callable[[], None], rounds: int) -> float:
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        task()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)
