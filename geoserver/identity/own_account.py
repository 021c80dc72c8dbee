"""What people do with their own account. Each function proves again what the act asks for, and keeps it."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection, text
from starlette.requests import Request

from geoserver.accounts import set_password
from geoserver.errors import NotAllowed
from geoserver.identity import totp
from geoserver.identity.api_keys import ApiKey, list_keys, make_key
from geoserver.identity.cookies import client_of
from geoserver.identity.csrf import require_own_site
from geoserver.identity.identities import Identities
from geoserver.identity.model import CodeNeeded, Identity, Scope, WrongCredentials
from geoserver.identity.passwords import require_new, require_strong
from geoserver.identity.record import acts, record
from geoserver.identity.sessions import digest, end_sessions, make_session
from geoserver.identity.sign_in import Proof, prove_password
from layers.access import Principal


@dataclass(frozen=True, slots=True)
class Signed:
    """A session that has just been made, and the headers that give the browser its cookies."""

    identity: Identity
    headers: dict[str, str] = field(repr=False)


def sign_in(door: Identities, request: Request, account: str, password: str, code: str | None) -> Signed:
    """Make a session; the one that the browser had before ends. Raises :class:`WrongCredentials`, :class:`CodeNeeded`,
    :class:`CrossSite`."""
    require_own_site(request, door.url)
    browser = door.cookies.known_browser(request, account)
    proof = prove(door, request, account, password, code, browser)
    if proof.reason == "code-needed":
        raise CodeNeeded
    former = door.cookies.session_secret(request)
    client = client_of(request)
    asking = Principal(via="password", address=client.address, request=client.request)
    with door.gate.transaction(principal=asking) as conn:
        conn.execute(text("DELETE FROM access.sessions WHERE digest = :digest"), {"digest": digest(former or "")})
        identity, cookie = make_signed(conn, door, request, Identity(account, "session", None, proof.must_change))
        headers = {"Set-Cookie": cookie}
        if browser is None:
            # Names of headers are case-insensitive, so both go out.
            headers["set-cookie"] = door.cookies.with_known_browser(account)
        record(conn, "sign-in", "session", str(identity.session))
    return Signed(identity, headers)


def prove(
    door: Identities, request: Request, account: str, password: str, code: str | None, browser: str | None = None
) -> Proof:
    """The password's proof, which may still want a code. Raises :class:`WrongCredentials`."""
    client = client_of(request, browser)
    proof = prove_password(door.gate, door.settings.access, door.key, account, password, code, client)
    if proof.account is None:
        raise WrongCredentials
    return proof


def change_password(
    door: Identities, request: Request, asker: Principal, identity: Identity, old: str, new: str
) -> Signed:
    """Give oneself another password: tokens and all sessions end, and the browser at hand gets a new one. Keys go on.

    Raises :class:`PasswordRefused`, :class:`WrongCredentials`.
    """
    rules = door.settings.access.password
    prove(door, request, identity.account, old, None, door.cookies.known_browser(request, identity.account))
    require_strong(new, identity.account, rules)
    with door.gate.transaction(principal=asker) as conn:
        require_new(conn, identity.account, new, rules)
        set_password(conn, identity.account, new)
        record(conn, "administer", "account", identity.account, change="password")
        return _renewed(conn, door, request, identity)


def begin_codes(
    door: Identities, request: Request, asker: Principal, identity: Identity, password: str
) -> tuple[str, str]:
    """A secret for an authenticator app, and its ``otpauth:`` address. Raises :class:`Conflict` when codes are on."""
    prove(door, request, identity.account, password, None)
    with door.gate.transaction(principal=asker) as conn:
        issuer = door.settings.metadata.identification.title.zh
        return totp.enrol(conn, door.key, identity.account, issuer)


def confirm_codes(
    door: Identities, request: Request, asker: Principal, identity: Identity, code: str
) -> tuple[list[str], Signed]:
    """Turn one-time codes on: the recovery codes, and a new session. Raises :class:`WrongCredentials`."""
    with door.gate.transaction(principal=asker) as conn:
        codes = totp.confirm(conn, door.key, identity.account, code)
        if codes is None:
            raise WrongCredentials
        record(conn, "administer", "account", identity.account, change="one-time codes on")
        _raise_epoch(conn, identity.account)
        return codes, _renewed(conn, door, request, identity)


def remove_codes(
    door: Identities, request: Request, asker: Principal, identity: Identity, password: str, code: str | None
) -> Signed:
    """Turn one-time codes off, with a code or a recovery code.

    Raises :class:`WrongCredentials`, :class:`CodeNeeded`.
    """
    proof = prove(door, request, identity.account, password, code)
    if proof.reason == "code-needed":
        raise CodeNeeded
    with door.gate.transaction(principal=asker) as conn:
        totp.remove(conn, identity.account)
        record(conn, "administer", "account", identity.account, change="one-time codes off")
        _raise_epoch(conn, identity.account)
        return _renewed(conn, door, request, identity)


def make_own_key(
    door: Identities, asker: Principal, identity: Identity, label: str, scope: Scope | None, days: float
) -> tuple[str, ApiKey]:
    """A key that acts for the account: its text, shown once. Raises :class:`AccountError`."""
    with door.gate.transaction(principal=asker) as conn:
        key, made = make_key(
            conn, identity.account, label, scope, days, identity.account, door.settings.access.key_days
        )
        record(conn, "administer", "api-key", made.id, change="create", account=identity.account, label=made.label)
    return key, made


def live_keys(conn: Connection, account: str) -> int:
    """How many keys of the account are neither revoked nor expired."""
    return sum(key.live for key in list_keys(conn, account))


def require_in_person(identity: Identity) -> None:
    """Raise unless a person signed in: a leaked key must not make keys, nor change what protects the account."""
    if not identity.in_person:
        raise NotAllowed("this is for people: sign in with the password, not with a key or token")


def _renewed(conn: Connection, door: Identities, request: Request, identity: Identity) -> Signed:
    """After a change of what protects the account no session stays but a new one of this browser."""
    end_sessions(conn, identity.account)
    fresh = Identity(identity.account, identity.via)
    if identity.via != "session":
        return Signed(fresh, {})
    fresh, cookie = make_signed(conn, door, request, fresh)
    return Signed(fresh, {"Set-Cookie": cookie})


def make_signed(
    conn: Connection, door: Identities, request: Request, identity: Identity, via: str = "password"
) -> tuple[Identity, str]:
    """A session for who is proved, and the header that gives its cookie; from here the transaction is the account's."""
    acts(conn, identity.account)
    rules = door.settings.access.sessions
    agent = request.headers.get("user-agent")
    secret, made = make_session(conn, identity.account, via, client_of(request), agent, rules)
    signed = Identity(identity.account, "session", None, identity.must_change_password, session=made)
    return signed, door.cookies.with_session(secret)


def _raise_epoch(conn: Connection, account: str) -> None:
    conn.execute(text("UPDATE access.accounts SET epoch = epoch + 1 WHERE name = :name"), {"name": account})


def end_own_sessions(conn: Connection, identity: Identity) -> None:
    """End all sessions of the account but the one at hand, and all tokens."""
    conn.execute(text("DELETE FROM access.sessions WHERE account = :account AND id IS DISTINCT FROM :here"),
                 {"account": identity.account, "here": identity.session})  # fmt: skip
    _raise_epoch(conn, identity.account)


def parse_id(value: str) -> UUID | None:
    """The id in a path; None for what is none."""
    try:
        return UUID(value)
    except ValueError:
        return None
