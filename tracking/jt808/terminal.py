"""What a terminal writes: for the simulator, and for tests of the gateway."""

import struct
from datetime import UTC, datetime, timedelta

from tracking.jt808.downlink import bcd_time
from tracking.model import FIXED, SOUTH, WEST, Fix

_BEIJING = timedelta(hours=8)


def location(fix: Fix) -> bytes:
    """The body of 0x0200, with mileage and number of satellites behind."""
    status = FIXED if fix.status is None else fix.status
    status |= (SOUTH if fix.lat < 0 else 0) | (WEST if fix.lon < 0 else 0)
    lat, lon = round(abs(fix.lat) * 1e6), round(abs(fix.lon) * 1e6)
    tenths = round((fix.speed or 0) * 10)
    altitude = (fix.altitude or 0) & 0xFFFF
    basic = struct.pack(">IIIIHHH", fix.alarms, status, lat, lon, altitude, tenths, fix.heading or 0)
    time = bcd_time(datetime.fromtimestamp(fix.time, UTC) + _BEIJING)
    mileage = b"" if fix.mileage is None else b"\x01\x04" + struct.pack(">I", round(fix.mileage * 10))
    return basic + time + mileage


def batch(fixes: list[Fix], *, blind: bool = True) -> bytes:
    """The body of 0x0704."""
    items = [location(fix) for fix in fixes]
    return struct.pack(">HB", len(items), blind) + b"".join(struct.pack(">H", len(item)) + item for item in items)


def registration(plate: str, terminal: str = "T000001", *, v2019: bool = False) -> bytes:
    """The body of 0x0100."""
    widths = (11, 30, 30) if v2019 else (5, 20, 7)
    texts = (b"CITYM", b"SIM", terminal.encode())
    parts = b"".join(text.ljust(width, b"\0") for text, width in zip(texts, widths, strict=True))
    return struct.pack(">HH", 42, 704) + parts + b"\x02" + plate.encode("gb18030")


def authentication(code: str, *, v2019: bool = False) -> bytes:
    """The body of 0x0102."""
    if v2019:
        return bytes((len(code),)) + code.encode() + b"0" * 15 + b"1".ljust(20, b"\0")
    return code.encode()
