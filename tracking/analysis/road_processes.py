"""Processes on tracks and what they follow: roads, planned routes, areas to be patrolled.

What computes is imported where it is used: it takes a second that a server that only describes processes need not
spend.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection

from layers.analysis.features import FeatureSource
from layers.catalogue import Text
from layers.processing import CityCrs, process
from tracking.analysis.answers import Collection, Line
from tracking.analysis.processes import DAY, Codes

_Code = Annotated[str, Field(min_length=1, max_length=64)]
_Mode = Literal["drive", "cycle", "walk"]
_Accuracy = Annotated[float, Field(ge=1, le=100)]
_Radius = Annotated[float, Field(ge=5, le=300)]
_Gap = Annotated[float, Field(ge=1, le=3600)]
_Width = Annotated[float, Field(ge=0.5, le=1000)]
_SWEEPER = {"devices": ["13900000001"], **DAY}
#: Sections of an answer.
_MOST_SECTIONS = 20_000


@dataclass(frozen=True, slots=True)
class DrivenRoad:
    """A stretch of one road that was driven, ``length`` [m], entered at ``begin`` and left at ``end``."""

    road: int
    name: Text | None
    begin: datetime
    end: datetime
    length: float


@dataclass(frozen=True, slots=True)
class MatchedFix:
    """A fix on the road of the layer ``roads`` that has this id: its place there [°], how far that is from the fix [m].

    Null where no road is near."""

    time: datetime
    road: int | None
    lon: float | None
    lat: float | None
    distance: float | None


@dataclass(frozen=True, slots=True)
class MatchedRoute:
    """The way along the roads: ``length`` [m], a line for each chain without a break, the roads in order, and the
    fixes if wanted. ``matched``: part of the fixes that are on a road."""

    length: float
    matched: float
    lines: tuple[Line, ...]
    roads: tuple[DrivenRoad, ...]
    fixes: tuple[MatchedFix, ...] | None


@dataclass(frozen=True, slots=True)
class Departed:
    """Off the route from ``begin`` to ``end`` [s], ``farthest`` [m] from it at ``lon``, ``lat`` [°]."""

    begin: datetime
    end: datetime
    seconds: float
    farthest: float
    lon: float
    lat: float
    fixes: int


@dataclass(frozen=True, slots=True)
class Deviation:
    """How a track kept to its route: part of the fixes on it, departures, length of the route [m] and how much of it
    was driven, and the pieces that were not. Measured in EPSG ``measured_in``."""

    on_route: float | None
    departures: tuple[Departed, ...]
    route_length: float
    driven_length: float
    percent: float
    missed: Collection
    measured_in: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was swept: ``whole`` and ``swept`` [m] of roads or [m²] of areas, ``percent``, ``swept_km`` of roads, and
    the missed pieces, largest first. Measured in EPSG ``measured_in``."""

    of: Literal["lines", "areas"]
    whole: float
    swept: float
    percent: float
    swept_km: float | None
    missed: Collection
    measured_in: str


@process(keywords=("路网匹配 map matching", "轨迹 track"), example={"device": "13900000001", **DAY})
def match_route(
    conn: Connection,
    device: _Code,
    begin: datetime,
    end: datetime,
    mode: _Mode = "drive",
    accuracy: _Accuracy = 10.0,
    radius: _Radius = 50.0,
    gap: _Gap = 300.0,
    fixes: bool = False,
) -> MatchedRoute:
    """匹配路线 | Match a track to the roads

    按隐马尔可夫模型求设备最可能行驶的道路，遵守单行与转向限制。 | The roads that a device most probably followed (a
    hidden Markov model), by one-way streets and turn restrictions.

    device: 设备编号 | Code of the device
    begin: 开始时间 | Begin; of the time that is looked at
    end: 结束时间；不含 | End; not included, 31 days later at most
    mode: 方式；drive 驾车，cycle 骑行，walk 步行 | Mode; drive, cycle or walk
    accuracy: 定位精度；标准差 [m] | Accuracy; standard deviation of the fixes [m]
    radius: 最大距离；更远的道路不考虑 [m] | Radius; roads further from a fix are left out [m]
    gap: 中断；更长的静默断开路线 [s] | Gap; a longer silence breaks the way [s]
    fixes: 返回各定位点的匹配位置 | Fixes; give the place of each
    returns: 路线 | The way
    """
    from layers.network.current import current_network
    from layers.network.reading import ROADS
    from layers.registry import find_layer
    from tracking.analysis.matching.matching import match
    from tracking.analysis.matching.model import Assumptions
    from tracking.analysis.matching.telling import driven_roads, matched_fixes, way_lines
    from tracking.analysis.reading import tracks

    find_layer(conn, ROADS)
    network = current_network(conn)
    [track] = tracks(conn, [device], begin, end)
    found = match(network, track.time, track.lon, track.lat, Assumptions(accuracy, radius, gap=gap, mode=mode))
    return MatchedRoute(
        length=round(float(found.length.sum()), 2),
        matched=round(float((found.edge >= 0).mean()), 4) if len(track) else 0.0,
        lines=tuple(way_lines(network.edges, found)),
        roads=tuple(DrivenRoad(*road) for road in driven_roads(network.edges, found, track.time)),
        fixes=tuple(MatchedFix(*fix) for fix in matched_fixes(network.edges, found, track.time)) if fixes else None,
    )


@process(
    keywords=("路线偏离 deviation", "轨迹 track"),
    example={"device": "13900000001", "route": {"layer": "geofences", "filter": "name = '1号线'"}, **DAY, "width": 50},
)
def deviation(
    conn: Connection,
    city: CityCrs,
    device: _Code,
    route: FeatureSource,
    begin: datetime,
    end: datetime,
    width: _Width = 50.0,
    gap: _Gap = 300.0,
) -> Deviation:
    """偏离分析 | Departures from a route

    轨迹何时何处偏离计划路线、最远多少，以及路线未行驶的部分。 | When and where a track left its planned route, how far,
    and what of the route was not driven.

    device: 设备编号 | Code of the device
    route: 计划路线；线图层（可带条件）或 GeoJSON | Route; lines of a layer with a filter, or GeoJSON
    begin: 开始时间 | Begin; of the time that is looked at
    end: 结束时间；不含 | End; not included, 31 days later at most
    width: 允许偏离；距路线的距离 [m] | Width; distance from the route that is allowed [m]
    gap: 中断；更长的静默不连成线 [s] | Gap; a longer silence is not joined to a line [s]
    returns: 偏离情况 | The departures
    """
    import numpy as np
    import shapely

    from layers.analysis.features import load_features
    from tracking.analysis.answers import DECIMALS, instant
    from tracking.analysis.deviation import departures
    from tracking.analysis.ground import in_plane, missed_features, track_lines
    from tracking.analysis.reading import AnalysisRefused, tracks
    from tracking.analysis.sweeping import ground, swept

    srid = city.projected
    planned = load_features(conn, route, "route", srid)
    if not len(planned) or not planned.of_dimension(1):
        raise AnalysisRefused("input 'route' has no lines, or something else than lines")
    [track] = tracks(conn, [device], begin, end)
    line = shapely.union_all(planned.shapes)
    off, distance = departures(in_plane(track, srid), line, width)
    driven = swept(planned.shapes, ground(track_lines([track], srid, gap), 2 * width, line))
    whole, part = sum(one.whole for one in driven), sum(one.swept for one in driven)
    told = []
    for one in off:
        first, last = track.time[one.span.first], track.time[one.span.last]
        lon, lat = (round(float(values[one.at]), DECIMALS) for values in (track.lon, track.lat))
        told.append(
            Departed(instant(first), instant(last), round(float(last - first), 3), round(one.farthest, 2), lon, lat,
                     one.span.last - one.span.first + 1)
        )  # fmt: skip
    return Deviation(
        on_route=round(float(np.mean(distance <= width)), 4) if len(distance) else None,
        departures=tuple(told),
        route_length=round(whole, 2),
        driven_length=round(part, 2),
        percent=_percent(part, whole),
        missed=missed_features(planned, driven, 1.0),
        measured_in=f"EPSG:{srid}",
    )


@process(
    keywords=("巡查覆盖 patrol coverage", "清扫 sweeping"),
    example={**_SWEEPER, "of": {"layer": "roads", "filter": "class = 'secondary'"}, "width": 10},
)
def patrol_coverage(
    conn: Connection,
    city: CityCrs,
    devices: Codes,
    of: FeatureSource,
    begin: datetime,
    end: datetime,
    width: _Width = 20.0,
    gap: _Gap = 120.0,
    least: Annotated[float, Field(ge=0, le=10_000)] = 10.0,
) -> Coverage:
    """巡查覆盖率 | Patrol coverage

    沿轨迹一定宽度所覆盖的道路（公里）或网格（面积）、百分比与漏巡部分。 | The roads (kilometres) or grid cells
    (ground) that devices swept with a width along their tracks, percent, and what they missed.

    devices: 设备编号 | Codes of the devices
    of: 巡查对象；道路或网格，图层（可带条件）或 GeoJSON | Of; roads or grid cells, a layer with a filter, or GeoJSON
    begin: 开始时间 | Begin; of the time that is looked at
    end: 结束时间；不含 | End; not included, 31 days later at most
    width: 覆盖宽度；全宽 [m] | Width; of the swath, from edge to edge [m]
    gap: 中断；更长的静默不连成线 [s] | Gap; a longer silence is not joined to a line [s]
    least: 漏巡下限；短于此的不列出 [m] | Least; shorter missed pieces are not listed [m]
    returns: 覆盖情况 | The coverage
    """
    import shapely

    from layers.analysis.features import load_features
    from tracking.analysis.ground import missed_features, track_lines
    from tracking.analysis.reading import AnalysisRefused, tracks
    from tracking.analysis.sweeping import ground, swept

    srid = city.projected
    wanted = load_features(conn, of, "of", srid)
    lines = wanted.of_dimension(1)
    if not len(wanted) or not (lines or wanted.of_dimension(2)):
        raise AnalysisRefused("input 'of' has no features, or others than lines or areas, or both")
    everywhere = shapely.box(*shapely.total_bounds(wanted.shapes))
    found = swept(wanted.shapes, ground(track_lines(tracks(conn, devices, begin, end), srid, gap), width, everywhere))
    whole, part = sum(one.whole for one in found), sum(one.swept for one in found)
    return Coverage(
        of="lines" if lines else "areas",
        whole=round(whole, 2),
        swept=round(part, 2),
        percent=_percent(part, whole),
        swept_km=round(part / 1000, 5) if lines else None,
        missed=missed_features(wanted, found, least),
        measured_in=f"EPSG:{srid}",
    )


@process(keywords=("路段速度 road speed", "路网 network"), example=_SWEEPER)
def road_speeds(
    conn: Connection,
    devices: Codes,
    begin: datetime,
    end: datetime,
    mode: _Mode = "drive",
    accuracy: _Accuracy = 10.0,
    gap: _Gap = 60.0,
    passes: Annotated[int, Field(ge=1, le=10_000)] = 1,
) -> Collection:
    """路段速度 | Speeds by road section

    将轨迹匹配到道路，按路段与方向统计通过次数与速度。 | Tracks matched to the roads: how often and how fast each
    section was driven, by direction.

    devices: 设备编号 | Codes of the devices
    begin: 开始时间 | Begin; of the time that is looked at
    end: 结束时间；不含 | End; not included, 31 days later at most
    mode: 方式；drive 驾车，cycle 骑行，walk 步行 | Mode; drive, cycle or walk
    accuracy: 定位精度；标准差 [m] | Accuracy; standard deviation of the fixes [m]
    gap: 中断；更长的静默不计 [s] | Gap; what lies over a longer silence is not counted [s]
    passes: 最少通过次数 | Passes; sections with fewer are left out
    returns: 路段；GeoJSON，速度 [km/h] | The sections; GeoJSON with speeds [km/h]
    """
    from layers.network.current import current_network
    from layers.network.reading import ROADS
    from layers.registry import find_layer
    from tracking.analysis.answers import collection
    from tracking.analysis.matching.matching import match
    from tracking.analysis.matching.model import Assumptions
    from tracking.analysis.matching.telling import section_features
    from tracking.analysis.reading import AnalysisRefused, tracks
    from tracking.analysis.speeds import by_section
    from tracking.analysis.speeds import passes as passes_of

    find_layer(conn, ROADS)
    network = current_network(conn)
    assume = Assumptions(accuracy, gap=gap, mode=mode)
    driven = (
        passes_of(track.time, match(network, track.time, track.lon, track.lat, assume))
        for track in tracks(conn, devices, begin, end)
    )
    features = section_features(network.edges, by_section(driven, network.length), passes)
    if len(features) > _MOST_SECTIONS:
        raise AnalysisRefused(f"{len(features)} sections are more than {_MOST_SECTIONS}; raise 'passes'")
    return collection(features)


def _percent(part: float, whole: Any) -> float:
    return round(100 * part / whole, 2) if whole else 0.0
