"""Kills the gateway, the worker and PostgreSQL at random under load, and counts what was answered and is not stored.

``python -m tests.tracking.faults --rounds 100`` runs more rounds than the tests do; ``--answer-first`` is the control: the
same with answers before the commit, which must lose positions. What is killed are processes of their own, forked from one
that has the program in memory already, so that a round costs its restart and not its imports.
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path

import uvloop
from sqlalchemy import create_engine, text

from geoserver.cluster import Cluster
from geoserver.config import load
from geoserver.identity.devices import make_device_secret
from geoserver.migrations import migrate
from geoserver.tracking_gateway import make_gateway
from layers.database import Database, psycopg2_url
from tests.tracking.gateways import add_devices
from tracking.jt808 import terminal, uplink
from tracking.jt808.frames import Message, Splitter, read_frame, write_frame
from tracking.model import Fix
from tracking.upkeep import Policy, upkeep

#: Terminals, and reports of each that are on their way at once.
TERMINALS, WINDOW = 12, 20
#: Answers between two kills, and seconds at random before one; seconds between a worker's rounds.
ANSWERS, _RANDOM, _EVERY = 120, 0.15, 0.1
#: What is killed; ``all`` at once.
VICTIMS = ("gateway", "worker", "database", "all")
#: Processes of their own.
forked = multiprocessing.get_context("forkserver")


@dataclass
class Rig:
    """A cluster of its own, and a gateway and a worker as processes of their own."""

    cluster: Cluster
    url: str
    port: int
    answer_first: bool
    processes: dict[str, BaseProcess] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        """``gateway``, ``worker``."""
        for name in names:
            target, more = (_gateway, (self.port, self.answer_first)) if name == "gateway" else (_worker, ())
            self.processes[name] = forked.Process(target=target, args=(self.url, *more), daemon=True)
            self.processes[name].start()

    def kill(self, *names: str) -> None:
        """At once, and be sure of it."""
        for name in names:
            self.processes[name].kill()
        for name in names:
            self.processes.pop(name).join()

    def kill_database(self) -> None:
        """Every process of it at once, as a cut of the power would."""
        for pid in self.cluster.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def start_database(self) -> None:
        # Where nobody buries the dead (a container without init) PostgreSQL takes the killed one's number for a living one.
        for lock in self.cluster.socket_directory.glob(".s.PGSQL.*.lock"):
            lock.unlink()
        with self.cluster._locked_for_start():
            self.cluster._start_server()


def _gateway(url: str, port: int, answer_first: bool) -> None:
    _quietly()
    own = {"CITYMAP__TRACKING__JT808__PORT": str(port), "CITYMAP__TRACKING__JT808__STRANGER_SECONDS": "600"}
    settings = load(environ=own)  # a crowd may take its time
    uvloop.run(make_gateway(settings, url, answer_first=answer_first).gateway.serve(asyncio.Event(), asyncio.Event()))


def _worker(url: str) -> None:
    """What a worker does to positions, without pause."""
    _quietly()
    with upkeep(url, Policy(), _EVERY):
        threading.Event().wait()


def _quietly() -> None:
    """It says every second that the database is away, which is the point."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


@dataclass
class Load:
    """Terminals that report without end, each report with a time of its own, and send again what was not answered."""

    port: int
    codes: dict[str, str]
    begin: float
    answered: set[tuple[str, float]] = field(default_factory=set)
    sent: int = 0
    stopping: bool = False

    async def answers(self, count: int) -> None:
        """Wait for so many more."""
        wanted = len(self.answered) + count
        while len(self.answered) < wanted:
            await asyncio.sleep(0.01)

    async def run(self) -> None:
        await asyncio.gather(*(self._terminal(code, secret, n) for n, (code, secret) in enumerate(self.codes.items())))

    async def _terminal(self, code: str, secret: str, n: int) -> None:
        pending: dict[int, Fix] = {}
        again: list[Fix] = []
        made = 0
        while not (self.stopping and not pending and not again):
            again += pending.values()
            pending.clear()
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            splitter, serial = Splitter(), 1
            try:
                writer.write(write_frame(Message(uplink.AUTHENTICATE, code, serial, terminal.authentication(secret))))
                proved = False
                while not writer.is_closing() and not (self.stopping and not pending and not again):
                    while proved and len(pending) < WINDOW and (again or not self.stopping):
                        if again:
                            fix = again.pop()
                        else:
                            made += 1
                            fix = Fix(self.begin + made, 114.0 + n * 0.01, 30.0 + made * 1e-6, 30.0, 0, 0, 0, 3)
                        serial = (serial + 1) & 0xFFFF
                        pending[serial] = fix
                        self.sent += 1
                        writer.write(write_frame(Message(uplink.LOCATION, code, serial, terminal.location(fix))))
                    data = await asyncio.wait_for(reader.read(65536), 20)
                    if not data:
                        break
                    for frame in splitter.feed(data):
                        body = read_frame(frame).body
                        if int.from_bytes(body[2:4]) == uplink.AUTHENTICATE:
                            proved = body[4] == 0
                        elif body[4] == 0 and (done := pending.pop(int.from_bytes(body[:2]), None)) is not None:
                            self.answered.add((code, done.time))
            except (OSError, TimeoutError):
                pass
            finally:
                writer.transport.abort()


@dataclass(frozen=True)
class Outcome:
    """What a run found; ``lost`` are reports that were answered and are not in the table."""

    rounds: int
    sent: int
    answered: int
    lost: int
    doubled: int

    def __str__(self) -> str:
        return f"{self.rounds} rounds: {self.sent} sent, {self.answered} answered, {self.lost} lost, {self.doubled} doubled"


@contextmanager
def stage() -> Iterator[tuple[Cluster, str, dict[str, str]]]:
    """A durable cluster of its own, migrated, with devices: its address, and their codes with their secrets."""
    folder = Path(tempfile.mkdtemp(prefix="citymap-faults-", dir="/tmp"))
    folder.chmod(0o755)
    forked.set_forkserver_preload(
        ["__main__", "geoserver.tracking_gateway", "geoserver.migrations", "tests.tracking.gateways"]
    )
    cluster = Cluster(folder / "postgres")
    try:
        url = cluster.start()
        migrate(url)
        yield cluster, url, _codes(url)
    finally:
        cluster.stop()
        shutil.rmtree(cluster.directory, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def run(
    cluster: Cluster, url: str, codes: dict[str, str], rounds: int, *, answer_first: bool = False, seed: int = 1,
    away: float = 0.0, victims: Sequence[str] = VICTIMS,
) -> Outcome:  # fmt: skip
    """So many rounds, each with one kill of these victims. ``away``: seconds for which a killed database stays away."""
    return asyncio.run(_rounds(Rig(cluster, url, free_port(), answer_first), codes, rounds, seed, away, victims))


def free_port() -> int:
    """One of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def _codes(url: str) -> dict[str, str]:
    database = Database(url, pool_size=1)
    codes = add_devices(database, TERMINALS)
    with database.transaction() as conn:
        found = {code: make_device_secret(conn, code, "faults")[0] for code in codes}
    database.close()
    return found


async def _rounds(
    rig: Rig, codes: dict[str, str], rounds: int, seed: int, away: float, victims: Sequence[str]
) -> Outcome:
    chance = random.Random(seed)
    begin = time.time() // 1 - 80_000 - 40_000 * rig.answer_first - 1_000 * seed
    load = Load(rig.port, codes, begin)  # no run meets another's reports
    both = ("gateway", "worker")
    rig.start(*both)
    working = asyncio.ensure_future(load.run())
    try:
        for _ in range(rounds):
            await load.answers(ANSWERS)
            await asyncio.sleep(chance.uniform(0.0, _RANDOM))
            victim = chance.choice(victims)
            killed = [name for name in both if victim in (name, "all")]
            rig.kill(*killed)
            if victim in ("database", "all"):
                rig.kill_database()
                await asyncio.sleep(0.2)  # what was committed before is told of
                answered = len(load.answered)
                await asyncio.sleep(away)
                assert len(load.answered) == answered
                await asyncio.to_thread(rig.start_database)
            rig.start(*killed)
        await load.answers(ANSWERS)
        if not rig.answer_first:
            load.stopping = True  # and everything that was ever sent is answered in the end
            await asyncio.wait_for(working, 60)
    finally:
        working.cancel()
        rig.kill(*rig.processes)
    return _counted(rig.url, rounds, load)


def _counted(url: str, rounds: int, load: Load) -> Outcome:
    engine = create_engine(psycopg2_url(url))
    with engine.connect() as conn:
        rows = conn.execute(text(
            "SELECT d.code, extract(epoch FROM p.time)::float8, count(*) FROM tracking.positions p"
            " JOIN city.devices d ON d.id = p.device GROUP BY 1, 2")).all()  # fmt: skip
    engine.dispose()
    stored = {(code, at): count for code, at, count in rows}
    doubled = sum(count - 1 for count in stored.values())
    return Outcome(rounds, load.sent, len(load.answered), len(load.answered - stored.keys()), doubled)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--away", type=float, default=0.0, help="seconds for which a killed database stays away")
    parser.add_argument("--answer-first", action="store_true")
    given = parser.parse_args()
    victims = ("gateway",) if given.answer_first else VICTIMS
    with stage() as staged:
        outcome = run(*staged, given.rounds, answer_first=given.answer_first, seed=given.seed, away=given.away,
                      victims=victims)  # fmt: skip
    print(outcome)
    sys.exit(bool(outcome.lost) != given.answer_first)
