"""Processes on the road network."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection

from layers.catalogue import Text
from layers.network.errors import NetworkError
from layers.processing import process
from layers.registry import find_layer

_Longitude = Annotated[float, Field(ge=-180, le=180)]
_Latitude = Annotated[float, Field(ge=-90, le=90)]
_Point = tuple[_Longitude, _Latitude]
_Mode = Literal["drive", "cycle", "walk"]
_Cost = Literal["time", "length"]
_Reach = Annotated[float, Field(gt=0, le=20_000)]
#: The widest service area: two hours, or 100 km.
_WIDEST = {"time": 7200.0, "length": 100_000.0}
#: Degrees are given to 1 cm.
_DECIMALS = 7


@dataclass(frozen=True, slots=True)
class Line:
    """GeoJSON (RFC 7946 §3.1.4)."""

    type: Literal["LineString"]
    coordinates: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """GeoJSON (RFC 7946 §3.1.5)."""

    type: Literal["MultiLineString"]
    coordinates: tuple[tuple[tuple[float, float], ...], ...]


@dataclass(frozen=True, slots=True)
class Snapped:
    """Where a point came onto the network [°], and how far that is from it [m]."""

    lon: float
    lat: float
    distance: float


@dataclass(frozen=True, slots=True)
class RouteStep:
    """What to do at a place [°], and how far [m] and how long [s] the road is then followed."""

    turn: str
    instruction: Text
    road: Text | None
    length: float
    seconds: float
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class RouteLeg:
    """The way from one point to the next [m, s]."""

    length: float
    seconds: float
    steps: tuple[RouteStep, ...]


@dataclass(frozen=True, slots=True)
class RouteFound:
    """A way: its length on the ellipsoid [m], its time on free roads [s], its line, and what to do on it."""

    length: float
    seconds: float
    geometry: Line
    snapped: tuple[Snapped, ...]
    legs: tuple[RouteLeg, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """What is within one limit [s or m]: length of the roads [m], the ground beside them, and the roads if wanted."""

    limit: float
    road_length: float
    area: dict[str, Any]
    roads: Lines | None


@dataclass(frozen=True, slots=True)
class ServiceArea:
    """The bands around a place, nearest first."""

    snapped: Snapped
    bands: tuple[Band, ...]


@process(
    keywords=("路径 route", "导航 directions", "路网 network"),
    example={"points": [[114.887, 30.392], [114.905, 30.401]], "mode": "drive"},
)
def route(
    conn: Connection,
    points: Annotated[tuple[_Point, ...], Field(min_length=2, max_length=50)],
    mode: _Mode = "drive",
    by: _Cost = "time",
    reach: _Reach = 1000.0,
) -> RouteFound:
    """规划路径 | Find a route

    沿道路依次经过各点的最快或最短路径，遵守单行与转向限制，含转向提示。 | The fastest or shortest way along the roads
    through the points in order, by one-way streets and turn restrictions, with what to do at each turn.

    points: 点；起点、途经点、终点的经度和纬度 [°] | Points; longitude and latitude [°] of start, via points and end
    mode: 方式；drive 驾车，cycle 骑行，walk 步行 | Mode; drive, cycle or walk
    by: 依据；time 最快，length 最短 | By; time for the fastest, length for the shortest
    reach: 最大吸附距离；点到道路的距离 [m] | Reach; how far a point may lie from a road [m]
    returns: 路径；长度 [m]、时间 [s]、线与步骤 | The route; length [m], time [s], line and steps
    """
    # SciPy takes a fifth of a second to import, which a server that only describes processes need not spend.
    from layers.network.current import current_network
    from layers.network.position import snap
    from layers.network.reading import ROADS
    from layers.network.route import route as find

    find_layer(conn, ROADS)
    graph = current_network(conn).graph(mode, by)
    places = snap(graph, points, reach)
    legs = find(graph, places)
    line = [tuple(point) for leg in legs for point in leg.line.round(_DECIMALS).tolist()]
    kept = tuple(point for i, point in enumerate(line) if i == 0 or point != line[i - 1])
    return RouteFound(
        length=round(sum(leg.length for leg in legs), 2),
        seconds=round(sum(leg.seconds for leg in legs), 2),
        geometry=Line("LineString", kept if len(kept) > 1 else kept * 2),
        snapped=_snapped(places),
        legs=tuple(_leg(leg) for leg in legs),
    )


@process(
    keywords=("服务区 service area", "等时圈 isochrone", "可达性 reachability", "路网 network"),
    example={"point": [114.887, 30.392], "limits": [300, 600], "mode": "drive"},
)
def service_area(
    conn: Connection,
    point: _Point,
    limits: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1, max_length=10)],
    mode: _Mode = "drive",
    by: _Cost = "time",
    towards: bool = False,
    beside: Annotated[float, Field(ge=5, le=500)] = 50.0,
    roads: bool = False,
    reach: _Reach = 1000.0,
) -> ServiceArea:
    """划定服务区 | Find the service area

    在给定时间或距离内可到达的道路与两侧用地（等时圈），道路在到达极限处准确截断。 | The roads within a time or
    distance, cut exactly where it is used up, and the ground beside them (isochrones).

    point: 点；经度和纬度 [°] | Point; longitude and latitude [°]
    limits: 限值；每个一圈，至多 7200 s 或 100000 m | Limits; a band each, at most 7200 s or 100000 m
    mode: 方式；drive 驾车，cycle 骑行，walk 步行 | Mode; drive, cycle or walk
    by: 依据；time 时间，length 距离 | By; time or length
    towards: 到达该点；否则由该点出发 | Towards the point; else away from it
    beside: 道路两侧宽度 [m]；计入用地 | Beside; width of the ground on each side of a road [m]
    roads: 返回道路；各圈的道路线 | Roads; give the lines of the roads too
    reach: 最大吸附距离；点到道路的距离 [m] | Reach; how far the point may lie from a road [m]
    returns: 服务区；每个限值一圈 | The service area; a band for each limit
    """
    if max(limits) > _WIDEST[by]:
        raise NetworkError(f"input 'limits': {max(limits):g} is more than {_WIDEST[by]:g}")
    from layers.network.current import current_network
    from layers.network.ground import ground
    from layers.network.position import snap
    from layers.network.reading import ROADS
    from layers.network.service_area import lines
    from layers.network.service_area import service_area as find

    find_layer(conn, ROADS)
    graph = current_network(conn).graph(mode, by)
    place = snap(graph, [point], reach, "point")
    bands = []
    for limit in sorted(set(limits)):
        stretches = find(graph, place, limit, towards=towards)
        drawn = lines(graph, stretches)
        shown = Lines("MultiLineString", tuple(map(_coordinates, drawn))) if roads else None
        bands.append(Band(limit, round(stretches.length, 2), _geojson(ground(drawn, beside)), shown))
    return ServiceArea(_snapped(place)[0], tuple(bands))


def _snapped(places: Any) -> tuple[Snapped, ...]:
    rows = zip(places.lonlat.round(_DECIMALS).tolist(), places.distance.tolist(), strict=True)
    return tuple(Snapped(lon, lat, round(distance, 2)) for (lon, lat), distance in rows)


def _leg(leg: Any) -> RouteLeg:
    steps = tuple(
        RouteStep(
            step.turn, step.instruction, step.road, round(step.length, 2), round(step.seconds, 2),
            round(step.lon, _DECIMALS), round(step.lat, _DECIMALS),
        )
        for step in leg.steps
    )  # fmt: skip
    return RouteLeg(round(leg.length, 2), round(leg.seconds, 2), steps)


def _coordinates(line: Any) -> tuple[tuple[float, float], ...]:
    return tuple((lon, lat) for lon, lat in line.round(_DECIMALS).tolist())


def _geojson(shape: Any) -> dict[str, Any]:
    import orjson
    import shapely

    found: dict[str, Any] = orjson.loads(shapely.to_geojson(shapely.set_precision(shape, 10**-_DECIMALS)))
    return found
