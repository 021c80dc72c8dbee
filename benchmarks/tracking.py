"""Positions: the way in beside inserting row by row, answers that the disk vouches for, and fences.

On a cluster of its own that keeps what it says (fsync), in one run. ``python -m benchmarks.tracking`` measures alone;
``--seconds 3 --connections 200`` makes it smaller.
"""

import argparse
import asyncio
import socket
import statistics
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg2

from benchmarks import fences
from benchmarks.bench import Bench
from geoserver.cluster import Cluster
from geoserver.identity.devices import make_device_secret
from geoserver.migrations import migrate
from layers.database import Database
from tracking.jt808 import terminal, uplink
from tracking.jt808.frames import Message, write_frame
from tracking.model import Device, Fix, Stored
from tracking.storing import day_of, make_days, store
from tracking.tracks import read_devices, read_track

#: Positions of one transaction of the way in.
_BATCH = 5000
_ROW_BY_ROW = """
    INSERT INTO tracking.positions (device, time, variant, geom, department, speed, heading, altitude, alarms, status, doubt)
    VALUES (%s, to_timestamp(%s), 0, ST_SetSRID(ST_MakePoint(%s, %s), 4490), %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING"""
_GATEWAY = """
import asyncio, gc, sys, uvloop
from geoserver.config import load
from geoserver.tracking_gateway import make_gateway
made = make_gateway(load(environ={"CITYMAP__TRACKING__JT808__PORT": sys.argv[2]}), sys.argv[1])
gc.collect()
gc.freeze()  # as `citymap gateway` does
uvloop.run(made.gateway.serve(asyncio.Event(), asyncio.Event()))
"""
#: Reports that a terminal sends before it waits for their answers.
_AT_ONCE = 20


@dataclass(frozen=True)
class Positions:
    """Positions a second: of the ways in, of answers (over so many connections), and of fences by their number."""

    copied: float
    again: float
    one_by_one: float
    answers: float
    connections: int
    #: Reading a device's day while that goes on [ms].
    day: float
    fences: fences.Checked


def run(folder: Path, seconds: float, connections: int) -> Positions:
    """Measure, each part for about so many seconds."""
    with Cluster(folder / "durable") as url:
        migrate(url)
        database = Database(url, pool_size=1)
        codes = _devices(database, connections)
        with database.transaction() as conn:
            devices = read_devices(conn)
        database.close()
        copied, again, one_by_one = _ways_in(url, devices, seconds)
        answers, day = _answers(url, codes, devices[0], seconds)
    return Positions(copied, again, one_by_one, answers, connections, day, fences.run(folder))


def _devices(database: Database, count: int) -> dict[str, str]:
    codes = [f"139{n:08d}" for n in range(count)]
    with database.transaction() as conn:
        raw = conn.connection.cursor()
        raw.execute("DELETE FROM access.device_secrets")
        raw.execute(
            "INSERT INTO city.devices (code, name) SELECT c, c FROM unnest(%s) c ON CONFLICT DO NOTHING", (codes,)
        )
        return {code: make_device_secret(conn, code, "bench")[0] for code in codes}


def _ways_in(url: str, devices: list[Device], seconds: float) -> tuple[float, float, float]:
    """Positions a second by our way, the same once more (all there already), and by INSERT and COMMIT of each."""
    conn = psycopg2.connect(url)
    begin = time.time() // 1 - 80_000
    batches = [
        [Stored(d, Fix(begin + (n * _BATCH + m) // len(devices), 114.9, 30.4, 36.0, 90, 20, 0, 3))
         for m, d in ((m, devices[(n * _BATCH + m) % len(devices)]) for m in range(_BATCH))]
        for n in range(40)
    ]  # fmt: skip
    rates = []
    for _ in range(2):
        done, started = 0, time.perf_counter()
        for batch in batches:
            with conn.cursor() as cursor:
                store(cursor, batch, time.time())
            conn.commit()
            done += len(batch)
            if time.perf_counter() - started > seconds * 3:
                break
        rates.append(done / (time.perf_counter() - started))
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        device, fix = devices[done % len(devices)], batches[0][0].fix
        values = (device.id, fix.time - 10_000 - done, fix.lon, fix.lat, None, 36.0, 90, 20, 0, 3, 0)
        with conn.cursor() as cursor:
            cursor.execute(_ROW_BY_ROW, values)
        conn.commit()
        done += 1
    rate = done / (time.perf_counter() - started)
    conn.close()
    return rates[0], rates[1], rate


def _answers(url: str, codes: dict[str, str], device: Device, seconds: float) -> tuple[float, float]:
    """Answers a second, each after its position is on the disk, and how long a device's day takes to be read meanwhile
    [ms]; the gateway is a process of its own."""
    _store_day(url, device)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", _GATEWAY, url, str(port)])
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        import uvloop

        with ThreadPoolExecutor(1) as pool:
            stopping = threading.Event()
            reading = pool.submit(_read_days, url, device, stopping)
            try:
                rate = uvloop.run(_load(port, codes, seconds))
            finally:
                stopping.set()
            return rate, reading.result()
    finally:
        process.kill()
        process.wait()


def _store_day(url: str, device: Device) -> None:
    """A fix every ten seconds, of the day before yesterday."""
    conn = psycopg2.connect(url)
    with conn.cursor() as cursor:
        make_days(cursor, [day_of(_day())])
        day = [Stored(device, Fix(_day() + n * 10, 114 + n * 1e-5, 30.4, 36.0, 90, 20, 0, 3)) for n in range(8640)]
        store(cursor, day, time.time())
    conn.commit()
    conn.close()


def _day() -> float:
    return (time.time() // 86_400 - 2) * 86_400 - 8 * 3600


def _read_days(url: str, device: Device, stopping: threading.Event) -> float:
    """The middle of the times that reading it takes [ms], until it is told to stop."""
    database = Database(url, pool_size=1)
    begin = datetime.fromtimestamp(_day(), UTC)
    taken = []
    while not stopping.wait(0.1):
        with database.transaction() as conn:
            started = time.perf_counter()
            assert len(read_track(conn, device, begin, begin + timedelta(days=1))) == 8640
            taken.append(time.perf_counter() - started)
    database.close()
    return statistics.median(taken) * 1000


async def _load(port: int, codes: dict[str, str], seconds: float) -> float:
    counts: list[int] = [0]
    waiting = asyncio.Event()
    proved = [0]

    async def unit(code: str, secret: str, n: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(write_frame(Message(uplink.AUTHENTICATE, code, 0, terminal.authentication(secret))))
        await reader.read(100)
        proved[0] += 1
        await waiting.wait()
        at, serial = time.time() // 1 - 70_000, 0
        while True:
            frames = []
            for _ in range(_AT_ONCE):
                at, serial = at + 1, serial % 0xFFFF + 1
                fix = Fix(at, 114.0 + n * 1e-4, 30.0 + serial * 1e-6, 36.0, 90, 20, 0, 3)
                frames.append(write_frame(Message(uplink.LOCATION, code, serial, terminal.location(fix))))
            writer.write(b"".join(frames))
            marks = 0
            while marks < 2 * _AT_ONCE:
                found = (await reader.read(65_536)).count(b"\x7e")
                if not found:
                    raise ConnectionError("the gateway hung up")
                marks += found
            counts[0] += _AT_ONCE

    units = [asyncio.ensure_future(unit(code, secret, n)) for n, (code, secret) in enumerate(codes.items())]
    while proved[0] < len(codes):
        await asyncio.sleep(0.05)
        if broken := [u for u in units if u.done()]:
            await broken[0]
    waiting.set()
    await asyncio.sleep(1.0)
    before, started = counts[0], time.perf_counter()
    await asyncio.sleep(seconds)
    rate = (counts[0] - before) / (time.perf_counter() - started)
    for each in units:
        each.cancel()
    await asyncio.gather(*units, return_exceptions=True)
    return rate


def piece(bench: Bench) -> list[str]:
    """Measure, and tell as lines of a page."""
    return section(run(bench.folder, bench.seconds, 2000))


def section(found: Positions) -> list[str]:
    """The figures as lines of a page."""
    return [
        "## Vehicle positions",
        "",
        "On a PostgreSQL with fsync; terminals, gateway and database share the machine's cores.",
        "",
        "| what | a second |",
        "|---|---|",
        f"| stored by COPY, duplicates left out | {found.copied:,.0f} |",
        f"| the same once more: all are there already | {found.again:,.0f} |",
        f"| INSERT and COMMIT row by row | {found.one_by_one:,.0f} (ours × {found.copied / found.one_by_one:.0f}) |",
        f"| JT/T 808 answers after the commit, {found.connections} connections | {found.answers:,.0f} |",
        f"| a device's day (8640 positions) is read meanwhile, in the middle | {found.day:.1f} ms |",
        *fences.lines(found.fences),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, default=2000)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent.parent / "var" / "bench")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    print("\n".join(section(run(given.folder, given.seconds, given.connections))))
