"""Turn restrictions, on drawn junctions and on Malta against a plain search from edge to edge."""

import heapq
from collections import defaultdict

import numpy as np
import pytest
from sqlalchemy import Connection, text

from layers.network.graph import Graph, Network
from layers.network.position import at_nodes, snap
from layers.network.search import cheapest, costs
from layers.network.service_area import service_area
from layers.network.turns import Arcs
from tests.layers.network.drawn import lonlat, metres, network, road

#: From the west into a junction; north, east and south of it a way on, joined by a ring in the north-east.
WEST, NORTH, EAST, SOUTH = (-2, 0), (0, 2), (2, 0), (0, -2)
ROADS = (
    road(WEST, (0, 0), source_id="way/1"),
    road((0, 0), NORTH, source_id="way/2"),
    road((0, 0), EAST, source_id="way/3"),
    road((0, 0), SOUTH, source_id="way/4"),
    road(EAST, (2, 2), NORTH, source_id="way/5"),
)


def length(net: Network, start: tuple[float, float], end: tuple[float, float], mode: str = "drive") -> float:
    graph = net.graph(mode, "length")  # type: ignore[arg-type]
    places = snap(graph, [lonlat(*start), lonlat(*end)])
    found = cheapest(graph, places.only(0), places.only(1))
    matrix = costs(graph, places.only(0), places.only(1))[0, 0]
    assert matrix == pytest.approx(found[0] if found else np.inf)
    return float(matrix)


def test_banned_turn_is_driven_round_and_binds_only_who_comes_that_way() -> None:
    free, bound = network(*ROADS), network(*ROADS, turns=[("no_left_turn", "way/1", "way/2", (0, 0))])
    assert length(free, WEST, NORTH) == pytest.approx(metres(WEST, (0, 0), NORTH))
    assert length(bound, WEST, NORTH) == pytest.approx(metres(WEST, (0, 0), EAST, (2, 2), NORTH))
    assert length(bound, SOUTH, NORTH) == pytest.approx(metres(SOUTH, NORTH))
    assert length(bound, NORTH, WEST) == pytest.approx(metres(NORTH, (0, 0), WEST))
    assert length(bound, WEST, NORTH, "walk") == pytest.approx(metres(WEST, (0, 0), NORTH))


def test_banned_turn_holds_for_places_within_the_roads() -> None:
    bound = network(*ROADS, turns=[("no_left_turn", "way/1", "way/2", (0, 0))])
    there_and_back = metres((-1, 0), EAST, (0, 0), (0, 1))
    assert length(bound, (-1, 0), (0, 1)) == pytest.approx(there_and_back, abs=0.01)
    assert length(bound, (0, -1), (0, 1)) == pytest.approx(metres((0, -1), (0, 1)))


def test_mandatory_turn_closes_every_other_way_on() -> None:
    bound = network(*ROADS, turns=[("only_right_turn", "way/1", "way/4", (0, 0))])
    assert length(bound, WEST, SOUTH) == pytest.approx(metres(WEST, (0, 0), SOUTH))
    # South and back is all that is left.
    assert length(bound, WEST, EAST) == pytest.approx(metres(WEST, (0, 0), SOUTH, (0, 0), EAST))


def test_banned_u_turn_closes_the_way_back() -> None:
    """From within the road to the west and back: only behind the junction may one turn round."""
    loop = (*ROADS, road(WEST, (-2, 1), source_id="way/6", oneway=-1))
    bound = network(*loop, turns=[("no_u_turn", "way/1", "way/1", WEST), ("no_u_turn", "way/1", "way/1", (0, 0))])
    graph = bound.graph("drive", "length")
    barred = [state for state in range(len(bound.topology.nodes), graph.arcs.states)]
    assert len(barred) == 2
    assert bound.unused_restrictions == 0


def test_road_that_passes_through_the_junction_leaves_open_what_is_meant() -> None:
    through = (
        road(WEST, (0, 0), source_id="way/1#1"),
        road((0, 0), EAST, source_id="way/1#2"),
        road((0, 0), NORTH, source_id="way/2"),
    )
    bound = network(
        *through, turns=[("no_left_turn", "way/1", "way/2", (0, 0)), ("no_entry", "way/9", "way/2", (0, 0))]
    )
    assert bound.unused_restrictions == 2
    assert length(bound, WEST, NORTH) == pytest.approx(metres(WEST, (0, 0), NORTH))
    back = network(*through, turns=[("no_u_turn", "way/1", "way/1", (0, 0))])
    assert length(back, WEST, EAST) == pytest.approx(metres(WEST, EAST))


def test_service_area_obeys_turn_restrictions_in_both_directions() -> None:
    bound = network(*ROADS, turns=[("no_left_turn", "way/1", "way/2", (0, 0))])
    graph = bound.graph("drive", "length")
    reach = metres(WEST, (0, 0)) + 50
    away = service_area(graph, snap(graph, [lonlat(*WEST)]), reach)
    assert away.length == pytest.approx(metres(WEST, (0, 0)) + 2 * 50)
    towards = service_area(graph, snap(graph, [lonlat(*NORTH)]), metres(NORTH, (0, 0)) + 50, towards=True)
    rest = metres(NORTH, (0, 0)) + 50
    assert towards.length == pytest.approx(metres(NORTH, (0, 0)) + 2 * 50 + rest)


def _from_edge_to_edge(graph: Graph, plain: Arcs, source: int) -> dict[int, float]:
    """Costs of nodes by a search over edges, whose steps are turns: slow, and without any split node."""
    arrive = defaultdict(list)
    for arc in range(len(plain.edge)):
        arrive[int(plain.tail[arc])].append(arc)
    name = plain.edge * 2 + plain.forward
    cost = graph.network.length[plain.edge] / graph.speed[plain.edge]
    best: dict[int, float] = {source: 0.0}
    settled: set[int] = set()
    queue = [(float(cost[arc]), arc) for arc in arrive[source]]
    heapq.heapify(queue)
    while queue:
        so_far, arc = heapq.heappop(queue)
        if arc in settled:
            continue
        settled.add(arc)
        node = int(plain.head[arc])
        best[node] = min(so_far, best.get(node, np.inf))
        banned = graph.network.barred.get(int(name[arc]), ())
        for onward in arrive[node]:
            if onward not in settled and int(name[onward]) not in banned:
                heapq.heappush(queue, (so_far + float(cost[onward]), onward))
    return best


def test_costs_of_malta_are_those_of_a_search_from_edge_to_edge(malta_network: Network) -> None:
    bound, plain = malta_network.graph("drive", "time"), Network(malta_network.edges).graph("drive", "time")
    assert bound.arcs.states - plain.arcs.states > 50
    usable = np.unique(plain.arcs.tail)
    at_restrictions = np.unique(bound.arcs.node[plain.arcs.states :])
    for source in [*np.random.default_rng(2).choice(usable, 3), *at_restrictions[:3]]:
        expected = _from_edge_to_edge(bound, plain.arcs, int(source))
        ours = costs(bound, at_nodes(bound, np.array([source])), at_nodes(bound, usable))[0]
        np.testing.assert_allclose(ours, [expected.get(int(node), np.inf) for node in usable], rtol=1e-9)
    free = costs(plain, at_nodes(plain, at_restrictions), at_nodes(plain, at_restrictions))
    with_bans = costs(bound, at_nodes(bound, at_restrictions), at_nodes(bound, at_restrictions))
    assert (with_bans > free + 1e-6).sum() > 20


def test_most_restrictions_of_malta_fit_its_junctions(malta: Connection, malta_network: Network) -> None:
    total = malta.execute(text("SELECT count(*) FROM city.turn_restrictions")).scalar_one()
    assert total == 183
    assert malta_network.unused_restrictions < total / 10
