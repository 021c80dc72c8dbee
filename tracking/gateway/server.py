"""Sockets of the gateway, TCP and UDP, whatever its sessions speak: with bounds on all that a stranger can use up."""

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

from tracking.gateway.committing import GroupCommit

LOGGER = logging.getLogger("citymap")
#: Seconds between looks for connections that are silent, or that take nothing.
_LOOK = 2.0
#: Bytes that may wait to be taken by a terminal before no more of it is read.
_WAITING = 65_536


class Talk(Protocol):
    """What one connection means: ``last`` is when it was heard last (Unix time [s])."""

    last: float

    @property
    def proved(self) -> bool:
        """Whether it is known who speaks."""

    def receive(self, data: bytes) -> None:
        """Bytes that came."""

    def datagram(self, data: bytes) -> None:
        """A datagram that came."""

    def close(self) -> None:
        """The connection has ended."""


type MakeSession = Callable[["TcpLine | UdpLine"], Talk]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Connections at once; seconds for which one may be silent, before and after a device has proved who it is, and
    for which it may take nothing of what is sent."""

    connections: int = 30_000
    stranger: float = 60.0
    silent: float = 900.0
    stalled: float = 60.0


class Lines:
    """All open connections."""

    def __init__(self, bounds: Bounds, commit: GroupCommit, make_session: MakeSession) -> None:
        self.bounds = bounds
        self.commit = commit
        self.make_session = make_session
        self.tcp: set[TcpLine] = set()
        self.udp: dict[tuple[str, int], UdpLine] = {}
        self.paused = False
        self.refused = 0
        commit.on_room(self.resume)

    def pause_if_full(self) -> None:
        """Stop reading when what was read has not been stored."""
        if not self.paused and self.commit.full:
            self.paused = True
            for line in self.tcp:
                line.pause()

    def resume(self) -> None:
        """Read again."""
        if self.paused:
            self.paused = False
            for line in list(self.tcp):
                line.resume()

    async def look_after(self) -> None:
        """Close what is silent or stalled, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK)
            if self.paused:
                continue  # they are silent because nobody listens
            now = time.time()
            for line in self._all():
                allowed = self.bounds.silent if line.session.proved else self.bounds.stranger
                if now - line.session.last > allowed or line.stalled(now) > self.bounds.stalled:
                    line.hang_up()

    def close(self) -> None:
        """End all connections."""
        for line in self._all():
            line.hang_up()

    def _all(self) -> "list[TcpLine | UdpLine]":
        return [*self.tcp, *self.udp.values()]


class TcpLine(asyncio.Protocol):
    """One TCP connection."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._transport: asyncio.Transport | None = None
        self._since: float | None = None
        self.address = ""
        self.session: Talk

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has connected."""
        self._transport = transport = cast(asyncio.Transport, transport)  # uvloop's own is none by type
        self.address = str((transport.get_extra_info("peername") or ("",))[0])
        self.session = self._lines.make_session(self)
        if len(self._lines.tcp) >= self._lines.bounds.connections:
            self._lines.refused += 1
            transport.abort()
            return
        self._lines.tcp.add(self)
        transport.set_write_buffer_limits(high=_WAITING)
        if (own := transport.get_extra_info("socket")) is not None:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _WAITING)  # the kernel's own bound is 4 MB for each
        if self._lines.paused:
            self.pause()

    def data_received(self, data: bytes) -> None:
        """Something came."""
        self.session.receive(data)
        self._lines.pause_if_full()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended; what it sent is stored all the same, and answered to nobody."""
        self._lines.tcp.discard(self)
        self._transport = None
        self.session.close()

    def pause_writing(self) -> None:
        """The terminal does not take its answers: read no more of it, for that would make more."""
        self._since = time.time()
        self.pause()

    def resume_writing(self) -> None:
        """It does again."""
        self._since = None
        self.resume()

    def stalled(self, now: float) -> float:
        """Seconds for which it has taken nothing."""
        return 0.0 if self._since is None else now - self._since

    def pause(self) -> None:
        """Read no more."""
        if self._transport is not None and self._transport.is_reading():
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read again, unless something else stops it."""
        if self._transport is not None and self._since is None and not self._lines.paused:
            self._transport.resume_reading()

    def send(self, data: bytes) -> None:
        """Send, if there is still somebody."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def hang_up(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort() if self._since is not None else self._transport.close()


class UdpLine:
    """The datagrams of one address."""

    def __init__(self, lines: Lines, transport: asyncio.DatagramTransport, peer: tuple[str, int]) -> None:
        self._lines = lines
        self._transport = transport
        self._peer = peer
        self.address = peer[0]
        self.session = lines.make_session(self)

    def stalled(self, _now: float) -> float:
        """Datagrams are taken or lost."""
        return 0.0

    def send(self, data: bytes) -> None:
        """Send, frame by frame as far as they fit into one packet of Ethernet."""
        if not self._transport.is_closing():
            for at in range(0, len(data), 1400):
                self._transport.sendto(data[at : at + 1400], self._peer)

    def hang_up(self) -> None:
        """Forget the address."""
        self._lines.udp.pop(self._peer, None)
        self.session.close()


class Datagrams(asyncio.DatagramProtocol):
    """The UDP socket. While nothing can be stored datagrams are dropped: no answer, so they are sent again."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Something came."""
        if self._lines.commit.full or self._transport is None:
            return
        peer = (addr[0], addr[1])
        line = self._lines.udp.get(peer)
        if line is None:
            if len(self._lines.udp) >= self._lines.bounds.connections:
                self._lines.refused += 1
                return
            line = self._lines.udp[peer] = UdpLine(self._lines, self._transport, peer)
        line.session.datagram(data)
