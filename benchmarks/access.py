"""What row-level security and the audit log cost: the same server bound by the policies, and as the owner whom none binds."""

import base64
import statistics
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from benchmarks.bench import Bench
from benchmarks.load import Measured, measure
from benchmarks.peers import citymap
from geoserver.accounts import add_account
from layers.catalogue import Field, Layer, Text, Visibility
from layers.database import Database
from layers.registry import create_layer, load_layers

ACCOUNT, PASSWORD = "bench", "correct horse battery 9!"
ROWS = 100_000
CONNECTIONS = 8
#: In the middle of the sample city.
TILE = "/collections/buildings/tiles/WebMercatorQuad/14/6738/13421"


@dataclass
class Case:
    """One kind of read, bound and unbound."""

    name: str
    path: str
    signed_in: bool
    bound: list[Measured] = field(default_factory=list)
    unbound: list[Measured] = field(default_factory=list)

    def added(self, figure: str) -> float:
        """By how much of the unbound figure the bound one is worse [%]."""
        bound, unbound = (statistics.median(getattr(m, figure) for m in burst) for burst in (self.bound, self.unbound))
        return 100 * ((unbound / bound if figure == "per_second" else bound / unbound) - 1)


CASES = (
    ("limit=10 of a public layer, anonymous", "/collections/buildings/items?limit=10&f=json", False),
    ("limit=10 of a public layer, signed in", "/collections/buildings/items?limit=10&f=json", True),
    ("limit=10 of an internal layer", "/collections/bench-internal/items?limit=10&f=json", True),
    ("bbox of an internal layer, about 100 features", "/collections/bench-internal/items?limit=1000&bbox=114.5,30.5,114.53,30.53&f=json", True),
    ("limit=10 of a sensitive layer, each read audited", "/collections/bench-sensitive/items?limit=10&f=json", True),
    ("a cached tile of a public layer, anonymous", TILE, False),
    ("a cached tile of a public layer, signed in", TILE, True),
)


def run(url: str, database: Database, folder: Path, rounds: int, seconds: int) -> list[Case]:
    """Every case at both servers in turn."""
    _prepare(database)
    cases = [Case(*case) for case in CASES]
    sign_in = {"Authorization": "Basic " + base64.b64encode(f"{ACCOUNT}:{PASSWORD}".encode()).decode()}
    with ExitStack() as stack:
        servers = [stack.enter_context(citymap(url, folder, **more)) for more in ({}, {"CITYMAP__DATABASE__APP_URL": url})]
        for round_ in range(rounds):
            for case in cases:
                for server, bursts in zip(servers, (case.bound, case.unbound), strict=True):
                    bursts.append(measure(server, [case.path], seconds, CONNECTIONS, sign_in if case.signed_in else {}))
                    print(f"round {round_ + 1}  {case.name:50} {bursts[-1].per_second:8.0f}/s  failed {bursts[-1].failed}", flush=True)
    return cases


def piece(bench: Bench) -> list[str]:
    """Measure, and tell as lines of a page."""
    return section(run(bench.url, bench.database, bench.folder, bench.rounds, bench.seconds))


def section(cases: Sequence[Case]) -> list[str]:
    """The figures as a part of the page."""
    lines = [
        "## Row-level security and audit",
        "",
        "The same requests to the server as it is, and to one whose connections belong to the owner, whom no policy binds. A read of a",
        "sensitive layer commits an entry of the audit log before it is answered; fsync is off in this database.",
        "",
        "| request | bound req/s | unbound req/s | time added | server CPU added | failed |",
        "|---|---|---|---|---|---|",
    ]
    for case in cases:
        rates = [statistics.median(m.per_second for m in burst) for burst in (case.bound, case.unbound)]
        failed = sum(m.failed for m in (*case.bound, *case.unbound))
        lines.append(f"| {case.name} | {rates[0]:.0f} | {rates[1]:.0f} | {case.added('per_second'):+.0f} % | {case.added('cpu'):+.0f} % | {failed} |")
    return lines


def _prepare(database: Database) -> None:
    """Layers that are not public, and an account that may read them."""
    with database.transaction(actor="bench") as conn:
        if "bench-internal" in load_layers(conn):
            return
        for visibility in ("internal", "sensitive"):
            create_layer(conn, _layer(visibility))
            conn.execute(text(
                f"INSERT INTO city.bench_{visibility} (geom, name) SELECT ST_SetSRID(ST_MakePoint(114 + i % 316 / 316.0, 30 + i / 316 / 316.0), 4490),"
                f" 'n' || i FROM generate_series(1, {ROWS}) i"
            ))
        add_account(conn, ACCOUNT, PASSWORD)
        conn.execute(text("INSERT INTO access.memberships (account, role) VALUES (:account, 'planner')"), {"account": ACCOUNT})
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("ANALYZE city.bench_internal, city.bench_sensitive")


def _layer(visibility: Visibility) -> Layer:
    name = Text(f"测试 {visibility}", f"Bench {visibility}")
    field = Field("name", "string", Text("名称", "Name"))
    return Layer(f"bench-{visibility}", name, name, "Point", (field,), visibility=visibility)
