"""The nearest of 500 units by road time: ours against pgRouting, on the same graph in the same run.

pgRouting is asked in both ways that a user may choose: from every unit to the incident, which searches once per unit, and
from the incident to every unit over the graph with its directions reversed, which searches once. Every answer is compared.

``python -m benchmarks.routing URL`` measures on the roads of any database of ours.
"""

import io
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from sqlalchemy import Connection, text

from benchmarks.bench import Bench
from layers.database import Database
from layers.network.current import current_network
from layers.network.edges import Floats, Ints
from layers.network.graph import Graph
from layers.network.position import at_nodes, snap
from layers.network.search import costs, nearest_of

UNITS = 500
#: Incidents for ours, for pgRouting's one search, and for its 500 searches (some seconds each).
INCIDENTS, ONE_SEARCH, SEARCH_PER_UNIT = 40, 10, 2
_EDGES = "SELECT id, source, target, {cost} AS cost, {back} AS reverse_cost FROM peers.road"
_AHEAD, _REVERSED = _EDGES.format(cost="cost", back="reverse_cost"), _EDGES.format(cost="reverse_cost", back="cost")
_EACH_UNIT = "SELECT start_vid, agg_cost FROM pgr_dijkstraCost(:edges, (:units)::bigint[], (:incident)::bigint)"
_AT_ONCE = "SELECT end_vid, agg_cost FROM pgr_dijkstraCost(:edges, (:incident)::bigint, (:units)::bigint[])"


@dataclass(frozen=True)
class Times:
    """Of one question, over the incidents [ms]."""

    median: float
    fastest: float

    def __str__(self) -> str:
        digits = 2 if self.median < 100 else 0
        return f"{self.median:.{digits}f} ({self.fastest:.{digits}f}) ms"

    def over(self, ours: "Times") -> str:
        return f"{self.median / ours.median:.0f} ({self.fastest / ours.fastest:.0f})"


@dataclass(frozen=True)
class Answered:
    """One question: times of ours and of pgRouting in both ways."""

    question: str
    ours: Times
    at_once: Times
    each_unit: Times


@dataclass(frozen=True)
class Routing:
    """The graph's size, the time [ms] from a committed edit to the new graph, and the questions."""

    edges: int
    nodes: int
    megabytes: float
    loaded: float
    patched: float
    answered: tuple[Answered, ...]


def run(database: Database) -> Routing | None:
    """Measure on the roads of the database; None, and a line that says why, where pgRouting is missing."""
    with database.engine.begin() as conn:
        if not conn.execute(text("SELECT 1 FROM pg_available_extensions WHERE name = 'pgrouting'")).scalar():
            print("left out: pgRouting is not installed (apt-get install postgresql-15-pgrouting)", file=sys.stderr)
            return None
        conn.execute(text("CREATE EXTENSION IF NOT EXISTS pgrouting"))
        loaded = _timed(lambda: current_network(conn).graph("drive", "time"))
    with database.engine.connect() as conn:
        graph = current_network(conn).graph("drive", "time")
        _copy(conn, graph)
        conn.commit()
        answered = tuple(_questions(conn, graph))
    patched = statistics.median(_patched(database) for _ in range(5))
    network = graph.network
    return Routing(len(network.edges), len(network.topology.nodes), network.nbytes() / 1e6, loaded, patched, answered)


def piece(bench: Bench) -> list[str]:
    """Measure, and tell as lines of a page; nothing where pgRouting is missing."""
    found = run(bench.database)
    return section(found) if found else []


def section(found: Routing) -> list[str]:
    """The figures as lines of a page."""
    return [
        "## Routing",
        "",
        f"{found.edges} edges, {found.nodes} nodes, {found.megabytes:.0f} MB of arrays; read in {found.loaded:.0f} ms, and current again "
        f"{found.patched:.0f} ms after a committed edit.",
        f"The nearest of {UNITS} units by road time, medians (and fastest) of {INCIDENTS} incidents; pgRouting's pgr_dijkstraCost on the same graph, its answers compared with ours: one",
        "search from the incident over the graph with its directions reversed (its best case), and the search from every unit to the incident.",
        "",
        "| question | ours | pgRouting, one search | × | pgRouting, from each unit | × |",
        "|---|---|---|---|---|---|",
        *(
            f"| {a.question} | {a.ours} | {a.at_once} | {a.at_once.over(a.ours)} | {a.each_unit} | {a.each_unit.over(a.ours)} |"
            for a in found.answered
        ),
    ]


def _questions(conn: Connection, graph: Graph) -> Iterator[Answered]:
    usable = np.unique(graph.arcs.tail[graph.arcs.tail < len(graph.network.topology.nodes)])
    drawn = np.random.default_rng(7).choice(usable, UNITS + INCIDENTS, replace=False)
    nodes, incidents = drawn[:UNITS], drawn[UNITS:]
    places: list[tuple[float, float]] = [(lon, lat) for lon, lat in graph.network.topology.nodes[drawn].tolist()]
    at_once = _times(_pgrouting(conn, graph, nodes, i, at_once=True) for i in incidents[:ONE_SEARCH])
    each = _times(_pgrouting(conn, graph, nodes, i, at_once=False) for i in incidents[:SEARCH_PER_UNIT])
    units = at_nodes(graph, nodes)
    ready = [at_nodes(graph, np.array([i])) for i in incidents]

    def now() -> Graph:
        return current_network(conn).graph("drive", "time")

    def asked(answers: Iterable[Callable[[], object]]) -> Times:
        return _times(_timed(answer) for answer in answers)

    search = (partial(nearest_of, graph, place, units) for place in ready)
    yield Answered("nearest of 500: the search", asked(search), at_once, each)
    whole = (lambda i=i: nearest_of(g := now(), snap(g, [i]), units) for i in places[UNITS:])
    yield Answered("nearest of 500: look for edits, snap the incident, search", asked(whole), at_once, each)
    five = (lambda i=i: nearest_of(g := now(), snap(g, [i]), units, 5) for i in places[UNITS:])
    yield Answered("the same for the five nearest", asked(five), at_once, each)
    snapped = (lambda i=i: nearest_of(g := now(), snap(g, [i]), snap(g, places[:UNITS])) for i in places[UNITS:])
    yield Answered("the same for the nearest, all 500 units snapped too", asked(snapped), at_once, each)
    every = (partial(costs, graph, units, place) for place in ready)
    yield Answered("the costs of all 500: the search", asked(every), at_once, each)


def _pgrouting(conn: Connection, graph: Graph, units: Ints, incident: int, *, at_once: bool) -> float:
    """Time of one question [ms]; raises AssertionError when the answer is not ours."""
    values = {"edges": _REVERSED if at_once else _AHEAD, "units": units.tolist(), "incident": int(incident)}
    rows: list[tuple[int, float]] = []
    took = _timed(lambda: rows.extend(conn.execute(text(_AT_ONCE if at_once else _EACH_UNIT), values).all()))
    theirs = dict(rows)
    ours: Floats = costs(graph, at_nodes(graph, units), at_nodes(graph, np.array([incident])))[:, 0]
    np.testing.assert_allclose(ours, [theirs.get(int(unit), np.inf) for unit in units], rtol=1e-9)
    return took


def _copy(conn: Connection, graph: Graph) -> None:
    """Our arcs as pgRouting's edges. It knows no turn restrictions, so the graph must have none."""
    arcs, topology = graph.arcs, graph.network.topology
    assert arcs.states == len(topology.nodes), "the roads have turn restrictions"
    size = len(graph.network.edges)
    cost, back = np.full(size, -1.0), np.full(size, -1.0)
    cost[arcs.edge[arcs.forward]] = graph.cost[arcs.forward]
    back[arcs.edge[~arcs.forward]] = graph.cost[~arcs.forward]
    rows = zip(range(size), topology.tail, topology.head, cost.tolist(), back.tolist(), strict=True)
    conn.exec_driver_sql(
        "CREATE SCHEMA IF NOT EXISTS peers; DROP TABLE IF EXISTS peers.road;"
        "CREATE TABLE peers.road (id bigint, source bigint, target bigint, cost float8, reverse_cost float8)"
    )
    text_rows = io.StringIO("".join(f"{i}\t{a}\t{b}\t{c!r}\t{d!r}\n" for i, a, b, c, d in rows))
    with conn.connection.cursor() as cursor:
        cursor.copy_expert("COPY peers.road FROM STDIN", text_rows)  # type: ignore[attr-defined]
    conn.exec_driver_sql("ANALYZE peers.road")


def _patched(database: Database) -> float:
    """Time [ms] from the commit of an edit to the graph that has it. The edit changes nothing."""
    with database.engine.begin() as conn:
        conn.exec_driver_sql(
            "UPDATE city.roads SET name = name WHERE id = (SELECT id FROM city.roads ORDER BY random() LIMIT 1)"
        )
    with database.engine.connect() as conn:
        return _timed(lambda: current_network(conn).graph("drive", "time"))


def _times(milliseconds: Iterable[float]) -> Times:
    measured = list(milliseconds)
    return Times(statistics.median(measured), min(measured))


def _timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    measured = run(Database(sys.argv[1], pool_size=2, statement_timeout=3600))
    if measured is not None:
        print("\n".join(section(measured)))
