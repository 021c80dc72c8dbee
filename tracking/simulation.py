"""Vehicles that drive about the road network, and send what real terminals send to the real port."""

import asyncio
import math
import random
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from layers.registry import find_layer
from tracking.jt808 import terminal, uplink
from tracking.jt808.frames import Message, Splitter, read_frame, write_frame
from tracking.model import ACC, FIXED, Fix

type Place = tuple[float, float]

#: Roads that vehicles drive on, of one city.
_MOST_ROADS = 200_000
_ROADS = text("""
    SELECT array(SELECT ST_X((d).geom) FROM ST_DumpPoints(r.geom) d) AS lon,
           array(SELECT ST_Y((d).geom) FROM ST_DumpPoints(r.geom) d) AS lat
    FROM city.roads r WHERE class NOT IN ('footway', 'cycleway', 'track') ORDER BY id LIMIT :most""")
_DEGREE = 111_195.0
#: Reports that one vehicle may have sent without an answer, and seconds of silence after which it connects anew.
_WINDOW, _SILENCE = 50, 30.0


@dataclass(frozen=True)
class Streets:
    """Lines between junctions: at each end, the lines that begin there, forwards or backwards."""

    lines: Sequence[Sequence[Place]]
    at: Mapping[Place, Sequence[int]] = field(init=False)

    def __post_init__(self) -> None:
        found: defaultdict[Place, list[int]] = defaultdict(list)
        for n, line in enumerate(self.lines):
            for end in (line[0], line[-1]):
                found[_rounded(end)].append(n)
        object.__setattr__(self, "at", dict(found))

    def onward(self, line: Sequence[Place], chance: random.Random) -> Sequence[Place]:
        """A line that goes on from the end of this one; back where there is none."""
        end = _rounded(line[-1])
        ways = [self.lines[n] for n in self.at[end]]
        others = [way for way in ways if {_rounded(way[0]), _rounded(way[-1])} != {_rounded(line[0]), end}]
        way = chance.choice(others or ways)
        return way if _rounded(way[0]) == end else way[::-1]


def read_streets(conn: Connection) -> Streets:
    """The roads of the city for vehicles. Raises :class:`ValueError` where there are none."""
    find_layer(conn, "roads")
    lines = [list(zip(lon, lat, strict=True)) for lon, lat in conn.execute(_ROADS, {"most": _MOST_ROADS})]
    if not lines:
        raise ValueError("the layer roads is empty: make the sample city, or import roads")
    return Streets(lines)


class Vehicle:
    """One vehicle: it drives, stands now and then, and knows its mileage [km]."""

    def __init__(self, streets: Streets, seed: int) -> None:
        self._chance = random.Random(seed)
        self._streets = streets
        self._line = list(self._chance.choice(streets.lines))
        self._corner, self._along = 0, 0.0
        self._speed = self._chance.uniform(20, 60)
        self._stands = 0.0
        self.mileage = self._chance.uniform(0, 50_000)

    def drive(self, seconds: float, at: float) -> Fix:
        """Where it is so many seconds later, at Unix time ``at`` [s]."""
        if self._stands > 0:
            self._stands -= seconds
        elif self._chance.random() < seconds / 1800:
            self._stands = self._chance.uniform(60, 600)
        else:
            self._speed = min(70.0, max(8.0, self._speed + self._chance.gauss(0, 4)))
            self._go(self._speed / 3.6 * seconds)
        a, b = self._line[self._corner], self._line[self._corner + 1]
        share = self._along / (_metres(a, b) or 1.0)
        lon, lat = a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
        heading = round(math.degrees(math.atan2((b[0] - a[0]) * math.cos(math.radians(lat)), b[1] - a[1]))) % 360
        speed = 0.0 if self._stands > 0 else round(self._speed, 1)
        return Fix(at // 1, round(lon, 6), round(lat, 6), speed, heading, 30, 0, ACC | FIXED, round(self.mileage, 1))

    def _go(self, metres: float) -> None:
        self.mileage += metres / 1000
        self._along += metres
        for _ in range(10_000):
            length = _metres(self._line[self._corner], self._line[self._corner + 1])
            if self._along < length:
                return
            self._along -= length
            self._corner += 1
            if self._corner + 1 >= len(self._line):
                self._line, self._corner = list(self._streets.onward(self._line, self._chance)), 0
        self._along = 0.0


@dataclass
class Traffic:
    """What was sent and answered so far."""

    sent: int = 0
    answered: int = 0
    connected: int = 0


async def run(
    host: str,
    port: int,
    codes: Mapping[str, str],
    streets: Streets,
    interval: float,
    traffic: Traffic,
    stop: asyncio.Event,
) -> None:
    """Drive every vehicle (number and secret) and report each ``interval`` seconds, until ``stop``."""
    drives = (
        _vehicle(
            host, port, code, secret, Vehicle(streets, n), interval, n * interval / max(1, len(codes)), traffic, stop
        )
        for n, (code, secret) in enumerate(codes.items())
    )
    await asyncio.gather(*drives)


async def _vehicle(
    host: str, port: int, code: str, secret: str, vehicle: Vehicle, interval: float, delay: float, traffic: Traffic,
    stop: asyncio.Event,
) -> None:  # fmt: skip
    await asyncio.sleep(min(delay, 5.0))
    while not stop.is_set():
        try:
            reader, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(2.0)
            continue
        traffic.connected += 1
        unanswered: set[int] = set()
        ended = asyncio.Event()
        listening = asyncio.ensure_future(_listen(reader, unanswered, traffic, ended))
        try:
            writer.write(write_frame(Message(uplink.AUTHENTICATE, code, 0, terminal.authentication(secret))))
            serial, last = 0, time.time()
            while not stop.is_set() and not ended.is_set():
                await asyncio.sleep(interval)
                if len(unanswered) >= _WINDOW:
                    continue
                serial = serial % 0xFFFF + 1
                now = time.time()
                fix = vehicle.drive(now - last, now)
                last = now
                unanswered.add(serial)
                traffic.sent += 1
                writer.write(write_frame(Message(uplink.LOCATION, code, serial, terminal.location(fix))))
        finally:
            listening.cancel()
            traffic.connected -= 1
            writer.close()
        if not stop.is_set():
            await asyncio.sleep(1.0)


async def _listen(reader: asyncio.StreamReader, unanswered: set[int], traffic: Traffic, ended: asyncio.Event) -> None:
    splitter = Splitter()
    try:
        while data := await asyncio.wait_for(reader.read(65_536), _SILENCE):
            for frame in splitter.feed(data):
                body = read_frame(frame).body
                if body[4] != 0:
                    return  # not let in: come again
                if int.from_bytes(body[2:4]) == uplink.LOCATION and body[4] == 0:
                    unanswered.discard(int.from_bytes(body[:2]))
                    traffic.answered += 1
    except (OSError, TimeoutError, ValueError):
        pass
    finally:
        ended.set()


def _rounded(place: Place) -> Place:
    return round(place[0], 7), round(place[1], 7)


def _metres(a: Place, b: Place) -> float:
    return math.hypot((b[0] - a[0]) * math.cos(math.radians(a[1])), b[1] - a[1]) * _DEGREE
