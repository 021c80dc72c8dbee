"""Ways along the roads from each candidate of a fix to each of the next."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.network.graph import Network
from layers.network.modes import ModeId
from tracking.analysis.matching.candidates import Candidates
from tracking.analysis.matching.short_ways import NEAR, ShortWays, near_ways

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]
type Flags = NDArray[np.bool_]

#: A way may be so much longer than the straight line [m], and no longer than this in all.
DETOUR, FARTHEST = 300.0, 10_000.0


@dataclass(frozen=True, slots=True)
class Ways:
    """From candidate ``tail`` to ``head``: ``metres`` [m], infinite where there is no way; leaving the edge by state
    ``leaves``, along its vertices or not (``ahead``), and coming to the next by ``enters``, along its or not
    (``onward``); both states are -1 on one edge. ``far``: beyond the ways that are kept. Each (w,)."""

    tail: Ints
    head: Ints
    metres: Floats
    leaves: Ints
    enters: Ints
    ahead: Flags
    onward: Flags
    far: Flags


class Roads:
    """A graph by length as the model asks it: the ends of its edges, and the ways between those near each other and,
    for one track, between those further apart."""

    def __init__(self, network: Network, mode: ModeId) -> None:
        self.graph = network.graph(mode, "length")
        self.ends, self.near = near_ways(network, mode)
        self.far: ShortWays | None = None
        self.length = network.length


def pairs(found: Candidates, first: Ints, second: Ints) -> tuple[Ints, Ints]:
    """Every candidate of fix ``first[i]`` with every one of fix ``second[i]``."""
    few, many = np.diff(found.start)[first], np.diff(found.start)[second]
    tail_step = np.repeat(np.arange(len(first)), few)
    tails = np.arange(len(tail_step)) - np.repeat(np.cumsum(few) - few, few) + found.start[first][tail_step]
    width = many[tail_step]
    step = np.repeat(tail_step, width)
    heads = np.arange(len(step)) - np.repeat(np.cumsum(width) - width, width) + found.start[second][step]
    return np.repeat(tails, width), heads


def ways(roads: Roads, found: Candidates, tail: Ints, head: Ints, straight: Floats, jitter: float) -> Ways:
    """The shortest ways of these pairs. ``straight`` (w,) [m] is the distance of their fixes.

    On one edge a fix may fall back by ``jitter`` [m] although the street is one-way.
    """
    most = np.minimum(straight + DETOUR, FARTHEST)
    found_ways = Ways(tail, head, _along_one_edge(roads, found, tail, head, jitter), *_unset(len(tail)))
    exit_edge, entry_edge = found.edge[tail], found.edge[head]
    for leave, ahead in roads.ends.exits:
        out = np.where(ahead, roads.length[exit_edge] - found.along[tail], found.along[tail])
        for enter, onward in roads.ends.entries:
            into = np.where(onward[entry_edge], found.along[head], roads.length[entry_edge] - found.along[head])
            s, t = leave[exit_edge], enter[entry_edge]
            rows = np.flatnonzero((s >= 0) & (t >= 0) & (out + into < np.minimum(most, found_ways.metres)))
            between, far = _between(roads, s[rows], t[rows], straight[rows], most[rows])
            total = out[rows] + between + into[rows]
            better = (total < found_ways.metres[rows]) & (total <= most[rows])
            chosen = rows[better]
            found_ways.metres[chosen], found_ways.far[chosen] = total[better], far[better]
            found_ways.leaves[chosen], found_ways.enters[chosen] = s[chosen], t[chosen]
            found_ways.ahead[chosen], found_ways.onward[chosen] = ahead, onward[entry_edge[chosen]]
    return found_ways


def _unset(count: int) -> tuple[Ints, Ints, Flags, Flags, Flags]:
    nowhere, no = np.full(count, -1), np.zeros(count, bool)
    return nowhere, nowhere.copy(), no, no.copy(), no.copy()


def _along_one_edge(roads: Roads, found: Candidates, tail: Ints, head: Ints, jitter: float) -> Floats:
    move = found.along[head] - found.along[tail]
    edge = found.edge[tail]
    ahead, back = (states >= 0 for states, _ in roads.ends.exits)
    allowed = np.where(move >= 0, ahead[edge], back[edge]) | (np.abs(move) <= jitter)
    return np.where((edge == found.edge[head]) & allowed, np.abs(move), np.inf)


def _between(roads: Roads, s: Ints, t: Ints, straight: Floats, most: Floats) -> tuple[Floats, Flags]:
    """Length of the way between states, and whether it is one of those that are not kept."""
    metres = np.where(s == t, 0.0, np.inf)
    far = (straight + DETOUR > NEAR * 1.5) & (s != t)
    near = np.flatnonzero((s != t) & ~far)
    metres[near] = roads.near.costs(s[near], t[near])
    rows = np.flatnonzero(far)
    if len(rows):
        if roads.far is None or roads.far.limit < most[rows].max():
            roads.far = ShortWays(roads.graph, float(most[rows].max()))
        metres[rows] = roads.far.costs(s[rows], t[rows])
    return metres, far
