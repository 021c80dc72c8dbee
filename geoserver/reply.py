"""What a handler answers with, and how it goes to the socket."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from geoserver.errors import BodyError, Busy, SignInNeeded, TooLarge, TooManyRequests, describe, error_body, in_language
from geoserver.language import message_language
from geoserver.named_instants import with_instant
from geoserver.reader import read_by
from layers.access import ANONYMOUS

#: Bodies below this size [bytes] are not worth compressing.
_COMPRESS_FROM = 1400
#: Level 1: a page of features shrinks to a sixth, at a fifth of the default level's time.
_LEVEL = 1
#: What is compressed already.
_PACKED = ("image/png", "image/jpeg", "image/webp", "image/avif")
#: Requests of one worker that may wait for a thread, and seconds that a body or a streamed answer may take.
MOST_WAITING = 400
BODY_SECONDS = 120
STREAM_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers and body (whole, or in chunks) of an answer."""

    body: bytes | Iterator[bytes] = b""
    media_type: str | None = "application/json"
    status: int = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


def endpoint(
    handler: Callable[..., Reply], max_body: int = 0, *, admit: Callable[..., None] | None = None
) -> Callable[[Request], Any]:
    """A Starlette endpoint that runs ``handler(city, request, body, **path parameters)`` in a worker thread.

    ``city`` is a :class:`geoserver.city.City`, as the request's principal sees it. Bodies above ``max_body`` [bytes]
    are refused while they arrive; none is read before ``admit(city, **path parameters)`` has let the client in.
    Errors become exception documents.
    """

    async def run(request: Request) -> Response:
        try:
            if admit is not None:
                await in_thread(request, _admit, admit, request)
            body = await _body(request, max_body)
            reply = await in_thread(request, _answer, handler, request, body)
        except Exception as error:
            reply = failure(error, request)
        return response(reply)

    return run


async def in_thread(request: Request, work: Callable[..., Any], *arguments: Any) -> Any:
    """Run in one of the request threads. Raises :class:`Busy` when too many requests wait for one."""
    state = request.app.state
    if state.waiting >= MOST_WAITING:
        raise Busy(f"{MOST_WAITING} requests are waiting already; try again in a moment")
    state.waiting += 1
    try:
        call = partial(copy_context().run, work, *arguments)
        return await asyncio.get_running_loop().run_in_executor(state.threads, call)
    finally:
        state.waiting -= 1


def failure(error: Exception, request: Request | None = None) -> Reply:
    """The answer that describes an error, in the language that the request asks for; English without one."""
    status, document = describe(error)
    reply = told(document, status, request)
    headers = dict(reply.headers)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "2"
    if isinstance(error, TooManyRequests | SignInNeeded):
        headers.update(error.headers)
    if request and _of_a_page(request):
        headers.pop("WWW-Authenticate", None)
    return replace(reply, headers=headers)


def _of_a_page(request: Request) -> bool:
    """Whether a page of ours asks, which says by itself that one must sign in: the browser's own prompt, which it opens
    also for streams of events in the background, would lie over the page and take its clicks."""
    headers = request.headers
    fetched = headers.get("sec-fetch-mode", "navigate") != "navigate"
    return fetched or "x-csrf-token" in headers or "text/event-stream" in headers.get("accept", "")


def told(document: Mapping[str, str], status: int, request: Request | None) -> Reply:
    """An exception document as the answer to a request."""
    language = message_language(request) if request else "en"
    headers = {"Content-Language": "zh-CN" if language == "zh" else "en", "Vary": "Accept-Language"}
    return Reply(error_body(in_language(document, language)), status=status, headers=headers)


def _admit(admit: Callable[..., None], request: Request) -> None:
    running = request.app.state.city
    try:
        admit(running.seen_in(request), **request.path_params)
    except PermissionError as error:
        running.note_refusal(request, error)
        raise


def _answer(handler: Callable[..., Reply], request: Request, body: bytes) -> Reply:
    running = request.app.state.city
    try:
        city = running.seen_in(request)
        read_by(city.account)
        request = with_instant(city, request)
        reply = _kept_apart(handler(city, request, body, **request.path_params), city.account)
    except Exception as error:
        if isinstance(error, PermissionError):
            running.note_refusal(request, error)
        reply = running.seen_by(ANONYMOUS).pages.failure(request, failure(error, request))
    return _compressed(reply, request.headers.get("accept-encoding", ""))


def _kept_apart(reply: Reply, account: str | None) -> Reply:
    """The answer, kept by no shared cache when it was made for an account."""
    if account is None:
        return reply
    kept = "no-store" if "no-store" in reply.headers.get("Cache-Control", "") else "private, no-cache"
    return replace(reply, headers={**reply.headers, "Cache-Control": kept})


async def _body(request: Request, bound: int) -> bytes:
    if request.method not in ("POST", "PUT", "PATCH"):
        return b""
    chunks, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                size += len(chunk)
                if size > bound:
                    raise TooLarge(f"the request body is larger than {bound} bytes")
                chunks.append(chunk)
    except TimeoutError:
        raise BodyError(f"the request body did not arrive within {BODY_SECONDS} seconds") from None
    return b"".join(chunks)


def _compressed(reply: Reply, accepted: str) -> Reply:
    """Compressed here, in the worker thread, so that the event loop never waits for zlib."""
    if not isinstance(reply.body, bytes) or len(reply.body) < _COMPRESS_FROM or "gzip" not in accepted:
        return reply
    if "Content-Encoding" in reply.headers or (reply.media_type or "").startswith(_PACKED):
        return reply
    gzip = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    body = gzip.compress(reply.body) + gzip.flush()
    headers = {**reply.headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding, Accept, Accept-Language"}
    return Reply(body, reply.media_type, reply.status, headers)


def response(reply: Reply) -> Response:
    """The answer as Starlette sends it."""
    headers = {"X-Content-Type-Options": "nosniff", **reply.headers}
    if isinstance(reply.body, bytes):
        return Response(reply.body, reply.status, headers, reply.media_type)
    return _Stream(reply.body, reply.status, headers, reply.media_type)


class _Stream(StreamingResponse):
    """Draws each chunk in a thread, and closes the source whatever becomes of the client, even before the first."""

    def __init__(self, source: Iterator[bytes], *answer: Any) -> None:
        super().__init__(_chunks(source), *answer)
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with asyncio.timeout(STREAM_SECONDS):
                await super().__call__(scope, receive, send)
        finally:
            if close := getattr(self._source, "close", None):
                await asyncio.to_thread(close)


async def _chunks(source: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (chunk := await asyncio.to_thread(next, source, None)) is not None:
        yield chunk
