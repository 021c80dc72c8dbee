"""``/health``: the process lives. ``/ready``: it can answer, because the database does."""

from typing import TYPE_CHECKING

import orjson
from starlette.requests import Request

from geoserver.reply import Reply

if TYPE_CHECKING:
    from geoserver.city import City


def get_health(_city: "City", _request: Request, _body: bytes) -> Reply:
    """``GET /health``."""
    return Reply(orjson.dumps({"status": "ok"}))


def get_ready(city: "City", _request: Request, _body: bytes) -> Reply:
    """``GET /ready``; 503 when the database cannot be reached."""
    with city.database.reading() as raw, raw.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM citymap.layers")
        row = cursor.fetchone()
    return Reply(orjson.dumps({"status": "ready", "layers": row[0] if row else 0}))
