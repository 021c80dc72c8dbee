"""``/live``: server-sent events that name the tiles which have changed, so that a map asks for those again.

Each event's id is the snapshot up to which it tells, so ``Last-Event-ID`` goes on from there at any worker.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from geoserver.errors import Busy
from geoserver.guard.address import client_address, one_client
from geoserver.openapi import Json, content, operation, parameter
from geoserver.parameters import query_values
from geoserver.reply import failure, in_thread, response
from geoserver.tile_parameters import find_grid
from tiles.cache.dirty import Dirty
from tiles.cache.snapshot import Snapshot
from tiles.live import missed_since, told_of
from tiles.matrix_sets import MatrixSet

if TYPE_CHECKING:
    from geoserver.city import City
    from geoserver.running import RunningCity

#: Streams of one worker, and of one client, at once.
MOST, MOST_OF_CLIENT = 500, 12
#: Seconds between signs of life, and that a stream lasts: then its client comes again, with the rights it has then.
HEARTBEAT, LONGEST = 15.0, 900.0
_WAITING = 200
_RESET = b"event: reset\nid: %s\ndata: {}\n\n"

type Told = tuple[str, Sequence[Dirty]]


class Live:
    """The open streams of one worker."""

    def __init__(self) -> None:
        self._queues: dict[asyncio.Queue[Told | None], asyncio.AbstractEventLoop] = {}
        self._clients: Counter[str] = Counter()

    def tell(self, found: Sequence[Dirty], snapshot: str) -> None:
        """Called by the thread that reads changes."""
        for queue, loop in list(self._queues.items()):
            loop.call_soon_threadsafe(_put, queue, (snapshot, found))

    def open(self, client: str) -> "asyncio.Queue[Told | None]":
        """A queue of what is told from now on. Raises :class:`Busy`."""
        if len(self._queues) >= MOST or self._clients[client] >= MOST_OF_CLIENT:
            raise Busy("too many live streams are open; close some, or ask again in a moment")
        queue: asyncio.Queue[Told | None] = asyncio.Queue(_WAITING)
        self._queues[queue] = asyncio.get_running_loop()
        self._clients[client] += 1
        return queue

    def close(self, queue: "asyncio.Queue[Told | None]", client: str) -> None:
        """The client has gone."""
        if self._queues.pop(queue, None) is not None:
            self._clients[client] -= 1
            if not self._clients[client]:
                del self._clients[client]


def _put(queue: "asyncio.Queue[Told | None]", told: Told) -> None:
    if queue.full():  # the client does not keep up: it is to come again, and is told at once what it missed
        queue.get_nowait()
        queue.put_nowait(None)
    else:
        queue.put_nowait(told)


async def get_live(request: Request) -> Response:
    """``GET /live?tms=WebMercatorQuad``."""
    running: RunningCity = request.app.state.city
    client = one_client(client_address(request.scope))
    hot = running.hot
    try:
        values = query_values(request, ("tms",))
        city = await in_thread(request, running.seen_in, request)
        grid = find_grid(city, values.get("tms", "WebMercatorQuad"))
        queue = running.live.open(client)
    except Exception as error:
        return response(failure(error, request))
    try:
        last = request.headers.get("last-event-id", "")
        now, missed = await in_thread(request, _missed, city, last)
    except Exception as error:
        running.live.close(queue, client)
        return response(failure(error, request))

    begun = Snapshot.parse(now)

    async def events() -> AsyncIterator[bytes]:
        try:
            yield b"retry: 2000\n\n"
            if missed is None:
                yield _RESET % now.encode() if last else b"event: open\nid: %s\ndata: {}\n\n" % now.encode()
            else:
                yield _events(now, missed, city, grid)
            until = asyncio.get_running_loop().time() + LONGEST
            while running.hot is hot and asyncio.get_running_loop().time() < until:
                try:
                    told = await asyncio.wait_for(queue.get(), HEARTBEAT)
                except TimeoutError:
                    yield b": alive\n\n"
                    continue
                if told is None or running.hot is not hot:  # behind, or rights or catalogue have changed
                    return
                if fresh := [dirty for dirty in told[1] if not begun.sees(dirty.transaction)]:
                    yield _events(told[0], fresh, city, grid)
        finally:
            running.live.close(queue, client)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventStream(events(), 200, headers, "text/event-stream")


class EventStream(StreamingResponse):
    """Closes its source even when the client has gone before the first event."""

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        """Send events until they end or the client goes."""
        try:
            await super().__call__(scope, receive, send)  # type: ignore[arg-type]
        finally:
            if close := getattr(self.body_iterator, "aclose", None):
                await close()


def _missed(city: "City", last: str) -> tuple[str, Sequence[Dirty] | None]:
    with city.reading() as reader:
        return missed_since(reader, last)


def _events(snapshot: str, found: Sequence[Dirty], city: "City", grid: MatrixSet) -> bytes:
    """The events of one reading; only the last carries the id, so that a client cut off between is told all again."""
    told = [b"event: tiles\ndata: %s\n\n" % orjson.dumps(each) for each in told_of(found, city.layers, grid)]
    if not told:
        return b"id: %s\n\n" % snapshot.encode()
    return b"".join(told[:-1]) + b"id: %s\n" % snapshot.encode() + told[-1]


def live_paths() -> Json:
    """The route in OpenAPI."""
    tms = parameter("tms", "Tile matrix set of the tiles that are named", {"type": "string"})
    answer = {"200": content("Server-sent events", "text/event-stream")}
    return {"/live": {"get": operation("getLive", "Which tiles change, as it happens", [tms], answer)}}
