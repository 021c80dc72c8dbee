"""Traces by hand, against networkx on a real network, and bursts against wntr's segments."""

import random
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from wntr.metrics.topographic import valve_segments

from layers.pipes.network import DIRECTIONS, PipeNetwork
from layers.pipes.trace import Start, burst, trace
from tests.layers.pipes.drawn import network, node, pipe


def ids(found: Any, net: PipeNetwork) -> set[int]:
    return set(net.pipes.feature[found].tolist())


def sewer(*spots: tuple[float, float], **values: Any) -> dict[str, Any]:
    return pipe(*spots, **{"kind": "WS", **values})


def test_direction_comes_from_survey_then_inverts_then_drawing() -> None:
    net = network(
        sewer((0, 0), (1, 0), start_invert=10.0, end_invert=9.0),
        sewer((2, 0), (1, 0), start_invert=8.0, end_invert=9.0),
        sewer((2, 0), (3, 0), start_invert=8.0, end_invert=8.0004),
        sewer((2, 0), (3, 1), start_invert=8.0, end_invert=9.0, flow=1),
        pipe((0, 0), (0, 1)),
        pipe((0, 0), (0, 2), flow=-1),
        sewer((2, 0), (5, 5), from_node="a", to_node="b"),
        node("a", (2, 0), kind="WS", bottom=3.0),
        node("b", (5, 5), kind="WS", bottom=4.0),
    )
    direction, by = net.directed
    assert direction.tolist() == [1, -1, 1, 1, 0, -1, -1]
    assert [DIRECTIONS[i] for i in by] == ["inverts", "inverts", "drawn", "flow", "none", "flow", "inverts"]


def test_upstream_and_downstream_of_a_place_on_a_drain() -> None:
    """Two branches meet and run on to an outfall; a level pipe and a main of water cross without joining."""
    net = network(
        sewer((0, 0), (2, 0), start_invert=10, end_invert=9),
        sewer((2, 2), (2, 0), start_invert=11, end_invert=9),
        sewer((2, 0), (4, 0), start_invert=9, end_invert=8),
        sewer((4, 0), (6, 0), start_invert=8, end_invert=7),
        sewer((4, 4), (4, 0), start_invert=9, end_invert=8),
        pipe((2, 0), (2, -2)),
    )
    start = Start(pipe=2, along=float(net.length[2]) / 4)
    assert ids(trace(net, start, "upstream").pipes, net) == {1, 2, 3}
    down = trace(net, start, "downstream")
    assert ids(down.pipes, net) == {3, 4}
    assert down.distance.tolist() == pytest.approx([0, net.length[2] * 0.75], abs=1e-6)
    assert ids(trace(net, start, "connected").pipes, net) == {1, 2, 3, 4, 5}


def test_ends_join_by_number_or_by_place_and_kind() -> None:
    near = (1 + 0.03 / 95.6, 0)  # 3 cm
    net = network(
        pipe((0, 0), (1, 0)),
        pipe(near, (2, 0)),
        pipe((1.01, 0), (1, 5)),  # a metre away
        pipe((2.2, 0), (3, 0), from_node="n"),  # far, but of the same number
        pipe((2, 0), (2, 3), from_node="n"),
        pipe((2, 0), (2, -3), kind="TR"),
        node("n", (2, 0)),
    )
    assert ids(trace(net, Start(pipe=0), "connected").pipes, net) == {1, 2, 4, 5}
    assert ids(trace(net, Start(pipe=5), "connected").pipes, net) == {6}


def test_closed_valves_stop_a_trace_and_abandoned_pipes_carry_nothing() -> None:
    rows = [
        pipe((0, 0), (1, 0), to_node="v"),
        pipe((1, 0), (2, 0), from_node="v"),
        pipe((2, 0), (3, 0), status="abandoned"),
        pipe((3, 0), (4, 0)),
    ]
    shut = network(*rows, node("v", (1, 0), fitting="valve", closed=True))
    assert ids(trace(shut, Start(pipe=0), "connected").pipes, shut) == {1}
    assert ids(trace(shut, Start(pipe=0), "connected", through_closed=True).pipes, shut) == {1, 2}
    valve = int(np.flatnonzero(shut.shut)[0])
    assert ids(trace(shut, Start(node=valve), "connected").pipes, shut) == {1, 2}
    opened = network(*rows, node("v", (1, 0), fitting="valve", closed=False))
    assert ids(trace(opened, Start(pipe=0), "connected").pipes, opened) == {1, 2}


def street(*, second_works: bool = False) -> PipeNetwork:
    """works — v1 — house — v2 — house — v3 — house (— works)."""
    names = ["works", "v1", "h1", "v2", "h2", "v3", "h3"]
    fittings = {"works": "source", "h3": "source" if second_works else None}
    rows: list[dict[str, Any]] = [
        node(n, (i, 0), fitting="valve" if n[0] == "v" else fittings.get(n), customers=10 if n[0] == "h" else 0)
        for i, n in enumerate(names)
    ]
    rows += [
        pipe((i, 0), (i + 1, 0), from_node=a, to_node=b) for i, (a, b) in enumerate(zip(names, names[1:], strict=False))
    ]
    return network(*rows)


def named(net: PipeNetwork, nodes: Any) -> set[str]:
    return {str(net.topology.name[n]) for n in nodes}


def test_burst_needs_the_valve_towards_the_works_and_cuts_off_what_lies_behind() -> None:
    net = street()
    none = np.zeros(len(net.topology.record), bool)
    found = burst(net, 2, none)  # between h1 and v2
    assert ids(found.pipes, net) == {2, 3}
    assert named(net, found.valves) == {"v1", "v2"}
    assert named(net, found.valves[found.needed]) == {"v1"}
    assert named(net, found.cut_off) >= {"h1", "h2", "h3"} and "works" not in named(net, found.cut_off)
    both = street(second_works=True)
    found = burst(both, 2, none)
    assert named(both, found.valves[found.needed]) == {"v1", "v2"}
    assert named(both, found.cut_off) & {"h1", "h2", "h3"} == {"h1"}


def test_burst_goes_on_to_the_next_valve_where_one_is_broken() -> None:
    net = street()
    broken = np.array([name == "v1" for name in net.topology.name])
    found = burst(net, 2, broken)
    assert named(net, found.valves[found.needed]) == set()  # nothing is left between the burst and the works
    assert {"v2"} == named(net, found.valves)
    assert "works" in named(net, found.cut_off) or "h1" in named(net, found.cut_off)


def graph_of(net: PipeNetwork) -> nx.MultiGraph:
    """The network as networkx's, by the numbers of nodes that its pipes name alone."""
    graph = nx.MultiGraph()
    for row, (a, b) in enumerate(zip(net.pipes["from_node"], net.pipes["to_node"], strict=True)):
        graph.add_edge(a, b, key=row)
    return graph


def test_connected_through_open_valves_is_networkx_component(ky4: PipeNetwork) -> None:
    graph = graph_of(ky4)
    closed = {name for name, shut in zip(ky4.nodes["source_id"], ky4.nodes["closed"], strict=True) if shut}
    reachable = graph.copy()
    draw = random.Random(3)
    for row in draw.sample(range(len(ky4.pipes)), 25):
        found = set(trace(ky4, Start(pipe=row), "connected").pipes.tolist())
        ends = [n for n in (ky4.pipes["from_node"][row], ky4.pipes["to_node"][row]) if n not in closed]
        inner = nx.Graph(reachable.subgraph(set(graph) - closed))
        nodes = set().union(*(nx.node_connected_component(inner, end) for end in ends)) if ends else set()
        assert found == {key for a, b, key in graph.edges(keys=True) if a in nodes or b in nodes} | {row}


@pytest.mark.parametrize("seed", [1, 2])
def test_burst_on_a_real_network_is_wntrs_segment_and_what_networkx_cannot_reach(ky4: PipeNetwork, seed: int) -> None:
    """Valves at random ends of pipes: wntr takes (node, pipe) pairs, we a node in the pipe close to that end."""
    draw = random.Random(seed)
    graph = nx.MultiGraph()
    rows: list[dict[str, Any]] = []
    valves: list[tuple[str, str]] = []
    fittings = dict(zip(ky4.nodes["source_id"], ky4.nodes["fitting"], strict=True))
    for name, fitting in fittings.items():
        rows.append(node(str(name), (0, 0), fitting="joint" if fitting == "valve" else fitting))
    for i, (a, b) in enumerate(zip(ky4.pipes["from_node"], ky4.pipes["to_node"], strict=True)):
        link = f"p{i}"
        graph.add_edge(a, b, key=link)
        chain = [a]
        for end in (a, b):
            if draw.random() < 0.25:
                valves.append((end, link))
                chain.append(f"{end}|{link}")
                rows.append(node(f"{end}|{link}", (0, 0), fitting="valve"))
        chain.append(b)
        rows += [
            pipe((0, 0), (1, 1), from_node=x, to_node=y, source_id=f"{link}#{k}#{len(chain) - 2}")
            for k, (x, y) in enumerate(zip(chain, chain[1:], strict=False))
        ]
    net = network(*rows)
    node_segments, link_segments, _ = valve_segments(
        nx.MultiDiGraph(graph), pd.DataFrame(valves, columns=["node", "link"])
    )
    sources = [n for n, f in fittings.items() if f in ("source", "tank")]
    of = np.array(net.pipes["source_id"])
    for link in draw.sample(sorted({k for _, _, k in graph.edges(keys=True)}), 8):
        pieces = np.flatnonzero([name.partition("#")[0] == link for name in of])
        middle = _middle(net, pieces, link, valves)
        found = burst(net, middle, np.zeros(len(net.topology.record), bool))
        expected = link_segments[link]
        inside = {name for name in named(net, _ends(net, found.pipes)) if "|" not in name}
        assert inside == set(node_segments[node_segments == expected].index)
        _same_as_networkx(graph, valves, sources, inside, net, found)


def _middle(net: PipeNetwork, pieces: Any, link: str, valves: list[tuple[str, str]]) -> int:
    """The piece that wntr calls the link: between its valves."""
    first = net.pipes["from_node"][pieces[0]]
    return int(pieces[1] if (first, link) in valves else pieces[0])


def _ends(net: PipeNetwork, pipes: Any) -> set[int]:
    return {*net.topology.tail[pipes].tolist(), *net.topology.head[pipes].tolist()}


def _same_as_networkx(
    graph: nx.MultiGraph,
    valves: list[tuple[str, str]],
    sources: list[str],
    inside: set[str],
    net: PipeNetwork,
    found: Any,
) -> None:
    """Valves at the edge closed, nodes that no source reaches; a valve is needed where one comes to its far side."""
    after = graph.copy()
    edge = {tuple(name.split("|", 1)) for name in named(net, found.valves)}
    after.remove_edges_from([(a, b, k) for a, b, k in graph.edges(keys=True) if (a, k) in edge or (b, k) in edge])
    after.remove_nodes_from(inside)
    wet = set().union(*(nx.node_connected_component(after, s) for s in sources if s in after), set())
    cut = {name for name in named(net, found.cut_off) if "|" not in name}
    was = set().union(*(nx.node_connected_component(graph, s) for s in sources))
    assert cut == was - wet
    needed = {tuple(name.split("|", 1)) for name in named(net, found.valves[found.needed])}
    ends = {key: (a, b) for a, b, key in graph.edges(keys=True)}
    for at, link in edge:
        a, b = ends[link]
        far = (b if at == a else a) if at in inside else at
        assert ((at, link) in needed) == (far in wet)
