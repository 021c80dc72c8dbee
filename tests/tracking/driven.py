"""Drives along a network whose truth is known: where on which road the vehicle was at each fix."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.network.graph import Network
from layers.network.position import at_nodes
from layers.network.search import cheapest
from layers.network.stretches import Piece, place_at

type Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Drive:
    """Fixes as a receiver tells them, and the truth: the edge of each, the pieces of the way, and true places."""

    time: Floats
    lon: Floats
    lat: Floats
    edge: NDArray[np.int64]
    pieces: list[Piece]
    true: Floats


def drive(network: Network, seed: int, *, fixes: int, every: float, noise: float, speed: float = 10.0) -> Drive:
    """A vehicle at a speed [m/s] along shortest ways between random junctions, seen every so many seconds with a noise [m]."""
    chance = np.random.default_rng(seed)
    pieces = _way(network, chance, fixes * every * speed)
    ends = np.cumsum([piece.length for piece in pieces])
    driven = np.arange(fixes) * every * speed
    number = np.minimum(np.searchsorted(ends, driven, side="right"), len(pieces) - 1)
    places, edges = [], []
    for n, metres in zip(number.tolist(), driven.tolist(), strict=True):
        piece = pieces[n]
        left = min(metres - (ends[n] - piece.length), piece.length)
        places.append(place_at(network.edges, piece.edge, piece.start + left * np.sign(piece.end - piece.start)))
        edges.append(piece.edge)
    true = np.array(places)
    off = chance.normal(0, noise, (fixes, 2)) / 111_195.0
    lat = true[:, 1] + off[:, 1]
    lon = true[:, 0] + off[:, 0] / np.cos(np.radians(true[:, 1]))
    time = 1.8e9 + np.arange(fixes) * every
    return Drive(time, lon, lat, np.array(edges), pieces[: number[-1] + 1], true)


def _way(network: Network, chance: np.random.Generator, metres: float) -> list[Piece]:
    graph = network.graph("drive", "length")
    usable = np.unique(graph.arcs.tail[graph.arcs.tail < len(network.topology.nodes)])
    pieces: list[Piece] = []
    here, driven = int(chance.choice(usable)), 0.0
    while driven < metres:
        near = usable[np.hypot(*(network.topology.nodes[usable] - network.topology.nodes[here]).T) < 0.02]
        there = int(chance.choice(near))
        found = cheapest(graph, at_nodes(graph, np.array([here])), at_nodes(graph, np.array([there])))
        if found is None or not found[1]:
            here = int(chance.choice(usable)) if not pieces else here
            continue
        pieces += found[1]
        driven, here = driven + found[0], there
    return pieces
