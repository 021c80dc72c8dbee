"""Reads the JSON body of a request."""

from collections.abc import Sequence
from typing import Any

import orjson
from starlette.requests import Request

from geoserver.errors import BodyError, UnsupportedMedia


def json_body(request: Request, body: bytes, media_types: Sequence[str]) -> Any:
    """The body's values; without a Content-Type it counts as the first of the media types.

    Raises :class:`UnsupportedMedia` for another type, :class:`BodyError` for what is not JSON.
    """
    sent = request.headers.get("content-type", media_types[0]).split(";")[0].strip().lower()
    if sent not in media_types:
        raise UnsupportedMedia(f"media type {sent[:80]!r} is not taken here; send {' or '.join(media_types)}")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BodyError(f"the body is not JSON: {error}") from None
