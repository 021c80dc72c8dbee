"""``/notices``: what planning puts before the public, drawings, and comments without an account.

Bounded by ``server.limits.rate.reports`` for each address and by ``planning.comments``. A comment waits until an
officer has read it (process moderate-comments); what is published tells nothing of the person.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

import orjson
import shapely
from pydantic import Field, TypeAdapter, model_validator
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from geoserver.errors import BodyError, NotThere, SignInNeeded
from geoserver.idempotency import idempotent, take_claim
from geoserver.identity.bodies import Body, read_body
from geoserver.notice_pages import get_notice, get_notices, numbered
from geoserver.openapi import OPTIONAL_ACCOUNT, Json, content, operation, parameter
from geoserver.parameters import query_values
from geoserver.process_schema import schema_of
from geoserver.reply import Reply, endpoint
from layers.access import Grant, Principal
from planning.publicity.commenting import Remark, enter_comment
from planning.publicity.drawings import read_drawing

if TYPE_CHECKING:
    from geoserver.city import City

#: Largest body [bytes]: words, and an area.
_MOST_BODY = 60_000
#: Who writes such a comment: nobody in particular, who may do nothing else.
CITIZEN = Principal(
    None, grants=(Grant("notice-comments", frozenset({"read", "create"}), "internal"),), via="public-comment"
)
Word = Annotated[str, Field(max_length=80, pattern=r"^[^\x00]*$")]


Position = Annotated[list[float], Field(min_length=2, max_length=3)]
Ring = Annotated[list[Position], Field(min_length=4, max_length=500)]


class AreaBody(Body):
    """An area as GeoJSON (RFC 7946 §3.1.6)."""

    type: Literal["Polygon"]
    coordinates: Annotated[list[Ring], Field(min_length=1, max_length=10)]


class CommentBody(Body):
    """``POST /notices/{notice}/comments``; a place, if any, is a point or an area, CGCS2000 or WGS 84 [°]."""

    stance: Literal["support", "suggest", "oppose"]
    comment: Annotated[str, Field(min_length=2, max_length=2000, pattern=r"^[^\x00]*\S[^\x00]*$")]
    lon: Annotated[float, Field(ge=-180, le=180)] | None = None
    lat: Annotated[float, Field(ge=-90, le=90)] | None = None
    area: AreaBody | None = None
    name: Word = ""
    phone: Word = ""

    @model_validator(mode="after")
    def _one_place(self) -> "CommentBody":
        if (self.lon is None) != (self.lat is None) or (self.lon is not None and self.area is not None):
            raise ValueError("a place is 'lon' with 'lat', or 'area'")
        return self

    def place(self) -> Any:
        """The place as shapely in degrees, or None. Raises :class:`BodyError` for rings that are none."""
        if self.area is not None:
            try:
                return shapely.force_2d(shapely.from_geojson(self.area.model_dump_json()))
            except shapely.GEOSException as error:
                raise BodyError(f"area is no polygon: {error}") from None
        return None if self.lon is None or self.lat is None else shapely.Point(self.lon, self.lat)


def routes() -> list[BaseRoute]:
    """The routes."""
    return [
        Route("/notices", endpoint(get_notices), methods=["GET"]),
        Route("/notices/{notice}", endpoint(get_notice), methods=["GET"]),
        Route("/notices/{notice}/drawings/{drawing}", endpoint(get_drawing), methods=["GET"]),
        Route("/notices/{notice}/comments", endpoint(post_comment, _MOST_BODY), methods=["POST"]),
    ]


def _comment(city: "City", request: Request, body: bytes, notice: str) -> Reply:
    """Take a comment of the public's into the queue."""
    options = city.settings.planning.for_processes()
    if not options.comments_open:
        raise SignInNeeded("comments are not taken here: use the contact of the notice")
    asked = read_body(CommentBody, request, body)
    with _writing(city, request) as conn:
        take_claim(conn)
        found = numbered(conn, notice)
        remark = Remark(asked.stance, asked.comment, asked.place(), asked.name.strip(), asked.phone.strip())
        number = enter_comment(conn, options, found, remark)
    told = {"comment": number, "notice": found.number, "status": "pending"}
    return Reply(orjson.dumps(told), status=HTTPStatus.CREATED, headers={"Cache-Control": "no-store"})


post_comment = idempotent(_comment, sender=lambda _city: "the public")


def get_drawing(city: "City", request: Request, _body: bytes, notice: str, drawing: str) -> Reply:
    """``GET /notices/{notice}/drawings/{drawing}``. A drawing never changes."""
    query_values(request, ())
    with city.transaction() as conn:
        found = numbered(conn, notice)
        read = read_drawing(conn, found.number, int(drawing)) if drawing.isdigit() and len(drawing) < 16 else None
    if read is None:
        raise NotThere(f"notice {found.number} has no drawing {drawing[:20]!r}")
    known, body = read
    name = quote(f"{known.title}.{known.media_type.rpartition('/')[2]}")
    headers = {
        "ETag": f'"drawing-{known.id}"', "Cache-Control": "public, max-age=3600",
        "Content-Disposition": f"inline; filename*=UTF-8''{name}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }  # fmt: skip
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Reply(status=HTTPStatus.NOT_MODIFIED, headers=headers, media_type=None)
    return Reply(body, known.media_type, headers=headers)


@contextmanager
def _writing(city: "City", request: Request) -> Iterator[Connection]:
    """A transaction as the public's commentator, whose request the audit log names."""
    citizen = replace(CITIZEN, address=city.principal.address, request=city.principal.request)
    with request.app.state.city.database.transaction(principal=citizen) as conn:
        yield conn


def public_notice_paths() -> Json:
    """The routes as OpenAPI has them."""
    notice = parameter("noticeId", "Id of the notice in the layer notices", {"type": "integer", "minimum": 1}, "path")
    drawing = parameter("drawingId", "Id of the drawing", {"type": "integer", "minimum": 1}, "path")
    page = {"200": content("The notice", "application/json", "text/html")}
    listed = {"200": content("The notices", "application/json", "text/html")}
    made = {"201": content("The comment's number; it waits to be read", "application/json")}
    shown = {"200": content("The drawing", "application/pdf", "image/png", "image/jpeg")}
    body = {"required": True, "content": {"application/json": {"schema": schema_of(TypeAdapter(CommentBody))}}}

    def got(name: str, summary: str, parameters: list[Json], done: Json) -> Json:
        return {"get": operation(name, summary, parameters, done, "planning", security=OPTIONAL_ACCOUNT)}

    posted = operation(
        "postComment", "Comment on a notice without an account", [notice], made, "planning",
        requestBody=body, security=OPTIONAL_ACCOUNT,
    )  # fmt: skip
    return {
        "/notices": got("getNotices", "Notices, the newest first", [], listed),
        "/notices/{noticeId}": got("getNotice", "A notice with what belongs to it", [notice], page),
        "/notices/{noticeId}/drawings/{drawingId}": got("getDrawing", "A drawing", [notice, drawing], shown),
        "/notices/{noticeId}/comments": {"post": posted},
    }
