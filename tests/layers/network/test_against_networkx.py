"""Costs on random streets, with one-way streets, loops and several roads between the same ends, against networkx."""

import networkx as nx
import numpy as np
import pytest

from layers.network.graph import Network
from layers.network.position import at_nodes, snap
from layers.network.search import cheapest, costs, nearest_of
from tests.layers.network.drawn import lonlat, metres, network, road

KMH = {"primary": 50, "residential": 20, "service": 15}


def streets(seed: int) -> tuple[Network, "nx.MultiDiGraph[tuple[int, int]]"]:
    """Forty roads between the spots of a 5 × 5 grid, and the same as a networkx graph by length over speed."""
    random = np.random.default_rng(seed)
    roads, judge = [], nx.MultiDiGraph()
    for _ in range(40):
        a, b = ((int(x), int(y)) for x, y in random.integers(0, 5, (2, 2)))
        bend = tuple(float(n) for n in random.uniform(0, 5, 2))
        kind, oneway = str(random.choice(list(KMH))), int(random.integers(-1, 2))
        roads.append(road(a, bend, b, kind=kind, oneway=oneway))
        cost = metres(a, bend, b) / (KMH[kind] / 3.6)
        if oneway != -1:
            judge.add_edge(a, b, weight=cost)
        if oneway != 1:
            judge.add_edge(b, a, weight=cost)
    return network(*roads), judge


@pytest.mark.parametrize("seed", range(12))
def test_costs_of_random_streets_are_networkxs(seed: int) -> None:
    net, judge = streets(seed)
    graph = net.graph("drive", "time")
    spots = sorted(judge.nodes)
    node = net.topology.node_at(np.array([lonlat(*spot) for spot in spots]))
    places = at_nodes(graph, node)
    expected = np.full((len(spots), len(spots)), np.inf)
    for i, spot in enumerate(spots):
        for other, cost in nx.single_source_dijkstra_path_length(judge, spot).items():
            expected[i, spots.index(other)] = cost
    np.testing.assert_allclose(costs(graph, places, places), expected, rtol=1e-9)
    for i in range(0, len(spots), 5):
        few = slice(0, 3)  # fewer targets than sources: searched from the targets
        np.testing.assert_allclose(costs(graph, places, places.take(few)), expected[:, few], rtol=1e-9)
        ranked = [unit.cost for unit in nearest_of(graph, places.only(i), places, 4)]
        np.testing.assert_allclose(ranked, sorted(c for c in expected[:, i] if c < np.inf)[:4], rtol=1e-9)
        for j in range(0, len(spots), 7):
            found = cheapest(graph, places.only(i), places.only(j))
            assert (found[0] if found else np.inf) == pytest.approx(expected[i, j], rel=1e-9)


def test_searches_of_several_batches_are_one_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    net, judge = streets(3)
    graph = net.graph("drive", "time")
    places = snap(graph, [lonlat(*spot) for spot in sorted(judge.nodes)])
    whole = costs(graph, places, places)
    monkeypatch.setattr("layers.network.search._ROWS", 3)
    np.testing.assert_array_equal(costs(graph, places, places), whole)
