"""``/uploads``: a file goes to disk while it arrives, and is never held in memory."""

import asyncio
import time
from collections.abc import AsyncIterator
from email.message import Message
from email.utils import collapse_rfc2231_value
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID, uuid4

import orjson
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from geoserver.errors import BodyError, ParameterError, TooLarge
from geoserver.parameters import query_values
from geoserver.reply import Reply, failure
from geoserver.uploads import checked_name

if TYPE_CHECKING:
    from geoserver.city import City

#: Bytes gathered before they are written, in a thread.
_CHUNK = 2**20
#: Longest silence of a client [s].
_SILENCE = 60.0
#: Slowest pace of a client, after a silence's grace [bytes/s].
_SLOWEST = 4096


async def post_upload(request: Request) -> Response:
    """``POST /uploads``: the body itself, or the one file of multipart/form-data."""
    try:
        city: City = await asyncio.to_thread(request.app.state.city.seen_in, request)
        actor = await asyncio.to_thread(_admit, city, request)
        reply = await _receive(city, request, actor)
    except ClientDisconnect:
        return Response(status_code=HTTPStatus.BAD_REQUEST)
    except Exception as error:
        reply = failure(error, request)
    assert isinstance(reply.body, bytes)
    return Response(reply.body, reply.status, dict(reply.headers), reply.media_type)


def get_upload(city: "City", request: Request, _body: bytes, upload: str) -> Reply:
    """``GET /uploads/{id}``: what is kept under that id."""
    query_values(request, ("f",))
    found = city.uploads.get(upload, city.account)
    return Reply(_document(found.id, found.name, found.bytes))


def delete_upload(city: "City", request: Request, _body: bytes, upload: str) -> Reply:
    """``DELETE /uploads/{id}``."""
    city.require_upload()
    city.uploads.remove(upload, city.account)
    return Reply(status=HTTPStatus.NO_CONTENT, media_type=None)


def _admit(city: "City", request: Request) -> str | None:
    """Everything that can be refused before the first byte is read; returns the account."""
    city.require_upload()
    query_values(request, ("name",))
    actor = city.account
    bound = _bound(city)
    if int(request.headers.get("content-length", "0")) > bound + 10_000:
        raise TooLarge(f"the file is larger than {bound} bytes (server.uploads.max_mb)")
    city.uploads.require_room(actor)
    return actor


async def _receive(city: "City", request: Request, actor: str | None) -> Reply:
    upload = uuid4()
    path = city.uploads.arriving(upload)
    target = _Target(_bound(city))
    try:
        with path.open("xb") as file:
            kind, parameters = _header(request.headers.get("content-type", "application/octet-stream"))
            parser = _Form(parameters.get("boundary"), target) if kind == "multipart/form-data" else None
            async for chunk in _pieces(request):
                parser.write(chunk) if parser else target.write(chunk)
                if len(target.waiting) >= _CHUNK:
                    await asyncio.to_thread(_flush, city, target, file)
            await asyncio.to_thread(_flush, city, target, file)
        name = checked_name(parser.end() if parser else _sent_name(request))
        if name is None:
            raise ParameterError("name", "give the file's name by ?name=… or Content-Disposition, at most 200 letters")
        if target.size == 0:
            raise BodyError("the file is empty")
        kept = await asyncio.to_thread(city.uploads.keep, upload, name, actor)
    finally:
        path.unlink(missing_ok=True)
    headers = {"Location": f"{city.url}/uploads/{upload}", "Cache-Control": "no-store"}
    return Reply(_document(kept.id, kept.name, kept.bytes), status=HTTPStatus.CREATED, headers=headers)


class _Target:
    """The file's bytes on their way to disk; refuses those beyond the bound."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self.size = 0
        self.waiting = bytearray()

    def write(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self._bound:
            raise TooLarge(f"the file is larger than {self._bound} bytes (server.uploads.max_mb)")
        self.waiting += data


class _Form:
    """A multipart/form-data body with one file: feeds its bytes to the target, and keeps its name.

    The parser bounds the headers of each part.
    """

    def __init__(self, boundary: str | None, target: _Target) -> None:
        if not boundary:
            raise BodyError("multipart/form-data without a boundary")
        self._target = target
        self._name: str | None = None
        self._files = 0
        self._in_file = False
        self._header = bytearray()
        self._value = bytearray()
        self._disposition = b""
        self._ended = False
        try:
            self._parser = MultipartParser(boundary.encode("ascii"), {
                "on_part_begin": self._part, "on_header_field": self._field, "on_header_value": self._more,
                "on_header_end": self._header_end, "on_headers_finished": self._headers_end, "on_part_data": self._data,
                "on_end": self._end,
            })  # fmt: skip
        except (UnicodeEncodeError, FormParserError):
            raise BodyError("the boundary of multipart/form-data is no ASCII text, or too long") from None

    def write(self, data: bytes) -> None:
        """Parse the next piece of the body."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise BodyError(f"the body is no multipart/form-data: {error}") from None

    def end(self) -> str | None:
        """The file's name, when the body has ended."""
        if not self._ended:
            raise BodyError("the multipart/form-data body breaks off")
        if self._files != 1:
            raise BodyError("the form holds no file; send one, with a filename")
        return self._name

    def _part(self) -> None:
        self._disposition, self._in_file = b"", False

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _more(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._header.clear()
        self._value.clear()

    def _headers_end(self) -> None:
        name = _file_name(self._disposition)
        if name is None:
            return
        self._files += 1
        if self._files > 1:
            raise BodyError("the form holds several files; send one per request")
        self._in_file, self._name = True, name

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._target.write(data[start:end])

    def _end(self) -> None:
        self._ended = True


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    stream = request.stream()
    deadline = time.monotonic() + _SILENCE
    while True:
        try:
            async with asyncio.timeout(_SILENCE):
                chunk = await anext(stream, None)
        except TimeoutError:
            raise BodyError(f"no byte arrived for {_SILENCE:g} s") from None
        if chunk is None:
            return
        deadline += len(chunk) / _SLOWEST
        if time.monotonic() > deadline:
            raise BodyError(f"the file arrives more slowly than {_SLOWEST} bytes/s")
        yield chunk


def _flush(city: "City", target: _Target, file: BinaryIO) -> None:
    city.uploads.require_disk()
    file.write(target.waiting)
    target.waiting.clear()


def _bound(city: "City") -> int:
    return int(city.settings.server.uploads.max_mb * 1_000_000)


def _sent_name(request: Request) -> str | None:
    return request.query_params.get("name") or _file_name(
        request.headers.get("content-disposition", "").encode("latin-1")
    )


def _file_name(disposition: bytes) -> str | None:
    """The ``filename*`` (RFC 5987), else the ``filename``, which curl and browsers send in UTF-8."""
    try:
        sent = disposition.decode()
    except UnicodeDecodeError:
        sent = disposition.decode("gb18030", errors="replace")
    return _header(sent)[1].get("filename")


def _header(value: str) -> tuple[str, dict[str, str]]:
    """A header's value and its parameters, quotes removed."""
    message = Message()
    message["x"] = value.replace("\r", " ").replace("\n", " ")
    kind, *parameters = message.get_params([("", "")], header="x", unquote=True)
    return kind[0].lower(), {name.lower(): collapse_rfc2231_value(text) for name, text in parameters}


def _document(upload: UUID, name: str, size: int) -> bytes:
    document: dict[str, Any] = {"id": str(upload), "name": name, "bytes": size}
    return orjson.dumps(document)
