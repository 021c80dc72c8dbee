"""What terminals are told (平台 → 终端): bodies of messages, and the results of answers."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from tracking.jt808.parameters import write_parameters

PLATFORM_REPLY, REGISTER_REPLY, RESEND = 0x8001, 0x8100, 0x8003
SET_PARAMETERS, GET_PARAMETERS, GET_NAMED_PARAMETERS = 0x8103, 0x8104, 0x8106
LOCATE, TRACK, TEXT = 0x8201, 0x8202, 0x8300
SET_CIRCLES, DELETE_CIRCLES, SET_RECTANGLES, DELETE_RECTANGLES = 0x8600, 0x8601, 0x8602, 0x8603
SET_POLYGON, DELETE_POLYGONS, SET_ROUTE, DELETE_ROUTES = 0x8604, 0x8605, 0x8606, 0x8607

_SOUTH, _WEST = 0x40, 0x80
#: Bits of an area's attributes: alarms to the platform on entering and on leaving.
_TELL_ENTER, _TELL_LEAVE, _HAS_TIME, _HAS_SPEED = 0x08, 0x20, 0x01, 0x02


class Result(IntEnum):
    """结果 of a general reply."""

    DONE = 0
    FAILED = 1
    WRONG = 2
    NOT_SUPPORTED = 3
    ALARM_CONFIRMED = 4


class Registered(IntEnum):
    """结果 of 0x8100."""

    DONE = 0
    VEHICLE_TAKEN = 1
    NO_VEHICLE = 2
    TERMINAL_TAKEN = 3
    NO_TERMINAL = 4


@dataclass(frozen=True, slots=True)
class Area:
    """What a terminal watches by itself: an id of ours, entering and leaving, and a speed [km/h] for so long [s]."""

    id: int
    speed: int | None = None
    seconds: int = 10
    name: str = ""


def general_reply(serial: int, message: int, result: Result) -> bytes:
    """0x8001 平台通用应答."""
    return struct.pack(">HHB", serial, message, result)


def register_reply(serial: int, result: Registered, code: str = "") -> bytes:
    """0x8100 注册应答: the authentication code only where the terminal is registered."""
    return struct.pack(">HB", serial, result) + (code.encode("gb18030") if result is Registered.DONE else b"")


def text(words: str, *, emergency: bool = False, screen: bool = True, speak: bool = True, v2019: bool = True) -> bytes:
    """0x8300 文本信息下发; 2019 has a byte more that says 1, a notice. Raises :class:`ValueError` above 1024 bytes."""
    flag = emergency * 0x01 | screen * 0x04 | speak * 0x08
    encoded = words.encode("gb18030")
    if len(encoded) > 1000:
        raise ValueError("a text for a terminal has 1000 bytes of GBK at most: some 500 Chinese characters")
    return bytes((flag, 1) if v2019 else (flag,)) + encoded


def resend(first: int, parts: Sequence[int]) -> bytes:
    """0x8003 补传分包请求: parts that are missing of the message whose first part has that serial."""
    wanted = parts[:255]
    return struct.pack(f">HB{len(wanted)}H", first, len(wanted), *wanted)


def locate() -> bytes:
    """0x8201 位置信息查询 has no body."""
    return b""


def track(interval: int, seconds: int) -> bytes:
    """0x8202 临时位置跟踪: a fix every so many seconds, for so long; interval 0 ends it."""
    return struct.pack(">HI", interval, seconds) if interval else struct.pack(">H", 0)


def set_parameters(values: Mapping[int, int | str]) -> bytes:
    """0x8103 设置终端参数: numbers and texts by their id. Raises :class:`ValueError`."""
    return write_parameters(values)


def get_parameters(ids: Sequence[int] = ()) -> bytes:
    """0x8106 查询指定终端参数; none named are all of them, and that is 0x8104, which has no body."""
    if len(ids) > 255:
        raise ValueError(f"{len(ids)} parameters are more than the 255 of one message")
    return struct.pack(f">B{len(ids)}I", len(ids), *ids) if ids else b""


def set_circle(area: Area, lon: float, lat: float, radius: int, *, v2019: bool = True) -> bytes:
    """0x8600 设置圆形区域: one more (追加). Radius [m]."""
    head = struct.pack(">BBIH", 1, 1, area.id, _attributes(area, lon, lat))
    return head + _degrees(lat, lon) + struct.pack(">I", radius) + _speed(area, v2019) + _name(area, v2019)


def set_rectangle(area: Area, west: float, south: float, east: float, north: float, *, v2019: bool = True) -> bytes:
    """0x8602 设置矩形区域: the north-western and the south-eastern corner."""
    head = struct.pack(">BBIH", 1, 1, area.id, _attributes(area, west, south))
    corners = _degrees(north, west) + _degrees(south, east)
    return head + corners + _speed(area, v2019) + _name(area, v2019)


def set_polygon(area: Area, ring: Sequence[tuple[float, float]], *, v2019: bool = True) -> bytes:
    """0x8604 设置多边形区域: its corners without the closing one, (longitude, latitude) [°]."""
    if not 3 <= len(ring) <= 10_000:
        raise ValueError("a polygon for a terminal has 3 to 10 000 corners")
    head = struct.pack(">IH", area.id, _attributes(area, *ring[0])) + _speed(area, v2019)
    corners = b"".join(_degrees(lat, lon) for lon, lat in ring)
    return head + struct.pack(">H", len(ring)) + corners + _name(area, v2019)


def set_route(area: Area, line: Sequence[tuple[float, float]], width: int, *, v2019: bool = True) -> bytes:
    """0x8606 设置路线: corners (longitude, latitude) [°], each with the width [m] of the stretch that begins there."""
    if not 2 <= len(line) <= 10_000 or not 0 <= width <= 255:
        raise ValueError("a route for a terminal has 2 to 10 000 corners and is 0 to 255 m wide")
    attributes = _TELL_ENTER | _TELL_LEAVE
    points = []
    for n, (lon, lat) in enumerate(line):
        flags = (0x04 if lat < 0 else 0) | (0x08 if lon < 0 else 0) | (_HAS_SPEED if area.speed else 0)
        points.append(
            struct.pack(">II", n + 1, n + 1) + _degrees(lat, lon) + bytes((width, flags)) + _speed(area, v2019)
        )
    return struct.pack(">IHH", area.id, attributes, len(line)) + b"".join(points) + _name(area, v2019)


def delete_areas(ids: Iterable[int] = ()) -> bytes:
    """0x8601, 0x8603, 0x8605, 0x8607 删除区域或路线; none named are all of them."""
    wanted = tuple(ids)[:255]
    return struct.pack(f">B{len(wanted)}I", len(wanted), *wanted)


def bcd_time(at: datetime) -> bytes:
    """BCD YYMMDDhhmmss of a time in GMT+8."""
    return bytes.fromhex(at.strftime("%y%m%d%H%M%S"))


def _attributes(area: Area, lon: float, lat: float) -> int:
    found = _TELL_ENTER | _TELL_LEAVE | (_HAS_SPEED if area.speed else 0)
    return found | (_SOUTH if lat < 0 else 0) | (_WEST if lon < 0 else 0)


def _degrees(lat: float, lon: float) -> bytes:
    return struct.pack(">II", round(abs(lat) * 1e6), round(abs(lon) * 1e6))


def _speed(area: Area, v2019: bool) -> bytes:
    """The most speed and for how long; 2019 adds the most at night."""
    if not area.speed:
        return b""
    return struct.pack(">HB", area.speed, area.seconds) + (struct.pack(">H", area.speed) if v2019 else b"")


def _name(area: Area, v2019: bool) -> bytes:
    if not v2019:
        return b""
    encoded = area.name.encode("gb18030")[:255]
    return struct.pack(">H", len(encoded)) + encoded
