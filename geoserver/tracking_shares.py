"""``/tracking/shares``: links that show one device's live position, and what they show to whoever has one."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from starlette.requests import Request

from geoserver.errors import BodyError, NotThere, SignInNeeded
from geoserver.formats import negotiate
from geoserver.openapi import Json, content, operation, parameter, reference
from geoserver.parameters import query_values
from geoserver.process_schema import schema_of
from geoserver.reply import Reply
from tracking.sharing import Share, list_shares, make_share, revoke_share, shared_position

if TYPE_CHECKING:
    from geoserver.city import City

#: Largest body [bytes].
MOST_BODY = 4000
_KEPT_BY_NOBODY = {"Cache-Control": "no-store"}


class ShareBody(BaseModel):
    """``POST /tracking/shares``: until a time, or for so many hours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    device: Annotated[str, Field(min_length=1, max_length=64)]
    until: AwareDatetime | None = None
    hours: Annotated[float, Field(gt=0, le=744, strict=True)] = 2.0
    note: Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")] | None = None


def post_share(city: "City", request: Request, body: bytes) -> Reply:
    """``POST /tracking/shares``; the address is told only now."""
    _signed_in(city)
    query_values(request, ())
    try:
        wanted = ShareBody.model_validate_json(body)
    except ValidationError as error:
        details = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in details["loc"])[:60]
        raise BodyError(f"member {where!r}: {details['msg']}") from None
    expires = wanted.until or datetime.now(UTC) + timedelta(hours=wanted.hours)
    with city.transaction() as conn:
        share, token = make_share(conn, wanted.device, expires, wanted.note)
    link = f"{city.url}/tracking/shared/{token}"
    return _answer({**_document(share), "link": link}, HTTPStatus.CREATED)


def get_shares(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /tracking/shares``, of all devices or of ``device``."""
    _signed_in(city)
    code = query_values(request, ("device",)).get("device")
    with city.transaction() as conn:
        return _answer({"shares": [_document(share) for share in list_shares(conn, code)]})


def delete_share(city: "City", request: Request, _body: bytes, share: str) -> Reply:
    """``DELETE /tracking/shares/{share}``: the link shows nothing from now on."""
    _signed_in(city)
    query_values(request, ())
    try:
        wanted = UUID(share)
    except ValueError:
        wanted = UUID(int=0)
    with city.transaction() as conn:
        if not revoke_share(conn, wanted):
            raise NotThere("there is no such link that is still good and that you may end")
    return Reply(status=HTTPStatus.NO_CONTENT, media_type=None, headers=_KEPT_BY_NOBODY)


def get_shared(city: "City", request: Request, _body: bytes, token: str) -> Reply:
    """``GET /tracking/shared/{token}``: the device's place now, as JSON or a page that looks again by itself."""
    query_values(request, ("f", "lang"))
    kind = negotiate(request, {"f": request.query_params["f"]} if "f" in request.query_params else {}, ("json", "html"))
    with city.transaction() as conn:
        found = shared_position(conn, token)
    if found is None:
        raise NotThere("this link has ended, or there never was such a one")
    if kind == "html":
        return city.pages.page(request, "tracking/shared.html", found, _KEPT_BY_NOBODY)
    return _answer(found)


def _signed_in(city: "City") -> None:
    if city.account is None:
        raise SignInNeeded("this needs an account: sign in")


def _document(share: Share) -> dict[str, Any]:
    return {
        "id": share.id, "device": share.device, "made": share.made, "made_by": share.made_by, "expires": share.expires,
        "revoked": share.revoked, "note": share.note, "looks": share.looks, "looked": share.looked,
    }  # fmt: skip


def _answer(document: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Reply:
    return Reply(orjson.dumps(document), status=status, headers=_KEPT_BY_NOBODY)


def share_paths() -> Json:
    """The routes in OpenAPI."""
    schema = schema_of(TypeAdapter(ShareBody))
    body = {"content": {"application/json": {"schema": schema}}, "required": True}
    made = {"201": content("The link, told only now", "application/json"), "409": reference("responses", "Conflict")}
    listed = {"200": content("Links, without their addresses", "application/json")}
    shown = {"200": content("Where the device is now", "application/json", "text/html")}
    device = parameter("device", "Code of the device", {"type": "string"})
    share = parameter("shareId", "Id of the link", {"type": "string"}, "path")
    token = parameter("shareToken", "What the link's address ends with", {"type": "string"}, "path")
    tag = "tracking"
    return {
        "/tracking/shares": {
            "post": operation("postShare", "A link to a device's live position", [], made, tag, requestBody=body),
            "get": operation("getShares", "Links to live positions", [device], listed, tag),
        },
        "/tracking/shares/{shareId}": {
            "delete": operation("deleteShare", "End a link", [share], {"204": {"description": "Ended"}}, tag)
        },
        "/tracking/shared/{shareToken}": {
            "get": operation("getShared", "What a link shows", [token], shown, tag, security=[])
        },
    }
