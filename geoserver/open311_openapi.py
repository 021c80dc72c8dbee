"""The routes of Open311 as OpenAPI has them."""

from geoserver.openapi import ANY_JSON, OPTIONAL_ACCOUNT, Json, content, errors_in, operation, parameter

_BASE = "/open311/v2"
_ERRORS = errors_in("text/xml", "application/json")
_TEXT: Json = {"type": "string"}
_TIME: Json = {"type": "string", "format": "date-time"}
_FORMAT = parameter("format", "xml or json", {"type": "string", "enum": ["xml", "json"]}, "path")
_JURISDICTION = parameter("jurisdiction_id", "Not needed: the server serves one city", _TEXT)
_POSTED = {
    "service_code": "Code of the service",
    "lat": "Latitude [°]",
    "long": "Longitude [°]",
    "address_string": "Address, in the place of lat and long",
    "description": "What is the matter",
    "first_name": "Given name",
    "last_name": "Family name",
    "phone": "Telephone",
    "media_url": "Address of a picture; it is kept, not fetched",
    "attribute[condition]": "立案条件, of those that the service definition lists",
    "api_key": "Key of an account that may report cases; or send it as X-API-Key",
}


def open311_paths() -> Json:
    """Each route of GeoReport v2 (wiki.open311.org/GeoReport_v2)."""
    listed = [
        parameter("service_request_id", "Numbers of cases, with commas; overrides all else", _TEXT),
        parameter("service_code", "Codes of services, with commas", _TEXT),
        parameter("start_date", "Reported from; 90 days at most before end_date", _TIME),
        parameter("end_date", "Reported until", _TIME),
        parameter("status", "open, closed or both, with commas", _TEXT),
        parameter("page", "Page, from 1", {"type": "integer", "minimum": 1}),
        parameter("page_size", "Requests on a page", {"type": "integer", "minimum": 1, "maximum": 1000}),
    ]
    service = parameter("serviceCode", "Code of the service", _TEXT, "path")
    item = parameter("serviceRequestId", "Number of the case", _TEXT, "path")
    token = parameter("token", "The same number: every service is realtime", _TEXT, "path")
    posted = {name: {"type": "string", "description": said} for name, said in _POSTED.items()}
    form = {"type": "object", "required": ["service_code"], "properties": posted}
    body = {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}}
    requests = _read("getOpen311Requests", "Service requests, the newest first", *listed)
    post = operation(
        "postOpen311Request", "Report a case", [_FORMAT], _answer("The new service request"), "open311", _ERRORS,
        requestBody=body, security=OPTIONAL_ACCOUNT,
    )  # fmt: skip
    return {
        f"{_BASE}/discovery.{{format}}": _read("getOpen311Discovery", "Service discovery"),
        f"{_BASE}/services.{{format}}": _read("getOpen311Services", "The classes of cases as services"),
        f"{_BASE}/services/{{serviceCode}}.{{format}}": _read("getOpen311Service", "Definition of a service", service),
        f"{_BASE}/requests.{{format}}": {**requests, "post": post},
        f"{_BASE}/requests/{{serviceRequestId}}.{{format}}": _read("getOpen311Request", "One service request", item),
        f"{_BASE}/tokens/{{token}}.{{format}}": _read("getOpen311Token", "A service request by its token", token),
    }


def _read(name: str, summary: str, *parameters: Json) -> Json:
    asked = [_FORMAT, _JURISDICTION, *parameters]
    return {"get": operation(name, summary, asked, _answer(summary), "open311", _ERRORS, security=OPTIONAL_ACCOUNT)}


def _answer(said: str) -> Json:
    return {"200": content(said, "text/xml", "application/json", schema=ANY_JSON)}
