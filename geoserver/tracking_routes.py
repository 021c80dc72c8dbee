"""``/tracking/…``: positions over HTTP, answered after they are stored like those of terminals.

A device proves itself by its number and secret: HTTP Basic, or the parameters ``id`` and ``code`` of OsmAnd. A person
who is signed in reports for the device whose number is the account's name.
"""

import base64
import binascii
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import orjson
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from geoserver.body import json_body
from geoserver.errors import SignInNeeded
from geoserver.guard.address import client_address
from geoserver.guard.admission import attempt
from geoserver.guard.request_id import request_id
from geoserver.identity.devices import verify_device
from geoserver.moving_edits import routes as moving_edit_routes
from geoserver.moving_features import moving_paths
from geoserver.moving_features import routes as moving_routes
from geoserver.openapi import OPTIONAL_ACCOUNT, Json, content, operation, parameter
from geoserver.reply import Reply, endpoint
from geoserver.tracking_live import get_live_positions, live_position_paths
from geoserver.tracking_shares import MOST_BODY as SHARE_BODY
from geoserver.tracking_shares import delete_share, get_shared, get_shares, post_share, share_paths
from layers.access import Principal
from tracking.gateway.board import CHANNEL
from tracking.gateway.principal import GATEWAY
from tracking.inputs.phones import batch, osmand, owntracks, traccar_client
from tracking.judging import clock_checked, may_keep
from tracking.model import Device, Fix, Stored
from tracking.storing import cursor_of, store
from tracking.tracks import read_devices

if TYPE_CHECKING:
    from geoserver.city import City

#: Largest body [bytes].
_MOST_BODY = 2_000_000
_FORM = "application/x-www-form-urlencoded"
_JSON = ("application/json",)

type Reading = Callable[[Request, bytes], tuple[str | None, Sequence[Fix]]]


def routes() -> list[BaseRoute]:
    """The routes."""
    return [
        Route("/tracking/osmand", _device_endpoint(_handler(_osmand, b"")), methods=["GET", "POST"]),
        Route("/tracking/owntracks", _device_endpoint(_handler(_owntracks, b"[]")), methods=["POST"]),
        Route("/tracking/live", get_live_positions, methods=["GET"]),
        Route("/tracking/shares", endpoint(get_shares), methods=["GET"]),
        Route("/tracking/shares", endpoint(post_share, SHARE_BODY), methods=["POST"]),
        Route("/tracking/shares/{share}", endpoint(delete_share), methods=["DELETE"]),
        Route("/tracking/shared/{token}", endpoint(get_shared), methods=["GET"]),
        Route("/tracking/positions", _device_endpoint(_handler(_batch, None)), methods=["POST"]),
        *moving_routes(),
        *moving_edit_routes(),
    ]


def _device_endpoint(handler: Callable[..., Reply]) -> Callable[[Request], Any]:
    """An endpoint whose HTTP Basic is a device's, not an account's."""
    run = endpoint(handler, _MOST_BODY)

    async def answer(request: Request) -> Response:
        if _basic(request) is not None:
            request.state.principal = Principal(address=client_address(request.scope), request=request_id())
        answered: Response = await run(request)
        return answered

    return answer


def _handler(read: Reading, answer: bytes | None) -> Callable[..., Reply]:
    """Read the fixes, find who sends them, store them, answer. ``answer`` None tells how many were kept."""

    def handle(city: "City", request: Request, body: bytes) -> Reply:
        named, fixes = read(request, body)
        kept = _store(request, _device(city, request, named), fixes)
        if answer is None:
            return Reply(orjson.dumps({"received": len(fixes), "kept": kept}), headers=_NOT_KEPT)
        return Reply(answer, "application/json" if answer else "text/plain", headers=_NOT_KEPT)

    return handle


_NOT_KEPT = {"Cache-Control": "no-store"}


def _device(city: "City", request: Request, named: str | None) -> Device:
    """Who sends: a device with its secret, or a person's own. Raises :class:`SignInNeeded`."""
    code, secret = _basic(request) or (named or "", request.query_params.get("code", ""))
    if secret:
        with attempt(request), city.gate.engine.connect() as conn:
            if not verify_device(conn, code, secret):
                raise SignInNeeded("the device is unknown, or its secret is wrong")
    elif city.account is not None:
        code = city.account
    else:
        raise SignInNeeded("a device sends its code and secret: as id and code, or by HTTP Basic")
    with request.app.state.city.database.transaction(principal=GATEWAY) as conn:
        found = read_devices(conn, [code])
    if not found or not found[0].enabled:
        raise SignInNeeded(f"there is no device {code[:64]!r} in use")
    return found[0]


def _store(request: Request, device: Device, fixes: Sequence[Fix]) -> int:
    """How many fixes were kept; those of a person off duty are not."""
    now = time.time()
    rows = [Stored(device, clock_checked(fix, now)) for fix in fixes if may_keep(device, fix.time)]
    if rows:
        with request.app.state.city.database.transaction(principal=GATEWAY) as conn:
            conn.execute(text("SET LOCAL synchronous_commit = on"))
            with cursor_of(conn) as cursor:
                store(cursor, rows, now)
            conn.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
    return len(rows)


def _osmand(request: Request, body: bytes) -> tuple[str | None, Sequence[Fix]]:
    """The query, a form, or the JSON of newer clients."""
    if body and request.headers.get("content-type", "").startswith("application/json"):
        return traccar_client(json_body(request, body, _JSON))
    form = parse_qsl(body.decode("utf-8", "replace"), max_num_fields=100) if body else ()
    values = {**request.query_params, **dict(form)}
    return values.get("id") or values.get("deviceid"), [osmand(values, time.time())]


def _owntracks(request: Request, body: bytes) -> tuple[str | None, Sequence[Fix]]:
    fix = owntracks(json_body(request, body, _JSON))
    return request.headers.get("x-limit-u"), [fix] if fix else []


def _batch(request: Request, body: bytes) -> tuple[str | None, Sequence[Fix]]:
    return None, batch(json_body(request, body, _JSON))


def _basic(request: Request) -> tuple[str, str] | None:
    """Code and secret of HTTP Basic (RFC 7617); None without it."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        code, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", "-"
    return code, secret or "-"


def tracking_paths() -> Json:
    """The routes in OpenAPI."""
    number = {"type": "number"}
    osmand_parameters = [
        parameter("id", "Number of the device", {"type": "string"}),
        parameter("code", "Its secret (鉴权码)", {"type": "string"}),
        parameter("lat", "Latitude [°]", number),
        parameter("lon", "Longitude [°]", number),
        parameter("timestamp", "Time: seconds, milliseconds or ISO 8601; now without it", {"type": "string"}),
        parameter("speed", "Speed [kn]", number),
        parameter("bearing", "Heading [°]", number),
        parameter("altitude", "Altitude [m]", number),
        parameter("accuracy", "Accuracy [m]", number),
        parameter("batt", "Battery [%]", number),
    ]
    document = {"content": {"application/json": {"schema": {"type": "object"}}}, "required": True}
    form = {"content": {_FORM: {"schema": {"type": "object"}}, "application/json": {"schema": {"type": "object"}}}}
    empty = {"200": {"description": "Stored"}}
    told = {"200": content("How many positions came and were kept", "application/json")}
    more: dict[str, Any] = {"security": OPTIONAL_ACCOUNT}

    def posted(name: str, summary: str, answer: Json) -> Json:
        return operation(name, summary, [], answer, "tracking", requestBody=document, **more)

    return {
        **live_position_paths(),
        **share_paths(),
        **moving_paths(),
        "/tracking/osmand": {
            "get": operation("getOsmand", "A position of OsmAnd", osmand_parameters, empty, "tracking", **more),
            "post": operation(
                "postOsmand", "The same as a form, or JSON of Traccar Client", osmand_parameters, empty, "tracking",
                requestBody=form, **more,
            ),
        },
        "/tracking/owntracks": {"post": posted("postOwntracks", "A message of OwnTracks", empty)},
        "/tracking/positions": {"post": posted("postPositions", "A batch of positions", told)},
    }  # fmt: skip
