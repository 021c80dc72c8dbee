"""Routes for signing in at an OpenID provider: to it, back from it, and linking one's account to it."""

import base64
import binascii
import time
from dataclasses import asdict
from http import HTTPStatus

import orjson
from starlette.requests import Request

from geoserver.errors import NotThere
from geoserver.identity import own_account as own
from geoserver.identity.cookies import Cookies, client_of
from geoserver.identity.external import account_of, require_admitted
from geoserver.identity.identities import Identities
from geoserver.identity.model import Identity
from geoserver.identity.own_routes import answer, person
from geoserver.identity.pages import own_path
from geoserver.identity.provider_roles import apply_groups
from geoserver.identity.providers import Attempt, Provider, ProviderRefused, new_attempt
from geoserver.identity.record import record
from geoserver.identity.seen import SeenCity
from geoserver.identity.server_key import Purpose
from geoserver.outbound import Outbound
from geoserver.parameters import query_values
from geoserver.reply import Reply
from layers.access import Principal

_UNKEPT = {"Cache-Control": "no-store"}
_PURPOSE: Purpose = "oidc"


def to_provider(city: SeenCity, request: Request, _body: bytes, provider: str) -> Reply:
    """``GET /sign-in/{provider}``: to the provider's own page."""
    following = query_values(request, ("next", "lang")).get("next")
    attempt = new_attempt(provider, own_path(following, str(request.scope.get("root_path", ""))), None)
    address = _provider(city, provider).address(attempt)
    headers = {**_UNKEPT, "Location": address, "Set-Cookie": _cookie(city.identities, attempt)}
    return Reply(status=HTTPStatus.SEE_OTHER, media_type=None, headers=headers)


def link_provider(city: SeenCity, request: Request, _body: bytes, provider: str) -> Reply:
    """``POST /account/links/{provider}``: where to prove the identity that one's account is to be linked to."""
    identity = person(city, request)
    attempt = new_attempt(provider, f"{request.scope.get('root_path', '')}/account", identity.account)
    address = _provider(city, provider).address(attempt)
    return answer({"location": address}, headers={"Set-Cookie": _cookie(city.identities, attempt)})


def from_provider(city: SeenCity, request: Request, _body: bytes, provider: str) -> Reply:
    """``GET /sign-in/{provider}/callback``: a session, and on to where the browser was going."""
    door = city.identities
    there = _provider(city, provider)
    attempt = _attempt(door, request)
    given = request.query_params
    if attempt is None or attempt.provider != provider or given.get("state") != attempt.state:
        raise ProviderRefused("this sign-in was not begun in this browser, or over ten minutes ago: begin anew")
    if given.get("iss", there.settings.issuer) != there.settings.issuer or "code" not in given:  # RFC 9207
        raise ProviderRefused(f"the provider refused: {given.get('error', 'no code')[:80]}")
    claims = there.claims(attempt, given["code"])
    require_admitted(there.settings, claims)
    client = client_of(request)
    asking = Principal(via=f"oidc:{provider}", address=client.address, request=client.request)
    with door.gate.transaction(principal=asking) as conn:
        account = account_of(conn, there.settings, claims, attempt.link)
        apply_groups(conn, provider, there.settings, account, claims)
        signed, cookie = own.make_signed(conn, door, request, Identity(account, "session"), f"oidc:{provider}")
        record(conn, "sign-in", "session", str(signed.session), provider=provider)
    door.forget()
    headers = {**_UNKEPT, "Location": attempt.next, "Set-Cookie": cookie, "set-cookie": _dropped(door.cookies)}
    return Reply(status=HTTPStatus.SEE_OTHER, media_type=None, headers=headers)


def _provider(city: SeenCity, name: str) -> Provider:
    settings = city.settings.access.oidc.get(name)
    if settings is None:
        raise NotThere(f"there is no provider {name[:40]!r}")
    kept = city.identities.providers
    if name not in kept:
        kept[name] = Provider(
            settings, Outbound(city.settings.outbound), f"{city.identities.url}/sign-in/{name}/callback"
        )
    return kept[name]


def _name(cookies: Cookies) -> str:
    return f"{cookies.session_name}-oidc"


def _cookie(door: Identities, attempt: Attempt) -> str:
    payload = base64.urlsafe_b64encode(orjson.dumps(asdict(attempt)))
    value = f"{payload.decode()}.{door.key.sign(_PURPOSE, payload).hex()}"
    return door.cookies.header(_name(door.cookies), value, 600)


def _dropped(cookies: Cookies) -> str:
    return cookies.header(_name(cookies), "", 0)


def _attempt(door: Identities, request: Request) -> Attempt | None:
    payload, _, signature = request.cookies.get(_name(door.cookies), "").partition(".")
    try:
        signed = door.key.signed(_PURPOSE, payload.encode(), bytes.fromhex(signature))
        found = Attempt(**orjson.loads(base64.urlsafe_b64decode(payload))) if payload and signed else None
    except (ValueError, TypeError, binascii.Error):
        return None
    return found if found and found.expires > time.time() else None
