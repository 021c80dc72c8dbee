"""Processes on tracks alone: stops, trips, mileage, heat map, replay.

What computes is imported where it is used: it takes a second that a server that only describes processes need not
spend.
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection

from layers.processing import process
from tracking.analysis.answers import Collection, Mileage, Replay, Replayed, Stop, Trip

_Code = Annotated[str, Field(min_length=1, max_length=64)]
Codes = Annotated[tuple[_Code, ...], Field(min_length=1, max_length=200)]
_Diameter = Annotated[float, Field(ge=5, le=5000)]
_Seconds = Annotated[float, Field(ge=1, le=86_400)]
_WEST_SOUTH_EAST_NORTH = tuple[float, float, float, float]
DAY = {"begin": "2026-11-20T00:00:00+08:00", "end": "2026-11-21T00:00:00+08:00"}
#: Rows of an answer, instants of a replay, and cells of a heat map.
_MOST_ROWS, _MOST_INSTANTS, _MOST_CELLS = 50_000, 200_000, 100_000


@process(keywords=("停留 stop", "轨迹 track"), example={"devices": ["13900000001"], **DAY})
def stops(
    conn: Connection,
    devices: Codes,
    begin: datetime,
    end: datetime,
    diameter: _Diameter = 100.0,
    seconds: _Seconds = 180.0,
    gap: _Seconds = 1800.0,
) -> tuple[Stop, ...]:
    """停留点 | Stops

    设备在一段时间内停留在小范围内的地点与起止时间。 | Where devices stayed within a small area for a while, and from
    when to when.

    devices: 设备编号 | Codes of the devices
    begin: 开始时间 | Begin; of the time that is looked at
    end: 结束时间；不含 | End; not included, 31 days later at most
    diameter: 范围；停留范围的对角线 [m] | Diameter; diagonal of the area of a stop [m]
    seconds: 最短停留 [s] | Seconds; shortest stop [s]
    gap: 中断；更长的静默不连成停留 [s] | Gap; a longer silence parts stops [s]
    returns: 停留点 | The stops
    """
    import numpy as np

    from tracking.analysis.answers import DECIMALS, instant
    from tracking.analysis.reading import tracks
    from tracking.analysis.trips import Rules, parts_of

    found = []
    for track in tracks(conn, devices, begin, end):
        for span in parts_of(track.time, track.lon, track.lat, Rules(diameter, seconds, gap)).stops:
            rows = slice(span.first, span.last + 1)
            lon, lat = (round(float(np.median(values[rows])), DECIMALS) for values in (track.lon, track.lat))
            first, last = track.time[span.first], track.time[span.last]
            found.append(
                Stop(track.device.code, track.device.name, instant(first), instant(last), round(float(last - first), 3),
                     lon, lat, span.last - span.first + 1)
            )  # fmt: skip
    return _bounded(found)


@process(keywords=("行程 trip", "轨迹 track"), example={"devices": ["13900000001"], **DAY, "lines": True})
def trips(
    conn: Connection,
    devices: Codes,
    begin: datetime,
    end: datetime,
    diameter: _Diameter = 100.0,
    seconds: _Seconds = 180.0,
    gap: _Seconds = 1800.0,
    shortest: Annotated[float, Field(ge=0, le=100_000)] = 0.0,
    lines: bool = False,
) -> tuple[Trip, ...]:
    """行程 | Trips

    停留之间的行程：起止时间、里程、速度，可含轨迹线。 | What lies between stops: when, how far and how fast, with the
    lines if wanted.

    devices: 设备编号 | Codes of the devices
    begin: 开始时间 | Begin; of the time that is looked at
    end: 结束时间；不含 | End; not included, 31 days later at most
    diameter: 停留范围；对角线 [m] | Diameter; diagonal of the area of a stop [m]
    seconds: 最短停留 [s] | Seconds; shortest stop [s]
    gap: 中断；更长的静默结束行程 [s] | Gap; a longer silence ends a trip [s]
    shortest: 最短行程 [m] | Shortest; length of a trip [m]
    lines: 返回轨迹线 | Lines; give them too
    returns: 行程 | The trips
    """
    import numpy as np

    from tracking.analysis.answers import instant, line
    from tracking.analysis.plane import steps
    from tracking.analysis.reading import tracks
    from tracking.analysis.trips import Rules, parts_of

    found = []
    for track in tracks(conn, devices, begin, end):
        driven = np.concatenate([[0.0], np.cumsum(steps(track.lon, track.lat))])
        for span in parts_of(track.time, track.lon, track.lat, Rules(diameter, seconds, gap, shortest)).trips:
            rows = slice(span.first, span.last + 1)
            length = float(driven[span.last] - driven[span.first])
            taken = float(track.time[span.last] - track.time[span.first])
            told = track.speed[rows][~np.isnan(track.speed[rows])]
            drawn = line(np.column_stack([track.lon[rows], track.lat[rows]])) if lines else None
            found.append(
                Trip(
                    track.device.code, track.device.name, instant(track.time[span.first]),
                    instant(track.time[span.last]), round(taken, 3), round(length, 3), round(length / taken * 3.6, 2),
                    round(float(told.max()), 1) if len(told) else None, span.last - span.first + 1, drawn,
                )
            )  # fmt: skip
    return _bounded(found)


@process(keywords=("里程 mileage", "轨迹 track"), example={"devices": ["13900000001"], **DAY})
def mileage(
    conn: Connection, devices: Codes, begin: datetime, end: datetime, gap: _Seconds = 300.0
) -> tuple[Mileage, ...]:
    """里程统计 | Mileage

    各设备每日里程：沿定位点的长度、其中跨越长静默的部分、车辆里程表读数。 | How far devices went each day: along their
    fixes, how much of it over long silences, and by the vehicles' own counters.

    devices: 设备编号 | Codes of the devices
    begin: 开始时间 | Begin; of the time that is looked at
    end: 结束时间；不含 | End; not included, 31 days later at most
    gap: 中断；更长的静默单独计 [s] | Gap; what lies over a longer silence is told apart [s]
    returns: 每台设备每日里程 | The distance of each device and day
    """
    from datetime import date, timedelta

    from tracking.analysis.mileage import distances
    from tracking.analysis.reading import tracks

    found = []
    for track in tracks(conn, devices, begin, end):
        for day in distances(track.time, track.lon, track.lat, track.mileage, gap):
            counter = None if day.counter is None else round(day.counter, 3)
            found.append(
                Mileage(
                    track.device.code, track.device.name, str(date(1970, 1, 1) + timedelta(day.day)),
                    round(day.metres, 3), round(day.over_gaps, 3), counter, round(day.moving, 3), day.fixes,
                )
            )  # fmt: skip
    return _bounded(found)


@process(keywords=("热力图 heat map", "H3"), example={**DAY, "resolution": 9})
def heatmap(
    conn: Connection,
    begin: datetime,
    end: datetime,
    resolution: Annotated[int, Field(ge=4, le=12)] = 9,
    devices: Codes | None = None,
    bbox: _WEST_SOUTH_EAST_NORTH | None = None,
    gap: _Seconds = 300.0,
) -> Collection:
    """轨迹热力图 | Heat map

    按 H3 六边形统计定位点数、设备数与停留时间。不指明设备时统计可见的全部车辆，不含个人。 | Fixes, devices and time by
    hexagons of H3. Without devices it is about all vehicles that you may see; people are counted only where named.

    begin: 开始时间 | Begin; of the time that is looked at
    end: 结束时间；不含 | End; not included, 31 days later at most
    resolution: 级别；9 级边长约 0.2 km | Resolution; of H3, hexagons of level 9 have sides of 0.2 km
    devices: 设备编号 | Codes of devices
    bbox: 范围；西、南、东、北 [°] | Box; west, south, east, north [°]
    gap: 中断；一个定位点至多代表的时间 [s] | Gap; a fix stands for this long at most [s]
    returns: 六边形；GeoJSON | The hexagons; GeoJSON
    """
    import numpy as np

    from tracking.analysis.answers import collection, feature
    from tracking.analysis.heat import heat, name, outline
    from tracking.analysis.reading import AnalysisRefused, fleet, named_fleet

    fixes = named_fleet(conn, devices, begin, end) if devices else fleet(conn, begin, end)
    cells = heat(fixes.device, fixes.time, fixes.lon, fixes.lat, resolution, gap)
    features = []
    for n in np.argsort(-cells.fixes, kind="stable").tolist():
        ring = outline(int(cells.cell[n]))
        if bbox is None or _meets(ring, bbox):
            features.append(
                feature(
                    {"type": "Polygon", "coordinates": [[[round(x, 7), round(y, 7)] for x, y in ring]]},
                    cell=name(int(cells.cell[n])), fixes=int(cells.fixes[n]), devices=int(cells.devices[n]),
                    seconds=round(float(cells.seconds[n]), 3),
                )
            )  # fmt: skip
    if len(features) > _MOST_CELLS:
        raise AnalysisRefused(
            f"{len(features)} hexagons are more than {_MOST_CELLS}; lower 'resolution', or give 'bbox'"
        )
    return collection(features)


@process(keywords=("轨迹回放 replay", "轨迹 track"), example={"devices": ["13900000001"], **DAY, "step": 10})
def replay(
    conn: Connection,
    devices: Codes,
    begin: datetime,
    end: datetime,
    step: Annotated[float, Field(ge=0.1, le=3600)] = 10.0,
    gap: _Seconds = 300.0,
) -> Replay:
    """轨迹回放 | Replay

    各设备在等间隔时刻的位置，定位点之间按直线插值，长静默期间为空。 | Where devices were at instants a step apart:
    between fixes on the straight line, during long silences unknown.

    devices: 设备编号 | Codes of the devices
    begin: 开始时间 | Begin; the first instant
    end: 结束时间；不含 | End; not included
    step: 间隔 [s] | Step; between instants [s]
    gap: 中断；更长的静默不插值 [s] | Gap; over a longer silence nothing is told [s]
    returns: 时刻与各设备的位置 | The instants, and each device's places
    """
    from tracking.analysis.answers import DECIMALS, instant, listed
    from tracking.analysis.reading import AnalysisRefused, period, tracks
    from tracking.analysis.replay import instants, replayed

    first, last = (at.timestamp() for at in period(begin, end))
    if (last - first) / step * len(devices) > _MOST_INSTANTS:
        raise AnalysisRefused(f"input 'step': more than {_MOST_INSTANTS} places; give a longer step, or ask for less")
    at = instants(first, last, step)
    found = []
    for track in tracks(conn, devices, begin, end):
        frames = replayed(at, track.time, track.lon, track.lat, track.speed, track.heading, gap)
        found.append(
            Replayed(
                track.device.code, track.device.name, listed(frames.lon, DECIMALS), listed(frames.lat, DECIMALS),
                listed(frames.speed, 1), listed(frames.heading, 0),
            )
        )  # fmt: skip
    return Replay(tuple(map(instant, at.tolist())), tuple(found))


def _bounded[T](found: list[T]) -> tuple[T, ...]:
    from tracking.analysis.reading import AnalysisRefused

    if len(found) > _MOST_ROWS:
        raise AnalysisRefused(f"the answer has {len(found)} rows, more than {_MOST_ROWS}; ask for less")
    return tuple(found)


def _meets(ring: list[tuple[float, float]], bbox: _WEST_SOUTH_EAST_NORTH) -> bool:
    west, south, east, north = bbox
    x, y = zip(*ring, strict=True)
    return bool(max(x) >= west and min(x) <= east and max(y) >= south and min(y) <= north)
