"""``/health``: the process lives. ``/ready``: it can answer, because the database does."""

from typing import TYPE_CHECKING

import orjson
from starlette.requests import Request
from starlette.responses import Response

from geoserver.reply import Reply, response

if TYPE_CHECKING:
    from geoserver.city import City


async def get_health(_request: Request) -> Response:
    """``GET /health``: answered by the event loop, so that slow requests do not make a healthy worker look dead."""
    return response(Reply(orjson.dumps({"status": "ok"})))


def get_ready(city: "City", _request: Request, _body: bytes) -> Reply:
    """``GET /ready``; 503 when the database cannot be reached."""
    with city.reading() as reader:
        [(count,)] = reader.fetch("SELECT count(*) FROM citymap.layers", {})
    return Reply(orjson.dumps({"status": "ready", "layers": count}))
