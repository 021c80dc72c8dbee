"""Where the cases of the sample year happen: spots along named roads, denser about markets, schools and stations."""

from dataclasses import dataclass
from random import Random

import numpy as np
import shapely
from sqlalchemy import Connection, text

#: Kinds of points of interest about which more happens, and how much of it is told of there.
_BUSY = ("农贸市场", "客运站", "购物中心", "医院", "中小学", "餐馆", "百货商场", "公交站")
_BUSY_SHARE = 0.55
#: Metres from the middle of a road, and from a busy point along it.
_ASIDE, _ABOUT = 8.0, 60.0
_ROADS = text("""
    SELECT ST_AsBinary(ST_Transform(geom, CAST(:srid AS int))) FROM city.roads
    WHERE name <> '' AND class NOT IN ('motorway', 'track', 'footway') ORDER BY id""")
_ADDRESSES = text(
    "SELECT ST_X(p), ST_Y(p)"
    " FROM (SELECT id, ST_Transform(geom, CAST(:srid AS int)) AS p FROM city.addresses) a ORDER BY id"
)
_POIS = text("""
    SELECT ST_X(p), ST_Y(p)
    FROM (SELECT id, ST_Transform(geom, CAST(:srid AS int)) AS p FROM city.pois WHERE kind = ANY (:kinds)) a
    ORDER BY id""")
_FOUND = text("""
    SELECT s.n, ST_X(s.p), ST_Y(s.p), l.grid, l.social_grid, l.area_code, l.area_type, grid.place_at(s.p), g.worker
    FROM (SELECT n, ST_Transform(ST_SetSRID(ST_MakePoint(x, y), CAST(:srid AS int)), 4490) AS p
          FROM unnest(CAST(:x AS float8[]), CAST(:y AS float8[])) WITH ORDINALITY AS u (x, y, n)) s,
         LATERAL grid.locate(s.p) l
    LEFT JOIN city.grid_cells g ON g.code = l.social_grid
    ORDER BY s.n""")


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where things happen again and again, as the city's lookups say it; longitude and latitude [°]."""

    lon: float
    lat: float
    grid: str | None
    social_grid: str | None
    area_code: str
    area_type: str | None
    place: str | None
    worker: str


def spots(conn: Connection, count: int, srid: int, dice: Random) -> list[Spot]:
    """So many places along named roads within the city's grids."""
    lines = shapely.from_wkb([bytes(row[0]) for row in conn.execute(_ROADS, {"srid": srid})])
    addresses = conn.execute(_ADDRESSES, {"srid": srid}).all()
    busy = conn.execute(_POIS, {"srid": srid, "kinds": list(_BUSY)}).all() or addresses
    if not len(lines) or not addresses:
        return []
    at = []
    hot = dice.sample(busy, min(len(busy), max(8, len(busy) // 12)))
    for _ in range(count):
        if dice.random() < _BUSY_SHARE:
            x, y = hot[min(int(dice.paretovariate(0.9)) - 1, len(hot) - 1)]
            at.append((x + dice.gauss(0, _ABOUT), y + dice.gauss(0, _ABOUT)))
        else:
            at.append(tuple(dice.choice(addresses)))
    points = np.array(at)
    feet = _on_roads(points, lines, dice)
    found = conn.execute(_FOUND, {"x": feet[:, 0].tolist(), "y": feet[:, 1].tolist(), "srid": srid}).all()
    return [Spot(*row[1:]) for row in found if row[5] is not None and row[8] is not None]


def _on_roads(points: np.ndarray, lines: np.ndarray, dice: Random) -> np.ndarray:
    """The points moved to beside the nearest road."""
    places = shapely.points(points)
    nearest = lines[shapely.STRtree(lines).nearest(places)]
    feet = shapely.get_coordinates(shapely.line_interpolate_point(nearest, shapely.line_locate_point(nearest, places)))
    angles = np.array([dice.uniform(0, 2 * np.pi) for _ in points])
    return feet + _ASIDE * np.column_stack([np.cos(angles), np.sin(angles)])
