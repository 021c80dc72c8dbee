"""What is told of a matched track: lines, roads, fixes, sections."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.catalogue import Text
from layers.network.edges import Edges
from layers.network.stretches import Piece, coordinates
from tracking.analysis.answers import DECIMALS, Line, feature, instant, line
from tracking.analysis.matching.model import Matched
from tracking.analysis.speeds import Speeds

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]


def way_lines(edges: Edges, found: Matched) -> Iterator[Line]:
    """A line for each chain."""
    parts: list[Floats] = []
    previous = -1
    for piece, since, to in _joined(found):
        if parts and since > previous:
            yield line(np.vstack(parts))
            parts = []
        parts.append(coordinates(edges, piece))
        previous = to
    if parts:
        yield line(np.vstack(parts))


def driven_roads(
    edges: Edges, found: Matched, time: Floats
) -> Iterator[tuple[int, Text | None, datetime, datetime, float]]:
    """Feature id, name, when it was entered and left, and length [m] of each road in order."""
    for piece, since, to in _joined(found):
        if piece.length:
            yield (
                int(edges.feature[piece.edge]), _name(edges, piece.edge), instant(time[since]), instant(time[to]),
                round(piece.length, 2),
            )  # fmt: skip


def matched_fixes(
    edges: Edges, found: Matched, time: Floats
) -> Iterator[tuple[datetime, int | None, float | None, float | None, float | None]]:
    """Time, feature id of the road, longitude and latitude [°] on it, and distance [m] of each fix."""
    places = found.lonlat.round(DECIMALS).tolist()
    for at, edge, (lon, lat), distance in zip(time, found.edge.tolist(), places, found.distance, strict=True):
        if edge < 0:
            yield instant(at), None, None, None, None
        else:
            yield instant(at), int(edges.feature[edge]), lon, lat, round(float(distance), 2)


def section_features(edges: Edges, speeds: Speeds, least: int) -> list[dict[str, Any]]:
    """Sections with ``least`` passes as GeoJSON; a line is drawn in the direction that its speeds are of."""
    told = []
    for n in np.flatnonzero(speeds.passes >= least).tolist():
        edge, length = int(speeds.edge[n]), float(edges.length[speeds.edge[n]])
        piece = Piece(edge, 0.0, length) if speeds.ahead[n] else Piece(edge, length, 0.0)
        drawn = line(coordinates(edges, piece))
        limit = float(edges.maxspeed[edge])
        told.append(
            feature(
                {"type": "LineString", "coordinates": drawn.coordinates},
                road=int(edges.feature[edge]), name=edges.name[edge], ahead=bool(speeds.ahead[n]),
                length=round(length, 2), passes=int(speeds.passes[n]), mean=round(float(speeds.mean[n]), 2),
                median=round(float(speeds.median[n]), 2), p15=round(float(speeds.p15[n]), 2),
                p85=round(float(speeds.p85[n]), 2), limit=None if np.isnan(limit) else limit,
            )
        )  # fmt: skip
    return told


def _joined(found: Matched) -> Iterator[tuple[Piece, int, int]]:
    """Pieces of one edge in one direction after each other as one, with the fixes before and after."""
    edge, start, end = found.piece_edge.tolist(), found.piece_start.tolist(), found.piece_end.tolist()
    since, to = found.piece_from.tolist(), found.piece_fix.tolist()
    at = 0
    while at < len(edge):
        last = at
        while last + 1 < len(edge) and _goes_on(edge, start, end, since, to, at, last + 1):
            last += 1
        yield Piece(edge[at], start[at], end[last]), since[at], to[last]
        at = last + 1


def _goes_on(
    edge: list[int], start: list[float], end: list[float], since: list[int], to: list[int], first: int, at: int
) -> bool:
    """Whether piece ``at`` goes on where the one before it ended, the same way as since piece ``first``."""
    if edge[at] != edge[first] or since[at] > to[at - 1] or abs(start[at] - end[at - 1]) > 1e-6:
        return False
    turn = (end[at] - start[at]) * (end[at - 1] - start[first])
    return turn >= 0


def _name(edges: Edges, edge: int) -> Text | None:
    zh, en = edges.name[edge], edges.name_en[edge]
    return Text(zh or en, en or zh) if zh or en else None
