"""What a track has swept: the ground within half a width of it, and what of an area or of roads that leaves out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

type Floats = NDArray[np.float64]
type Objects = NDArray[np.object_]

#: Fixes of one buffer: many short ones join faster than one that crosses itself over and over.
_PIECE = 32
#: Sides of a quarter circle at the ends of what was swept: it is 0.1 % too small at most.
_QUARTER = 16


@dataclass(frozen=True, slots=True)
class Swept:
    """Of one feature: its whole measure [m² or m], what of it was swept, and the ``missed`` rest."""

    whole: float
    swept: float
    missed: Any


def ground(lines: Iterable[Floats], width: float, within: Any) -> Any:
    """The ground that was swept along these lines (k, 2), as one area; ``width`` [m] from edge to edge.

    Only what may meet the bounds of the shape ``within`` is looked at.
    """
    west, south, east, north = shapely.bounds(within) + np.array([-1, -1, 1, 1]) * (width / 2)
    near = [
        piece
        for line in lines
        for piece in _pieces(line)
        if piece[:, 0].max() >= west and piece[:, 0].min() <= east and piece[:, 1].max() >= south
        and piece[:, 1].min() <= north
    ]  # fmt: skip
    shapes = np.empty(len(near), object)
    for n, piece in enumerate(near):
        shapes[n] = shapely.linestrings(piece) if len(piece) > 1 else shapely.points(piece[0])
    return shapely.union_all(shapely.buffer(shapes, width / 2, quad_segs=_QUARTER))


def swept(features: Objects, ground: Any) -> list[Swept]:
    """What of each area or line lies on the ground that was swept; all on one plane [m]."""
    shapely.prepare(ground)
    found = []
    for shape in features:
        part = shapely.intersection(shape, ground)
        missed = shapely.difference(shape, ground)
        found.append(Swept(_measure(shape), _measure(part), missed))
    return found


def missed_parts(found: Sequence[Swept], least: float) -> list[tuple[int, Any]]:
    """The pieces that were left out, each with the number of its feature, longest or largest first.

    Pieces below ``least`` [m] long, or ``least``² [m²] large, are left out.
    """
    parts = [(n, part) for n, one in enumerate(found) for part in shapely.get_parts(one.missed)]
    told = [(n, part) for n, part in parts if _measure(part) >= (least if _is_line(part) else least * least)]
    return sorted(told, key=lambda each: -_measure(each[1]))


def _pieces(line: Floats) -> Iterable[Floats]:
    for at in range(0, max(len(line) - 1, 1), _PIECE):
        yield line[at : at + _PIECE + 1]


def _measure(shape: Any) -> float:
    return float(shape.length if _is_line(shape) else shape.area)


def _is_line(shape: Any) -> bool:
    return shape.geom_type in ("LineString", "MultiLineString", "LinearRing")
