"""Stretches of edges as coordinates."""

from dataclasses import dataclass

import numpy as np

from layers.network.edges import Edges, Floats


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of an edge, from one distance along it to another [m]; backwards when the second is less."""

    edge: int
    start: float
    end: float

    @property
    def length(self) -> float:
        """How long it is [m]."""
        return abs(self.end - self.start)


def coordinates(edges: Edges, piece: Piece) -> Floats:
    """Its vertices in the direction of travel, (k, 2) [°]."""
    own = slice(int(edges.start[piece.edge]), int(edges.start[piece.edge + 1]))
    along = edges.along[own]
    low, high = sorted((piece.start, piece.end))
    inner = edges.lonlat[own][(along > low) & (along < high)]
    line = np.vstack([place_at(edges, piece.edge, low), inner, place_at(edges, piece.edge, high)])
    return line if piece.start <= piece.end else line[::-1]


def place_at(edges: Edges, edge: int, distance: float) -> Floats:
    """Where a distance [m] along an edge is, (2,) [°]."""
    own = slice(int(edges.start[edge]), int(edges.start[edge + 1]))
    along, lonlat = edges.along[own], edges.lonlat[own]
    return np.array([np.interp(distance, along, lonlat[:, 0]), np.interp(distance, along, lonlat[:, 1])])
