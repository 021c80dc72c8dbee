"""OpenID Connect: what a city's own identity provider says of who signs in (OpenID Connect Core 1.0 §3.1, RFC 7636).

Every call goes through :class:`geoserver.outbound.Outbound`. The provider's word counts when its signature, algorithm,
issuer, audience, times and nonce are right; what the browser carried between proves nothing but where it began.
"""

import secrets
import time
from dataclasses import dataclass
from typing import Any

import orjson
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from geoserver.errors import SignInNeeded
from geoserver.outbound import Outbound, OutboundFailed
from geoserver.settings.access import OidcProvider

#: Signatures that are taken (RFC 8725 §3.1): no symmetric ones, no ``none``.
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
#: Seconds for which a provider's description and keys are kept, and by which its clock may be off.
_KEPT = 600.0
_LEEWAY = 60
_FORM = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}


class ProviderRefused(SignInNeeded):
    """The provider did not prove who signs in."""

    uri = "ProviderRefused"
    zh = "统一身份认证未通过，请重新登录"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in under way: what its browser must bring back. ``link`` is the account that the identity is for."""

    provider: str
    state: str
    nonce: str
    verifier: str
    next: str
    expires: float
    link: str | None = None


def new_attempt(provider: str, following: str, link: str | None) -> Attempt:
    """With fresh secrets; it holds for ten minutes."""
    state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
    return Attempt(provider, state, nonce, verifier, following, time.time() + _KEPT, link)


class Provider:
    """One configured provider; ``callback`` is the address to which it sends browsers back."""

    def __init__(self, settings: OidcProvider, outbound: Outbound, callback: str) -> None:
        self.settings = settings
        self._outbound = outbound
        self._callback = callback
        self._kept: dict[str, tuple[float, dict[str, Any]]] = {}

    def address(self, attempt: Attempt) -> str:
        """Where the browser goes to sign in."""
        return str(prepare_grant_uri(
            self._described("authorization_endpoint"), self.settings.client_id, "code", redirect_uri=self._callback,
            scope=" ".join(self.settings.scopes), state=attempt.state, nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier), code_challenge_method="S256",
        ))  # fmt: skip

    def claims(self, attempt: Attempt, code: str) -> dict[str, Any]:
        """What the provider says of who has this code. Raises :class:`ProviderRefused`."""
        body = prepare_token_request(
            "authorization_code", code=code, redirect_uri=self._callback, code_verifier=attempt.verifier
        )
        auth = ClientAuth(self.settings.client_id, self.settings.secret(), self._method())
        address, headers, body = auth.prepare("POST", self._described("token_endpoint"), dict(_FORM), body)
        answer = self._outbound.call(address, method="POST", headers=headers, body=body.encode())
        found = _object(answer.body)
        if answer.status != 200 or not isinstance(found.get("id_token"), str):
            raise ProviderRefused(f"the provider did not take the code: {str(found.get('error', answer.status))[:80]}")
        return self._verified(found["id_token"], str(found.get("access_token", "")), attempt.nonce)

    def _verified(self, token: str, access_token: str, nonce: str) -> dict[str, Any]:
        try:
            decoded = self._decoded(token)
            claims = CodeIDToken(
                decoded.claims, decoded.header,
                {"iss": {"value": self.settings.issuer}, "aud": {"value": self.settings.client_id}},
                {"nonce": nonce, "client_id": self.settings.client_id, "access_token": access_token},
            )  # fmt: skip
            claims.validate(now=int(time.time()), leeway=_LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ProviderRefused(f"the provider's id_token is not valid: {type(error).__name__}") from None
        return dict(decoded.claims)

    def _decoded(self, token: str) -> jwt.Token:
        """The token with a good signature; keys are fetched anew once, since a provider may have changed them."""
        try:
            return jwt.decode(token, self._keys(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            self._kept.pop(str(self._described("jwks_uri")), None)
            return jwt.decode(token, self._keys(), algorithms=ALGORITHMS)

    def _keys(self) -> KeySet:
        document = self._fetched(self._described("jwks_uri"))
        return KeySet.import_key_set({"keys": document.get("keys", [])})

    def _method(self) -> str:
        if self.settings.secret() is None:
            return "none"
        offered = self._description().get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        return "client_secret_basic" if "client_secret_basic" in offered else "client_secret_post"

    def _described(self, name: str) -> str:
        found = self._description().get(name)
        if not isinstance(found, str):
            raise OutboundFailed(f"the description of {self.settings.issuer} has no {name}")
        return found

    def _description(self) -> dict[str, Any]:
        document = self._fetched(self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if document.get("issuer") != self.settings.issuer:  # OpenID Connect Discovery 1.0 §4.3
            raise OutboundFailed(f"{self.settings.issuer} describes another issuer")
        return document

    def _fetched(self, address: str) -> dict[str, Any]:
        kept = self._kept.get(address)
        if kept is None or kept[0] < time.monotonic():
            answer = self._outbound.call(address, headers={"Accept": "application/json"})
            if answer.status != 200:
                raise OutboundFailed(f"{self.settings.issuer} answers {answer.status}")
            kept = self._kept[address] = (time.monotonic() + _KEPT, _object(answer.body))
        return kept[1]


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise OutboundFailed("the provider's answer is no JSON object")
    return found
