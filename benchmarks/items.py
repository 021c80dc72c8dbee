"""Items of the whole city: ours against stock pygeoapi, tipg and bare PostgreSQL, as ratios of medians."""

import random
import re
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.bare import Burst, Client, Request, client
from benchmarks.bench import Bench
from benchmarks.load import Measured, measure
from benchmarks.memory import streaming
from benchmarks.peers import WORKERS, all_servers, copy_for_peers, filter_query, item_path, items_path
from benchmarks.processes import Running
from geoserver.postgres_binaries import find_binaries
from layers.catalogue import Layer
from layers.cql2 import parse
from layers.crs import CRS84
from layers.database import Database
from layers.query import Box, FeatureQuery, Filter, feature_statement, page_statement
from layers.registry import load_layers

CQL2 = "use = 'school' AND floors > 3"
CONNECTIONS = 8


@dataclass
class Question:
    """One kind of request: its paths at a server, the SQL that our server answers each with, and what was measured."""

    name: str
    paths: Callable[[Running], list[str]]
    requests: list[Request]
    measured: dict[str, list[Measured]] = field(default_factory=dict)
    client: list[Burst] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)

    def median(self, server: str, figure: str) -> float:
        return statistics.median(getattr(m, figure) for m in self.measured[server])

    @property
    def client_cpu(self) -> float:
        return statistics.median(burst.cpu for burst in self.client)

    @property
    def client_rate(self) -> float:
        return statistics.median(burst.per_second for burst in self.client)


def questions(database: Database) -> list[Question]:
    """The kinds of request; boxes and ids are drawn at random over the city, the same for all."""
    import orjson

    draw = random.Random(7)
    with database.transaction() as conn:
        layer = load_layers(conn)["buildings"]
        centres = conn.exec_driver_sql(
            "SELECT ST_X(c), ST_Y(c), id FROM (SELECT ST_Centroid(geom) AS c, id FROM city.buildings "
            "TABLESAMPLE SYSTEM (2) REPEATABLE (7)) AS s"
        ).all()
    picked = draw.sample(centres, 40)
    boxes = [(x - 0.0035, y - 0.003, x + 0.0035, y + 0.003) for x, y, _ in picked]
    kept = orjson.dumps(parse(CQL2, "cql2-text")).decode()

    def items(query: str) -> Callable[[Running], list[str]]:
        return lambda server: [items_path(server, query)]

    assert isinstance(layer, Layer)

    def page(query: FeatureQuery) -> Request:
        statement = page_statement(layer, query)
        counted = [] if query.restricted else [("SELECT citymap.row_count(%(layer)s)", {"layer": layer.id})]
        return [(statement.sql, statement.bind(query.values())), *counted]

    def by_id(feature: int) -> tuple[str, dict[str, Any]]:
        statement = feature_statement(layer, CRS84, False)
        return statement.sql, statement.bind({"id": feature, "as_of": None})

    return [
        Question("limit=10", items("limit=10"), [page(FeatureQuery(limit=10))]),
        Question("limit=1000", items("limit=1000"), [page(FeatureQuery(limit=1000))]),
        Question(
            "bbox, limit=1000",
            lambda s: [items_path(s, f"limit=1000&bbox={','.join(f'{n:.6f}' for n in box)}") for box in boxes],
            [page(FeatureQuery(limit=1000, box=Box(*(round(n, 6) for n in box)))) for box in boxes],
        ),
        Question("by id", lambda s: [item_path(s, row[2]) for row in picked], [[by_id(row[2])] for row in picked]),
        Question("CQL2, limit=10", items(filter_query(CQL2, 10)), [page(FeatureQuery(limit=10, filter=Filter(kept, measured_in=4547)))]),
    ]


def run(database: Database, servers: Sequence[Running], client: Client, rounds: int, seconds: int) -> list[Question]:
    """Every question at every server in turn, ours beside the bare client, ``rounds`` times."""
    asked = questions(database)
    for round_ in range(rounds):
        for question in asked:
            for server in servers:
                burst = measure(server, question.paths(server), seconds, CONNECTIONS)
                question.measured.setdefault(server.name, []).append(burst)
                print(f"round {round_ + 1}  {question.name:18} {server.name:9} {burst.per_second:9.1f}/s  p50 {burst.p50:8.2f} ms  "
                      f"p99 {burst.p99:8.2f} ms  cpu {burst.cpu:7.2f} ms  failed {burst.failed}", flush=True)
                if server is servers[0]:
                    question.client.append(client.measure(question.requests, seconds))
                    print(f"round {round_ + 1}  {question.name:18} psycopg2  {question.client[-1].per_second:9.1f}/s  cpu {question.client[-1].cpu:7.2f} ms", flush=True)
            question.bare.append(_pgbench(database, question.requests, seconds))
            print(f"round {round_ + 1}  {question.name:18} bare SQL  {question.bare[-1]:9.1f}/s", flush=True)
    return asked


def _pgbench(database: Database, requests: Sequence[Request], seconds: int) -> float:
    """Transactions per second of the SQL that reads the features, by pgbench with as many connections."""
    with database.engine.connect() as conn, conn.connection.cursor() as cursor:
        statements = [cursor.mogrify(*request[0]).decode() for request in requests]
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for i, sql in enumerate(statements):
            file = Path(folder, f"{i}.sql")
            file.write_text(sql.replace("\n", " ") + ";\n")
            files += ["-f", str(file)]
        program = find_binaries().directory / "pgbench"
        command = [program, "-n", "-c", str(CONNECTIONS), "-j", "1", "-T", str(seconds), *files, "-d", database.url]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(re.search(r"tps = ([\d.]+)", text)[1])  # type: ignore[index]


def piece(bench: Bench) -> list[str]:
    """Measure, and tell as lines of a page."""
    copy_for_peers(bench.database)
    with all_servers(bench.url, bench.folder) as servers, client(bench.url, int(WORKERS), CONNECTIONS) as bare:
        asked = run(bench.database, servers, bare, bench.rounds, bench.seconds)
        ours = servers[0]
        tail = measure(ours, [items_path(ours, "limit=10")], bench.seconds * 2, 16)
        streams = {name: streaming(ours, name) for name in ("gpkg", "csv")}
    names = [server.name for server in servers]
    peers = names[1:]
    lines = [
        "## Items",
        "",
        f"8 connections, 2 workers each, peers started in the same run; medians of {bench.rounds} rounds. The peers read a copy of the table in",
        "EPSG:4326 with the same indexes, their best case.",
        "",
        "| request | " + " | ".join(f"{n} req/s" for n in names) + " | bare SQL tps | "
        + " | ".join(f"× {p}" for p in peers) + " | of bare SQL | p99 |",
        "|---|" + "---|" * (len(names) + len(peers) + 3),
    ]
    for q in asked:
        rate = {n: q.median(n, "per_second") for n in names}
        bare_rate = sorted(q.bare)[len(q.bare) // 2]
        failed = {n: sum(m.failed for m in q.measured[n]) for n in names}
        shown = [f"{rate[n]:.0f}" + (f" ({failed[n]} failed)" if failed[n] else "") for n in names]
        ratios = [f"{rate[names[0]] / rate[p]:.1f}" for p in peers]
        lines.append(
            f"| {q.name} | " + " | ".join(shown) + f" | {bare_rate:.0f} | " + " | ".join(ratios)
            + f" | {rate[names[0]] / bare_rate:.2f} | {q.median(names[0], 'p99'):.1f} ms |"
        )
    lines += ["", *_over_bare_sql(asked, names[0])]
    lines += [
        "",
        f"limit=10 at 16 connections: p50 {tail.p50:.1f} ms, p99 {tail.p99:.1f} ms ({tail.p99 / tail.p50:.1f} ×), failed {tail.failed}.",
        "",
        "### Streaming the whole layer",
        "",
        "| format | MB | s | worker RSS before | worker RSS at most |",
        "|---|---|---|---|---|",
    ]
    return lines + [f"| {name} | {mb:.0f} | {s:.0f} | {before:.0f} MB | {peak:.0f} MB |" for name, (mb, s, before, peak) in streams.items()]


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

