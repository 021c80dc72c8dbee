"""``/tracking/live``: server-sent events of vehicles that move, by the viewer's rights and part of the map.

One frame a second at most. A frame's id is the time up to which it tells, so ``Last-Event-ID`` goes on from there at
any worker, after any pause.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import orjson
from starlette.requests import Request
from starlette.responses import Response

from geoserver.errors import NotThere, ParameterError
from geoserver.guard.address import client_address, one_client
from geoserver.live import HEARTBEAT, LONGEST, EventStream
from geoserver.openapi import OPTIONAL_ACCOUNT, Json, content, operation, parameter
from geoserver.parameters import query_values
from geoserver.reply import failure, in_thread, response
from tracking.live import Box, Viewer

if TYPE_CHECKING:
    from geoserver.city import City
    from geoserver.running import RunningCity

#: Seconds between frames.
EVERY = 1.0


async def get_live_positions(request: Request) -> Response:
    """``GET /tracking/live?bbox=114.8,30.3,115.0,30.5``."""
    running: RunningCity = request.app.state.city
    client = one_client(client_address(request.scope))
    hot = running.hot
    try:
        values = query_values(request, ("bbox",))
        city = await in_thread(request, running.seen_in, request)
        viewer = await in_thread(request, _viewer, city, running, values.get("bbox"), _last(request))
        queue = running.live.open(client)
    except Exception as error:
        return response(failure(error, request))

    async def events() -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        until, said = loop.time() + LONGEST, loop.time()
        try:
            yield b"retry: 2000\n\n"
            while running.hot is hot and loop.time() < until:
                begun = loop.time()
                frame = await in_thread(request, viewer.frame)
                if frame is not None:
                    said = loop.time()
                    data = orjson.dumps(frame, default=str)
                    yield b"event: positions\nid: %.3f\ndata: %s\n\n" % (viewer.mark, data)
                elif loop.time() - said > HEARTBEAT:
                    said = loop.time()
                    yield b": alive\n\n"
                await asyncio.sleep(max(0.0, EVERY - (loop.time() - begun)))
        finally:
            running.live.close(queue, client)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventStream(events(), 200, headers, "text/event-stream")


def _viewer(city: "City", running: "RunningCity", bbox: str | None, since: float) -> Viewer:
    """Raises :class:`NotThere` where the layer may not be read at all."""
    layer = city.layers.get("positions")
    if layer is None or running.published.layers["positions"].field("heard") is None:  # a city's own of that name
        raise NotThere("there is no collection 'positions'")
    with city.reading(layer):  # audited, should it be sensitive
        pass
    return Viewer(running.database, city.principal, layer, _box(bbox), since)


def _last(request: Request) -> float:
    try:
        return max(0.0, float(request.headers.get("last-event-id", "0")))
    except ValueError:
        return 0.0


def _box(text: str | None) -> Box | None:
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise ParameterError("bbox", "is west,south,east,north in degrees") from None
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise ParameterError("bbox", "is west,south,east,north in degrees, within the Earth")
    return west, south, east, north


def live_position_paths() -> Json:
    """The route in OpenAPI."""
    bbox = parameter("bbox", "Part of the map: west,south,east,north [°]", {"type": "string"})
    answer = {"200": content("Server-sent events", "text/event-stream")}
    summary = "Vehicles that move, as it happens"
    shown = operation("getLivePositions", summary, [bbox], answer, "tracking", security=OPTIONAL_ACCOUNT)
    return {"/tracking/live": {"get": shown}}
