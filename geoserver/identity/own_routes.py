"""Routes for signing in and for one's own account; every answer is ``no-store``."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import orjson
import segno
from starlette.requests import Request

from geoserver.errors import NotAllowed, NotThere, SignInNeeded
from geoserver.identity import own_account as own
from geoserver.identity.api_keys import key_document, list_keys, revoke_key
from geoserver.identity.bodies import CodeBody, KeyBody, PasswordBody, ProofBody, SignInBody, TokenBody, read_body
from geoserver.identity.model import CodeNeeded, Identity, Scope, scope_of
from geoserver.identity.pages import account_page, wants_page
from geoserver.identity.record import record
from geoserver.identity.seen import SeenCity
from geoserver.identity.sessions import end_session, list_sessions
from geoserver.identity.tokens import make_token
from geoserver.process_adapter import EDITING
from geoserver.reply import Reply, failure
from geoserver.rights import list_departments

if TYPE_CHECKING:
    from geoserver.city import City

_UNKEPT = {"Cache-Control": "no-store"}


def answer(document: Any, status: int = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Reply:
    """A JSON answer that nobody keeps."""
    return Reply(orjson.dumps(document, default=str), status=status, headers={**_UNKEPT, **(headers or {})})


def nothing(headers: dict[str, str] | None = None) -> Reply:
    """Done, and nothing to tell."""
    return Reply(status=HTTPStatus.NO_CONTENT, media_type=None, headers={**_UNKEPT, **(headers or {})})


def asker(city: SeenCity, request: Request) -> Identity:
    """Who asks. Raises :class:`SignInNeeded` when nobody signed in."""
    identity = city.identities.identify(request)
    if identity is None:
        raise SignInNeeded("this needs an account: sign in")
    return identity


def person(city: SeenCity, request: Request) -> Identity:
    """Who asks, having signed in themselves. Raises :class:`NotAllowed` for keys and tokens."""
    identity = asker(city, request)
    own.require_in_person(identity)
    return identity


def sign_in(city: SeenCity, request: Request, body: bytes) -> Reply:
    """``POST /sign-in``: the cookies of a new session."""
    wanted = read_body(SignInBody, request, body)
    try:
        signed = own.sign_in(city.identities, request, wanted.account, wanted.password, wanted.code)
    except SignInNeeded as error:  # the browser's own prompt would hide the page's form
        refused = failure(error, request)
        headers = {k: v for k, v in refused.headers.items() if k != "WWW-Authenticate"}
        return Reply(refused.body, status=refused.status, headers={**headers, **_UNKEPT})
    return _signed(city, signed)


def sign_out(city: SeenCity, request: Request, _body: bytes) -> Reply:
    """``POST /sign-out``: ends the session and what was made from it."""
    identity = asker(city, request)
    if identity.session is not None:
        with city.gate.transaction(principal=city.principal) as conn:
            end_session(conn, identity.account, identity.session)
            record(conn, "sign-out", "session", str(identity.session))
        city.identities.forget()
    return nothing({"Set-Cookie": city.identities.cookies.without_session(), "Clear-Site-Data": '"cache"'})


def get_departments(city: SeenCity, request: Request, _body: bytes) -> Reply:
    """``GET /departments``: their names, for whoever has signed in and meets their ids in layers."""
    asker(city, request)
    with city.gate.transaction() as conn:
        found = [{"id": one.id, "zh": one.zh, "en": one.en} for one in list_departments(conn)]
    return answer({"departments": found})


def get_account(city: SeenCity, request: Request, _body: bytes) -> Reply:
    """``GET /account``: who asks, with which roles, and the token that changing requests of a session carry."""
    identity = asker(city, request)
    if wants_page(request, "next"):
        return account_page(cast("City", city), request, identity)
    principal = city.principal
    return answer({
        "account": identity.account, "via": identity.via, "mustChangePassword": identity.must_change_password,
        "roles": sorted(principal.roles), "offices": sorted(principal.offices),
        "executes": sorted(name for name in EDITING if principal.may_execute(name, edits=True)),
        "scope": None if identity.scope is None else identity.scope.document(),
        "session": identity.session, "csrfToken": city.identities.csrf_token(identity),
    })  # fmt: skip


def post_password(city: SeenCity, request: Request, body: bytes) -> Reply:
    """``POST /account/password``; says how many keys go on."""
    identity = person(city, request)
    wanted = read_body(PasswordBody, request, body)
    door = city.identities
    signed = own.change_password(door, request, city.principal, identity, wanted.old, wanted.new)
    door.forget()
    with city.gate.transaction() as conn:
        return _signed(city, signed, liveKeys=own.live_keys(conn, identity.account))


def post_totp(city: SeenCity, request: Request, body: bytes) -> Reply:
    """``POST /account/totp``: begins one-time codes; ``qr`` is the address as an image to scan."""
    identity = person(city, request)
    wanted = read_body(ProofBody, request, body)
    secret, uri = own.begin_codes(city.identities, request, city.principal, identity, wanted.password)
    drawn = segno.make(uri, micro=False).svg_data_uri(scale=5, border=2)
    return answer({"secret": secret, "uri": uri, "qr": drawn, "next": "POST /account/totp/confirm with a code"})


def confirm_totp(city: SeenCity, request: Request, body: bytes) -> Reply:
    """``POST /account/totp/confirm``: the recovery codes, shown once."""
    identity = person(city, request)
    wanted = read_body(CodeBody, request, body)
    codes, signed = own.confirm_codes(city.identities, request, city.principal, identity, wanted.code)
    city.identities.forget()
    return _signed(city, signed, recoveryCodes=codes)


def remove_totp(city: SeenCity, request: Request, body: bytes) -> Reply:
    """``POST /account/totp/remove`` with password and code."""
    identity = person(city, request)
    wanted = read_body(ProofBody, request, body)
    signed = own.remove_codes(city.identities, request, city.principal, identity, wanted.password, wanted.code)
    city.identities.forget()
    return _signed(city, signed)


def get_sessions(city: SeenCity, request: Request, _body: bytes) -> Reply:
    """``GET /account/sessions``."""
    identity = person(city, request)
    with city.gate.transaction() as conn:
        found = list_sessions(conn, identity.account, city.settings.access.sessions)
    return answer({"sessions": [{
        "id": s.id, "made": s.made, "seen": s.seen, "expires": s.expires, "address": s.address, "agent": s.agent,
        "here": s.id == identity.session,
    } for s in found]})  # fmt: skip


def delete_sessions(city: SeenCity, request: Request, _body: bytes) -> Reply:
    """``DELETE /account/sessions``: all but the one at hand, and all tokens."""
    identity = person(city, request)
    with city.gate.transaction(principal=city.principal) as conn:
        own.end_own_sessions(conn, identity)
        record(conn, "sign-out", "account", identity.account)
    city.identities.forget()
    return nothing()


def delete_session(city: SeenCity, request: Request, _body: bytes, session: str) -> Reply:
    """``DELETE /account/sessions/{session}``."""
    identity = person(city, request)
    found = own.parse_id(session)
    with city.gate.transaction(principal=city.principal) as conn:
        if found is None or not end_session(conn, identity.account, found):
            raise NotThere("there is no such session of yours")
        record(conn, "sign-out", "session", str(found))
    city.identities.forget()
    return nothing()


def get_keys(city: SeenCity, request: Request, _body: bytes) -> Reply:
    """``GET /account/keys``."""
    identity = person(city, request)
    with city.gate.transaction() as conn:
        return answer({"keys": [key_document(key) for key in list_keys(conn, identity.account)]})


def post_key(city: SeenCity, request: Request, body: bytes) -> Reply:
    """``POST /account/keys``: the key is shown once."""
    identity = person(city, request)
    wanted = read_body(KeyBody, request, body)
    scope = scope_of(wanted.scope)
    text, made = own.make_own_key(city.identities, city.principal, identity, wanted.label, scope, wanted.days)
    return answer({"key": text, **key_document(made)}, HTTPStatus.CREATED)


def delete_key(city: SeenCity, request: Request, _body: bytes, key: str) -> Reply:
    """``DELETE /account/keys/{key}``: revoked for good."""
    identity = person(city, request)
    with city.gate.transaction(principal=city.principal) as conn:
        if not revoke_key(conn, key, identity.account):
            raise NotThere("there is no such live key of yours")
        record(conn, "administer", "api-key", key, change="revoke", account=identity.account)
    city.identities.forget()
    return nothing()


def post_token(city: SeenCity, request: Request, body: bytes) -> Reply:
    """``POST /token``: a bearer token for a password (and code), a session or a key, as wide as that or narrower."""
    wanted = read_body(TokenBody, request, body)
    identity = city.identities.identify(request)
    if identity is None:
        identity = _proved_by_body(city, request, wanted)
    if identity.via == "token":
        raise NotAllowed("a token makes no token: use what it was made from")
    asked = scope_of(wanted.scope)
    scope = (asked or Scope()).within(identity.scope) if asked or identity.scope else None
    most = city.settings.access.token_minutes
    seconds = min(wanted.minutes or most, most) * 60
    token = make_token(city.identities.key, city.identities.url, identity, scope, seconds)
    with city.gate.transaction(principal=city.principal) as conn:
        record(conn, "administer", "token", identity.account, change="create", via=identity.via, seconds=int(seconds))
    return answer({
        "access_token": token, "token_type": "Bearer", "expires_in": int(seconds),
        "scope": None if scope is None else scope.document(),
    })  # fmt: skip


def _proved_by_body(city: SeenCity, request: Request, wanted: TokenBody) -> Identity:
    if wanted.account is None or wanted.password is None:
        raise SignInNeeded("send account and password (and code), or sign in by session or key")
    proof = own.prove(city.identities, request, wanted.account, wanted.password, wanted.code)
    if proof.reason == "code-needed":
        raise CodeNeeded
    if proof.must_change:
        raise NotAllowed("the password must be changed first: POST /account/password")
    return Identity(wanted.account, "password", epoch=proof.epoch)


def _signed(city: SeenCity, signed: own.Signed, **more: Any) -> Reply:
    identity = signed.identity
    document = {
        "account": identity.account, "mustChangePassword": identity.must_change_password,
        "csrfToken": city.identities.csrf_token(identity), **more,
    }  # fmt: skip
    return answer(document, headers=signed.headers)
