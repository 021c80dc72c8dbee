"""NMEA 0183: position sentences of GNSS receivers (RMC, GGA of any constellation), with their checksums verified.

RMC has day, place, speed [kn] and course; GGA adds altitude and quality of the same second. A receiver says who it is
by a sentence of ours, ``$PCTM,<device>,<secret>``, since NMEA 0183 has no way to.
"""

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tracking.inputs.values import InputRefused, fix_of
from tracking.model import Fix

#: Longest line [bytes]: the standard has 82, receivers are longer.
LONGEST = 512
_KNOT = 1.852
_DAY = 86_400
_ANGLE = re.compile(r"(\d{1,3})(\d\d(?:\.\d{0,12})?)")
_TIME = re.compile(r"(\d\d)(\d\d)(\d\d(?:\.\d{0,6})?)")
_DATE = re.compile(r"(\d\d)(\d\d)(\d\d)")
#: Two digits of a year from here on are the last century's: a receiver without a fix is at GPS's beginning, in 1980.
_LAST_CENTURY = 80


@dataclass(frozen=True, slots=True)
class Rmc:
    """Recommended minimum data: Unix ``time`` [s], second of the ``day`` [s], degrees, km/h, degrees from north."""

    time: float
    day: float
    valid: bool
    lon: float | None
    lat: float | None
    speed: float | None
    heading: float | None


@dataclass(frozen=True, slots=True)
class Gga:
    """Fix data: second of the ``day`` [s], degrees, metres above the sea, satellites, dilution of precision."""

    day: float
    valid: bool
    lon: float | None
    lat: float | None
    altitude: float | None
    satellites: float | None
    hdop: float | None


_NOTHING = Gga(-1.0, False, None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class Hello:
    """Who speaks, and its secret."""

    device: str
    secret: str


def read_sentence(line: bytes) -> Rmc | Gga | Hello | None:
    """What a line says; None for a sentence of another kind. Raises :class:`InputRefused`."""
    begin = line.find(b"$")
    if begin < 0:
        return None
    try:
        words = line[begin + 1 :].strip().decode("ascii")
    except UnicodeDecodeError:
        raise InputRefused("the sentence has other bytes than ASCII") from None
    body, star, told = words.partition("*")
    kind, *fields = body.split(",")
    if not star and kind != "PCTM":
        raise InputRefused("the sentence has no checksum")
    if star and told.upper() != checksum(body):
        raise InputRefused(f"the checksum is {told[:4]!r} and should be {checksum(body)}")
    if kind == "PCTM":
        return _hello(fields)
    if len(kind) == 5 and kind.endswith("RMC"):
        return _rmc(fields)
    return _gga(fields) if len(kind) == 5 and kind.endswith("GGA") else None


def checksum(body: str) -> str:
    """Exclusive or of the bytes between ``$`` and ``*``, two hexadecimal digits."""
    found = 0
    for byte in body.encode("ascii"):
        found ^= byte
    return f"{found:02X}"


def write_sentence(*fields: str) -> bytes:
    """A sentence with its checksum."""
    body = ",".join(fields)
    return f"${body}*{checksum(body)}\r\n".encode("ascii")


class Epochs:
    """Puts the sentences of one instant together. ``now`` tells the day where a receiver sends no RMC at all."""

    def __init__(self) -> None:
        self._rmc: Rmc | None = None
        self._gga: Gga | None = None
        self._told = False  # the fix of the last GGA has been given, or RMC gave it
        self._dated = False
        self._alone = 0

    def take(self, said: Rmc | Gga, now: float) -> Iterator[Fix]:
        """Fixes that are complete with this sentence. ``now`` is Unix time [s]."""
        if isinstance(said, Rmc):
            yield from self._dated_fix()
            self._dated, self._rmc = True, said
            if self._gga is not None and self._gga.day == said.day:
                yield from self._dated_fix()
            return
        if self._rmc is not None and self._rmc.day != said.day:
            yield from self._dated_fix()
        if not self._dated and self._gga is not None and self._gga.day != said.day:
            yield from self._undated_fix(now)
            self._alone += 1
        if self._gga is None or self._gga.day != said.day:
            self._told = False
        self._gga = said
        yield from self._dated_fix()

    def flush(self, now: float) -> Iterator[Fix]:
        """What waits for a further sentence of its instant: none comes soon."""
        yield from self._dated_fix()
        if not self._dated and self._alone:
            yield from self._undated_fix(now)

    def _dated_fix(self) -> Iterator[Fix]:
        rmc, self._rmc = self._rmc, None
        if rmc is None or rmc.lon is None:
            return
        same = self._gga is not None and self._gga.day == rmc.day
        gga = self._gga if same and self._gga is not None else _NOTHING
        self._told = True
        yield fix_of(
            rmc.time, rmc.lon, rmc.lat, speed=rmc.speed, heading=rmc.heading, valid=rmc.valid,
            altitude=gga.altitude, satellites=gga.satellites, hdop=gga.hdop,
        )  # fmt: skip

    def _undated_fix(self, now: float) -> Iterator[Fix]:
        """The day is the one that brings the time nearest to now."""
        gga = self._gga
        if gga is None or self._told or gga.lon is None:
            return
        self._told = True
        day = round((now - gga.day) / _DAY) * _DAY
        yield fix_of(
            day + gga.day, gga.lon, gga.lat, valid=gga.valid, altitude=gga.altitude, satellites=gga.satellites,
            hdop=gga.hdop,
        )  # fmt: skip


def _hello(fields: list[str]) -> Hello:
    if len(fields) != 2 or not fields[0] or not fields[1] or max(map(len, fields)) > 128:
        raise InputRefused("the sentence is not $PCTM,<device>,<secret>")
    return Hello(*fields)


def _rmc(fields: list[str]) -> Rmc:
    if len(fields) < 9:
        raise InputRefused("RMC has fewer than 9 fields")
    day, date = _clock(fields[0]), _DATE.fullmatch(fields[8])
    if day is None or date is None:
        raise InputRefused("RMC has no time or no date")
    of_month, month, year = map(int, date.groups())
    if not (1 <= month <= 12 and 1 <= of_month <= 31):
        raise InputRefused(f"RMC: {fields[8]!r} is no date")
    century = 1900 if year >= _LAST_CENTURY else 2000
    at = calendar.timegm((century + year, month, of_month, 0, 0, 0)) + day
    mode = fields[11] if len(fields) > 11 else "A"
    lon, lat = _place(fields[2:6])
    speed = _number(fields[6])
    valid = fields[1] == "A" and mode != "N"
    return Rmc(at, day, valid, lon, lat, None if speed is None else speed * _KNOT, _number(fields[7]))


def _gga(fields: list[str]) -> Gga | None:
    if len(fields) < 9:
        raise InputRefused("GGA has fewer than 9 fields")
    day = _clock(fields[0])
    if day is None:
        return None
    lon, lat = _place(fields[1:5])
    numbers = (_number(fields[n]) for n in (8, 6, 7))
    return Gga(day, fields[5] not in ("", "0"), lon, lat, *numbers)


def _clock(text: str) -> float | None:
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute, second = int(found[1]), int(found[2]), float(found[3])
    if hour > 23 or minute > 59 or second >= 61:
        raise InputRefused(f"{text[:20]!r} is no time of day")
    return hour * 3600 + minute * 60 + second


def _place(fields: list[str]) -> tuple[float, float] | tuple[None, None]:
    """Longitude and latitude [°] of ``ddmm.mm,N,dddmm.mm,E``."""
    lat, north, lon, east = fields
    if not lat and not lon:
        return None, None
    south, west = {"N": 1, "S": -1}.get(north), {"E": 1, "W": -1}.get(east)
    if south is None or west is None:
        raise InputRefused("a hemisphere is none of N, S, E and W")
    return west * _angle(lon), south * _angle(lat)


def _angle(text: str) -> float:
    found = _ANGLE.fullmatch(text)
    if found is None or float(found[2]) > 60:  # 60 itself is how some write what they have rounded up
        raise InputRefused(f"{text[:20]!r} is no angle in degrees and minutes")
    return int(found[1]) + float(found[2]) / 60


def _number(text: str) -> float | None:
    if not text:
        return None
    try:
        found = float(text)
    except ValueError:
        raise InputRefused(f"{text[:20]!r} is no number") from None
    if not abs(found) < 1e9:
        raise InputRefused(f"{text[:20]!r} is no number")
    return found
