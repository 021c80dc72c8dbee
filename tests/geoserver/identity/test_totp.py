"""One-time codes. The independent reference is the test vectors of RFC 6238 appendix B."""

import base64
import time

import pyotp
import pytest

from geoserver.identity import totp
from geoserver.identity.server_key import rotate_server_key
from tests.geoserver.identity.site import OTHER, PASSWORD, Client, IdentitySite

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(("now", "code"), [
    (59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037"),
])  # fmt: skip
def test_codes_are_those_of_the_rfc(now: int, code: str) -> None:
    assert totp.matching_step(RFC_SECRET, code, now) == now // 30


def test_a_clock_may_be_off_by_one_step() -> None:
    code = pyotp.TOTP(RFC_SECRET).at(3000)
    assert [totp.matching_step(RFC_SECRET, code, 3000 + off) for off in (-60, -30, 0, 30, 60)] == [
        None,
        100,
        100,
        100,
        None,
    ]


def code_at(secret: str, steps: int) -> str:
    """A code of another step than now, so that it has not been used."""
    return pyotp.TOTP(secret).at(time.time() + steps * 30)


def enrolled(door: IdentitySite) -> tuple[Client, str, list[str], dict[str, str]]:
    """A browser whose account has one-time codes: secret, recovery codes, headers for changes. The code of the step
    before is used up."""
    door.add("wang")
    browser, token = door.signed_in("wang")
    begun = browser.post("/account/totp", json={"password": PASSWORD}, headers={"X-CSRF-Token": token}).json()
    confirmed = browser.post(
        "/account/totp/confirm", json={"code": code_at(begun["secret"], -1)}, headers={"X-CSRF-Token": token}
    )
    assert confirmed.status_code == 200, confirmed.text
    return browser, begun["secret"], confirmed.json()["recoveryCodes"], {"X-CSRF-Token": confirmed.json()["csrfToken"]}


def sign_in(client: Client, code: str | None = None, password: str = PASSWORD) -> str:
    body = {"account": "wang", "password": password} | ({} if code is None else {"code": code})
    answer = client.post("/sign-in", json=body)
    return "in" if answer.status_code == 200 else answer.json()["type"]


def test_codes_count_once_confirmed(door: IdentitySite) -> None:
    door.add("wang")
    browser, token = door.signed_in("wang")
    csrf = {"X-CSRF-Token": token}
    assert browser.post("/account/totp", json={"password": OTHER}, headers=csrf).status_code == 401
    begun = browser.post("/account/totp", json={"password": PASSWORD}, headers=csrf).json()
    assert begun["uri"].startswith("otpauth://totp/") and begun["secret"] in begun["uri"]
    assert sign_in(door.client()) == "in"
    assert browser.post("/account/totp/confirm", json={"code": "000000"}, headers=csrf).status_code == 401
    assert sign_in(door.client()) == "in"


def test_signing_in_needs_a_code_and_takes_each_once(door: IdentitySite) -> None:
    _, secret, _, _ = enrolled(door)
    client = door.client()
    assert sign_in(client) == "CodeNeeded"
    assert sign_in(client, password=OTHER) == "Unauthorized"  # nothing is said of codes before the password is right
    assert sign_in(client, code_at(secret, -1)) == "Unauthorized"  # the one that confirmed
    assert sign_in(client, code_at(secret, 0)) == "in"
    assert sign_in(client, code_at(secret, 0)) == "Unauthorized"
    assert sign_in(client, code_at(secret, 1)) == "in"
    assert sign_in(client, code_at(secret, 0)) == "Unauthorized"  # none before the last one either


def test_wrong_codes_lock_like_wrong_passwords(door: IdentitySite) -> None:
    _, secret, _, _ = enrolled(door)
    door.sql("DELETE FROM access.sign_in_counters")
    client = door.client("127.0.0.9")
    right = {code_at(secret, n) for n in range(-1, 3)}
    for guess in [c for c in map("{:06d}".format, range(20)) if c not in right][:5]:
        assert sign_in(client, guess) == "Unauthorized"
    assert sign_in(client, code_at(secret, 1)) == "Unauthorized"


def test_two_requests_with_one_code_sign_in_once(door: IdentitySite) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from geoserver.identity.totp import verify_code

    _, secret, _, _ = enrolled(door)
    code = code_at(secret, 0)

    def attempt(_: int) -> bool:
        with door.city.gate.transaction() as conn:
            return verify_code(conn, door.city.identities.key, "wang", code)

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(attempt, range(6))) == 1


def test_a_recovery_code_signs_in_once_and_is_kept_as_a_hash(door: IdentitySite) -> None:
    _, _, recovery, _ = enrolled(door)
    assert len(set(recovery)) == 10
    client = door.client()
    assert sign_in(client, recovery[0].replace("-", " ").upper()) == "in"
    assert sign_in(client, recovery[0]) == "Unauthorized"
    assert sign_in(client, recovery[1]) == "in"
    kept = str([bytes(r[0]) for r in door.sql("SELECT digest FROM access.recovery_codes")])
    assert recovery[2] not in kept and recovery[2].replace("-", "") not in kept


def test_basic_is_refused_with_what_to_do_instead(door: IdentitySite) -> None:
    browser, _, _, csrf = enrolled(door)
    answer = door.client().get("/who", auth=("wang", PASSWORD))
    assert (
        answer.status_code == 403 and answer.json()["type"] == "KeyNeeded" and "API key" in answer.json()["description"]
    )
    assert door.client().get("/who", auth=("wang", OTHER)).status_code == 401
    key = browser.post("/account/keys", json={"label": "QGIS"}, headers=csrf).json()["key"]
    assert door.client().get("/who", headers={"X-API-Key": key}).status_code == 200


def test_confirming_ends_other_sessions(door: IdentitySite) -> None:
    door.add("wang")
    other, _ = door.signed_in("wang", "127.0.0.3")
    browser, token = door.signed_in("wang")
    csrf = {"X-CSRF-Token": token}
    secret = browser.post("/account/totp", json={"password": PASSWORD}, headers=csrf).json()["secret"]
    browser.post("/account/totp/confirm", json={"code": code_at(secret, 0)}, headers=csrf)
    assert other.get("/who").status_code == 401 and browser.get("/who").status_code == 200


def test_codes_that_are_on_are_not_confirmed_again_for_new_recovery_codes(door: IdentitySite) -> None:
    browser, secret, recovery, csrf = enrolled(door)
    answer = browser.post("/account/totp/confirm", json={"code": code_at(secret, 0)}, headers=csrf)
    assert answer.status_code == 401 and "recoveryCodes" not in answer.json()
    assert sign_in(door.client(), recovery[0]) == "in"


def test_removing_needs_password_and_code(door: IdentitySite) -> None:
    browser, secret, recovery, csrf = enrolled(door)
    for body in (
        {"password": PASSWORD},
        {"password": OTHER, "code": code_at(secret, 0)},
        {"password": PASSWORD, "code": "abc"},
    ):
        assert browser.post("/account/totp/remove", json=body, headers=csrf).status_code == 401
    assert browser.post("/account/totp", json={"password": PASSWORD}, headers=csrf).status_code == 409
    answer = browser.post("/account/totp/remove", json={"password": PASSWORD, "code": recovery[0]}, headers=csrf)
    assert answer.status_code == 200 and sign_in(door.client()) == "in"
    assert door.sql("SELECT count(*) FROM access.recovery_codes") == [(0,)]


def test_the_secret_is_encrypted_and_survives_a_new_server_key(door: IdentitySite) -> None:
    _, secret, _, _ = enrolled(door)
    [(kept,)] = door.sql("SELECT secret FROM access.totp")
    assert secret.encode() not in bytes(kept) and base64.b32decode(secret) not in bytes(kept)
    file = door.city.settings.access.server_key
    with door.owner.transaction() as conn:
        assert totp.encrypt_anew(conn, rotate_server_key(file)) == 1
    door.city.identities.forget()
    assert sign_in(door.client(), code_at(secret, 0)) == "in"
    rotate_server_key(file, keep=0)  # the lines that could read it are gone
    door.city.identities.forget()
    assert sign_in(door.client(), code_at(secret, 1)) == "Unauthorized"
