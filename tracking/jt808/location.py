"""The body of 0x0200 位置信息汇报 (JT/T 808-2019 table 23 to 27), which 0x0704, 0x0201 and 0x0500 carry too."""

import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from tracking.jt808.errors import BodyRefused
from tracking.model import FIXED, SOUTH, WEST, Doubt, Fix

_BASIC = struct.Struct(">IIIIHHH3s3s")
#: Seconds by which the terminals' clocks are ahead of UTC (GMT+8).
_BEIJING = 8 * 3600
_TOP = 0x8000_0000


def _whole(data: bytes) -> int:
    return int.from_bytes(data)


def _tenth(data: bytes) -> float:
    return int.from_bytes(data) / 10


def _signed(data: bytes) -> int:
    return int.from_bytes(data, signed=True)


def _area(data: bytes) -> dict[str, int]:
    """Overspeed 0x11: kind of place, and its id where it is one."""
    return {"kind": data[0], "id": int.from_bytes(data[1:5])} if len(data) >= 5 else {"kind": data[0]}


def _passage(data: bytes) -> dict[str, int]:
    """Entering or leaving 0x12: kind of place, its id, and 0 in or 1 out."""
    return {"kind": data[0], "id": int.from_bytes(data[1:5]), "out": data[5]}


def _drive(data: bytes) -> dict[str, int]:
    """Time on a stretch 0x13: its id, seconds, and 0 too short or 1 too long."""
    return {"id": int.from_bytes(data[:4]), "seconds": int.from_bytes(data[4:6]), "too_long": data[6]}


#: Additional items (附加信息): id to name, least length and reading. Others are kept as hexadecimal.
ITEMS: Mapping[int, tuple[str, int, Callable[[bytes], Any]]] = {
    0x01: ("mileage", 4, _tenth),
    0x02: ("fuel", 2, _tenth),
    0x03: ("recorder_speed", 2, _tenth),
    0x04: ("alarm_event", 2, _whole),
    0x05: ("tyres", 1, bytes.hex),
    0x06: ("cabin_temperature", 2, _signed),
    0x11: ("overspeed", 1, _area),
    0x12: ("passage", 6, _passage),
    0x13: ("drive", 7, _drive),
    0x25: ("signals", 4, _whole),
    0x2A: ("io", 2, _whole),
    0x2B: ("analog", 4, _whole),
    0x30: ("signal", 1, _whole),
    0x31: ("satellites", 1, _whole),
}
#: Additional items that are kept of one report; a frame holds some 300 at most. Bytes of the longest number.
_MOST_ITEMS, _LONGEST_NUMBER = 64, 8


def read_location(body: bytes, late: bool = False) -> Fix:
    """A fix of its 28 bytes and additional items. Raises :class:`BodyRefused`.

    A report without fix, or with a place that is none, is a fix in doubt: its alarms count all the same.
    """
    if len(body) < _BASIC.size:
        raise BodyRefused(f"a position report has 28 bytes at least, not {len(body)}")
    alarms, status, lat, lon, altitude, speed, heading, date, clock = _BASIC.unpack_from(body)
    x, y = _degrees(lon, status & WEST, 180), _degrees(lat, status & SOUTH, 90)
    doubt = Doubt.LATE if late else 0
    if not status & FIXED:
        doubt |= Doubt.NO_FIX
    if (x == 0 and y == 0) or not (-180 <= x <= 180 and -90 <= y <= 90):
        doubt |= Doubt.NO_PLACE
    more = _items(body, _BASIC.size) if len(body) > _BASIC.size else None
    mileage = more.pop("mileage", None) if more else None
    return Fix(
        _day(date) + _second(clock), x, y, speed / 10, heading, altitude if altitude < 0x8000 else altitude - 0x10000,
        alarms, status, mileage, int(doubt), more or None,
    )  # fmt: skip


def _degrees(value: int, negative: int, most: int) -> float:
    """Some terminals send a sign, as two's complement or as the top bit, in place of the bit for south or west."""
    if value & _TOP:
        twos = 0x1_0000_0000 - value
        value = twos if twos <= most * 1_000_000 else value & ~_TOP
        return -value / 1e6
    return -value / 1e6 if negative else value / 1e6


@lru_cache(maxsize=1024)
def _day(date: bytes) -> int:
    """Unix time at which a day (BCD YYMMDD, GMT+8) begins. Raises :class:`BodyRefused`."""
    text = date.hex()
    try:
        return int(datetime(2000 + int(text[:2]), int(text[2:4]), int(text[4:]), tzinfo=UTC).timestamp()) - _BEIJING
    except ValueError:
        raise BodyRefused(f"{text} is no date YYMMDD") from None


@lru_cache(maxsize=90_000)
def _second(clock: bytes) -> int:
    text = clock.hex()
    try:
        hour, minute, second = int(text[:2]), int(text[2:4]), int(text[4:])
    except ValueError:
        raise BodyRefused(f"{text} is no time hhmmss") from None
    if hour > 23 or minute > 59 or second > 59:
        raise BodyRefused(f"{text} is no time hhmmss")
    return hour * 3600 + minute * 60 + second


def _items(body: bytes, at: int) -> dict[str, Any]:
    """The additional items; one that is cut short, and what follows it, is kept as ``rest``."""
    found: dict[str, Any] = {}
    end = len(body)
    while at < end:
        begin = at + 2
        if begin > end or begin + body[at + 1] > end or len(found) >= _MOST_ITEMS:
            found["rest"] = body[at : at + 64].hex()
            break
        kind, at = body[at], begin + body[at + 1]
        data = body[begin:at]
        known = ITEMS.get(kind)
        if known and len(data) >= known[1] and (len(data) <= _LONGEST_NUMBER or known[2] is bytes.hex):
            found[known[0]] = known[2](data)
        else:
            found[f"x{kind:02x}"] = data.hex()
    return found
