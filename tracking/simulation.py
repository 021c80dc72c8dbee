"""Vehicles that drive about the road network, and send what real terminals send to the real port."""

import asyncio
import bisect
import itertools
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
#: Streets of one way, where they are short.
_MOST_STREETS = 2000
#: Metres of a way there, and between stops; seconds at a stop, and at the terminus at least. 2026-01-01 00:00 UTC, when
#: timetables begin.
_WAY, _BETWEEN_STOPS, _AT_STOP, _REST, _BEGIN = (3000.0, 8000.0), (400.0, 1200.0), (15.0, 60.0), 120.0, 1_767_225_600.0
#: Reports that one vehicle may have sent unanswered, or so many seconds of them; seconds of silence after which it
#: connects anew, and seconds of reports that go out at once where there are many.
_WINDOW, _WINDOW_SECONDS, _SILENCE, _TICK = 50, 2.0, 30.0, 0.05


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
    """One vehicle, which drives by a timetable (行车时刻表): there and back along streets, round after round.

    It leaves its terminus at :attr:`first` and every :attr:`round` seconds after, stands at its stops, and waits at the
    terminus for the next departure. Where it is depends on the time only.
    """

    def __init__(self, streets: Streets, seed: int) -> None:
        chance = random.Random(seed)
        way = _there_and_back(streets, chance)
        times, places, speeds, along, headings = [0.0], [way[0]], [0.0], [0.0], [0]
        speed, next_stop = chance.uniform(24, 56), chance.uniform(*_BETWEEN_STOPS)
        for a, b in itertools.pairwise(way):
            length = _metres(a, b)
            times.append(times[-1] + length / speed * 3.6)
            places.append(b)
            speeds.append(speed)
            along.append(along[-1] + length)
            headings.append(_heading(a, b))
            if along[-1] >= next_stop:
                times.append(times[-1] + chance.uniform(*_AT_STOP))
                places.append(b)
                speeds.append(0.0)
                along.append(along[-1])
                headings.append(headings[-1])
                speed, next_stop = chance.uniform(24, 56), along[-1] + chance.uniform(*_BETWEEN_STOPS)
        self._times, self._places, self._speeds, self._along, self._headings = times, places, speeds, along, headings
        #: Seconds from one departure to the next, whole minutes with a rest of two at least; the first one (Unix time).
        self.round = math.ceil((times[-1] + _REST) / 60) * 60
        self.first = _BEGIN + 60 * chance.randrange(self.round // 60)
        self._mileage = chance.uniform(0, 50_000)

    def drive(self, at: float) -> Fix:
        """Where it is at Unix time ``at`` [s]."""
        rounds, now = divmod(at - self.first, self.round)
        n = min(bisect.bisect_right(self._times, now), len(self._times) - 1)
        began, ended = self._times[n - 1], self._times[n]
        share = min(1.0, (now - began) / (ended - began)) if ended > began else 1.0
        a, b = self._places[n - 1], self._places[n]
        lon, lat = a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share
        driven = self._along[n - 1] + (self._along[n] - self._along[n - 1]) * share
        mileage = self._mileage + (rounds * self._along[-1] + driven) / 1000
        speed = self._speeds[n] if now < self._times[-1] else 0.0
        return Fix(
            at // 1,
            round(lon, 6),
            round(lat, 6),
            round(speed, 1),
            self._headings[n],
            30,
            0,
            ACC | FIXED,
            round(mileage, 1),
        )


def _there_and_back(streets: Streets, chance: random.Random) -> list[Place]:
    """A way of some kilometres along streets, and the same way back."""
    line = chance.choice(streets.lines)
    way, left = list(line), chance.uniform(*_WAY)
    for _ in range(_MOST_STREETS):
        left -= sum(itertools.starmap(_metres, itertools.pairwise(line)))
        if left <= 0:
            break
        line = streets.onward(line, chance)
        way += line[1:]
    return way + way[-2::-1]


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
    at_once = max(1, math.ceil(_TICK / interval))
    window = min(max(_WINDOW, at_once, round(_WINDOW_SECONDS / interval)), 30_000)
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
            serial, due = 0, time.time()
            while not stop.is_set() and not ended.is_set():
                due = max(due + interval * at_once, time.time() - 1.0)
                await asyncio.sleep(max(0.0, due - time.time()))
                if len(unanswered) + at_once > window:
                    continue
                frames = []
                for n in range(at_once):
                    serial = serial % 0xFFFF + 1
                    fix = vehicle.drive(due - (at_once - 1 - n) * interval)
                    unanswered.add(serial)
                    frames.append(write_frame(Message(uplink.LOCATION, code, serial, terminal.location(fix))))
                traffic.sent += at_once
                writer.write(b"".join(frames))
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


def _heading(a: Place, b: Place) -> int:
    east = (b[0] - a[0]) * math.cos(math.radians(a[1]))
    return round(math.degrees(math.atan2(east, b[1] - a[1]))) % 360


def _rounded(place: Place) -> Place:
    return round(place[0], 7), round(place[1], 7)


def _metres(a: Place, b: Place) -> float:
    return math.hypot((b[0] - a[0]) * math.cos(math.radians(a[1])), b[1] - a[1]) * _DEGREE
