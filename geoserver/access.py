"""Who is asking: anonymous, or an account by HTTP Basic (which QGIS, OWSLib, curl and browsers all speak)."""

import base64
import binascii
import hashlib
import threading
import time
from dataclasses import replace
from uuid import uuid4

from starlette.requests import Request

from geoserver.accounts import verify_password
from geoserver.errors import SignInNeeded
from geoserver.principals import Principals
from geoserver.settings import Access as AccessSettings
from layers.access import Principal
from layers.database import Database

#: Seconds for which a verified password is remembered: argon2 is slow by design, and Basic repeats it per request.
_REMEMBERED = 60.0
_MOST = 1000


class Access:
    """Finds the principal of a request."""

    def __init__(self, settings: AccessSettings, gate: Database) -> None:
        self._gate = gate
        self._principals = Principals(gate, anonymous_edit=settings.anonymous_edit)
        self._verified: dict[bytes, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def principal(self, request: Request) -> Principal:
        """Who sent the request. Raises :class:`SignInNeeded` for wrong credentials."""
        found = self._principals.of(self._account(request))
        address = request.client.host if request.client else None
        return replace(found, address=address, request=uuid4().hex)

    def forget(self) -> None:
        """Accounts or rights have changed."""
        self._principals.forget()
        with self._lock:
            self._verified.clear()

    def _account(self, request: Request) -> str | None:
        header = request.headers.get("authorization")
        if header is None:
            return None
        digest = hashlib.sha256(header.encode()).digest()
        known = self._verified.get(digest)
        if known and known[1] > time.monotonic():
            return known[0]
        account, password = _credentials(header)
        with self._gate.engine.connect() as conn:
            if not verify_password(conn, account, password):
                raise SignInNeeded("the account or its password is wrong, or the account is disabled")
        self._remember(digest, account)
        return account

    def _remember(self, digest: bytes, account: str) -> None:
        with self._lock:
            if len(self._verified) >= _MOST:
                self._verified.clear()
            self._verified[digest] = (account, time.monotonic() + _REMEMBERED)


def _credentials(header: str) -> tuple[str, str]:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        raise SignInNeeded("only HTTP Basic sign-in is offered here")
    try:
        account, separator, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise SignInNeeded("the Authorization header is not valid HTTP Basic") from None
    if not separator or "\0" in account or len(password) > 1024:
        raise SignInNeeded("the Authorization header is not valid HTTP Basic")
    return account, password
