"""uvicorn's HTTP/1.1 connection with the bounds that it does not have itself: size and time of a request's head, idle
readers, and connections per address.

llhttp, its parser, keeps any number and size of headers, and nothing ends a connection that sends its head byte by byte
or never takes its answer; a body that comes too slowly is the business of whoever reads it.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from geoserver.guard.address import TrustedProxies, one_client
from geoserver.guard.refusal import Refusal
from geoserver.guard.security_headers import DATA_POLICY
from geoserver.settings.server import Server
from layers.catalogue import Text

#: Seconds in which a refused client, whatever it still sends, can read why.
_FAREWELL = 2.0
#: Seconds in which a closing connection must have taken the rest of its answer.
_LINGER = 30.0
#: Slowest pace of a reader that is worth waiting for [bytes/s].
_SLOWEST = 1024


@dataclass(frozen=True, slots=True)
class ConnectionBounds:
    """What one connection may do; sizes in bytes, times in seconds."""

    url: int
    head: int
    headers: int
    head_seconds: float
    stalled_seconds: float
    per_address: int
    proxies: TrustedProxies

    @classmethod
    def of(cls, server: Server) -> "ConnectionBounds":
        """As configured."""
        limits = server.limits
        return cls(
            int(limits.max_url_kb * 1024), int(limits.max_headers_kb * 1024), limits.max_headers, limits.head_seconds,
            limits.stalled_seconds, limits.connections_per_address,
            TrustedProxies(server.trusted_proxies, server.proxy_header),
        )  # fmt: skip


class _HeadRefused(Exception):
    """Raised within the parser's callbacks, which ends the parsing."""


class BoundedConnection(HttpToolsProtocol):
    """One connection. ``bounds`` comes first, so that ``partial(BoundedConnection, bounds)`` is what uvicorn calls."""

    #: Connections of this process by client.
    _open: Counter[str] = Counter()

    def __init__(self, bounds: ConnectionBounds, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._bounds = bounds
        self._refusal: Refusal | None = None
        self._counted: str | None = None
        self._deadline: asyncio.TimerHandle | None = None  # of the head
        self._patience: asyncio.TimerHandle | None = None  # with the reader
        self._unsent = 0
        self._head = self._headers = self._unseen = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection, and begin to wait for a head."""
        super().connection_made(transport)
        peer = self.client[0] if self.client else ""
        if peer and not self._bounds.proxies.trusts(peer):
            self._counted = one_client(peer)
            self._open[self._counted] += 1
            if self._open[self._counted] > self._bounds.per_address:
                self._refuse(HTTPStatus.TOO_MANY_REQUESTS, "TooManyRequests", Text(
                    f"该地址的连接过多(最多 {self._bounds.per_address})",
                    f"too many connections from this address (at most {self._bounds.per_address})",
                ))  # fmt: skip
                return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self._counted is not None:
            self._open[self._counted] -= 1
            if self._open[self._counted] <= 0:
                del self._open[self._counted]
        for timer in (self._deadline, self._patience):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; bytes of which nothing comes (a header without end) are counted."""
        if self._refusal is not None or self.transport.is_closing():
            return
        if self._unseen > self._bounds.head:
            self._refuse_headers()
            return
        self._unseen += len(data)
        super().data_received(data)
        if self._refusal is not None or self.transport.is_closing():
            return
        if self._deadline is None and self._is_idle():
            self._await_head()

    def on_message_begin(self) -> None:
        """A request begins."""
        self._head = self._headers = self._unseen = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._unseen = 0
        super().on_url(url)
        if len(self.url) > self._bounds.url:
            self._refuse(HTTPStatus.REQUEST_URI_TOO_LONG, "UriTooLong", Text(
                f"网址过长(最多 {self._bounds.url} 字节),请缩短过滤条件,或改用 POST",
                f"the address is longer than {self._bounds.url} bytes: ask for less, or by POST",
            ))  # fmt: skip
            raise _HeadRefused

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        self._unseen = 0
        self._headers += 1
        self._head += len(name) + len(value) + 4
        if self._head > self._bounds.head or self._headers > self._bounds.headers:
            self._refuse_headers()
            raise _HeadRefused
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._unseen = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """What uvicorn answers to a request that it cannot parse, unless the refusal has been told already."""
        if self._refusal is None:
            text = Text("无法解析该 HTTP 请求", "this is no valid HTTP request")
            self._refuse(HTTPStatus.BAD_REQUEST, "InvalidRequest", text)

    def pause_writing(self) -> None:
        """The client takes its answer more slowly than it is made: from now on it must take some."""
        super().pause_writing()
        self._unsent = self.transport.get_write_buffer_size()
        self._patience = self.loop.call_later(self._bounds.stalled_seconds, self._check_reader)

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, and break it off when the end of its answer is never taken."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(_LINGER, self._break_off)

    def _check_reader(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        if self._unsent - unsent < _SLOWEST * self._bounds.stalled_seconds:
            self._break_off()
            return
        self._unsent = unsent
        self._patience = self.loop.call_later(self._bounds.stalled_seconds, self._check_reader)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _await_head(self) -> None:
        self._deadline = self.loop.call_later(self._bounds.head_seconds, self._head_is_late)

    def _head_is_late(self) -> None:
        self._deadline = None
        # While an answer is made, or a kept connection waits for its next request, uvicorn's own timer decides.
        if self._refusal is None and self._is_idle() and self.timeout_keep_alive_task is None:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "RequestTimeout", Text(
                f"请求头未在 {self._bounds.head_seconds:g} 秒内到达",
                f"the request's head did not arrive within {self._bounds.head_seconds:g} s",
            ))  # fmt: skip

    def _refuse_headers(self) -> None:
        text = Text(
            f"请求头过大(最多 {self._bounds.headers} 个,共 {self._bounds.head} 字节)",
            f"the headers are too large (at most {self._bounds.headers}, {self._bounds.head} bytes together)",
        )
        self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "HeadersTooLarge", text)

    def _refuse(self, status: HTTPStatus, code: str, text: Text) -> None:
        """Answer and close. What the client's language is, nobody has read: both are given."""
        self._refusal = Refusal(status, code, text)
        body = self._refusal.body(f"{text.zh} {text.en}")
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\ncontent-security-policy: {DATA_POLICY}\r\n"
            "x-content-type-options: nosniff\r\ncache-control: no-store\r\nconnection: close\r\n\r\n"
        )
        if not self._is_idle():  # it would stand in the middle of another answer
            self._break_off()
            return
        self.transport.write(head.encode() + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        # Closed at once, with what the client still sends unread, TCP would take the answer back from it.
        self.loop.call_later(_FAREWELL, self._break_off)

    def _break_off(self) -> None:
        """Drop what is unsent, and what else was asked; the answers at work learn that nobody listens."""
        if self.cycle is not None:
            self.cycle.disconnected = True
        self.pipeline.clear()
        self.transport.abort()
