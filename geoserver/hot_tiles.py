"""Answers what the public asks for again and again, ahead of the framework: tiles in memory, and 304.

A raw ASGI layer within the guards. It knows an address by its bytes and answers on the event loop; everything else goes
on to the application, which leaves here what it has answered. What it leaves lives as long as the tile is good
(:class:`tiles.cache.memory.Kept`), the rights and the catalogue stay as they are, and changes can be followed.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.datastructures import State
from starlette.types import ASGIApp, Receive, Scope, Send

from tiles.cache.cache import TileCache
from tiles.cache.memory import Kept
from tiles.cache.tile import Tile

#: Addresses known at once: a client may ask for any.
_MOST = 100_000
_CREDENTIALS = (b"authorization", b"x-api-key", b"cookie")

type RawHeaders = list[tuple[bytes, bytes]]


def entity_tag(tile: Tile, *, packed: bool) -> str:
    """The strong entity tag of a tile's representation (RFC 9110 §8.8.3: each content coding has its own)."""
    return f'"{tile.digest}-gzip"' if packed and tile.compressed else f'"{tile.digest}"'


def tile_headers(tile: Tile, *, packed: bool) -> dict[str, str]:
    """What is said with a tile, or with 304 in its stead."""
    headers = {"ETag": entity_tag(tile, packed=packed), "Cache-Control": "no-cache"}
    if tile.compressed:
        headers["Vary"] = "Accept-Encoding"
    return headers | {"Content-Encoding": "gzip"} if packed and tile.compressed else headers


def is_known(if_none_match: str, tag: str) -> bool:
    """Whether If-None-Match names the tag (RFC 9110 §13.1.2, weak comparison)."""
    if if_none_match == tag:
        return True
    known = {each.strip().removeprefix("W/") for each in if_none_match.split(",", 50)}
    return tag in known or "*" in known


@dataclass(frozen=True, slots=True)
class _Answer:
    kept: Kept
    tag: str
    start: dict[str, Any]
    not_modified: dict[str, Any]


class HotAnswers:
    """What the public was answered, by raw path and query, over one state of rights and catalogue."""

    def __init__(self, cache: TileCache) -> None:
        self._cache = cache
        self._answers: dict[tuple[bytes, bytes], _Answer] = {}

    def put(self, scope: Scope, tile: Tile, kept: Kept | None) -> None:
        """Leave the answer to a request of somebody without credentials."""
        if kept is None or "raw_path" not in scope:
            return
        if len(self._answers) >= _MOST:
            self._answers.clear()
        headers = [(k.lower().encode(), v.encode()) for k, v in tile_headers(tile, packed=True).items()]
        whole = [*headers, (b"content-type", tile.media_type.encode()), (b"content-length", b"%d" % len(tile.packed))]
        known = [pair for pair in headers if pair[0] != b"content-encoding"]
        start, not_modified = _start(HTTPStatus.OK, whole), _start(HTTPStatus.NOT_MODIFIED, known)
        answer = _Answer(kept, entity_tag(tile, packed=True), start, not_modified)
        self._answers[scope["raw_path"], scope["query_string"]] = answer

    def find(self, scope: Scope) -> tuple[dict[str, Any], bytes] | None:
        """The first message and the body of the answer, if it is still good and meant for this client."""
        if scope["method"] != "GET":
            return None
        place = scope.get("raw_path", b""), scope["query_string"]
        answer = self._answers.get(place)
        if answer is None or not self._cache.current:
            return None
        tile = answer.kept.tile
        if tile is None:
            del self._answers[place]
            return None
        packed, known = False, b""
        for name, value in scope["headers"]:
            if name in _CREDENTIALS:
                return None
            if name == b"accept-encoding":
                packed = b"gzip" in value
            elif name == b"if-none-match":
                known = value
        if tile.compressed and not packed:
            return None
        answer.kept.used = True
        if known and is_known(known.decode("latin-1"), answer.tag):
            return answer.not_modified, b""
        return answer.start, tile.packed


class HotTiles:
    """The layer; ``state`` is the application's, whose ``city`` has the answers."""

    def __init__(self, app: ASGIApp, state: State) -> None:
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        found = self._state.city.hot.find(scope) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        start, body = found
        await send(dict(start))
        await send({"type": "http.response.body", "body": body})


def _start(status: HTTPStatus, headers: RawHeaders) -> dict[str, Any]:
    return {"type": "http.response.start", "status": int(status), "headers": headers}
