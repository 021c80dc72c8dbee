"""``make bench``: starts every server on one 500 000-building city, measures side by side, and writes RESULTS.md.

``--buildings``, ``--rounds`` and ``--seconds`` make it smaller; the figures of record are of the defaults.
"""

import argparse
import datetime
import os
import platform
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import geocoding
from benchmarks.bare import client
from benchmarks.items import CONNECTIONS, Question, run
from benchmarks.load import Measured, measure
from benchmarks.memory import streaming
from benchmarks.peers import WORKERS, all_servers, copy_for_peers, items_path
from benchmarks.processes import Running
from benchmarks.routing import Routing, section
from benchmarks.routing import run as measure_routing
from geoserver.cluster import Cluster
from geoserver.migrations import migrate
from geoserver.sample import make_sample_city
from layers.database import Database
from layers.registry import row_count

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "var" / "bench"


def main() -> None:
    arguments = _arguments()
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    FOLDER.mkdir(parents=True, exist_ok=True)
    others = os.getloadavg()[0]
    cluster = Cluster(FOLDER / "postgres", durable=False)
    with cluster:
        url = cluster.tcp_url
        migrate(url)
        database = Database(url, pool_size=4, statement_timeout=3600)
        _city(database, arguments.buildings)
        copy_for_peers(database)
        with all_servers(url, FOLDER) as servers, client(url, int(WORKERS), CONNECTIONS) as bare:
            asked = run(database, servers, bare, arguments.rounds, arguments.seconds)
            ours = servers[0]
            tail = measure(ours, [items_path(ours, "limit=10")], arguments.seconds * 2, 16)
            streams = {name: streaming(ours, name) for name in ("gpkg", "csv")}
        routing = measure_routing(database)
        names = geocoding.run(database)
        database.close()
    text = report(asked, servers, tail, streams, routing, arguments.buildings, others)
    text += "\n".join(["", *geocoding.section(names)]) + "\n"
    (ROOT / "benchmarks" / "RESULTS.md").write_text(text)
    print(text)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
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


def report(
    asked: Sequence[Question], servers: Sequence[Running], tail: Measured,
    streams: dict[str, tuple[float, float, float, float]], routing: Routing | None, buildings: int, others: float,
) -> str:
    """The figures as a page."""
    names = [server.name for server in servers]
    peers = names[1:]
    lines = [
        "# Benchmark results",
        "",
        f"`make bench` on {datetime.date.today()}, {os.cpu_count()} cores shared by PostgreSQL, the server and the load "
        f"({platform.machine()}), {buildings} buildings, 8 connections, 2 workers each, peers started in the same run.",
        "The peers read a copy of the table in EPSG:4326 with the same indexes, their best case. Ratios are of medians over the",
        f"rounds; absolute figures are of this machine on that day (load average before the run, of other work: {others:.1f}).",
        "",
        "## Items",
        "",
        "| request | " + " | ".join(f"{n} req/s" for n in names) + " | bare SQL tps | "
        + " | ".join(f"× {p}" for p in peers) + " | of bare SQL | p99 |",
        "|---|" + "---|" * (len(names) + len(peers) + 3),
    ]
    for q in asked:
        rate = {n: q.median(n, "per_second") for n in names}
        bare = sorted(q.bare)[len(q.bare) // 2]
        failed = {n: sum(m.failed for m in q.measured[n]) for n in names}
        shown = [f"{rate[n]:.0f}" + (f" ({failed[n]} failed)" if failed[n] else "") for n in names]
        ratios = [f"{rate[names[0]] / rate[p]:.1f}" for p in peers]
        lines.append(
            f"| {q.name} | " + " | ".join(shown) + f" | {bare:.0f} | " + " | ".join(ratios)
            + f" | {rate[names[0]] / bare:.2f} | {q.median(names[0], 'p99'):.1f} ms |"
        )
    lines += ["", *_over_bare_sql(asked, names[0])]
    lines += [
        "",
        f"limit=10 at 16 connections: p50 {tail.p50:.1f} ms, p99 {tail.p99:.1f} ms ({tail.p99 / tail.p50:.1f} ×), failed {tail.failed}.",
        "",
        "## Streaming the whole layer",
        "",
        "| format | MB | s | worker RSS before | worker RSS at most |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {name} | {mb:.0f} | {s:.0f} | {before:.0f} MB | {peak:.0f} MB |" for name, (mb, s, before, peak) in streams.items()]
    lines += ["", *section(routing)] if routing else []
    return "\n".join(lines) + "\n"


def _over_bare_sql(asked: Sequence[Question], server: str) -> list[str]:
    """What a request costs the server beyond the client's part of its SQL."""
    lines = [
        "CPU per request (user + system of all its processes, without PostgreSQL's). The bare client is psycopg2 in as many processes and",
        "on as many warm connections as the server has: it sends the same statements with the same values and fetches the rows as bytes.",
        "",
        "| request | server CPU | bare client CPU | CPU over bare SQL | bare client req/s |",
        "|---|---|---|---|---|",
    ]
    for q in asked:
        ours, bare = q.median(server, "cpu"), q.client_cpu
        lines.append(f"| {q.name} | {ours:.2f} ms | {bare:.2f} ms | {ours - bare:.2f} ms | {q.client_rate:.0f} |")
    return lines


main()
