"""report-case with all its lookups, and work lists of 10 000 open cases, as the roles that use them.

Everything runs as the server's own role, bound by the policies, a transaction for each report. Throughput on one core is
1 s by the CPU time of this process and of its PostgreSQL backend together, since the machine does other things too.
"""

import os
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

import numpy as np
from sqlalchemy import Connection, text

from benchmarks.bench import Bench
from geoserver.database_roles import role_url
from grid.dispatching.processes import work_list
from grid.options import GridOptions
from grid.reporting.processes import report_case
from layers.access import APP_ROLE, Duty, Grant, Principal
from layers.database import Database
from layers.processing import CityCrs

OPEN = 10_000
_CLASSES = ("0102", "0103", "0104", "0110", "0201", "0304", "0404", "0501", "0505", "0507")
_CITY = CityCrs(4547, frozenset({4490}))
_TICK = os.sysconf("SC_CLK_TCK")
_CELLS = """
    INSERT INTO city.grid_cells (geom, code, kind, parent, status)
    SELECT ST_Multi(s.geom), a.code || lpad((row_number() OVER (PARTITION BY a.code))::text, 4, '0'), 'unit', a.code, 'current'
    FROM city.admin_areas a, ST_SquareGrid(0.001, a.geom) s WHERE a.level = 'community' AND ST_Intersects(s.geom, a.geom)
    ON CONFLICT DO NOTHING"""
_COMPONENTS = """
    INSERT INTO city.components (geom, scheme, class, state)
    SELECT geom, 'GB/T 30428.2-2013', '0118', 'sound' FROM city.addresses"""
_OPEN_CASES = """
    INSERT INTO city.cases (geom, class, state, department, light, deadline, reported_at, limit_seconds, limit_unit, area_code)
    SELECT a.geom, (CAST(:classes AS text[]))[1 + n % 10], (ARRAY['reported', 'accepted', 'filed', 'dispatched', 'handling', 'handled'])[1 + n % 6],
        (ARRAY['sanitation', 'roads', 'parks'])[1 + n % 3], (ARRAY['green', 'green', 'amber', 'red'])[1 + n % 4],
        now() + n * interval '1 minute', now() - n * interval '3 minutes', 14400, 'work-hours', a.admin_code
    FROM (SELECT geom, admin_code, (row_number() OVER (ORDER BY id))::int AS n FROM city.addresses) a,
        generate_series(0, :count / greatest(1, (SELECT count(*) FROM city.addresses))) k LIMIT :count"""


def piece(bench: Bench) -> list[str]:
    """The lines of the page."""
    database = Database(role_url(bench.url, APP_ROLE), pool_size=1, warm_srids=(4490,))
    try:
        with bench.database.transaction(actor="benchmark") as conn:
            _fill(conn)
        points = _points(bench.database, 400 * bench.rounds)
        reports, cpu = _measured(database, points)
        lists = {who: _lists(database, person, 20 * bench.rounds) for who, person in _people(bench.database).items()}
    finally:
        with bench.database.transaction(actor="benchmark") as conn:
            for layer in ("cases", "components", "grid_cells"):
                conn.exec_driver_sql(f"DELETE FROM city.{layer}")
        database.close()
    return [
        "## Grid management",
        "",
        f"{len(reports)} reports in a city with {OPEN} open cases, each located in grid, area, street and crossing, compared with"
        " other cases, and committed; work lists of 50 of those open cases [ms].",
        "",
        "| | median | p95 |",
        "|---|---|---|",
        _row("report-case", reports),
        *(_row(f"work-list, {who} ({waiting} waiting)", times) for who, (waiting, times) in lists.items()),
        "",
        f"CPU per report, process and PostgreSQL together: {cpu:.2f} ms, so {1000 / cpu:.0f} reports a second on one core.",
    ]


def _fill(conn: Connection) -> None:
    conn.exec_driver_sql(_CELLS)
    conn.exec_driver_sql(_COMPONENTS)
    conn.exec_driver_sql("SELECT set_config('citymap.case_act', 'import', true)")
    conn.execute(text(_OPEN_CASES), {"classes": list(_CLASSES), "count": OPEN})
    for table in ("grid_cells", "components", "cases"):
        conn.exec_driver_sql(f"ANALYZE city.{table}")


def _points(database: Database, count: int) -> list[tuple[float, float]]:
    """Points near addresses, on both sides of streets."""
    with database.engine.connect() as conn:
        rows = conn.exec_driver_sql("SELECT ST_X(geom), ST_Y(geom) FROM city.addresses ORDER BY id").all()
    rng = np.random.default_rng(1)
    chosen = np.array([tuple(row) for row in rows])[rng.integers(0, len(rows), count)]
    return [(float(x), float(y)) for x, y in chosen + rng.normal(0, 0.0003, chosen.shape)]


def _people(database: Database) -> dict[str, Principal]:
    with database.engine.connect() as conn:
        area = str(conn.exec_driver_sql("SELECT min(code) FROM city.admin_areas WHERE level = 'district'").scalar())
    return {
        "shift leader": _person("shift-leader"),
        "department": _person("case-handler", departments=("sanitation",)),
        "verifier of a district": _person("case-verifier", area=area),
    }


def _person(role: str, **limits: Any) -> Principal:
    grants = (Grant("cases", frozenset({"read", "create", "update"}), "internal", **limits),)
    duties = (Duty(role, "advance-case", **limits),)
    return Principal(role, frozenset({role}), grants, frozenset({"advance-case"}), duties=duties)


def _measured(database: Database, points: list[tuple[float, float]]) -> tuple[list[float], float]:
    clerk, options = _person("intake-clerk"), GridOptions()

    def report(n: int) -> str:
        with database.transaction(principal=clerk) as conn:
            return report_case(
                conn, options, _CITY, points[n], _CLASSES[n % 10], "垃圾", accuracy=8.0, channel="patrol"
            ).case

    report(0)
    with database.transaction() as conn:
        backend = int(conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
    before = _cpu(backend)
    times = _timed(report, range(1, len(points)))
    return times, (_cpu(backend) - before) * 1000 / len(times)


def _cpu(backend: int) -> float:
    """CPU time of this process and of a backend [s]; of a server elsewhere only this process's."""
    try:
        with open(f"/proc/{backend}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return time.process_time()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / _TICK


def _lists(database: Database, person: Principal, count: int) -> tuple[int, list[float]]:
    def look(_n: int) -> int:
        with database.transaction(principal=person) as conn:
            return work_list(conn, person).waiting

    return look(0), _timed(look, range(count))


def _timed(call: Callable[[int], Any], numbers: range) -> list[float]:
    found = []
    for n in numbers:
        begun = time.perf_counter()
        call(n)
        found.append((time.perf_counter() - begun) * 1000)
    return found


def _row(name: str, times: list[float]) -> str:
    return f"| {name} | {median(times):.1f} | {quantiles(times, n=20)[-1]:.1f} |"
