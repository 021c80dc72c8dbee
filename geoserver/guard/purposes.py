"""What a request is for, as far as its rate depends on it: by method, path and wanted format, before any work."""

from collections.abc import Iterable
from urllib.parse import unquote_plus

from starlette.types import Scope

from geoserver.formats import EXPORTS, media_type
from geoserver.guard.rates import Purpose

#: Where credentials are tried, by POST; what lies below a path counts too.
SIGN_IN_PATHS = ("/sign-in", "/token", "/account/password", "/account/totp")
#: By other methods too: a provider's answer, which the server asks the provider about.
_PROVIDERS = "/sign-in/"
_EXPORT_FORMATS = frozenset(EXPORTS)
_EXPORT_TYPES = tuple(media_type(name).partition(";")[0].encode() for name in EXPORTS)


def purpose_of(scope: Scope) -> Purpose | None:
    """The purpose that has a quota of its own, None for all that a map or a page does."""
    path: str = scope["path"]
    if scope["method"] == "POST":
        if path.endswith("/execution"):
            return "executions"
        if path == "/uploads":
            return "uploads"
        if path == "/report/cases" or path.startswith("/notices/"):
            return "reports"
        if path.startswith(SIGN_IN_PATHS):
            return "sign_in"
    if path.startswith(_PROVIDERS):
        return "sign_in"
    if path.endswith("/items") and (_names_export(scope["query_string"]) or _accepts_export(scope["headers"])):
        return "exports"
    return None


def _names_export(query: bytes) -> bool:
    if b"f=" not in query and b"%" not in query:
        return False
    pairs = (pair.partition("=") for pair in query.decode("latin-1").split("&"))
    return any(unquote_plus(name) == "f" and unquote_plus(value) in _EXPORT_FORMATS for name, _, value in pairs)


def _accepts_export(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(name == b"accept" and any(kind in value for kind in _EXPORT_TYPES) for name, value in headers)
