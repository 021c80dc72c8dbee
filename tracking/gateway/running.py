"""The gateway as a whole: everything that runs, begun and ended in order."""

import asyncio
import logging
import resource
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from tracking.alarms.conditions import Limits
from tracking.dispatching.following import Following
from tracking.gateway.board import Board
from tracking.gateway.committing import GroupCommit
from tracking.gateway.mqtt import Broker, MqttInput
from tracking.gateway.nmea import NmeaSession
from tracking.gateway.roster import Roster, Secrets
from tracking.gateway.server import Bounds, Datagrams, Lines, TcpLine
from tracking.gateway.session import Session, Surroundings
from tracking.states import Patience

LOGGER = logging.getLogger("citymap")
#: Seconds that a stopping gateway gives what it has read to be stored.
_PATIENCE = 10.0
_BACKLOG = 4096
#: Open files that are no terminal's: the database, what listens, modules, and connections on their way in and out.
_OTHER_FILES = 500


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address of TCP and UDP; port 0 is a free one."""

    host: str = "127.0.0.1"
    port: int = 10110


@dataclass(frozen=True, slots=True)
class Options:
    """Where to listen. ``answer_first`` is for the fault tests: it breaks the promise of the answers."""

    host: str = "127.0.0.1"
    port: int = 7808
    udp: bool = True
    bounds: Bounds = field(default_factory=Bounds)
    answer_first: bool = False
    nmea: Endpoint | None = None
    broker: Broker | None = None


class Gateway:
    """One gateway over a migrated database, at its address for the role ``citymap_app``."""

    def __init__(self, options: Options, url: str, secrets: Secrets, patience: Patience, limits: Limits) -> None:
        self._options = options
        self._roster = Roster(url)
        self.board = Board(url, patience, limits)
        self._following = Following(url)
        self.commit = GroupCommit(url, self.board.stored, answer_first=options.answer_first)
        around = Surroundings(self._roster, secrets, self.commit, self.board)
        bounds = within(options.bounds, _allow_many_files())
        self.lines = Lines(bounds, self.commit, lambda line: Session(line, around))
        self.nmea = Lines(bounds, self.commit, lambda line: NmeaSession(line, around))
        self.mqtt: MqttInput | None = None
        self.port = options.port
        self.nmea_port = options.nmea.port if options.nmea else 0

    async def serve(self, ready: asyncio.Event, stop: asyncio.Event) -> None:
        """Serve from when ``ready`` is set until ``stop`` is; then what was read is stored and answered."""
        loop = asyncio.get_running_loop()
        await self._first_reading(stop)
        opened = await self._open()
        tasks = [loop.create_task(run) for run in (
            self.commit.run(), self._roster.follow(), self.lines.look_after(), self.board.run(self._roster),
            self.board.dispatch.run(), self._following.run(), self.nmea.look_after(),
        )]  # fmt: skip
        if self._options.broker is not None:
            self.mqtt = MqttInput(self._options.broker, self._roster, self.commit, self.board)
            tasks.append(loop.create_task(self.mqtt.run()))
        LOGGER.info("terminals are welcome on %s:%d", self._options.host, self.port)
        ready.set()
        ended = asyncio.ensure_future(stop.wait())
        await asyncio.wait([ended, *tasks], return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        for each in opened:
            each.server.close()
        for line in [*self.lines.tcp, *self.nmea.tcp]:
            line.pause()
        await self.commit.drain(_PATIENCE)
        for each in opened:
            each.close()
        self.lines.close()
        self.nmea.close()
        await self._end(tasks)

    async def _open(self) -> "list[_Open]":
        """Listen everywhere, or nowhere: raises :class:`OSError` where a port is taken."""
        opened: list[_Open] = []
        try:
            jt808 = Endpoint(self._options.host, self._options.port)
            opened.append(await _listen(self.lines, jt808, udp=self._options.udp))
            self.port = opened[0].port
            if self._options.nmea is not None:
                opened.append(await _listen(self.nmea, self._options.nmea, udp=True))
                self.nmea_port = opened[1].port
        except OSError:
            for each in opened:
                each.close()
            raise
        return opened

    async def _first_reading(self, stop: asyncio.Event) -> None:
        """A gateway that knows no devices would refuse them all: it waits for the database."""
        while not stop.is_set():
            try:
                await asyncio.to_thread(self._roster.read)
                await asyncio.to_thread(self.board.recall, self._roster)
                return
            except Exception as error:
                LOGGER.warning("the gateway waits for the database: %s", str(error).strip().split("\n")[0])
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 1.0)

    async def _end(self, tasks: "list[asyncio.Task[None]]") -> None:
        broken = [task for task in tasks if task.done() and not task.cancelled() and task.exception()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(self.board.close)
        self.board.dispatch.close()
        self._following.close()
        self.commit.close()
        self._roster.close()
        for task in broken:
            raise RuntimeError("a part of the gateway broke") from task.exception()


class _Open(NamedTuple):
    """Sockets that listen."""

    port: int
    server: asyncio.Server
    datagrams: asyncio.DatagramTransport | None

    def close(self) -> None:
        """Listen no more."""
        self.server.close()
        if self.datagrams is not None:
            self.datagrams.close()


async def _listen(lines: Lines, at: Endpoint, *, udp: bool) -> _Open:
    """Raises :class:`OSError` where the port is taken."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: TcpLine(lines), at.host, at.port, backlog=_BACKLOG)
    port = server.sockets[0].getsockname()[1]
    if not udp:
        return _Open(port, server, None)
    try:
        datagrams, _ = await loop.create_datagram_endpoint(lambda: Datagrams(lines), local_addr=(at.host, port))
    except OSError:
        server.close()
        raise
    return _Open(port, server, datagrams)


def within(bounds: Bounds, files: int) -> Bounds:
    """Bounds that a process of so many open files can keep, with a word about it where they are fewer connections.

    Beyond them it could not even connect to the database again, and a connection that is refused comes again.
    """
    most = max(1, files - _OTHER_FILES)
    if bounds.connections <= most:
        return bounds
    LOGGER.warning(
        "the machine lets the gateway open %d files: %d connections at once, not %d; more by LimitNOFILE= of the"
        " service, or `ulimit -n` before it starts", files, most, bounds.connections,
    )  # fmt: skip
    return replace(bounds, connections=most)


def _allow_many_files() -> int:
    """As many open files as the machine's administrator allows this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
