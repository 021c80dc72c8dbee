"""Proves who sends a request. What was proved is remembered for a minute, or until anything about access changes."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from datetime import UTC, datetime

from starlette.requests import Request

from geoserver.accounts import epoch_of
from geoserver.guard.admission import attempt
from geoserver.identity.api_keys import find_key, key_id, key_lives
from geoserver.identity.cookies import Cookies, client_of
from geoserver.identity.credentials import Credential, Kind, credential_of
from geoserver.identity.csrf import SAFE, csrf_token, require_own_site, require_token
from geoserver.identity.lockout import Client
from geoserver.identity.model import Identity, KeyNeeded, PasswordChangeNeeded, SessionEnded, WrongCredentials
from geoserver.identity.providers import Provider
from geoserver.identity.record import record
from geoserver.identity.server_key import ServerKeyError, open_server_key
from geoserver.identity.sessions import find_session, session_lives
from geoserver.identity.sign_in import prove_password, too_old
from geoserver.identity.tokens import read_token
from geoserver.settings import Settings
from layers.database import Database

LOGGER = logging.getLogger("citymap")
SIGN_IN_PATH = "/sign-in"
#: What an account may ask for that must change its password first.
BEFORE_CHANGE = frozenset({"/account", "/account/password", "/sign-out"})
#: Seconds for which proved credentials are remembered: argon2 is slow by design, and programs repeat them per request.
_REMEMBERED = 60.0
_MOST = 4096
#: Requests with the same credentials are proved one after the other, so that the second finds what the first proved.
_TURNS = 64

#: Who it is, and for how many seconds that may be relied on.
type Proved = tuple[Identity, float]


class Identities:
    """One worker's door. Raises :class:`~geoserver.identity.server_key.ServerKeyError` when made without a good key."""

    def __init__(self, settings: Settings, gate: Database) -> None:
        self.settings = settings
        self.gate = gate
        self.url = settings.server.url
        self._open_key()
        #: OpenID providers that have been asked, with what they said of themselves.
        self.providers: dict[str, Provider] = {}
        self._provers: dict[Kind, Callable[[Credential, Client], Proved]] = {
            "password": self._by_password,
            "session": self._by_session,
            "key": self._by_key,
            "token": self._by_token,
        }
        self._proved: dict[bytes, tuple[Identity, float]] = {}
        self._refused: set[bytes] = set()
        self._generation = 0
        self._lock = threading.Lock()
        self._turns = tuple(threading.Lock() for _ in range(_TURNS))

    def identify(self, request: Request, form_token: str | None = None) -> Identity | None:
        """Who sends the request; None without any credentials.

        Raises :class:`SignInNeeded` for wrong ones, :class:`CrossSite` for a change that a browser may have been sent
        for by another site, :class:`PasswordChangeNeeded` and :class:`KeyNeeded` for accounts that may not go on so.
        ``form_token`` is the field ``csrf_token`` of a form's body.
        """
        if f"{_path(request)}/".startswith(f"{SIGN_IN_PATH}/"):
            return None
        credential = credential_of(request, self.cookies.session_secret(request))
        if credential is None:
            return None
        identity = getattr(request.state, "identity", None) or self._remembered(credential.digest)
        if identity is None:
            with attempt(request) if credential.kind == "password" else nullcontext():
                identity = self._prove(credential, client_of(request))
        request.state.identity = identity  # one request is one identity, whatever changes meanwhile
        if request.method not in SAFE and credential.kind in ("password", "session"):
            require_own_site(request, self.url)
            if credential.kind == "session":
                require_token(request, self.key, identity, form_token)
        if identity.must_change_password and _path(request) not in BEFORE_CHANGE:
            raise PasswordChangeNeeded
        return identity

    def csrf_token(self, identity: Identity) -> str | None:
        """What a session's changing requests carry; None for other identities."""
        return csrf_token(self.key, identity)

    def forget(self) -> None:
        """Remember nobody: to be called after any change of accounts, sessions, keys or rights, and whenever such a
        change may have been missed."""
        with self._lock:
            self._generation += 1
            self._proved.clear()
            self._refused.clear()
        try:
            self._open_key()  # it may have been rotated
        except ServerKeyError as error:
            LOGGER.error("the server key is kept as it was: %s", error)

    def _open_key(self) -> None:
        self.key = open_server_key(self.settings.access.server_key)
        self.cookies = Cookies(self.url.startswith("https:"), self.key)

    def _prove(self, credential: Credential, client: Client) -> Identity:
        with self._turns[credential.digest[0] % _TURNS]:
            known = self._remembered(credential.digest)
            if known:
                return known
            generation = self._generation
            identity, seconds = self._provers[credential.kind](credential, client)
            with self._lock:
                if generation == self._generation:  # else it may have been read before the change
                    if len(self._proved) >= _MOST:
                        self._proved.clear()
                    self._proved[credential.digest] = (identity, time.monotonic() + min(seconds, _REMEMBERED))
            return identity

    def _remembered(self, digest: bytes) -> Identity | None:
        found = self._proved.get(digest)
        return found[0] if found and found[1] > time.monotonic() else None

    def _by_password(self, credential: Credential, client: Client) -> Proved:
        # A program that goes on with an old password makes the same mistake, not a new guess.
        counted = credential.digest not in self._refused
        proof = prove_password(
            self.gate, self.settings.access, self.key, credential.account, credential.secret, None, client,
            counted=counted, kept_daily=True,
        )  # fmt: skip
        if proof.reason == "code-needed":
            raise KeyNeeded
        if proof.account is None:
            with self._lock:
                if len(self._refused) >= _MOST:
                    self._refused.clear()
                if proof.reason == "wrong":
                    self._refused.add(credential.digest)
            raise WrongCredentials
        identity = Identity(proof.account, "password", must_change_password=proof.must_change, epoch=proof.epoch)
        return identity, _REMEMBERED

    def _by_session(self, credential: Credential, _client: Client) -> Proved:
        access = self.settings.access
        with self.gate.transaction() as conn:
            found = find_session(conn, credential.secret, access.sessions)
        if found is None:
            raise SessionEnded(self.cookies.without_session())
        must_change = (found.must_change and access.password.force_first_change) or too_old(found.password_set, access)
        identity = Identity(
            found.account, "session", must_change_password=must_change, session=found.session, epoch=found.epoch
        )
        return identity, found.remaining.total_seconds()

    def _by_key(self, credential: Credential, client: Client) -> Proved:
        with self.gate.transaction() as conn:
            found = find_key(conn, credential.secret, client.address)
            if found is None:
                record(conn, "sign-in-refused", "api-key", key_id(credential.secret) or "unreadable")
        if found is None:
            raise WrongCredentials
        seconds = (found.expires - datetime.now(UTC)).total_seconds()
        return Identity(found.account, f"key:{found.key}", found.scope, key=found.key, epoch=found.epoch), seconds

    def _by_token(self, credential: Credential, _client: Client) -> Proved:
        claims = read_token(self.key, self.url, credential.secret)
        if claims is None:
            raise WrongCredentials
        with self.gate.transaction() as conn:
            stands = epoch_of(conn, claims.account) == claims.epoch
            if claims.session:
                stands = stands and session_lives(conn, claims.session, claims.account)
            if claims.key:
                stands = stands and key_lives(conn, claims.key, claims.account)
        if not stands:
            raise WrongCredentials
        identity = Identity(
            claims.account, "token", claims.scope, session=claims.session, key=claims.key, epoch=claims.epoch
        )
        return identity, claims.expires - time.time()


def _path(request: Request) -> str:
    return str(request.scope["path"]).removeprefix(request.scope.get("root_path", ""))
