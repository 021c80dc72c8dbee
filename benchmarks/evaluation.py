"""Evaluation of a million cases by community and month, and work lists among them, as the roles that use them.

The cases are copies of invented ones about the addresses, entered without the layer's triggers in one transaction that is
rolled back, so the city is as before. CPU time of PostgreSQL's backend and of this process tells what one core does; other
work on the machine stretches the time on the wall.
"""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from benchmarks.bench import Bench
from grid.evaluation.processes import evaluate
from grid.options import GridOptions

CASES = 1_000_000
_TICK = os.sysconf("SC_CLK_TCK")
_INDEXES = ("cases_geom_idx", "cases_code_idx", "cases_department", "cases_area")
#: Five of six are closed, most of them in time; they spread over a year and every community.
_FILL = text("""
    INSERT INTO city.cases (geom, code, kind, scheme, class, channel, state, area_code, department, reported_at, accepted_at,
        filed_at, filing_due, dispatched_at, handled_at, check_due, checked_at, closed_at, limit_seconds, used_seconds, deadline,
        returns, reworks, extensions, reports, dispatches)
    SELECT a.geom, 'B' || n, 'event', 'CJ/T 214-2007', (CAST(:classes AS text[]))[1 + n % 5], 'patrol',
        CASE WHEN closed THEN 'closed' ELSE 'handling' END, a.admin_code, (ARRAY['sanitation', 'law', 'municipal'])[1 + n % 3],
        t, t + interval '20 minutes', t + interval '50 minutes', t + interval '80 minutes', t + interval '60 minutes',
        CASE WHEN closed THEN t + interval '5 hours' END, CASE WHEN closed THEN t + interval '13 hours' END,
        CASE WHEN closed THEN t + interval '7 hours' END, CASE WHEN closed THEN t + interval '8 hours' END, 14400,
        CASE WHEN closed THEN 6000 + n % 10000 ELSE 0 END, t + interval '9 hours', (n % 25 = 0)::int, (n % 11 = 0)::int, 0, 1, 1
    FROM (SELECT n, n % 6 <> 0 AS closed, CAST(:until AS timestamptz) - n % 525600 * interval '1 minute' AS t
          FROM generate_series(1, :count) n) g
    JOIN spots a ON a.k = n % :spots""")
_SPOTS = """
    CREATE TEMP TABLE spots ON COMMIT DROP AS
    SELECT geom, admin_code, (row_number() OVER (ORDER BY id))::int - 1 AS k FROM city.addresses"""


def piece(bench: Bench) -> list[str]:
    """The lines of the page."""
    until = datetime(2026, 11, 1, tzinfo=UTC)
    with bench.database.engine.connect() as conn:
        transaction = conn.begin()
        conn.exec_driver_sql("ALTER TABLE city.cases DISABLE TRIGGER USER")
        for name in _INDEXES:
            conn.exec_driver_sql(f"DROP INDEX IF EXISTS city.{name}")
        conn.exec_driver_sql(_SPOTS)
        conn.exec_driver_sql("ANALYZE spots")
        spots = conn.exec_driver_sql("SELECT count(*) FROM spots").scalar_one()
        conn.execute(
            _FILL, {"spots": spots, "count": CASES, "until": until, "classes": ["0102", "0104", "0201", "0501", "0505"]}
        )
        conn.exec_driver_sql("ANALYZE city.cases")
        begin, end = until - timedelta(days=366), until + timedelta(days=1)
        rows = []
        for by in (("community", "month"), ("department",)):
            found, wall, cpu = _measured(
                conn, lambda by=by: evaluate(conn, GridOptions(), begin, end, by, filters=False), bench.rounds
            )
            rows.append(f"| evaluate by {' and '.join(by)} ({len(found.rows)} groups) | {wall:.2f} | {cpu:.2f} |")
        transaction.rollback()
    return [
        "## Evaluation", "",
        f"{CASES} cases of a year; 19 counts and 11 indicators of each group.", "",
        "| | least time [s] | CPU [s] |", "|---|---|---|", *rows,
    ]  # fmt: skip


def _measured(conn: Connection, call: Callable[[], Any], rounds: int) -> tuple[Any, float, float]:
    """What a call gives, and the least time on the wall and of the processors [s]."""
    backend = int(conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())
    walls, cpus, found = [], [], None
    for _ in range(max(2, rounds)):
        begun, before = time.perf_counter(), _cpu(backend)
        found = call()
        walls.append(time.perf_counter() - begun)
        cpus.append(_cpu(backend) - before)
    return found, min(walls), min(cpus)


def _cpu(backend: int) -> float:
    """CPU time of this process and of a backend [s]."""
    with open(f"/proc/{backend}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return time.process_time() + (int(fields[11]) + int(fields[12])) / _TICK
