"""What the roads allow where vehicles drive: speed limits by the shared network.

Several roads may lie within a receiver's error: a main road and the service road beside it, a bridge and the street
below. The highest limit of those that lead the vehicle's way counts, so that nobody is blamed for another road's.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import psycopg2
import shapely
from numpy.typing import NDArray
from sqlalchemy.exc import DBAPIError

from layers.database import Database
from layers.network.current import current_network
from layers.network.edges import to_plane
from layers.network.graph import Graph
from layers.registry import LayerNotFound
from tracking.gateway.principal import GATEWAY
from tracking.model import Stored

#: How far from its road a vehicle may be shown [m], and how far its heading may be from the road's [°].
NEAR, ASKEW = 25.0, 30.0
#: Stretch of road around a place whose direction counts [m].
_STRETCH = 5.0

type Floats = NDArray[np.float64]


class RoadLimits:
    """The limits of one city; ``by_class`` [km/h] is for roads that tell none themselves."""

    def __init__(self, url: str, by_class: Mapping[str, float]) -> None:
        self._database = Database(url, pool_size=1)
        self._by_class = by_class
        self._least = min(by_class.values(), default=0.0)

    def __call__(self, rows: Sequence[Stored]) -> list[float | None]:
        """The limit [km/h] where each fix is; None where there is none, or it is too slow to matter.

        Raises :class:`psycopg2.Error`.
        """
        found: list[float | None] = [None] * len(rows)
        fast = [n for n, (_, fix) in enumerate(rows) if fix.speed is not None and fix.speed > self._least]
        if not fast:
            return found
        try:
            with self._database.transaction(principal=GATEWAY) as conn:
                graph = current_network(conn).graph("drive", "time")
        except LayerNotFound:
            return found
        except DBAPIError as error:
            raise psycopg2.OperationalError(str(error.orig)) from None
        fixes = [rows[n].fix for n in fast]
        lonlat = np.array([(fix.lon, fix.lat) for fix in fixes])
        heading = np.array([np.nan if fix.heading is None else fix.heading for fix in fixes], float)
        for n, limit in zip(fast, limits_at(graph, lonlat, heading, self._by_class).tolist(), strict=True):
            found[n] = None if np.isnan(limit) else limit
        return found

    def close(self) -> None:
        """Close the connection to the database."""
        self._database.close()


def limits_at(graph: Graph, lonlat: Floats, heading: Floats, by_class: Mapping[str, float]) -> Floats:
    """The speed limit [km/h] at places (n, 2) [°] for who drives towards ``heading`` (n,) [° from north, or NaN].

    NaN where no road leads there, or one that may be the vehicle's has no limit that is known.
    """
    found = np.full(len(lonlat), np.nan)
    if not len(graph.open_edges) or not len(lonlat):
        return found
    points: Any = shapely.points(to_plane(lonlat))
    metre = 1.0 / np.cos(np.radians(lonlat[:, 1]))  # of the plane of World Mercator
    place, nearby = graph.tree.query(points, predicate="dwithin", distance=NEAR * metre)
    edge = graph.open_edges[nearby]
    edges = graph.network.edges
    direction = _direction(edges.lines[edge], points[place], _STRETCH * metre[place])
    apart = np.abs((heading[place] - direction + 180) % 360 - 180)
    against = 180 - apart
    oneway = edges.oneway[edge]
    off = np.where(oneway == 1, apart, np.where(oneway == -1, against, np.minimum(apart, against)))
    fits = np.isnan(off) | (off <= ASKEW)
    classes = np.array([by_class.get(str(name), np.nan) for name in edges.road_class[edge]], float)
    limit = np.where(edges.maxspeed[edge] > 0, edges.maxspeed[edge], classes)
    unknown = np.unique(place[fits & np.isnan(limit)])
    np.fmax.at(found, place[fits], limit[fits])
    found[unknown] = np.nan
    return found


def _direction(lines: NDArray[np.object_], points: NDArray[np.object_], stretch: Floats) -> Floats:
    """Where lines lead to [° from north] beside points: the plane keeps angles."""
    along = shapely.line_locate_point(lines, points)
    ends = (shapely.line_interpolate_point(lines, np.maximum(along - stretch, 0.0)),
            shapely.line_interpolate_point(lines, along + stretch))  # fmt: skip
    begin, end = (np.column_stack([shapely.get_x(p), shapely.get_y(p)]) for p in ends)
    east, north = (end - begin).T
    return np.asarray(np.degrees(np.arctan2(east, north)))
