"""Turn restrictions, and the few nodes that they split.

A network of nodes cannot say "from this road not into that one". So where a restricted edge ends, it ends in a copy of
the node that has only the permitted ways on; all other edges keep the node. Everything else stays as small as it was.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layers.network.edges import Edges, Flags, Ints
from layers.network.topology import Topology


@dataclass(frozen=True, slots=True)
class Restriction:
    """Who comes by the road ``came`` to the junction at ``lon``, ``lat`` [°] must not take the road ``goes``, or must.

    ``kind`` is OpenStreetMap's: ``no_left_turn``, ``only_straight_on``, …; roads are named by their source ids.
    """

    kind: str
    came: str
    goes: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Arcs:
    """Directed edges between states, sorted by edge: of the N nodes and, numbered on from N, of copies of nodes.

    ``edge``, ``forward`` (along the vertices), ``tail``, ``head``: (A,). ``node``: the node of each state.
    ``first`` (E + 1): arcs of edge i are ``first[i]:first[i + 1]``.
    """

    edge: Ints
    forward: Flags
    tail: Ints
    head: Ints
    node: Ints
    first: Ints

    @property
    def states(self) -> int:
        """How many states there are."""
        return len(self.node)


def arcs_of(topology: Topology, along: Flags, against: Flags, barred: dict[int, set[int]]) -> Arcs:
    """The arcs of edges open ``along`` and ``against`` (E,). ``barred``: see :func:`barred_turns`."""
    a, b = np.flatnonzero(along), np.flatnonzero(against)
    edge = np.concatenate([a, b])
    forward = np.concatenate([np.ones(len(a), bool), np.zeros(len(b), bool)])
    tail = np.concatenate([topology.tail[a], topology.head[b]])
    head = np.concatenate([topology.head[a], topology.tail[b]])
    node = np.arange(len(topology.nodes))
    if barred:
        edge, forward, tail, head, node = _split(edge, forward, tail, head, node, barred)
    order = np.argsort(edge, kind="stable")
    first = np.searchsorted(edge[order], np.arange(len(along) + 1))
    return Arcs(edge[order], forward[order], tail[order], head[order], node, first)


def _split(
    edge: Ints, forward: Flags, tail: Ints, head: Ints, node: Ints, barred: dict[int, set[int]]
) -> tuple[Ints, Flags, Ints, Ints, Ints]:
    """Give the end of each restricted arc a state of its own. Arcs are named as :func:`barred_turns` names them."""
    name = edge * 2 + forward
    number = {int(n): i for i, n in enumerate(name)}
    leaving = defaultdict(list)
    wanted = np.isin(tail, head[[number[n] for n in barred if n in number]])
    for i in np.flatnonzero(wanted):
        leaving[int(tail[i])].append(int(i))
    copies = [(number[came], banned) for came, banned in barred.items() if came in number]
    at = [int(head[came]) for came, _ in copies]
    state = len(node) + np.arange(len(copies))
    more: list[int] = []
    tails: list[int] = []
    for (_, banned), place, own in zip(copies, at, state, strict=True):
        on = [i for i in leaving[place] if int(name[i]) not in banned]
        more += on
        tails += [int(own)] * len(on)
    head = head.copy()
    head[[came for came, _ in copies]] = state
    added = np.array(more, dtype=np.int64)
    return (
        np.concatenate([edge, edge[added]]),
        np.concatenate([forward, forward[added]]),
        np.concatenate([tail, np.array(tails, dtype=np.int64)]),
        np.concatenate([head, head[added]]),
        np.concatenate([node, np.array(at, dtype=np.int64)]),
    )


def barred_turns(
    edges: Edges, topology: Topology, restrictions: Sequence[Restriction]
) -> tuple[dict[int, set[int]], int]:
    """For each restricted arc those that must not follow, and how many restrictions fit no junction of the network.

    An arc's name is twice its edge, plus 1 along the vertices. A road that passes through the junction is on both sides
    of it, which leaves open what is meant: then only a ban of the U-turn is understood.
    """
    barred: dict[int, set[int]] = defaultdict(set)
    unused = 0
    places = np.array([(r.lon, r.lat) for r in restrictions], dtype=np.float64).reshape(-1, 2)
    nodes = topology.node_at(places)
    touching = _touching(topology, nodes)
    for restriction, node in zip(restrictions, nodes, strict=True):
        at = touching.get(int(node), [])
        came = [e for e in at if edges.road[e] == restriction.came]
        goes = [e for e in at if edges.road[e] == restriction.goes]
        turns = _turns(restriction, came, goes, at)
        unused += not turns
        for before, after in turns:
            for arrive in _arrivals(topology, before, int(node)):
                barred[arrive].update(_departures(topology, after, int(node)))
    return dict(barred), unused


def _turns(restriction: Restriction, came: list[int], goes: list[int], at: list[int]) -> list[tuple[int, int]]:
    """Pairs of edges that must not follow each other."""
    if not came or not goes:
        return []
    if restriction.kind == "no_u_turn" and came == goes:
        return [(edge, edge) for edge in came]
    if len(came) > 1 or len(goes) > 1:
        return []
    if restriction.kind.startswith("only_"):
        return [(came[0], edge) for edge in at if edge != goes[0]]
    return [(came[0], goes[0])] if restriction.kind.startswith("no_") else []


def _touching(topology: Topology, nodes: Ints) -> dict[int, list[int]]:
    """The edges at each of these nodes."""
    found: dict[int, list[int]] = defaultdict(list)
    for edge in np.flatnonzero(np.isin(topology.tail, nodes) | np.isin(topology.head, nodes)):
        for node in {int(topology.tail[edge]), int(topology.head[edge])}:
            found[node].append(int(edge))
    return found


def _arrivals(topology: Topology, edge: int, node: int) -> list[int]:
    return [edge * 2 + forward for forward, ends in ((1, topology.head), (0, topology.tail)) if ends[edge] == node]


def _departures(topology: Topology, edge: int, node: int) -> list[int]:
    return [edge * 2 + forward for forward, ends in ((1, topology.tail), (0, topology.head)) if ends[edge] == node]
