"""A browser sends cookies and HTTP Basic on its own, also for other sites: what changes something must show its origin.

Both checks of OWASP's *Cross-Site Request Forgery Prevention*: Fetch Metadata or Origin say that the request came from
a page of ours, and a session's request carries its token, which only a page of ours can read (``GET /account``).
"""

from urllib.parse import urlsplit

from starlette.requests import Request

from geoserver.identity.model import CrossSite, Identity
from geoserver.identity.server_key import ServerKey

#: Methods that change nothing (RFC 9110 §9.2.1).
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER = "X-CSRF-Token"


def csrf_token(key: ServerKey, identity: Identity) -> str | None:
    """The token of the identity's session; None without one."""
    return key.sign("csrf", identity.session.bytes).hex() if identity.via == "session" and identity.session else None


def require_own_site(request: Request, url: str) -> None:
    """Raise :class:`CrossSite` for a request that a page of another site made; ``url`` is the address of ours.

    Programs send neither header, and carry no credentials of a browser.
    """
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise CrossSite("the request comes from a page of another site")
    origin = request.headers.get("origin")
    if origin is None:
        return
    own = urlsplit(url)
    named = urlsplit(origin)
    at_own_address = (named.scheme, named.netloc) == (own.scheme, own.netloc)
    if not at_own_address and (not named.netloc or named.netloc != request.headers.get("host")):
        raise CrossSite("the request comes from a page of another origin; is server.url the address that people use?")


def require_token(request: Request, key: ServerKey, identity: Identity, form_token: str | None) -> None:
    """Raise :class:`CrossSite` unless the request of a session carries its token, as header or form field."""
    given = request.headers.get(HEADER) or form_token or ""
    try:
        signature = bytes.fromhex(given)
    except ValueError:
        signature = b""
    if identity.session is None or not key.signed("csrf", identity.session.bytes, signature):
        raise CrossSite(f"a request by cookie needs the header {HEADER}: its value is csrfToken of GET /account")
