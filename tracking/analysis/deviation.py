"""Where a track left its planned route, and what of the route was not driven."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from tracking.analysis.stops import Span

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Departure:
    """Fixes off the route: ``span`` of them, the greatest distance [m], and at which fix."""

    span: Span
    farthest: float
    at: int


def departures(xy: Floats, route: Any, width: float) -> tuple[list[Departure], Floats]:
    """Runs of fixes further than ``width`` [m] from the route, and each fix's distance [m]; all on one plane."""
    if not len(xy):
        return [], np.zeros(0)
    shapely.prepare(route)
    distance = np.asarray(shapely.distance(shapely.points(xy), route), np.float64)
    off = np.concatenate([[False], distance > width, [False]])
    edges = np.flatnonzero(np.diff(off.astype(np.int8))).reshape(-1, 2).tolist()
    found = []
    for first, end in edges:
        at = first + int(distance[first:end].argmax())
        found.append(Departure(Span(first, end - 1), float(distance[at]), at))
    return found, distance
