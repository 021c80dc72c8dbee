"""Sessions of browsers, their cookie, and what a request by cookie must carry."""

import hashlib
from pathlib import Path

import pytest

from tests.geoserver.identity.site import OTHER, PASSWORD, IdentitySite, identity_site

WANG = {"account": "wang", "password": PASSWORD}


def test_the_cookie_is_random_and_only_its_hash_is_kept(door: IdentitySite) -> None:
    door.add("wang")
    answer = door.client().post("/sign-in", json=WANG)
    cookie = answer.cookies["citymap"]
    assert len(cookie) >= 43
    [(digest,)] = door.sql("SELECT digest FROM access.sessions")
    assert bytes(digest) == hashlib.sha256(cookie.encode()).digest()
    header = next(h for h in answer.raw.headers.getlist("set-cookie") if h.startswith("citymap="))
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(header.split("; "))
    assert answer.headers["Cache-Control"] == "no-store"


def test_behind_tls_the_cookie_is_secure_and_of_this_host(identity_url: str, tmp_path: Path) -> None:
    with identity_site(identity_url, tmp_path, public="https://map.example.gov.cn") as site:
        site.add("wang")
        answer = site.client().post("/sign-in", json=WANG)
        cookies = answer.raw.headers.getlist("set-cookie")
        assert len(cookies) == 2
        for header in cookies:
            assert header.startswith("__Host-citymap") and "Secure" in header.split("; ") and "Domain" not in header
        site.sql("DELETE FROM access.accounts")


def test_signing_in_again_ends_the_session_before_and_makes_another(door: IdentitySite) -> None:
    door.add("wang")
    browser, _ = door.signed_in("wang")
    before = browser.cookies["citymap"]
    browser.post("/sign-in", json=WANG)
    assert browser.cookies["citymap"] != before
    door.city.identities.forget()
    assert door.client().get("/who", cookies={"citymap": before}).status_code == 401


def test_a_planted_cookie_does_not_become_a_session(door: IdentitySite) -> None:
    door.add("wang")
    browser = door.client()
    browser.post("/sign-in", json=WANG, cookies={"citymap": "planted"})
    assert browser.cookies["citymap"] != "planted"
    assert door.client().get("/who", cookies={"citymap": "planted"}).status_code == 401


@pytest.mark.parametrize("change", [
    "seen = now() - interval '61 minutes'", "expires = now()",
])  # fmt: skip
def test_a_session_ends_when_unused_and_after_its_longest_time(door: IdentitySite, change: str) -> None:
    door.add("wang")
    browser, _ = door.signed_in("wang")
    assert browser.get("/who").status_code == 200
    door.sql(f"UPDATE access.sessions SET {change}")
    door.city.identities.forget()
    answer = browser.get("/who")
    assert answer.status_code == 401 and answer.json()["type"] == "SessionEnded"
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert browser.get("/who").text == "nobody"  # the cookie is gone


def test_use_keeps_a_session_from_idling_out(door: IdentitySite) -> None:
    door.add("wang")
    browser, _ = door.signed_in("wang")
    door.sql("UPDATE access.sessions SET seen = now() - interval '50 minutes'")
    browser.get("/who")
    assert door.sql("SELECT now() - seen < interval '1 minute' FROM access.sessions") == [(True,)]


def test_signing_out_ends_the_session_at_once(door: IdentitySite) -> None:
    door.add("wang")
    browser, token = door.signed_in("wang")
    cookie = browser.cookies["citymap"]
    assert browser.post("/sign-out", headers={"X-CSRF-Token": token}).status_code == 204
    assert door.client().get("/who", cookies={"citymap": cookie}).status_code == 401


def test_closing_the_account_ends_its_sessions(door: IdentitySite) -> None:
    door.add("wang")
    browser, _ = door.signed_in("wang")
    door.sql("UPDATE access.accounts SET disabled = true")
    door.city.identities.forget()
    assert browser.get("/who").status_code == 401


def test_own_sessions_are_listed_and_ended(door: IdentitySite) -> None:
    door.add("wang")
    door.add("li")
    one, token = door.signed_in("wang")
    other, _ = door.signed_in("wang", "127.0.0.3")
    stranger, _ = door.signed_in("li")
    listed = one.get("/account/sessions").json()["sessions"]
    assert {(s["address"], s["here"]) for s in listed} == {("127.0.0.2", True), ("127.0.0.3", False)}
    [foreign] = [s["id"] for s in stranger.get("/account/sessions").json()["sessions"]]
    csrf = {"X-CSRF-Token": token}
    assert one.delete(f"/account/sessions/{foreign}", headers=csrf).status_code == 404
    assert one.delete("/account/sessions/nonsense", headers=csrf).status_code == 404
    assert (
        one.delete(f"/account/sessions/{next(s['id'] for s in listed if not s['here'])}", headers=csrf).status_code
        == 204
    )
    assert other.get("/who").status_code == 401
    assert stranger.get("/who").status_code == 200
    third, _ = door.signed_in("wang")
    assert one.delete("/account/sessions", headers=csrf).status_code == 204
    assert third.get("/who").status_code == 401
    assert one.get("/who").status_code == 200


# --- requests by cookie ----------------------------------------------------------------------------------------------


def test_a_change_by_cookie_needs_the_token_of_that_session(door: IdentitySite) -> None:
    door.add("wang")
    browser, token = door.signed_in("wang")
    _, foreign = door.signed_in("wang", "127.0.0.3")
    assert browser.get("/account").json()["csrfToken"] == token
    for headers in ({}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": foreign}, {"X-CSRF-Token": "kein hex"}):
        answer = browser.post("/who", headers=headers)
        assert answer.status_code == 403 and answer.json()["type"] == "CrossSiteRequest"
    assert browser.post("/who", headers={"X-CSRF-Token": token}).status_code == 200


@pytest.mark.parametrize(("headers", "status"), [
    ({}, 200), ({"Sec-Fetch-Site": "same-origin"}, 200), ({"Sec-Fetch-Site": "none"}, 200),
    ({"Sec-Fetch-Site": "cross-site"}, 403), ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Origin": "OWN"}, 200),
])  # fmt: skip
def test_a_change_that_another_site_asked_for_is_refused(
    door: IdentitySite, headers: dict[str, str], status: int
) -> None:
    door.add("wang")
    browser, token = door.signed_in("wang")
    headers = {k: door.url if v == "OWN" else v for k, v in headers.items()}
    assert browser.post("/who", headers={**headers, "X-CSRF-Token": token}).status_code == status
    # Browsers send remembered HTTP Basic for other sites too.
    assert door.client().post("/who", headers=headers, auth=("wang", PASSWORD)).status_code == status
    assert door.client().post("/sign-in", headers=headers, json=WANG).status_code == status


def test_programs_with_keys_need_no_token_even_where_a_cookie_is(door: IdentitySite) -> None:
    door.add("wang")
    browser, token = door.signed_in("wang")
    key = browser.post("/account/keys", json={"label": "x"}, headers={"X-CSRF-Token": token}).json()["key"]
    assert browser.post("/who", headers={"X-API-Key": key}).text.startswith("wang key:")


# --- the password ----------------------------------------------------------------------------------------------------


def test_an_account_whose_password_others_made_may_only_change_it(door: IdentitySite) -> None:
    door.add("wang", must_change=True)
    basic = door.client()
    answer = basic.get("/who", auth=("wang", PASSWORD))
    assert answer.status_code == 403 and answer.json()["type"] == "PasswordChangeNeeded"
    assert "/account/password" in answer.json()["description"]
    browser = door.client()
    signed = browser.post("/sign-in", json=WANG).json()
    assert signed["mustChangePassword"] is True
    assert browser.get("/who").status_code == 403
    assert browser.get("/account/keys").status_code == 403
    assert browser.post("/token", json=WANG, cookies={"citymap": ""}).status_code == 403
    changed = basic.post("/account/password", json={"old": PASSWORD, "new": OTHER}, auth=("wang", PASSWORD))
    assert changed.status_code == 200, changed.text
    assert basic.get("/who", auth=("wang", OTHER)).text == "wang password"


def test_the_first_change_is_not_forced_where_the_city_says_so(identity_url: str, tmp_path: Path) -> None:
    with identity_site(identity_url, tmp_path, password={"force_first_change": False}) as site:
        site.add("wang", must_change=True)
        assert site.client().get("/who", auth=("wang", PASSWORD)).status_code == 200
        site.sql("DELETE FROM access.accounts")


def test_a_password_that_is_too_old_must_be_changed(identity_url: str, tmp_path: Path) -> None:
    with identity_site(identity_url, tmp_path, password={"max_age_days": 90}) as site:
        site.add("wang")
        assert site.client().get("/who", auth=("wang", PASSWORD)).status_code == 200
        site.sql("UPDATE access.accounts SET password_set = now() - interval '91 days'")
        site.city.identities.forget()
        assert site.client().get("/who", auth=("wang", PASSWORD)).status_code == 403
        site.sql("DELETE FROM access.accounts")


def test_changing_the_password_ends_every_other_session_and_token_but_no_key(door: IdentitySite) -> None:
    door.add("wang")
    browser, token = door.signed_in("wang")
    other, _ = door.signed_in("wang", "127.0.0.3")
    csrf = {"X-CSRF-Token": token}
    key = browser.post("/account/keys", json={"label": "x"}, headers=csrf).json()["key"]
    bearer = door.client().post("/token", json=WANG).json()["access_token"]
    before = browser.cookies["citymap"]
    answer = browser.post("/account/password", json={"old": PASSWORD, "new": OTHER}, headers=csrf)
    assert answer.status_code == 200 and answer.json()["liveKeys"] == 1
    assert browser.cookies["citymap"] != before and browser.get("/who").status_code == 200
    assert browser.post("/who", headers={"X-CSRF-Token": answer.json()["csrfToken"]}).status_code == 200
    assert other.get("/who").status_code == 401
    assert door.client().get("/who", cookies={"citymap": before}).status_code == 401
    assert door.client().get("/who", headers={"Authorization": f"Bearer {bearer}"}).status_code == 401
    assert door.client().get("/who", auth=("wang", PASSWORD)).status_code == 401
    assert door.client().get("/who", headers={"X-API-Key": key}).status_code == 200


def test_changing_the_password_needs_the_old_one_and_wrong_ones_count(door: IdentitySite) -> None:
    door.add("wang")
    browser, token = door.signed_in("wang")
    for n in range(5):
        wrong = {"old": f"{OTHER}{n}", "new": OTHER}
        assert browser.post("/account/password", json=wrong, headers={"X-CSRF-Token": token}).status_code == 401
    right = {"old": PASSWORD, "new": OTHER}
    assert browser.post("/account/password", json=right, headers={"X-CSRF-Token": token}).status_code == 401  # locked


def test_bodies_that_are_none_are_refused_without_repeating_secrets(door: IdentitySite) -> None:
    client = door.client()
    for body in (b"", b"[]", b"{", b'{"account": "wang"}', b'{"account": "wang", "password": ["geheim"]}',
                 b'{"account": "wa\\u0000ng", "password": "geheim"}', b'{"account": "wang", "password": "geheim", "x": 1}'):  # fmt: skip
        answer = client.post("/sign-in", data=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400 and "geheim" not in answer.text, (body, answer.text)
    assert client.post("/sign-in", data=WANG).status_code == 415  # a form of another site can send no JSON
