"""API keys and secrets of devices."""

import hashlib
from uuid import uuid4

import pytest

from geoserver.accounts import AccountError
from geoserver.identity.api_keys import make_key
from geoserver.identity.devices import list_device_secrets, make_device_secret, revoke_device_secret, verify_device
from tests.geoserver.identity.site import PASSWORD, Client, IdentitySite


@pytest.fixture
def browser(door: IdentitySite) -> Client:
    door.add("wang")
    client, token = door.signed_in("wang")
    client.headers["X-CSRF-Token"] = token
    return client


def who(door: IdentitySite, key: str) -> int:
    return door.client().get("/who", headers={"X-API-Key": key}).status_code


def test_a_key_acts_for_its_account_in_both_headers(door: IdentitySite, browser: Client) -> None:
    made = browser.post("/account/keys", json={"label": "交警支队", "days": 30}).json()
    assert made["key"].startswith(f"cmk_{made['id']}_") and len(made["key"]) == 85
    for headers in ({"X-API-Key": made["key"]}, {"Authorization": f"Bearer {made['key']}"}):
        assert door.client().get("/who", headers=headers).text == f"wang key:{made['id']}"


def test_a_key_is_shown_once_and_kept_as_a_hash(door: IdentitySite, browser: Client) -> None:
    key = browser.post("/account/keys", json={"label": "x"}).json()["key"]
    [(digest,)] = door.sql("SELECT digest FROM access.api_keys")
    assert bytes(digest) == hashlib.sha256(key.split("_")[2].encode()).digest()
    assert key.split("_")[2] not in browser.get("/account/keys").text
    assert key.split("_")[2] not in str(door.sql("SELECT detail::text FROM audit.entries"))


@pytest.mark.parametrize("end", [
    "UPDATE access.api_keys SET revoked = now()", "UPDATE access.api_keys SET expires = now()",
    "UPDATE access.accounts SET disabled = true", "DELETE FROM access.accounts",
])  # fmt: skip
def test_a_key_ends(door: IdentitySite, browser: Client, end: str) -> None:
    key = browser.post("/account/keys", json={"label": "x"}).json()["key"]
    assert who(door, key) == 200
    door.sql(end)
    door.city.identities.forget()
    assert who(door, key) == 401


def test_the_secret_is_compared_whole(door: IdentitySite, browser: Client) -> None:
    one = browser.post("/account/keys", json={"label": "x"}).json()["key"]
    other = browser.post("/account/keys", json={"label": "y"}).json()["key"]
    crossed = "_".join((*one.split("_")[:2], other.split("_")[2]))
    for wrong in (
        crossed,
        one[:-1],
        one + "0",
        one.replace("cmk", "CMK"),
        one[:-1] + ("0" if one[-1] != "0" else "1"),
        "cmk__",
        "x",
    ):
        assert who(door, wrong) == 401


def test_a_key_expires_by_itself_though_it_is_remembered(door: IdentitySite, browser: Client) -> None:
    import time

    key = browser.post("/account/keys", json={"label": "x"}).json()["key"]
    door.sql("UPDATE access.api_keys SET expires = now() + interval '1.5 seconds'")
    assert who(door, key) == 200
    time.sleep(1.6)
    assert who(door, key) == 401


@pytest.mark.parametrize("body", [
    {"label": ""}, {"label": "x", "days": 0}, {"label": "x", "days": 366}, {"label": "x", "days": -1}, {"label": "a\nb"},
    {"label": "x", "scope": {"layers": []}}, {"label": "x", "scope": {"collections": "roads"}},
    {"label": "x", "scope": {"collections": ["x"] * 101}}, {"label": "x", "scope": []}, {"label": "x", "days": float("inf")},
])  # fmt: skip
def test_a_key_that_is_not_bounded_is_not_made(browser: Client, body: dict[str, object]) -> None:
    import json

    answer = browser.post("/account/keys", data=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text


def test_an_account_has_a_bounded_number_of_keys(door: IdentitySite) -> None:
    door.add("wang")
    with door.owner.transaction() as conn:
        for n in range(50):
            make_key(conn, "wang", str(n), None, 1, "wang", 365)
        with pytest.raises(AccountError, match="50 keys"):
            make_key(conn, "wang", "x", None, 1, "wang", 365)


def test_a_leaked_key_cannot_entrench_itself(door: IdentitySite, browser: Client) -> None:
    key = browser.post("/account/keys", json={"label": "x"}).json()["key"]
    bearer = door.client().post("/token", json={}, headers={"X-API-Key": key}).json()["access_token"]
    for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {bearer}"}):
        client = door.client()
        client.headers.update(headers)
        assert client.post("/account/keys", json={"label": "y"}).status_code == 403
        assert client.post("/account/password", json={"old": PASSWORD, "new": "x"}).status_code == 403
        assert client.post("/account/totp", json={"password": PASSWORD}).status_code == 403
        assert client.get("/account/sessions").status_code == 403
        assert client.delete("/account/sessions").status_code == 403
        assert client.get("/account").status_code == 200


def test_own_keys_only_are_seen_and_revoked(door: IdentitySite, browser: Client) -> None:
    door.add("li")
    li, token = door.signed_in("li")
    made = browser.post("/account/keys", json={"label": "x"}).json()
    assert li.get("/account/keys").json()["keys"] == []
    assert li.delete(f"/account/keys/{made['id']}", headers={"X-CSRF-Token": token}).status_code == 404
    assert browser.delete(f"/account/keys/{made['id']}").status_code == 204
    assert browser.delete(f"/account/keys/{made['id']}").status_code == 404
    assert browser.delete("/account/keys/%00").status_code == 404


def test_the_last_use_is_kept_at_most_once_a_minute(door: IdentitySite, browser: Client) -> None:
    key = browser.post("/account/keys", json={"label": "x"}).json()["key"]
    who(door, key)
    [(used, address)] = door.sql("SELECT used, used_from FROM access.api_keys")
    assert used is not None and address == "127.0.0.2"
    door.city.identities.forget()
    who(door, key)
    assert door.sql("SELECT used FROM access.api_keys") == [(used,)]
    door.sql("UPDATE access.api_keys SET used = now() - interval '2 minutes'")
    door.city.identities.forget()
    who(door, key)
    assert door.sql("SELECT used > now() - interval '1 minute' FROM access.api_keys") == [(True,)]


# --- devices ---------------------------------------------------------------------------------------------------------


def test_a_device_proves_itself_with_its_own_live_secret(door: IdentitySite) -> None:
    with door.city.gate.transaction() as conn:
        secret, made = make_device_secret(conn, "013800138000", "wang")
        other, _ = make_device_secret(conn, "bus-7", "wang")
        assert verify_device(conn, "013800138000", secret)
        assert verify_device(conn, "bus-7", other)
        for device, wrong in (
            ("013800138000", other),
            ("bus-7", secret),
            ("bus-8", secret),
            ("bus-7", ""),
            ("b\0", "x"),
            ("", ""),
        ):
            assert not verify_device(conn, device, wrong)
        assert [
            bytes(d) for (d,) in conn.exec_driver_sql("SELECT digest FROM access.device_secrets WHERE device = 'bus-7'")
        ] == [hashlib.sha256(other.encode()).digest()]
        assert revoke_device_secret(conn, made) and not revoke_device_secret(conn, made)
        assert not revoke_device_secret(conn, uuid4())
        assert not verify_device(conn, "013800138000", secret)
        assert [s.revoked is None for s in list_device_secrets(conn, "013800138000")] == [False]


def test_a_device_has_two_secrets_while_they_change(door: IdentitySite) -> None:
    with door.city.gate.transaction() as conn:
        first, _ = make_device_secret(conn, "bus-7", "wang")
        second, _ = make_device_secret(conn, "bus-7", "wang")
        assert verify_device(conn, "bus-7", first) and verify_device(conn, "bus-7", second)
        with pytest.raises(AccountError, match="2 secrets"):
            make_device_secret(conn, "bus-7", "wang")
        for bad in ("", "a b", "a\0", "x" * 65, "-x"):
            with pytest.raises(AccountError, match="device's id"):
                make_device_secret(conn, bad, "wang")
