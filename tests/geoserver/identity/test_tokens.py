"""Bearer tokens, forged in the known ways. The independent reference makes and reads tokens with hmac and json alone."""

import base64
import hmac
import json
import time
from hashlib import sha256, sha512
from typing import Any

import pytest

from geoserver.identity.server_key import rotate_server_key
from tests.geoserver.identity.site import PASSWORD, IdentitySite

WANG = {"account": "wang", "password": PASSWORD}


def b64(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    head, claims, _ = (base64.urlsafe_b64decode(p + "==") for p in token.split("."))
    return json.loads(head), json.loads(claims)


def signed(key: bytes, header: dict[str, Any], claims: dict[str, Any], digest: Any = sha256) -> str:
    message = f"{b64(header)}.{b64(claims)}"
    return f"{message}.{b64(hmac.digest(key, message.encode(), digest))}"


def who(door: IdentitySite, token: str) -> int:
    return door.client().get("/who", headers={"Authorization": f"Bearer {token}"}).status_code


@pytest.fixture
def token(door: IdentitySite) -> str:
    door.add("wang")
    answer = door.client().post("/token", json=WANG)
    assert answer.status_code == 200, answer.text
    assert answer.json()["token_type"] == "Bearer" and answer.json()["expires_in"] == 900
    return str(answer.json()["access_token"])


@pytest.fixture
def key(door: IdentitySite) -> bytes:
    return door.city.identities.key.derived("token")[0]


def test_a_token_is_what_it_says(door: IdentitySite, token: str, key: bytes) -> None:
    header, claims = parts(token)
    assert header["alg"] == "HS256" and header["typ"] == "at+jwt"
    assert claims["iss"] == claims["aud"] == door.url and claims["sub"] == "wang"
    assert claims["exp"] - claims["iat"] == 900 and PASSWORD not in str(claims)
    assert door.client().get("/who", headers={"Authorization": f"Bearer {token}"}).text == "wang token"
    assert who(door, signed(key, header, claims)) == 200  # so that the forgeries below fail for what they change


@pytest.mark.parametrize("change", [
    {"iss": "http://evil.example"}, {"iss": None}, {"aud": "http://evil.example"}, {"aud": None}, {"aud": []},
    {"exp": 1}, {"exp": None}, {"exp": "never"}, {"nbf": 9_999_999_999}, {"nbf": None}, {"iat": 9_999_999_999},
    {"sub": "li"}, {"sub": None}, {"sub": 5}, {"epoch": 1}, {"epoch": None}, {"epoch": "x"},
    {"key": "0123456789abcdef"}, {"sid": "0" * 32}, {"sid": "x"}, {"scp": 5},
])  # fmt: skip
def test_a_claim_that_is_not_ours_refuses_even_with_our_signature(
    door: IdentitySite, token: str, key: bytes, change: dict[str, Any]
) -> None:
    header, claims = parts(token)
    assert who(door, signed(key, header, {k: v for k, v in {**claims, **change}.items() if v is not None})) == 401


def test_the_algorithm_is_never_taken_from_the_token(door: IdentitySite, token: str, key: bytes) -> None:
    header, claims = parts(token)
    message = f"{b64({**header, 'alg': 'none'})}.{b64(claims)}"
    for forged in (f"{message}.", message, f"{b64({**header, 'alg': 'None'})}.{b64(claims)}.",
                   signed(key, {**header, "alg": "HS512"}, claims, sha512), signed(key, {**header, "alg": "RS256"}, claims),
                   signed(key, {**header, "alg": "ES256"}, claims), signed(b"", header, claims),
                   signed(door.url.encode(), header, claims)):  # fmt: skip
        assert who(door, forged) == 401, forged


def test_headers_name_no_key_of_the_forgers(door: IdentitySite, token: str) -> None:
    header, claims = parts(token)
    own = {"kty": "oct", "k": b64(b"x" * 32)}
    for extra in (
        {"jwk": own},
        {"kid": "other", "jwk": own},
        {"jku": "http://127.0.0.1:1/jwks"},
        {"kid": "../../dev/null"},
    ):
        assert who(door, signed(b"x" * 32, {**header, **extra}, claims)) == 401


def test_a_token_of_another_kind_is_refused(door: IdentitySite, token: str, key: bytes) -> None:
    header, claims = parts(token)
    for kind in ("JWT", None):
        changed = {k: v for k, v in {**header, "typ": kind}.items() if v is not None}
        assert who(door, signed(key, changed, claims)) == 401
    assert who(door, signed(door.city.identities.key.derived("csrf")[0], header, claims)) == 401


def test_a_token_ends_on_time_though_it_is_remembered(door: IdentitySite, token: str, key: bytes) -> None:
    header, claims = parts(token)
    short = signed(key, header, {**claims, "exp": int(time.time()) + 2})
    assert who(door, short) == 200
    time.sleep(2.1)
    assert who(door, short) == 401


@pytest.mark.parametrize("end", ["disabled = true", "epoch = epoch + 1"])
def test_a_token_ends_with_its_account(door: IdentitySite, token: str, end: str) -> None:
    assert who(door, token) == 200
    door.sql(f"UPDATE access.accounts SET {end}")
    door.city.identities.forget()
    assert who(door, token) == 401


def test_a_token_ends_with_the_session_or_key_it_was_made_from(door: IdentitySite) -> None:
    door.add("wang")
    browser, csrf = door.signed_in("wang")
    headers = {"X-CSRF-Token": csrf}
    by_session = browser.post("/token", json={}, headers=headers).json()["access_token"]
    made = browser.post("/account/keys", json={"label": "x"}, headers=headers).json()
    by_key = door.client().post("/token", json={}, headers={"X-API-Key": made["key"]}).json()["access_token"]
    assert who(door, by_session) == who(door, by_key) == 200
    browser.delete(f"/account/keys/{made['id']}", headers=headers)
    assert (who(door, by_session), who(door, by_key)) == (200, 401)
    browser.post("/sign-out", headers=headers)
    assert who(door, by_session) == 401


def test_a_token_makes_no_token_and_lives_no_longer_than_asked_or_allowed(door: IdentitySite, token: str) -> None:
    bearer = {"Authorization": f"Bearer {token}"}
    assert door.client().post("/token", json={}, headers=bearer).status_code == 403
    assert door.client().post("/token", json={**WANG, "minutes": 1}).json()["expires_in"] == 60
    assert door.client().post("/token", json={**WANG, "minutes": 10_000}).json()["expires_in"] == 900


def test_a_token_is_no_wider_than_the_key_it_was_made_from(door: IdentitySite) -> None:
    door.add("wang")
    browser, csrf = door.signed_in("wang")
    scope = {"collections": ["roads", "pois"], "actions": ["read"], "areas": ["4207"]}
    key = browser.post("/account/keys", json={"label": "x", "scope": scope}, headers={"X-CSRF-Token": csrf}).json()[
        "key"
    ]
    headers = {"X-API-Key": key}
    assert door.client().post("/token", json={}, headers=headers).json()["scope"] == {
        k: sorted(v) for k, v in scope.items()
    }
    wider = {
        "collections": ["roads", "buildings"],
        "actions": ["read", "update"],
        "areas": ["42", "420704"],
        "processes": ["buffer"],
    }
    assert door.client().post("/token", json={"scope": wider}, headers=headers).json()["scope"] == {
        "collections": ["roads"], "actions": ["read"], "areas": ["4207", "420704"], "processes": ["buffer"],
    }  # fmt: skip


def test_tokens_survive_one_rotation_of_the_server_key(door: IdentitySite, token: str) -> None:
    file = door.city.settings.access.server_key
    rotate_server_key(file)
    door.city.identities.forget()
    assert who(door, token) == 200
    rotate_server_key(file)
    door.city.identities.forget()
    assert who(door, token) == 401


def test_no_token_before_the_first_password_is_changed(door: IdentitySite) -> None:
    door.add("neu", must_change=True)
    answer = door.client().post("/token", json={"account": "neu", "password": PASSWORD})
    assert answer.status_code == 403 and "changed first" in answer.json()["description"]
