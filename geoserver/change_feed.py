"""``/collections/{id}/changes``: what was added, changed and deleted since a reader last looked, in pages or live."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from geoserver.errors import ParameterError
from geoserver.features import find_layer
from geoserver.guard.address import client_address, one_client
from geoserver.live import HEARTBEAT, LONGEST, EventStream, Told
from geoserver.openapi import Json, content, operation, parameter, reference
from geoserver.parameters import crs_parameter, query_values, whole
from geoserver.reply import Reply, endpoint, failure, in_thread, response
from layers.catalogue import Layer
from layers.crs import Crs
from layers.exchange.changes.errors import ChangesGone, PositionError
from layers.exchange.changes.feed import begin, read_changes
from layers.exchange.changes.model import Changed, ChangePage, Position, parse_position

if TYPE_CHECKING:
    from geoserver.city import City
    from geoserver.running import RunningCity

_PARAMETERS = ("since", "limit", "crs", "f", "lang")
_DEFAULT, _MOST = 1000, 10_000
_EVENTS = "text/event-stream"


def get_changes(city: "City", request: Request, _body: bytes, collection: str) -> Reply:
    """``GET /collections/{collection}/changes?since=…``: a FeatureCollection whose features have an ``op``."""
    layer, position, crs, limit = _asked(city, request, collection)
    with city.reading(layer) as reader:
        position = position or begin(reader, layer, city.principal.grants, now=False)
        page = read_changes(reader, layer, city.principal.grants, position, crs, limit)
    headers = {"Content-Crs": f"<{crs.uri}>", "Cache-Control": "no-cache"}
    return Reply(_document(city, layer, page, position, request), "application/geo+json", headers=headers)


async def changes(request: Request) -> Response:
    """The page, or with ``Accept: text/event-stream`` (or ``f=events``) the feed as it goes on."""
    accepted = request.headers.get("accept", "")
    if request.query_params.get("f") == "events" or accepted.split(",")[0].startswith(_EVENTS):
        return await _stream(request)
    answer: Callable[[Request], Awaitable[Response]] = endpoint(get_changes)
    return await answer(request)


def _asked(city: "City", request: Request, collection: str) -> tuple[Layer, Position | None, Crs, int]:
    layer = find_layer(city, collection)
    values = query_values(request, _PARAMETERS)
    if values.get("f", "json") not in ("json", "events"):
        raise ParameterError("f", f"{values['f'][:80]!r} is neither 'json' nor 'events'")
    since = values.get("since")
    crs = crs_parameter("crs", values.get("crs"), city.offered_for(layer))
    limit = min(whole("limit", values["limit"], 1), _MOST) if "limit" in values else _DEFAULT
    if since == "now":
        with city.reading(layer) as reader:
            return layer, begin(reader, layer, city.principal.grants, now=True), crs, limit
    try:
        return layer, parse_position(since) if since else None, crs, limit
    except PositionError as error:
        raise ParameterError("since", str(error)) from None


def _document(city: "City", layer: Layer, page: ChangePage, since: Position, request: Request) -> bytes:
    here = f"{city.url}/collections/{layer.id}/changes"
    kept = {name: value for name, value in request.query_params.items() if name != "since"}
    tail = {
        "numberReturned": len(page.changes),
        "since": str(since),
        "position": str(page.position),
        "upToDate": page.complete,
        "links": [
            {"rel": "self", "type": "application/geo+json", "href": f"{here}?{_with(kept, since)}"},
            {"rel": "next", "type": "application/geo+json", "href": f"{here}?{_with(kept, page.position)}"},
            {"rel": "collection", "type": "application/json", "href": f"{city.url}/collections/{layer.id}"},
        ],
    }
    features = b",".join(map(_feature, page.changes))
    return b'{"type":"FeatureCollection","features":[' + features + b"]," + orjson.dumps(tail)[1:]


def _with(kept: dict[str, str], position: Position) -> str:
    return urlencode({**kept, "since": str(position)})


def _feature(change: Changed) -> bytes:
    if change.feature is None:
        return b'{"type":"Feature","op":"delete","id":%d,"geometry":null,"properties":{}}' % change.id
    head = b'{"type":"Feature",'
    return b'%s"op":"%s",%s' % (head, change.operation.encode(), change.feature[len(head) :])


async def _stream(request: Request) -> Response:
    running: RunningCity = request.app.state.city
    collection = request.path_params["collection"]
    client = one_client(client_address(request.scope))
    hot = running.hot
    try:
        city = await in_thread(request, running.seen_in, request)
        layer, position, crs, limit = await in_thread(request, _asked, city, request, collection)
        if last := request.headers.get("last-event-id"):
            position = parse_position(last)
        queue = running.live.open(client)
    except Exception as error:
        return response(failure(error, request))

    def page(since: Position | None) -> ChangePage:
        with city.reading(layer) as reader:
            begun = since or begin(reader, layer, city.principal.grants, now=False)
            return read_changes(reader, layer, city.principal.grants, begun, crs, limit)

    try:
        found = await in_thread(request, page, position)  # what is refused is still an answer
    except Exception as error:
        running.live.close(queue, client)
        return response(failure(error, request))

    async def events(found: ChangePage) -> AsyncIterator[bytes]:
        try:
            yield b"retry: 2000\n\n"
            until = asyncio.get_running_loop().time() + LONGEST
            # When rights or the catalogue change, the client comes again and gets what it may see then.
            while running.hot is hot and asyncio.get_running_loop().time() < until:
                yield _event(found)
                if found.complete:
                    yield await _woken(queue, layer)
                found = await in_thread(request, page, found.position)
        except ChangesGone:  # rights or areas have changed in this very moment: who comes again is told
            return
        finally:
            running.live.close(queue, client)

    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return EventStream(events(found), 200, headers, _EVENTS)


async def _woken(queue: "asyncio.Queue[Told | None]", layer: Layer) -> bytes:
    """Wait until the layer was changed, or a while; what changed without a shape wakes nobody."""
    loop = asyncio.get_running_loop()
    until = loop.time() + HEARTBEAT
    while (left := until - loop.time()) > 0:
        try:
            told = await asyncio.wait_for(queue.get(), left)
        except TimeoutError:
            break
        if told is None or any(dirty.layer == layer.id for dirty in told[1]):
            return b""
    return b": alive\n\n"


def _event(page: ChangePage) -> bytes:
    """All of a page is one event, whose id is the position behind it: who was cut off goes on there."""
    kind = b"changes" if page.changes else b"position"
    features = b",".join(map(_feature, page.changes))
    return b'event: %s\nid: %s\ndata: {"type":"FeatureCollection","features":[%s],"upToDate":%s}\n\n' % (
        kind, str(page.position).encode(), features, b"true" if page.complete else b"false",
    )  # fmt: skip


def change_paths() -> Json:
    """The route in OpenAPI."""
    text = {"type": "string"}
    parameters = [
        {"name": "collectionId", "in": "path", "required": True, "schema": text},
        parameter("since", "Position of an earlier page; 'now' begins behind all there is; without: the layer", text),
        parameter("limit", f"Features of a page, {_MOST} at most", {"type": "integer", "default": _DEFAULT}),
        parameter("crs", "Coordinate system of the geometries", {"type": "string", "format": "uri"}),
        parameter("f", "A page, or server-sent events", {"type": "string", "enum": ["json", "events"]}),
        reference("parameters", "lang"),
    ]
    answers = {
        "200": content("Features with their op: insert, update or delete", "application/geo+json", _EVENTS),
        "410": content("The layer must be copied anew", "application/json"),
    }
    asked = operation("getChanges", "What changed in a layer since a position", parameters, answers)
    return {"/collections/{collectionId}/changes": {"get": asked}}
