"""Tracks in files: GPX, GeoJSON (points with a time, lines with ``coordTimes``, moving points) and CSV.

What a file is, its content says. A row that is no position is told of and left out; the others are read.
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import gpxpy
import gpxpy.gpx
import orjson

from tracking.inputs.values import InputRefused, fix_of, moment, number
from tracking.model import Fix

#: Largest file that is read whole [bytes]; CSV is read row by row. Longest line of CSV.
MOST_BYTES, MOST_LINE = 100_000_000, 100_000
_METRE_PER_SECOND = 3.6
#: Names of columns and properties, in lower case.
LON = ("lon", "lng", "long", "longitude", "经度", "东经")
LAT = ("lat", "latitude", "纬度", "北纬")
TIME = ("time", "timestamp", "datetime", "date_time", "gps_time", "tst", "时间", "定位时间", "采集时间")
SPEED = ("speed", "speed_kmh", "vel", "velocity", "速度")
HEADING = ("heading", "bearing", "course", "direction_deg", "方向", "航向")
ALTITUDE = ("altitude", "alt", "ele", "elevation", "高程", "海拔")
MILEAGE = ("mileage", "odometer", "里程")


class Reading(NamedTuple):
    """One position of a file: whose it says it is, where in the file it stands, and the fix, or why there is none."""

    device: str | None
    where: str
    fix: Fix | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a file does not say itself: the column or property with the device's code, hours by which its times are
    ahead of UTC where they name no zone."""

    device_column: str | None = None
    hours: float = 8.0


def read_track_file(path: Path, told: Told) -> Iterator[Reading]:
    """The positions of a file in its order. Raises :class:`InputRefused` where it is none of these."""
    with path.open("rb") as file:
        begin = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    if begin.startswith((b"<", b"{", b"[")):
        if path.stat().st_size > MOST_BYTES:
            raise InputRefused(f"the file has more than {MOST_BYTES // 1_000_000} MB: split it, or send CSV")
        return _gpx(path, told) if begin.startswith(b"<") else _geojson(path, told)
    return _csv(path, told)


def _gpx(path: Path, told: Told) -> Iterator[Reading]:
    data = path.read_bytes()
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data or "<!".encode("utf-16-le") in data:
        raise InputRefused("the file has a document type: GPX has none")
    try:
        parsed = gpxpy.parse(data)
    except (gpxpy.gpx.GPXException, ValueError, LookupError) as error:
        raise InputRefused(f"the file is no sound GPX: {str(error)[:200]}") from None
    for t, track in enumerate(parsed.tracks):
        for s, segment in enumerate(track.segments):
            for p, point in enumerate(segment.points):
                where = f"trk[{t}].trkseg[{s}].trkpt[{p}]"
                name = str(track.name) if told.device_column == "name" and track.name else None
                yield _made(name, where, partial(_gpx_fix, point, told))


def _gpx_fix(point: Any, told: Told) -> Fix:
    if point.time is None:
        raise InputRefused("the point has no time")
    speed = None if point.speed is None else point.speed * _METRE_PER_SECOND
    at = _zoned(point.time, told).timestamp()
    return fix_of(moment(at, "time"), point.longitude, point.latitude, speed=speed, altitude=point.elevation)


def _geojson(path: Path, told: Told) -> Iterator[Reading]:
    try:
        document = orjson.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise InputRefused(f"the file is no sound JSON: {str(error)[:200]}") from None
    features = document.get("features", [document]) if isinstance(document, dict) else document
    if not isinstance(features, list):
        raise InputRefused("the file is no GeoJSON")
    for n, feature in enumerate(features):
        if not isinstance(feature, dict):
            yield Reading(None, f"features[{n}]", None, "it is no object")
            continue
        yield from _feature(feature, f"features[{n}]", told)


def _feature(feature: Mapping[str, Any], where: str, told: Told) -> Iterator[Reading]:
    properties = {str(k).lower(): v for k, v in (feature.get("properties") or {}).items()}
    device = _device(properties, told)
    geometry = feature.get("temporalGeometry") or feature.get("geometry") or {}
    kind, places = geometry.get("type"), geometry.get("coordinates")
    if kind == "Point":
        yield _made(device, where, partial(_at, places, _named(properties, TIME), properties, told))
        return
    times = geometry.get("datetimes") or properties.get("coordtimes") or properties.get("times")
    if kind not in ("LineString", "MovingPoint") or not isinstance(times, list) or not isinstance(places, list):
        yield Reading(device, where, None, "it is neither a point with a time nor a line with coordTimes")
    elif len(times) != len(places):
        yield Reading(device, where, None, f"it has {len(places)} places and {len(times)} times")
    else:
        for n, (place, time) in enumerate(zip(places, times, strict=True)):
            yield _made(device, f"{where}[{n}]", partial(_at, place, time, {}, told))


def _at(place: Any, time: Any, values: Mapping[str, Any], told: Told) -> Fix:
    if not isinstance(place, Sequence) or not 2 <= len(place) <= 4:
        raise InputRefused("the place is no pair of numbers")
    lon, lat = number({"lon": place[0]}, "lon"), number({"lat": place[1]}, "lat")
    altitude = number({"altitude": place[2]}, "altitude") if len(place) > 2 else number(values, *ALTITUDE)
    return _fix(time, lon, lat, altitude, values, told)


def _csv(path: Path, told: Told) -> Iterator[Reading]:
    encoding = _encoding(path)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        delimiter = max(",;\t|", key=file.readline(MOST_LINE).count)
        file.seek(0)
        rows = csv.reader(_bounded(file), delimiter=delimiter)
        try:
            header = [name.strip().lower() for name in next(rows)]
        except StopIteration:
            raise InputRefused("the file is empty") from None
        for names, what in ((LON, "longitude"), (LAT, "latitude"), (TIME, "time")):
            if not set(names) & set(header):
                raise InputRefused(f"there is no column of {what} ({', '.join(names[:4])}) among {header[:20]}")
        if told.device_column is not None and told.device_column.lower() not in header:
            raise InputRefused(f"there is no column {told.device_column!r} among {header[:20]}")
        for row in rows:
            if row:
                values = dict(zip(header, row, strict=False))
                where = f"line {rows.line_num}"
                yield _made(_device(values, told), where, partial(_row, values, told))


def _row(values: Mapping[str, Any], told: Told) -> Fix:
    lon, lat, altitude = number(values, *LON), number(values, *LAT), number(values, *ALTITUDE)
    return _fix(_named(values, TIME), lon, lat, altitude, values, told)


def _fix(
    time: Any, lon: float | None, lat: float | None, altitude: float | None, values: Mapping[str, Any], told: Told
) -> Fix:
    speed, heading, mileage = (number(values, *names) for names in (SPEED, HEADING, MILEAGE))
    fix = fix_of(_moment(time, told), lon, lat, speed=speed, heading=heading, altitude=altitude)
    return fix._replace(mileage=mileage)


def _made(device: str | None, where: str, make: Callable[[], Fix]) -> Reading:
    try:
        return Reading(device, where, make())
    except InputRefused as error:
        return Reading(device, where, None, str(error))


def _moment(value: Any, told: Told) -> float:
    """Unix time [s]; text without a zone is of the zone that was told."""
    text = str(value).strip().replace("/", "-")
    try:
        return moment(_zoned(datetime.fromisoformat(text[:40]), told).timestamp(), "time")
    except (ValueError, OverflowError):
        return moment(value, "time")


def _zoned(at: datetime, told: Told) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=timezone(timedelta(hours=told.hours))).astimezone(UTC)


def _named(values: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((values[name] for name in names if values.get(name) not in (None, "")), None)


def _device(values: Mapping[str, Any], told: Told) -> str | None:
    if told.device_column is None:
        return None
    found = values.get(told.device_column.lower())
    return None if found is None else str(found).strip()


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        begin = file.read(1_000_000)
    try:
        begin[: begin.rfind(b"\n") + 1].decode("utf-8")
        return "utf-8-sig"
    except UnicodeDecodeError:
        return "gb18030"


def _bounded(file: io.TextIOBase) -> Iterator[str]:
    while line := file.readline(MOST_LINE):
        if len(line) >= MOST_LINE:
            raise InputRefused(f"a line has more than {MOST_LINE} characters")
        yield line
