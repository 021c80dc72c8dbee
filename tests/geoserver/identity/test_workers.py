"""The real server: two workers over one database, as a person and as programs use them; and the account of the first
start."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from sqlalchemy import text

from geoserver.accounts import set_disabled, set_password
from geoserver.cli.up import FIRST_ACCOUNT, _first_account
from geoserver.settings import Settings
from layers.database import Database
from tests.conftest import serve
from tests.geoserver.identity.site import OTHER, PASSWORD
from tests.people import employ

WANG = ("wang", PASSWORD)


@pytest.fixture
def owner(identity_url: str) -> Iterator[Database]:
    database = Database(identity_url, pool_size=1)
    yield database
    with database.transaction() as conn:
        conn.execute(text("DELETE FROM access.accounts"))
    database.close()


@pytest.fixture
def workers(identity_url: str, owner: Database, tmp_path: Path) -> Iterator[tuple[str, str]]:
    with owner.transaction() as conn:
        employ(conn, "wang", "planner", password=PASSWORD)
        employ(conn, "admin", "administrator", password=PASSWORD)
    shared = {"ACCESS__SERVER_KEY": str(tmp_path / "server.key"), "SERVER__URL": "http://127.0.0.1:1"}
    with serve(identity_url, **shared) as one, serve(identity_url, **shared) as other:
        yield one, other


def within_a_second(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


def test_what_one_worker_ends_the_other_ends_within_a_second(workers: tuple[str, str], owner: Database) -> None:
    one, other = workers
    browser = requests.Session()
    token = browser.post(f"{one}/sign-in", json={"account": "wang", "password": PASSWORD}, timeout=30).json()[
        "csrfToken"
    ]
    csrf = {"X-CSRF-Token": token}
    key = browser.post(f"{one}/account/keys", json={"label": "x"}, headers=csrf, timeout=30).json()
    cookie = dict(browser.cookies)

    def status(**credentials: object) -> int:
        return requests.get(f"{other}/account", timeout=30, **credentials).status_code  # type: ignore[arg-type]

    by_key = {"headers": {"X-API-Key": key["key"]}}
    assert status(cookies=cookie) == status(auth=WANG) == status(**by_key) == 200
    browser.delete(f"{one}/account/keys/{key['id']}", headers=csrf, timeout=30)
    assert within_a_second(lambda: status(**by_key) == 401)
    assert browser.post(f"{one}/sign-out", headers=csrf, timeout=30).status_code == 204
    assert within_a_second(lambda: status(cookies=cookie) == 401)
    with owner.transaction() as conn:
        set_password(conn, "wang", OTHER)
    assert within_a_second(lambda: status(auth=WANG) == 401)
    assert status(auth=("wang", OTHER)) == 200
    with owner.transaction() as conn:
        set_disabled(conn, "wang", True)
    assert within_a_second(lambda: status(auth=("wang", OTHER)) == 401)


def test_a_key_does_no_more_than_its_scope_and_account(workers: tuple[str, str]) -> None:
    one, _ = workers
    item = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [114.9, 30.4]}, "properties": {"name": "x"}}

    def post(layer: str, headers: dict[str, str]) -> int:
        return requests.post(f"{one}/collections/{layer}/items", json=item, headers=headers, timeout=30).status_code

    def key(scope: dict[str, list[str]] | None) -> dict[str, str]:
        made = requests.post(f"{one}/account/keys", json={"label": "x", "scope": scope}, auth=WANG, timeout=30)
        return {"X-API-Key": made.json()["key"]}

    assert post("pois", key(None)) == 201
    assert post("pois", key({"collections": ["pois"], "actions": ["create"]})) == 201
    assert post("pois", key({"actions": ["read"]})) == 403
    assert post("pois", key({"collections": ["roads"]})) == 403
    requests.get(f"{one}/admin/accounts", auth=("admin", PASSWORD), timeout=30).raise_for_status()
    assert requests.get(f"{one}/admin/accounts", auth=WANG, timeout=30).status_code == 403


def test_refusals_say_how_to_sign_in_but_a_form_gets_no_prompt(workers: tuple[str, str]) -> None:
    one, _ = workers
    wrong = requests.get(f"{one}/account", auth=("wang", OTHER), timeout=30)
    assert wrong.status_code == 401 and wrong.headers["WWW-Authenticate"].startswith("Basic")
    form = requests.post(f"{one}/sign-in", json={"account": "wang", "password": OTHER}, timeout=30)
    ended = requests.get(f"{one}/account", cookies={"citymap": "x"}, timeout=30)
    for answer in (form, ended):
        assert answer.status_code == 401 and "WWW-Authenticate" not in answer.headers
    assert "Max-Age=0" in ended.headers["Set-Cookie"]


def test_the_first_start_makes_an_administrator_who_changes_the_password_first(
    identity_url: str, owner: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _first_account(Settings(), owner)
    told = capsys.readouterr().err
    password = told.split("password: ")[1].split()[0]
    _first_account(Settings(), owner)
    assert capsys.readouterr().err == ""
    with serve(identity_url, ACCESS__SERVER_KEY=str(tmp_path / "server.key")) as url:
        asked = requests.get(f"{url}/admin/accounts", auth=(FIRST_ACCOUNT, password), timeout=30)
        assert asked.status_code == 403 and asked.json()["type"] == "PasswordChangeNeeded"
        new = {"old": password, "new": OTHER}
        changed = requests.post(f"{url}/account/password", json=new, auth=(FIRST_ACCOUNT, password), timeout=30)
        assert changed.status_code == 200, changed.text
        assert requests.get(f"{url}/admin/accounts", auth=(FIRST_ACCOUNT, OTHER), timeout=30).status_code == 200


def test_a_city_without_an_administrator_is_told(owner: Database, capsys: pytest.CaptureFixture[str]) -> None:
    with owner.transaction() as conn:
        employ(conn, "wang", "planner")
    _first_account(Settings(), owner)
    assert "citymap user grant" in capsys.readouterr().err
