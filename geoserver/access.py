"""Who is asking: anonymous, or an account by HTTP Basic (which QGIS, OWSLib, curl and browsers all speak)."""

import base64
import binascii
import hashlib
import threading
import time
from dataclasses import dataclass

from starlette.requests import Request

from geoserver.accounts import verify_password
from geoserver.errors import SignInNeeded
from geoserver.settings import Access as AccessSettings
from layers.database import Database

#: Seconds for which a verified password is remembered: argon2 is slow by design, and Basic repeats it per request.
_REMEMBERED = 60.0
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Principal:
    """The identity of a request; ``account`` None is the public."""

    account: str | None = None


class Access:
    """Finds the principal of a request and decides whether it may edit."""

    def __init__(self, settings: AccessSettings, database: Database) -> None:
        self._anonymous_edit = settings.anonymous_edit
        self._database = database
        self._verified: dict[bytes, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def principal(self, request: Request) -> Principal:
        """Who sent the request. Raises :class:`SignInNeeded` for wrong credentials."""
        header = request.headers.get("authorization")
        if header is None:
            return Principal()
        digest = hashlib.sha256(header.encode()).digest()
        known = self._verified.get(digest)
        if known and known[1] > time.monotonic():
            return Principal(known[0])
        account, password = _credentials(header)
        with self._database.engine.connect() as conn:
            if not verify_password(conn, account, password):
                raise SignInNeeded("the account or its password is wrong, or the account is disabled")
        self._remember(digest, account)
        return Principal(account)

    def require_editor(self, request: Request) -> Principal:
        """The principal, if it may edit. Raises :class:`SignInNeeded`."""
        principal = self.principal(request)
        if principal.account is None and not self._anonymous_edit:
            raise SignInNeeded("editing needs an account: sign in with one that 'citymap user add' made")
        return principal

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
