"""Positions through fences: ours on one core, and Tile38 on the same fences and walks, by the CPU time that each uses.

``python -m benchmarks.fences`` measures alone. Tile38 (MIT) is the ``tile38-server`` on the PATH, or is built by Go; where
neither is to be had it is left out with a line that says why.
"""

import gc
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Point

from tracking.alarms.conditions import Limits
from tracking.alarms.engine import Engine
from tracking.alarms.fences import Fence, FenceIndex
from tracking.model import Device, Fix, Stored

#: Devices, and positions of each after the first.
_DEVICES, _STEPS = 2000, 14
_MODULE = "github.com/tidwall/tile38/cmd/tile38-server@latest"
#: Seconds for building it, and positions on their way at once.
_BUILDING, _AT_ONCE = 300, 1000


@dataclass(frozen=True)
class Walks:
    """Round fences, and devices that walk about, each in its own part of the city: ``places`` (steps, devices, 2) [°]."""

    shapes: Sequence[shapely.Polygon]
    places: NDArray[np.float64]


@dataclass(frozen=True)
class Checked:
    """Positions a CPU second by the number of fences, and how many enter or leave; Tile38's, or why there are none."""

    ours: dict[int, float]
    theirs: dict[int, float]
    events: dict[int, tuple[int, int]]
    why_not: str


class NoTile38(Exception):
    """It is not to be had here."""


def run(folder: Path, counts: Sequence[int] = (2_000, 100_000)) -> Checked:
    """Measure with so many fences each."""
    ours, theirs, events, why_not = {}, {}, {}, ""
    for count in counts:
        walks = _walks(count)
        ours[count], found = _ours(walks)
        try:
            theirs[count], judged = _theirs(walks, folder)
            events[count] = found, judged
        except NoTile38 as error:
            why_not = str(error)
    return Checked(ours, theirs, events, why_not)


def lines(checked: Checked) -> list[str]:
    """The figures as lines of a table, and what is missing."""
    told = []
    for count, rate in checked.ours.items():
        peer = checked.theirs.get(count)
        beside = ""
        if peer is not None:
            ours, theirs = checked.events[count]
            beside = f" (Tile38 {peer:,.0f}: ours × {rate / peer:.1f}; {ours} events, Tile38 {theirs})"
        told.append(f"| positions through {count:,} fences, of one core's time | {rate:,.0f}{beside} |")
    return told + ([f"| Tile38 | left out: {checked.why_not} |"] if checked.why_not else [])


def _walks(count: int) -> Walks:
    chance = np.random.default_rng(7)
    middles = chance.uniform((114.0, 30.0), (115.0, 31.0), (count, 2))
    shapes = [Point(x, y).buffer(0.3 / np.sqrt(count), 8) for x, y in middles]
    begin = chance.uniform((114.0, 30.0), (115.0, 31.0), (_DEVICES, 2))
    steps = chance.normal(0, 5e-4, (_STEPS, _DEVICES, 2))
    return Walks(shapes, np.concatenate([begin[None], begin + np.cumsum(steps, axis=0)]))


def _ours(walks: Walks) -> tuple[float, int]:
    watch = frozenset({"enter", "leave"})
    engine = Engine(FenceIndex([Fence(n, "", shape, watch) for n, shape in enumerate(walks.shapes)]), Limits())
    devices = [Device(n, str(n), "", None, "other") for n in range(_DEVICES)]
    batches = [
        [Stored(d, Fix(1e9 + n * 10, x, y, 36.0, 90, 20, 0, 3)) for d, (x, y) in zip(devices, at.tolist(), strict=True)]
        for n, at in enumerate(walks.places)
    ]
    engine.run(batches[0])
    gc.collect()
    gc.freeze()  # as `citymap gateway` does
    started = time.process_time()
    events = sum(len(engine.run(batch)[0]) for batch in batches[1:])
    rate = _STEPS * _DEVICES / (time.process_time() - started)
    gc.unfreeze()
    return rate, events


def _theirs(walks: Walks, folder: Path) -> tuple[float, int]:
    """The same by Tile38: a channel for each fence, which tells of entering and leaving."""
    with _tile38(folder) as (process, port), socket.create_connection(("127.0.0.1", port), 60) as ours:
        for n, at in enumerate(walks.places):
            if n == 1:  # who is inside from the beginning has not entered: fences come after the first positions
                fences = [("SETCHAN", f"f{k}", "WITHIN", "fleet", "FENCE", "DETECT", "enter,exit", "OBJECT",
                           shapely.to_geojson(shape)) for k, shape in enumerate(walks.shapes)]  # fmt: skip
                _ask(ours, fences)
                with socket.create_connection(("127.0.0.1", port), 60) as told:
                    told.sendall(_command(("PSUBSCRIBE", "*")))
                    assert told.recv(4096)
                    before = _cpu(process)
                    for places in walks.places[1:]:
                        _ask(ours, _positions(places))
                    seconds = _cpu(process) - before
                    events = _messages(told)
                return _STEPS * _DEVICES / seconds, events
            _ask(ours, _positions(at))
    raise AssertionError("there are no walks")


def _positions(places: NDArray[np.float64]) -> list[tuple[str, ...]]:
    return [("SET", "fleet", str(d), "POINT", repr(y), repr(x)) for d, (x, y) in enumerate(places.tolist())]


def _ask(server: socket.socket, commands: Sequence[Sequence[str]]) -> None:
    """Send commands, many at once, and read one line of answer to each."""
    for at in range(0, len(commands), _AT_ONCE):
        part = commands[at : at + _AT_ONCE]
        server.sendall(b"".join(map(_command, part)))
        answers = b""
        while answers.count(b"\r\n") < len(part):
            answers += server.recv(65_536)
        assert b"-ERR" not in answers, answers[:200]


def _command(words: Sequence[str]) -> bytes:
    """RESP, as Redis speaks it."""
    encoded = [word.encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded)


def _messages(told: socket.socket) -> int:
    """How many events came."""
    told.settimeout(2)
    data = b""
    try:
        while more := told.recv(1 << 20):
            data += more
    except TimeoutError:
        pass
    return data.count(b'"detect":"enter"') + data.count(b'"detect":"exit"')


def _cpu(process: "subprocess.Popen[bytes]") -> float:
    """CPU time that a process has used [s]."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _tile38(folder: Path) -> "Iterator[tuple[subprocess.Popen[bytes], int]]":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    data = folder / "tile38-data"
    shutil.rmtree(data, ignore_errors=True)
    command = [_program(folder), "-h", "127.0.0.1", "-p", str(port), "-d", str(data), "-q", "-appendonly", "no"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield process, port
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(data, ignore_errors=True)


def _program(folder: Path) -> str:
    """Raises :class:`NoTile38`."""
    if found := shutil.which("tile38-server") or shutil.which("tile38-server", path=folder / "bin"):
        return found
    if shutil.which("go") is None:
        raise NoTile38("neither tile38-server nor Go is installed")
    try:
        done = subprocess.run(
            ["go", "install", _MODULE], env={**os.environ, "GOBIN": str((folder / "bin").resolve())},
            capture_output=True, text=True, timeout=_BUILDING, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise NoTile38(f"`go install {_MODULE}` takes more than {_BUILDING} s") from None
    if done.returncode != 0:
        last = " ".join(done.stderr.split()) or "no reason given"
        raise NoTile38(f"`go install {_MODULE}`: {last[-160:]}")
    return str(folder / "bin" / "tile38-server")


if __name__ == "__main__":
    place = Path(__file__).parent.parent / "var" / "bench"
    place.mkdir(parents=True, exist_ok=True)
    print("\n".join(lines(run(place))))
