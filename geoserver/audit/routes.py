"""``GET /audit``: the log for the 审计管理员 audit administrator, who alone may read it."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
from starlette.requests import Request

from geoserver.audit.entries import Filters, append, page
from geoserver.openapi import COMMON, content, operation, parameter, reference
from geoserver.parameters import interval, query_values, whole
from geoserver.reply import Reply

if TYPE_CHECKING:
    from geoserver.city import City

#: Entries per page.
DEFAULT, MOST = 100, 1000
_TEXTS = ("actor", "action", "object", "request")
_ALLOWED = (*_TEXTS, "datetime", "limit", "cursor", "f", "lang")


def get_audit(city: "City", request: Request, _body: bytes) -> Reply:
    """Entries, newest first; that they were read is an entry itself."""
    city.require_office("audit:read")
    values = query_values(request, _ALLOWED)
    filters = filters_in(values)
    with city.gate.transaction(principal=city.principal) as conn:
        entries, following = page(conn, filters)
        asked = {name: value for name, value in values.items() if name not in ("f", "lang")}
        append(conn, "read", "audit", rows=len(entries), detail=asked)
    links = [_link(city, "self", values)]
    if following is not None:
        links.append(_link(city, "next", {**values, "cursor": str(following)}))
    document = {"entries": [_answered(entry) for entry in entries], "numberReturned": len(entries), "links": links}
    return Reply(orjson.dumps(document), headers={"Cache-Control": "no-store"})


def filters_in(values: dict[str, str]) -> Filters:
    """The filters that parameters ask for. Raises :class:`~geoserver.errors.ParameterError`."""
    begin, end = interval(values["datetime"]) if "datetime" in values else (None, None)
    texts: dict[str, Any] = {name: values[name].replace("\0", "\ufffd") for name in _TEXTS if name in values}
    before = whole("cursor", values["cursor"], 1) if "cursor" in values else None
    limit = min(whole("limit", values["limit"], 1), MOST) if "limit" in values else DEFAULT
    return Filters(**texts, begin=begin, end=end, before=before, limit=limit)


def audit_paths() -> dict[str, Any]:
    """The description of this resource for the OpenAPI document."""
    text = {"type": "string"}
    whole_number = {"type": "integer", "minimum": 1}
    listed = [
        parameter("actor", "Only what this account did", text),
        parameter("action", "Only actions of this kind, such as sign-in-refused", text),
        parameter("object", "Only what was done to this layer, process, account …", text),
        parameter("request", "Only entries of the request with this id", text),
        parameter("datetime", "Only entries of this interval", text),
        parameter("limit", f"Entries per page, {MOST} at most", {**whole_number, "default": DEFAULT}),
        parameter("cursor", "Where the page begins, from a link", whole_number),
        *COMMON,
    ]
    entries = {"type": "object", "required": ["entries", "links"], "properties": {
        "entries": {"type": "array", "items": _ENTRY},
        "numberReturned": {"type": "integer"},
        "links": {"type": "array", "items": reference("schemas", "link")},
    }}  # fmt: skip
    answers = {"200": content("Entries, newest first", "application/json", schema=entries)}
    needed: list[Any] = [{"account": []}]
    return {"/audit": {"get": operation("getAudit", "The audit log", listed, answers, "audit", security=needed)}}


_ENTRY = {"type": "object", "properties": {
    "id": {"type": "integer"}, "at": {"type": "string", "format": "date-time"},
    **{name: {"type": "string", "nullable": True}
       for name in ("login", "actor", "via", "address", "request", "action", "kind", "object", "outcome")},
    "row_count": {"type": "integer", "nullable": True},
    "row_ids": {"type": "array", "items": {"type": "integer"}, "nullable": True},
    "detail": {"type": "object", "nullable": True},
}}  # fmt: skip


def _answered(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry with its detail as JSON, as PostgreSQL wrote it."""
    return entry if entry["detail"] is None else {**entry, "detail": orjson.Fragment(entry["detail"])}


def _link(city: "City", rel: str, values: dict[str, str]) -> dict[str, str]:
    query = f"?{urlencode(values)}" if values else ""
    return {"rel": rel, "type": "application/json", "href": f"{city.url}/audit{query}"}
