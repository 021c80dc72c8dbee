"""``/open311/v2``: GeoReport v2 over the city's cases, by the rights that everybody has elsewhere too.

A report may carry its key as the argument ``api_key`` of its body; in an address, where logs would keep it, a key is
refused as everywhere else, so that reads send it as ``X-API-Key``. Refusals are 403, and every error is a document of
GeoReport's.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message

from geoserver.errors import BodyError, NotAllowed, UnsupportedMedia, describe
from geoserver.idempotency import idempotent, take_claim
from geoserver.process_adapter import PROCESSES
from geoserver.reply import BODY_SECONDS, Reply, endpoint, in_thread, response
from grid.domains import CASE_STATES
from grid.open311.documents import FORMATS, document, errors
from grid.open311.errors import NotFound311, Open311Error
from grid.open311.model import Service, attributes, class_of, definition, request_query, told
from grid.open311.queries import service_requests, services
from grid.reporting.processes import report_case
from layers.catalogue import Layer
from layers.gazetteer.processes import geocode
from layers.registry import LayerNotFound

if TYPE_CHECKING:
    from geoserver.city import City

BASE = "/open311/v2"
#: Largest body of a report [bytes], and its arguments.
_MOST_BODY, _MOST_FIELDS = 200_000, 200
_FORM = "application/x-www-form-urlencoded"
_SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"

type Handler = Callable[..., Reply]


def routes() -> list[BaseRoute]:
    """The routes."""
    reads: tuple[tuple[str, Handler], ...] = (
        ("/discovery.{format}", get_discovery),
        ("/services.{format}", get_services),
        ("/services/{service}.{format}", get_service),
        ("/requests.{format}", get_requests),
        ("/requests/{item}.{format}", get_request),
        ("/tokens/{token}.{format}", get_token),
    )
    return [
        *(Route(BASE + path, _endpoint(handler), methods=["GET"]) for path, handler in reads),
        Route(f"{BASE}/requests.{{format}}", _endpoint(post_request), methods=["POST"]),
    ]


def _endpoint(handler: Handler) -> Callable[[Request], Any]:
    """An endpoint that takes its key from ``api_key`` too, and answers errors in GeoReport's way."""
    run = endpoint(_in_their_words(handler), _MOST_BODY)

    async def answer(request: Request) -> Response:
        request = await _with_key(request)
        try:
            await in_thread(request, request.app.state.city.seen_in, request)  # who asks is kept in request.state
        except Exception as error:
            return response(_refusal(request, error))
        answered: Response = await run(request)
        return answered

    return answer


async def _with_key(request: Request) -> Request:
    """The request with its argument ``api_key`` as the header that keys have elsewhere."""
    body = await _begun(request) if request.method == "POST" else b""
    key = next((value for name, value in _form(body) if name == "api_key" and value), None)
    headers = list(request.scope["headers"])
    if key and key.isascii() and not {b"authorization", b"x-api-key"} & {name for name, _ in headers}:
        headers.append((b"x-api-key", key.encode()))

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({**request.scope, "headers": headers}, receive)


async def _begun(request: Request) -> bytes:
    """The body, or of one that is too large enough to be refused for it."""
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > _MOST_BODY:
                    break
    except TimeoutError:
        body = b"\0" * (_MOST_BODY + 1)
    return body


def _form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return []


def _in_their_words(handler: Handler) -> Handler:
    """The handler, whose errors are documents of GeoReport's; a format that is not offered is 400."""

    @wraps(handler)
    def run(city: "City", request: Request, body: bytes, **path: str) -> Reply:
        try:
            if path["format"] not in FORMATS:
                raise Open311Error("格式应为 xml 或 json", "the format is xml or json, such as services.xml")
            jurisdiction = _values(request, body).get("jurisdiction_id", "")
            own = city.settings.grid.open311.jurisdiction_id
            if own and jurisdiction and jurisdiction != own:
                raise NotFound311(
                    f"没有辖区 {jurisdiction[:80]}", f"jurisdiction_id {jurisdiction[:80]!r} was not found"
                )
            return handler(city, request, body, **path)
        except Exception as error:
            return _refusal(request, error)

    return run


def _refusal(request: Request, error: Exception) -> Reply:
    if isinstance(error, Open311Error):
        status, text = HTTPStatus(error.status), error.text.en
    else:
        status, said = describe(error)
        text = said["description"]
    if isinstance(error, PermissionError):
        request.app.state.city.note_refusal(request, error)
        text = f"the API key is missing, invalid, or does not allow this: {text}"
        status = HTTPStatus.FORBIDDEN
    format_ = request.path_params.get("format", "xml")
    format_ = format_ if format_ in FORMATS else "xml"
    return Reply(errors(status, text, format_), FORMATS[format_], status, {"Cache-Control": "no-store"})


def _values(request: Request, body: bytes) -> dict[str, str]:
    """The arguments, each once; those of the body count before those of the query."""
    return {**request.query_params, **dict(_form(body))}


def _reply(root: str, one: str, content: Any, format_: str) -> Reply:
    return Reply(document(root, one, content, format_), FORMATS[format_], headers={"Cache-Control": "no-cache"})


def get_discovery(city: "City", _request: Request, _body: bytes, format: str) -> Reply:  # noqa: A002 - the path's
    """``GET discovery``: where this service is and in which formats (wiki.open311.org/Service_Discovery)."""
    told_ = {
        "changeset": "2011-04-05T17:48:34Z",
        "contact": city.settings.grid.open311.contact,
        "key_service": f"{city.url}/account",
        "endpoints": [
            {"specification": _SPECIFICATION, "url": city.url + BASE, "changeset": "2011-04-05T17:48:34Z",
             "type": "production", "formats": ["text/xml", "application/json"]},
        ],
    }  # fmt: skip
    return _reply("discovery", "", told_, format)


def get_services(city: "City", _request: Request, _body: bytes, format: str) -> Reply:  # noqa: A002
    """``GET services``."""
    with city.transaction() as conn:
        found = services(conn, city.settings.grid.for_processes().reports)
    listed = [
        {"service_code": one.service_code, "service_name": one.name, "description": one.name,
         "metadata": bool(one.conditions), "type": "realtime", "keywords": one.name, "group": one.group}
        for one in found
    ]  # fmt: skip
    return _reply("services", "service", listed, format)


def get_service(city: "City", _request: Request, _body: bytes, service: str, format: str) -> Reply:  # noqa: A002
    """``GET services/{service_code}``."""
    return _reply("service_definition", "", definition(_service(city, service)), format)


def _service(city: "City", service_code: str) -> Service:
    wanted = class_of(service_code)
    with city.transaction() as conn:
        found = services(conn, city.settings.grid.for_processes().reports, wanted) if wanted else []
    if not found:
        raise NotFound311(f"没有服务 {service_code[:60]}", f"service_code {service_code[:60]!r} was not found")
    return found[0]


def get_requests(city: "City", request: Request, _body: bytes, format: str) -> Reply:  # noqa: A002
    """``GET requests``."""
    query = request_query(request.query_params, datetime.now(UTC))
    return _reply("service_requests", "request", _found(city, query), format)


def get_request(city: "City", _request: Request, _body: bytes, item: str, format: str) -> Reply:  # noqa: A002
    """``GET requests/{service_request_id}``."""
    return _reply("service_requests", "request", _one(city, item), format)


def get_token(city: "City", _request: Request, _body: bytes, token: str, format: str) -> Reply:  # noqa: A002
    """``GET tokens/{token}``: every service is realtime, so that a request's id is its token too."""
    (found,) = _one(city, token)
    named = [{"service_request_id": found["service_request_id"], "token": token}]
    return _reply("service_requests", "request", named, format)


def _one(city: "City", code: str) -> list[dict[str, Any]]:
    found = _found(city, request_query({"service_request_id": code.replace(",", "")}, datetime.now(UTC)))
    if not found:
        raise NotFound311(f"没有 {code[:60]}，或您不能看", f"service_request_id or token {code[:60]!r} was not found")
    return found


def _found(city: "City", query: Any) -> list[dict[str, Any]]:
    layer = _cases(city)
    with city.transaction(layer) as conn:
        rows = service_requests(conn, layer, query)
    zone = ZoneInfo(city.settings.grid.clock.timezone)
    return [_told(city, row, zone) for row in rows]


def _cases(city: "City") -> Layer:
    """The layer of cases. Raises :class:`NotAllowed` where the principal may not read it."""
    layer = city.layers.get("cases")
    if layer is None:
        raise NotAllowed("service requests are shown to those who may read cases")
    if not any(field.name == "clock_round" for field in layer.fields):
        raise LayerNotFound("there is no layer 'cases' of grid management")
    return layer


def _told(city: "City", row: Any, zone: ZoneInfo) -> dict[str, Any]:
    def at(instant: datetime | None) -> str | None:
        return instant.astimezone(zone).isoformat(timespec="seconds") if instant else None

    state = CASE_STATES.get(row["state"] or "")
    notes = f"{state.zh} {state.en}" if state else None
    if row["duplicate_of"]:
        notes = f"重复上报，见 {row['duplicate_of']} Duplicate request: see {row['duplicate_of']}"
    return {
        "service_request_id": row["service_request_id"],
        "status": "closed" if row["closed"] else "open",
        "status_notes": notes,
        "service_name": row["class_name"],
        "service_code": f"{row['kind']}-{row['class']}" if row["class"] else None,
        "description": row["description"],
        "agency_responsible": row["agency_responsible"],
        "service_notice": None,
        "requested_datetime": at(row["requested"]),
        "updated_datetime": at(row["closed"] or row["updated"]),
        "expected_datetime": at(row["expected"]),
        "address": row["address"],
        "address_id": None,
        "zipcode": None,
        "lat": row["lat"],
        "long": row["lon"],
        "media_url": f"{city.url}/photos/{row['photo']}" if row["photo"] else None,
    }


@idempotent
def post_request(city: "City", request: Request, body: bytes, format: str) -> Reply:  # noqa: A002
    """``POST requests``: a case, reported as by ``report-case``."""
    city.require_process(PROCESSES["report-case"])
    sent = request.headers.get("content-type", _FORM).split(";")[0].strip().lower()
    if sent != _FORM:
        raise UnsupportedMedia(f"media type {sent[:80]!r} is not taken here; send {_FORM}")
    pairs = _form(body)
    if body and not pairs:
        raise BodyError(f"the body is no form in UTF-8 of at most {_MOST_FIELDS} fields")
    values = dict(pairs)
    if not values.get("service_code"):
        raise Open311Error("缺少 service_code", "service_code was not provided")
    service = _service(city, values["service_code"])
    options = city.settings.grid.for_processes()
    description = told(service, values.get("description", ""), attributes(pairs), values.get("media_url", ""))
    name = f"{values.get('first_name', '')} {values.get('last_name', '')}".strip()
    with city.transaction() as conn:
        take_claim(conn)
        position = _position(conn, values)
        became = report_case(
            conn, options, city.settings.crs.for_processes(), position, service.code, description or None, service.kind,
            channel="open311", reporter_name=name[:80] or None, reporter_phone=values.get("phone", "")[:80] or None,
        )  # fmt: skip
    same = became.attached_to
    notice = f"已有相同上报 {same} This is reported already as {same}" if same else None
    made = [{"service_request_id": became.case, "service_notice": notice, "account_id": None}]
    return Reply(document("service_requests", "request", made, format), FORMATS[format])


def _position(conn: Any, values: dict[str, str]) -> tuple[float, float]:
    """Longitude and latitude [°] (WGS 84, which differs from CGCS2000 by centimetres) of what a report names.

    Raises :class:`Open311Error`.
    """
    if values.get("lat") and values.get("long"):
        try:
            lon, lat = float(values["long"]), float(values["lat"])
        except ValueError:
            lon, lat = 999.0, 999.0
        if not (abs(lon) <= 180 and abs(lat) <= 90):
            raise Open311Error("lat、long 应为十进制度数", "lat and long are decimal degrees")
        return lon, lat
    address = values.get("address_string", "").strip()
    if address:
        found = geocode(conn, address[:200], 1).answers
        if not found or found[0].score < 0.6:
            raise Open311Error(
                f"找不到地址 {address[:60]}", f"address_string {address[:60]!r} was not found; send lat and long"
            )
        return found[0].point.lon, found[0].point.lat
    raise Open311Error(
        "缺少位置：lat 与 long，或 address_string", "no location was provided: send lat and long, or address_string"
    )
