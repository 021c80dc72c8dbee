"""The answer with a finished tile, whatever it shows."""

from http import HTTPStatus

from starlette.requests import Request

from geoserver.hot_tiles import is_known, tile_headers
from geoserver.reply import Reply
from tiles.cache.tile import Tile


def tile_reply(request: Request, tile: Tile) -> Reply:
    """The tile in the coding that the client takes, or 304 where it has it."""
    packed = tile.compressed and "gzip" in request.headers.get("accept-encoding", "")
    headers = tile_headers(tile, packed=packed)
    if is_known(request.headers.get("if-none-match", ""), headers["ETag"]):
        headers.pop("Content-Encoding", None)
        return Reply(status=HTTPStatus.NOT_MODIFIED, headers=headers, media_type=None)
    return Reply(tile.packed if packed else tile.body(), tile.media_type, headers=headers)
