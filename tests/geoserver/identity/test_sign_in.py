"""Signing in by browser and by HTTP Basic, and what failures cost."""

import base64
import statistics
import time

import pytest
from argon2 import PasswordHasher

from geoserver import accounts
from geoserver.identity.lockout import lock_seconds
from geoserver.settings.access import Lockout
from tests.geoserver.identity.site import OTHER, PASSWORD, Client, IdentitySite

HOME, ELSEWHERE = "127.0.0.2", "127.0.0.9"


def basic(client: Client, account: str, password: str) -> int:
    return client.get("/who", auth=(account, password)).status_code


def test_a_password_signs_in_by_basic_and_by_browser(door: IdentitySite) -> None:
    door.add("wang")
    assert door.client().get("/who").text == "nobody"
    assert door.client().get("/who", auth=("wang", PASSWORD)).text == "wang password"
    browser, _ = door.signed_in("wang")
    assert browser.get("/who").text == "wang session"


def test_a_chinese_account_name_signs_in(door: IdentitySite) -> None:
    door.add("张三")
    header = "Basic " + base64.b64encode(f"张三:{PASSWORD}".encode()).decode()
    assert door.client().get("/who", headers={"Authorization": header}).status_code == 200


@pytest.mark.parametrize("header", [
    "Basic", "Basic !!!", "Basic d2FuZw==", "Digest x", "Bearer", "Bearer x.y.z", "Bearer cmk_x_y", "Basic " + "A" * 20_000,
    "Basic " + base64.b64encode(b"wa\0ng:x").decode(), "Basic /////w==",
])  # fmt: skip
def test_what_is_no_credential_is_refused(door: IdentitySite, header: str) -> None:
    assert door.client().get("/who", headers={"Authorization": header}).status_code == 401


def test_every_refusal_of_a_password_reads_the_same(door: IdentitySite) -> None:
    for name in ("wang", "closed", "locked"):
        door.add(name)
    door.sql("UPDATE access.accounts SET disabled = true WHERE name = 'closed'")
    for n in range(6):
        basic(door.client(), "locked", f"{OTHER}{n}")
    attempts = [("wang", OTHER), ("nobody", PASSWORD), ("closed", PASSWORD), ("locked", PASSWORD)]
    answers = [door.client().get("/who", auth=attempt) for attempt in attempts]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1


def test_the_time_of_a_refusal_does_not_tell_whether_the_account_exists(
    door: IdentitySite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "_HASHER", PasswordHasher())
    accounts._nobody.cache_clear()
    door.add("wang")

    def median(account: str) -> float:
        spent = []
        for n in range(7):
            door.sql("UPDATE access.sign_in_counters SET failures = 0, locked_until = NULL")
            start = time.perf_counter()
            basic(door.client(), account, f"{OTHER}{n}")
            spent.append(time.perf_counter() - start)
        return statistics.median(spent)

    known, unknown = median("wang"), median("nobody")
    assert 0.5 < known / unknown < 2  # without the hash for nobody it is 10 and more


def test_five_failures_lock_strangers_out_and_the_lock_ends_by_itself(door: IdentitySite) -> None:
    door.add("wang")
    stranger = door.client(ELSEWHERE)
    assert [basic(stranger, "wang", f"{OTHER}{n}") for n in range(5)] == [401] * 5
    assert basic(stranger, "wang", PASSWORD) == 401
    door.sql("UPDATE access.sign_in_counters SET locked_until = now()")
    assert basic(stranger, "wang", PASSWORD) == 200


def test_strangers_share_one_counter_so_that_many_addresses_make_no_more_guesses(door: IdentitySite) -> None:
    door.add("wang")
    for n in range(5):
        basic(door.client(f"127.0.1.{n + 1}"), "wang", f"{OTHER}{n}")
    assert basic(door.client("127.0.1.9"), "wang", PASSWORD) == 401


def test_attempts_during_a_lock_do_not_prolong_it(door: IdentitySite) -> None:
    door.add("wang")
    stranger = door.client(ELSEWHERE)
    for n in range(5):
        basic(stranger, "wang", f"{OTHER}{n}")
    before = door.sql("SELECT failures, locked_until FROM access.sign_in_counters")
    for n in range(5, 8):
        basic(stranger, "wang", f"{OTHER}{n}")
    assert door.sql("SELECT failures, locked_until FROM access.sign_in_counters") == before


def test_an_outsider_cannot_lock_out_where_the_account_has_been_used(door: IdentitySite) -> None:
    door.add("admin")
    assert basic(door.client(HOME), "admin", PASSWORD) == 200
    for n in range(20):
        basic(door.client(ELSEWHERE), "admin", f"{OTHER}{n}")
    door.city.identities.forget()
    assert basic(door.client(ELSEWHERE), "admin", PASSWORD) == 401
    assert basic(door.client(HOME), "admin", PASSWORD) == 200


def test_a_browser_that_signed_in_before_is_not_locked_out_behind_the_same_proxy(door: IdentitySite) -> None:
    door.add("admin")
    browser, _ = door.signed_in("admin", HOME)
    for n in range(6):
        basic(door.client(HOME), "admin", f"{OTHER}{n}")
    again = {"account": "admin", "password": PASSWORD}
    assert door.client(HOME).post("/sign-in", json=again).status_code == 401
    assert browser.post("/sign-in", json=again).status_code == 200
    known = {name: value for name, value in browser.cookies.items() if name.endswith("known")}
    stolen = door.client(HOME)
    stolen.cookies.update({name: value[:-1] + ("0" if value[-1] != "0" else "1") for name, value in known.items()})
    assert stolen.post("/sign-in", json=again).status_code == 401  # its signature is not ours
    door.add("li")
    for n in range(6):
        basic(door.client(HOME), "li", f"{OTHER}{n}")
    moved = door.client(HOME)
    moved.cookies.update(known)
    assert moved.post("/sign-in", json={"account": "li", "password": PASSWORD}).status_code == 401  # another account's


def test_a_known_client_that_fails_is_locked_out_itself(door: IdentitySite) -> None:
    door.add("wang")
    home = door.client(HOME)
    assert basic(home, "wang", PASSWORD) == 200
    for n in range(5):
        basic(home, "wang", f"{OTHER}{n}")
    door.city.identities.forget()
    assert basic(home, "wang", PASSWORD) == 401


def test_a_program_that_repeats_one_wrong_password_locks_nobody_out(door: IdentitySite) -> None:
    door.add("wang")
    program = door.client(ELSEWHERE)
    assert [basic(program, "wang", OTHER) for _ in range(8)] == [401] * 8
    assert basic(program, "wang", PASSWORD) == 200


def test_guesses_at_once_are_counted_one_by_one(door: IdentitySite) -> None:
    from concurrent.futures import ThreadPoolExecutor

    door.add("wang")
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda n: basic(door.client(ELSEWHERE), "wang", f"{OTHER}{n}"), range(12)))
    assert door.sql("SELECT failures FROM access.sign_in_counters") == [(5,)]


def test_success_forgets_failures(door: IdentitySite) -> None:
    door.add("wang")
    for round_ in range(3):
        for n in range(4):
            basic(door.client(ELSEWHERE), "wang", f"{OTHER}{round_}{n}")
        assert basic(door.client(ELSEWHERE), "wang", PASSWORD) == 200
        door.city.identities.forget()


@pytest.mark.parametrize(("failures", "seconds"), [(4, 0), (5, 60), (6, 120), (9, 960), (10, 1800), (10_000, 1800)])
def test_locks_double_up_to_a_bound(failures: int, seconds: float) -> None:
    assert lock_seconds(failures, Lockout()) == seconds


def test_a_proved_password_is_remembered_until_access_changes(door: IdentitySite) -> None:
    door.add("wang")
    client = door.client()
    assert basic(client, "wang", PASSWORD) == 200
    door.sql("UPDATE access.accounts SET disabled = true")
    assert basic(client, "wang", PASSWORD) == 200  # nobody has told this worker yet
    door.city.identities.forget()
    assert basic(client, "wang", PASSWORD) == 401


def test_what_was_proved_before_a_change_is_not_remembered_after_it(
    door: IdentitySite, monkeypatch: pytest.MonkeyPatch
) -> None:
    from geoserver.identity import identities

    door.add("wang")
    prove = identities.prove_password

    def slow(*given: object, **more: object) -> object:
        proof = prove(*given, **more)  # type: ignore[arg-type]
        door.sql("UPDATE access.accounts SET disabled = true")
        door.city.identities.forget()
        return proof

    monkeypatch.setattr(identities, "prove_password", slow)
    assert basic(door.client(), "wang", PASSWORD) == 200
    monkeypatch.undo()
    assert basic(door.client(), "wang", PASSWORD) == 401


def test_changes_wake_other_workers(door: IdentitySite) -> None:
    """What ends an identity notifies ``citymap_access``; counting and last uses do not."""
    import select

    door.add("wang")
    listening = door.owner.listen("citymap_access")

    def woken() -> bool:
        found = bool(select.select([listening], [], [], 0.3)[0])
        listening.poll()
        listening.notifies.clear()
        return found

    basic(door.client(ELSEWHERE), "wang", OTHER)
    door.signed_in("wang")
    assert not woken()
    for change in ("UPDATE access.accounts SET hash = 'x'", "UPDATE access.accounts SET disabled = true",
                   "UPDATE access.accounts SET epoch = 9", "UPDATE access.accounts SET disabled = false",
                   "DELETE FROM access.sessions"):  # fmt: skip
        door.sql(change)
        assert woken(), change
    listening.close()


def test_stated_credentials_come_before_the_cookie_and_two_are_refused(door: IdentitySite) -> None:
    door.add("wang")
    door.add("li")
    browser, token = door.signed_in("wang")
    key = browser.post("/account/keys", json={"label": "x"}, headers={"X-CSRF-Token": token}).json()["key"]
    assert browser.get("/who", auth=("li", PASSWORD)).text == "li password"
    assert browser.get("/who", auth=("li", OTHER)).status_code == 401  # and not wang by the cookie
    assert browser.get("/who", headers={"X-API-Key": key}).status_code == 200
    assert browser.get("/who", auth=("li", PASSWORD), headers={"X-API-Key": key}).status_code == 401


def test_attempts_are_in_the_audit_log_without_the_password(door: IdentitySite) -> None:
    door.add("wang")
    door.sql("SELECT 1")
    basic(door.client(ELSEWHERE), "wang", OTHER)
    door.signed_in("wang")
    rows = door.sql(
        "SELECT action, actor, address, object, outcome, detail::text FROM audit.entries ORDER BY id DESC LIMIT 2"
    )
    assert [(r[0], r[2], r[4]) for r in rows] == [("sign-in", HOME, "done"), ("sign-in-refused", ELSEWHERE, "refused")]
    assert rows[0][1] == "wang" and OTHER not in str(rows)
