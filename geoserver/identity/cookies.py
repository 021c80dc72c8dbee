"""The two cookies: the session's, and the one by which a browser that signed in before is known (see lockout.py)."""

import secrets
from dataclasses import dataclass

from starlette.requests import Request

from geoserver.guard import address as address_of
from geoserver.guard import request_id
from geoserver.guard.address import one_client
from geoserver.identity.lockout import KNOWN_DAYS, Client
from geoserver.identity.server_key import ServerKey


@dataclass(frozen=True, slots=True)
class Cookies:
    """Writes and reads the cookies; ``secure`` when clients reach the server by HTTPS.

    Then the prefix ``__Host-`` keeps other hosts of the domain from planting one. SameSite=Lax lets links of other
    portals open the map signed in; what changes something needs more than a cookie (csrf.py).
    """

    secure: bool
    key: ServerKey

    @property
    def session_name(self) -> str:
        """The name of the session's cookie."""
        return "__Host-citymap" if self.secure else "citymap"

    def session_secret(self, request: Request) -> str | None:
        """The secret in the request's session cookie."""
        return request.cookies.get(self.session_name) or None

    def with_session(self, secret: str) -> str:
        """The header that gives the cookie; the browser drops it when it is closed."""
        return self.header(self.session_name, secret, None)

    def without_session(self) -> str:
        """The header that takes it away."""
        return self.header(self.session_name, "", 0)

    def known_browser(self, request: Request, account: str) -> str | None:
        """The nonce in the request's cookie, if this server gave it to this account."""
        nonce, _, signature = request.cookies.get(self._known_name, "").partition(".")
        try:
            given = bytes.fromhex(signature)
        except ValueError:
            return None
        return nonce if nonce and self.key.signed("known-browser", _signed(nonce, account), given) else None

    def with_known_browser(self, account: str) -> str:
        """The header that gives a browser a nonce of its own."""
        nonce = secrets.token_hex(16)
        signature = self.key.sign("known-browser", _signed(nonce, account)).hex()
        return self.header(self._known_name, f"{nonce}.{signature}", KNOWN_DAYS * 86_400)

    @property
    def _known_name(self) -> str:
        return f"{self.session_name}-known"

    def header(self, name: str, value: str, seconds: int | None) -> str:
        """The header that gives a cookie; ``seconds`` None: until the browser is closed."""
        age = "" if seconds is None else f"; Max-Age={seconds}"
        return f"{name}={value}{age}; Path=/; HttpOnly; SameSite=Lax{'; Secure' if self.secure else ''}"


def client_of(request: Request, browser: str | None = None) -> Client:
    """From where a request comes, as geoserver/guard/ has found out."""
    state = request.scope.get("state", {})
    peer = request.client.host if request.client else None
    address = state.get(address_of.STATE_KEY) or peer
    return Client(address and one_client(address), browser, state.get(request_id.STATE_KEY))


def _signed(nonce: str, account: str) -> bytes:
    return f"{nonce}:{account}".encode()
