"""Costs, ways, service areas and components on Malta, against pgRouting on a graph that PostGIS made by itself."""

from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from layers.database import Database
from layers.network.components import connectivity, labels
from layers.network.edges import Floats, Ints
from layers.network.graph import Graph, Network
from layers.network.position import Places, at_nodes
from layers.network.search import cheapest, costs, nearest_of
from layers.network.service_area import service_area

EDGES = "SELECT id, source, target, cost, reverse_cost FROM pgr.edge"


def ask(database: Database, sql: str, **values: Any) -> list[Any]:
    with database.engine.connect() as conn:
        return list(conn.execute(text(sql), values))


@pytest.fixture(scope="module")
def free(malta_network: Network) -> Graph:
    """Driving without turn restrictions: pgr_dijkstra knows none."""
    return Network(malta_network.edges).graph("drive", "time")


@pytest.fixture(scope="module")
def numbers(pgrouting: Database, free: Graph) -> Ints:
    """pgRouting's id of each of our nodes, by their places."""
    found = {(lon, lat): id for id, lon, lat in ask(pgrouting, "SELECT id, ST_X(p), ST_Y(p) FROM pgr.node")}
    ours = free.network.topology.nodes.tolist()
    assert len(found) == len(ours)
    return np.array([found[lon, lat] for lon, lat in ours])


@pytest.fixture(scope="module")
def drawn(free: Graph) -> Ints:
    """Nodes on drivable roads, at random."""
    usable = np.unique(free.arcs.tail)
    return np.random.default_rng(4).choice(usable, 160, replace=False)


def test_costs_from_many_to_many_are_pgroutings(pgrouting: Database, free: Graph, numbers: Ints, drawn: Ints) -> None:
    sources, targets = drawn[:40], drawn[40:]
    ours = costs(free, at_nodes(free, sources), at_nodes(free, targets))
    theirs = _matrix(pgrouting, numbers[sources], numbers[targets])
    assert np.isfinite(ours).mean() > 0.5
    np.testing.assert_allclose(ours, theirs, rtol=1e-8)
    limited = costs(free, at_nodes(free, sources), at_nodes(free, targets), limit=600.0)
    np.testing.assert_allclose(limited, np.where(theirs <= 600.0, theirs, np.inf), rtol=1e-8)


def _matrix(database: Database, sources: Ints, targets: Ints) -> Floats:
    rows = ask(
        database,
        "SELECT start_vid, end_vid, agg_cost FROM pgr_dijkstraCost(:edges, (:a)::bigint[], (:b)::bigint[])",
        edges=EDGES, a=sources.tolist(), b=targets.tolist(),
    )  # fmt: skip
    found = np.full((len(sources), len(targets)), np.inf)
    row, column = ({int(n): i for i, n in enumerate(of)} for of in (sources, targets))
    for start, end, cost in rows:
        found[row[start], column[end]] = cost
    return found


def test_nearest_units_are_pgroutings_in_order(pgrouting: Database, free: Graph, numbers: Ints, drawn: Ints) -> None:
    units = drawn[60:]
    for incident in drawn[:12]:
        ours = nearest_of(free, at_nodes(free, np.array([incident])), at_nodes(free, units), count=7)
        theirs = np.sort(_matrix(pgrouting, numbers[units], numbers[[incident]])[:, 0])[:7]
        np.testing.assert_allclose([unit.cost for unit in ours], theirs[np.isfinite(theirs)], rtol=1e-8)
        away = nearest_of(free, at_nodes(free, np.array([incident])), at_nodes(free, units), 3, towards=False)
        back = np.sort(_matrix(pgrouting, numbers[[incident]], numbers[units])[0])[:3]
        np.testing.assert_allclose([unit.cost for unit in away], back[np.isfinite(back)], rtol=1e-8)


def test_ways_are_pgroutings_edge_by_edge(pgrouting: Database, free: Graph, numbers: Ints, drawn: Ints) -> None:
    feature = free.network.edges.feature
    pairs, same = 0, 0
    for source, target in zip(drawn[:30], drawn[30:60], strict=True):
        found = cheapest(free, at_nodes(free, np.array([source])), at_nodes(free, np.array([target])))
        rows = ask(
            pgrouting, "SELECT edge, cost FROM pgr_dijkstra(:edges, (:a)::bigint, (:b)::bigint) ORDER BY seq",
            edges=EDGES, a=int(numbers[source]), b=int(numbers[target]),
        )  # fmt: skip
        if found is None:
            assert rows == []
            continue
        pairs += 1
        cost, pieces = found
        assert cost == pytest.approx(sum(row[1] for row in rows), rel=1e-8)
        same += [int(feature[piece.edge]) for piece in pieces] == [row[0] for row in rows[:-1]]
    assert pairs > 15
    assert same >= pairs - 1  # of two equally cheap ways either may be given


def test_places_within_edges_cost_what_pgrouting_says(pgrouting: Database, free: Graph) -> None:
    """pgr_withPointsCost: points on edges by fraction, here at random."""
    random = np.random.default_rng(8)
    edge = random.choice(free.open_edges[free.network.length[free.open_edges] > 1], 40, replace=False)
    edge[1] = edge[0]  # two on one edge, in both orders
    edge[21] = edge[20]
    fraction = random.uniform(0.1, 0.9, len(edge))
    length = free.network.length[edge]
    lonlat = free.network.edges.lonlat[free.network.edges.first[edge]]
    places = Places(edge, fraction * length, np.full(len(edge), -1), lonlat, np.zeros(len(edge)))
    values = ", ".join(
        f"({i + 1}, {free.network.edges.feature[e]}, {f!r}::float8)"
        for i, (e, f) in enumerate(zip(edge, fraction.tolist(), strict=True))
    )
    rows = ask(
        pgrouting,
        "SELECT start_pid, end_pid, agg_cost FROM pgr_withPointsCost(:edges, :points,"
        " ARRAY(SELECT -generate_series(1, 40))::bigint[], ARRAY(SELECT -generate_series(1, 40))::bigint[],"
        " directed => true, driving_side => 'b')",
        edges=EDGES, points=f"SELECT * FROM (VALUES {values}) AS p (pid, edge_id, fraction)",
    )  # fmt: skip
    theirs = np.full((40, 40), np.inf)
    np.fill_diagonal(theirs, 0.0)
    for start, end, cost in rows:
        theirs[-start - 1, -end - 1] = cost
    ours = costs(free, places, places)
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-9)
    for i, j in ((0, 1), (1, 0), (20, 21), (21, 20), (3, 30)):
        found = cheapest(free, places.only(i), places.only(j))
        assert (found[0] if found else np.inf) == pytest.approx(theirs[i, j], rel=1e-8)


@pytest.mark.parametrize("limit", [60.0, 400.0])
def test_service_area_has_the_roads_of_driving_distance(
    pgrouting: Database, free: Graph, numbers: Ints, drawn: Ints, limit: float
) -> None:
    """From pgRouting's costs of nodes: of each road the part that its ends leave within the limit."""
    for node in drawn[:5]:
        reached = ask(
            pgrouting,
            "WITH near AS (SELECT node, agg_cost FROM pgr_drivingDistance(:edges, (:node)::bigint, :limit)),"
            " part AS (SELECT e.length, least(1, coalesce((:limit - a.agg_cost) / nullif(greatest(e.cost, 0), 0), 0)) AS low,"
            " least(1, coalesce((:limit - b.agg_cost) / nullif(greatest(e.reverse_cost, 0), 0), 0)) AS high"
            " FROM pgr.edge e LEFT JOIN near a ON a.node = e.source LEFT JOIN near b ON b.node = e.target)"
            " SELECT sum(length * least(1, low + high)) FROM part",
            edges=EDGES, node=int(numbers[node]), limit=limit,
        )[0][0]  # fmt: skip
        ours = service_area(free, at_nodes(free, np.array([node])), limit)
        assert ours.length == pytest.approx(reached, rel=1e-7)


def test_components_are_pgroutings(pgrouting: Database, free: Graph, numbers: Ints) -> None:
    used = np.unique(np.concatenate([free.arcs.tail, free.arcs.head]))
    for function, connection in (("pgr_strongComponents", "strong"), ("pgr_connectedComponents", "weak")):
        label = labels(free, connection)  # type: ignore[arg-type]
        ours = {int(numbers[node]): int(label[node]) for node in used}
        theirs = dict(
            ask(
                pgrouting,
                f"SELECT node, component FROM {function}(:edges)",
                edges=EDGES + " WHERE cost > 0 OR reverse_cost > 0",
            )
        )
        assert ours.keys() == theirs.keys()
        pairs = {(ours[node], theirs[node]) for node in ours}
        assert len(pairs) == len(set(ours.values())) == len(set(theirs.values()))
    report = connectivity(free)
    assert report.strong[0].nodes == np.bincount(labels(free, "strong")).max()
    assert len(report.weak) <= len(report.strong)
    assert sum(part.edges for part in connectivity(free, at_most=10**6).weak) == len(free.open_edges)
