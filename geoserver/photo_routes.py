"""``/photos/{photo}``: a photo of a case, to those who may see the case."""

from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import text
from starlette.requests import Request

from geoserver.errors import NotThere
from geoserver.openapi import OPTIONAL_ACCOUNT, operation, parameter
from geoserver.parameters import query_values
from geoserver.process_schema import Json
from geoserver.reply import Reply
from grid.reporting.photos import MEDIA_TYPE, photo_path

if TYPE_CHECKING:
    from geoserver.city import City


def get_photo(city: "City", request: Request, _body: bytes, photo: str) -> Reply:
    """``GET /photos/{photo}``. A photo never changes, so its id is its tag."""
    query_values(request, ())
    missing = NotThere(f"there is no photo {photo[:60]!r} that you may see")
    try:
        wanted = UUID(photo)
    except ValueError:
        raise missing from None
    with city.transaction() as conn:
        if conn.execute(text("SELECT 1 FROM grid.photos WHERE id = :id"), {"id": wanted}).first() is None:
            raise missing
    headers = {"ETag": f'"{wanted}"', "Cache-Control": "private, max-age=86400", "Content-Disposition": "inline"}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Reply(status=HTTPStatus.NOT_MODIFIED, headers=headers, media_type=None)
    try:
        picture = photo_path(Path(city.settings.grid.photos.directory), wanted).read_bytes()
    except FileNotFoundError:
        raise missing from None
    return Reply(picture, MEDIA_TYPE, headers=headers)


def photo_paths() -> Json:
    """The route as OpenAPI has it."""
    photo = parameter("photoId", "Id of the photo", {"type": "string", "format": "uuid"}, "path")
    picture = {
        "description": "The picture",
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
    shown = operation("getPhoto", "A photo of a case", [photo], {"200": picture}, "grid", security=OPTIONAL_ACCOUNT)
    return {"/photos/{photoId}": {"get": shown}}
