"""What of a provider's id_token is checked: each token here but the first is wrong in one thing."""

import json
import time
from contextlib import nullcontext
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from geoserver.identity.external import require_admitted
from geoserver.identity.providers import Provider, ProviderRefused, new_attempt
from geoserver.outbound import Answer, OutboundFailed
from geoserver.settings.access import OidcProvider

ISSUER = "https://id.city.example"
KEY, STRANGER = (RSAKey.generate_key(2048, {"kid": "k", "use": "sig"}) for _ in range(2))


class Said:
    """Answers as a provider whose token endpoint gives one token."""

    def __init__(self, token: str, issuer: str = ISSUER) -> None:
        self.token, self.issuer = token, issuer

    def call(self, url: str, **_: Any) -> Answer:
        documents: dict[str, Any] = {
            f"{ISSUER}/.well-known/openid-configuration": {
                "issuer": self.issuer, "token_endpoint": f"{ISSUER}/token", "jwks_uri": f"{ISSUER}/keys",
                "authorization_endpoint": f"{ISSUER}/auth",
            },
            f"{ISSUER}/keys": {"keys": [KEY.as_dict(private=False)]},
            f"{ISSUER}/token": {"id_token": self.token, "access_token": "a"},
        }  # fmt: skip
        return Answer(200, {}, json.dumps(documents[url]).encode(), url)


def claims_of(key: Any = KEY, alg: str = "RS256", **changed: Any) -> dict[str, Any]:
    now = int(time.time())
    attempt = new_attempt("city-id", "/", None)
    claims = {
        "iss": ISSUER,
        "aud": "citymap",
        "sub": "7",
        "iat": now,
        "exp": now + 300,
        "nonce": attempt.nonce,
        **changed,
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    token = jwt.encode({"alg": alg, "kid": "k"}, kept, key, algorithms=[alg])
    provider = Provider(OidcProvider(issuer=ISSUER, client_id="citymap"), Said(token), "https://map/callback")  # type: ignore[arg-type]
    return provider.claims(attempt, "code")


def test_a_right_token_is_taken() -> None:
    assert claims_of()["sub"] == "7"


@pytest.mark.parametrize("wrong", [
    {"iss": "https://evil.example"}, {"aud": "another-client"}, {"aud": ["citymap", "other"], "azp": "other"},
    {"exp": int(time.time()) - 600}, {"exp": None}, {"nonce": "another"}, {"nonce": None}, {"sub": None},
    {"key": STRANGER}, {"key": OctKey.generate_key(256), "alg": "HS256"},
])  # fmt: skip
def test_a_token_that_is_wrong_in_one_thing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ProviderRefused):
        claims_of(**wrong)


def test_a_description_of_another_issuer_is_not_followed() -> None:
    settings = OidcProvider(issuer=ISSUER, client_id="citymap")
    provider = Provider(settings, Said("", "https://evil.example"), "https://map/callback")  # type: ignore[arg-type]
    with pytest.raises(OutboundFailed, match="another issuer"):
        provider.claims(new_attempt("city-id", "/", None), "code")


@pytest.mark.parametrize(("email", "verified", "admitted"), [
    ("wang@city.example", True, True), ("wang@CITY.example", True, True), ("wang@city.example", False, False),
    ("wang@evil.example", True, False), ("wang@city.example.evil.example", True, False), ("city.example", True, False), ("", True, False),
])  # fmt: skip
def test_only_verified_addresses_of_admitted_domains_come_in(email: str, verified: bool, admitted: bool) -> None:
    settings = OidcProvider(issuer=ISSUER, client_id="citymap", domains=("city.example",))
    with nullcontext() if admitted else pytest.raises(ProviderRefused, match="domain"):
        require_admitted(settings, {"email": email, "email_verified": verified})
