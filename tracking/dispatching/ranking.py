"""Units in the order in which they would be at a place, by road."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from layers.registry import find_layer
from tracking.dispatching.model import Place, Unit

if TYPE_CHECKING:
    from layers.network.modes import ModeId

#: Degrees are given to 1 cm.
_DECIMALS = 7


@dataclass(frozen=True, slots=True)
class Way:
    """A unit's way to the place: ``number`` in what was asked, time on free roads [s], length [m] and ``line`` (k, 2)
    [°]; ``off_road`` [m] is how far the unit is from the road that it is taken to be on."""

    number: int
    seconds: float
    length: float
    line: NDArray[np.float64]
    off_road: float


def soonest(
    conn: Connection, units: Sequence[Unit], place: Place, count: int, mode: "ModeId", limit: float, reach: float
) -> tuple[list[Way], int]:
    """The ``count`` units that are at the place soonest within ``limit`` [s], soonest first; and how many are further
    than ``reach`` [m] from any road.

    Raises :class:`layers.network.errors.FarFromRoads` where the place is, :class:`layers.registry.LayerNotFound`
    without a layer ``roads``.
    """
    # SciPy takes a fifth of a second to import, which a server that only describes processes need not spend.
    from layers.network.current import current_network
    from layers.network.position import nearest, snap
    from layers.network.reading import ROADS
    from layers.network.route import route
    from layers.network.search import nearest_of

    find_layer(conn, ROADS)
    graph = current_network(conn).graph(mode, "time")
    end = snap(graph, [place], reach, "point")
    if not units:
        return [], 0
    starts = nearest(graph, [(unit.lon, unit.lat) for unit in units])
    near = np.flatnonzero(starts.distance <= reach)
    ranked = nearest_of(graph, end, starts.take(near), count, limit)
    ways = []
    for found in ranked:
        number = int(near[found.number])
        start = starts.only(number)
        (leg,) = route(graph, _pair(start, end))
        ways.append(Way(number, leg.seconds, leg.length, leg.line.round(_DECIMALS), float(start.distance[0])))
    return ways, len(units) - len(near)


def _pair(start: Any, end: Any) -> Any:
    """Two places as the beginning and the end of a way."""
    return type(start)(*(np.concatenate([getattr(start, name), getattr(end, name)]) for name in type(start).__slots__))
