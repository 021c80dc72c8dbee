"""What goes wrong between a program and its city; each error says cause, cure and the request's id."""

from http import HTTPStatus
from typing import Any

import httpx


class CityError(Exception):
    """The server refused or failed: ``status``, its ``code``, what it said, and the ``request_id`` for its log."""

    def __init__(self, said: str, status: int | None = None, code: str = "", request_id: str | None = None) -> None:
        super().__init__(f"{said} [request {request_id}]" if request_id else said)
        self.said = said
        self.status = status
        self.code = code
        self.request_id = request_id


class NotFound(CityError):
    """There is no such layer, feature, process or job, or this account may not see it."""


class Refused(CityError):
    """The request needs an account or a right: give ``key=``, ``token=`` or ``account=`` to ``City(…)``."""


class EditConflict(CityError):
    """Somebody else changed the feature since it was read: read it again and repeat the edit."""


class PositionGone(CityError):
    """The server can no longer tell what changed since that position: copy the layer anew."""


class ProcessFailed(CityError):
    """A job ended without a result; it says why."""


class Unreachable(CityError):
    """No answer came: the address, the network or the server."""


_KINDS: dict[int, type[CityError]] = {
    HTTPStatus.UNAUTHORIZED: Refused,
    HTTPStatus.FORBIDDEN: Refused,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.PRECONDITION_FAILED: EditConflict,
    HTTPStatus.GONE: PositionGone,
}


def error_of(answer: httpx.Response) -> CityError:
    """The error that an answer of status 400 or above tells, its body having been read."""
    try:
        told: Any = answer.json()
    except ValueError:
        told = {}
    told = told if isinstance(told, dict) else {}
    said = told.get("description") or told.get("detail") or told.get("title") or answer.reason_phrase
    kind = _KINDS.get(answer.status_code, CityError)
    asked = f"{answer.request.method} {answer.request.url.path}"
    return kind(
        f"{asked} answered {answer.status_code}: {said}",
        answer.status_code,
        str(told.get("code", "")),
        answer.headers.get("x-request-id"),
    )
