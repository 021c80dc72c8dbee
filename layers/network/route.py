"""A way through points in order: its line, its length and time, and what to do at each turn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layers.catalogue import Text
from layers.network.edges import ELLIPSOID, Floats
from layers.network.errors import NoRoute
from layers.network.graph import Graph
from layers.network.position import Places
from layers.network.search import cheapest
from layers.network.stretches import Piece, coordinates, place_at
from layers.network.turn_words import Turn, arrive, depart, onto, road_name, turn_of

#: The direction of a road at a junction is that of its next metres, not of a short kink [m].
_LOOK = 15.0
#: A bend of the same road is told as a turn from here on, where there is a choice [°].
_BEND = 45.0


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, at ``lon``, ``lat`` [°], and how far and long the road is then followed [m, s]."""

    turn: Turn
    instruction: Text
    road: Text | None
    length: float
    seconds: float
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Leg:
    """The way from one point to the next [m, s]; ``line`` (k, 2) [°]."""

    length: float
    seconds: float
    line: Floats
    steps: tuple[Step, ...]


def route(graph: Graph, places: Places) -> list[Leg]:
    """The cheapest way through the places in order, leg by leg; a vehicle may turn round at each of them.

    Raises :class:`NoRoute`, naming the two points that no road joins.
    """
    legs = []
    for number in range(len(places) - 1):
        found = cheapest(graph, places.only(number), places.only(number + 1))
        if found is None:
            raise NoRoute(
                f"input 'points': no road leads from number {number + 1} to number {number + 2}; "
                "one of them lies on roads that are not connected with the others, or behind one-way streets"
            )
        via = number + 1 if number + 2 < len(places) else None
        legs.append(_leg(graph, found[1], places.only(number), via))
    return legs


def _leg(graph: Graph, pieces: Sequence[Piece], source: Places, via: int | None) -> Leg:
    edges = graph.network.edges
    used = [piece for piece in pieces if piece.length > 0]
    line = np.vstack([source.lonlat, *(coordinates(edges, piece) for piece in used)])
    moved = np.ones(len(line), dtype=bool)
    moved[1:] = (line[1:] != line[:-1]).any(axis=1)
    line = line[moved] if moved.sum() > 1 else np.vstack([source.lonlat, source.lonlat])
    length = sum(piece.length for piece in used)
    seconds = sum(_seconds(graph, piece) for piece in used)
    end = Step("arrive", arrive(via), None, 0.0, 0.0, float(line[-1, 0]), float(line[-1, 1]))
    return Leg(length, seconds, line, (*_steps(graph, used), end))


def _steps(graph: Graph, pieces: Sequence[Piece]) -> list[Step]:
    """Stretches of road between the places where something is to be done."""
    begun: list[tuple[Turn, Text, int]] = []
    for number, piece in enumerate(pieces):
        road = _road(graph, piece)
        if number == 0:
            begun.append(("depart", depart(_azimuth(graph, piece, at_end=False), road), 0))
            continue
        before = pieces[number - 1]
        angle = (_azimuth(graph, piece, at_end=False) - _azimuth(graph, before, at_end=True) + 180) % 360 - 180
        same = road == _road(graph, before)
        if not same or (abs(angle) >= _BEND and _has_choice(graph, before)):
            turn = turn_of(angle)
            begun.append((turn, onto(turn, road, same=same), number))
    ends = [*(number for _, _, number in begun[1:]), len(pieces)][: len(begun)]
    return [_step(graph, turn, words, pieces[first:end]) for (turn, words, first), end in zip(begun, ends, strict=True)]


def _step(graph: Graph, turn: Turn, instruction: Text, pieces: Sequence[Piece]) -> Step:
    lon, lat = place_at(graph.network.edges, pieces[0].edge, pieces[0].start)
    length = sum(piece.length for piece in pieces)
    seconds = sum(_seconds(graph, piece) for piece in pieces)
    return Step(turn, instruction, _road(graph, pieces[0]), length, seconds, float(lon), float(lat))


def _road(graph: Graph, piece: Piece) -> Text | None:
    edges, edge = graph.network.edges, piece.edge
    return road_name(edges.name[edge], edges.name_en[edge], edges.road_class[edge])


def _seconds(graph: Graph, piece: Piece) -> float:
    return piece.length / float(graph.speed[piece.edge])


def _azimuth(graph: Graph, piece: Piece, *, at_end: bool) -> float:
    """The direction of travel at one end of a piece [°] from north by east."""
    look = np.copysign(min(_LOOK, piece.length), piece.end - piece.start)
    first, second = (piece.end - look, piece.end) if at_end else (piece.start, piece.start + look)
    a, b = (place_at(graph.network.edges, piece.edge, distance) for distance in (first, second))
    return float(ELLIPSOID.inv(*a, *b)[0])


def _has_choice(graph: Graph, piece: Piece) -> bool:
    """Whether more than two roads meet where a piece ends."""
    topology = graph.network.topology
    node = (topology.head if piece.end > piece.start else topology.tail)[piece.edge]
    return int((topology.tail == node).sum() + (topology.head == node).sum()) > 2
