"""Signing in at a real OpenID provider (panva's oidc-provider, which is certified), in Chromium."""

import json
import os
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from geoserver.principals import Principals
from geoserver.web.assets import NODE_MODULES
from layers.database import Database
from tests.conftest import NODE, drop_database, make_database, serve
from tests.geoserver.identity.test_people_browser import People, arrive, signed_in

pytestmark = pytest.mark.browser

SCRIPT = Path(__file__).parent / "oidc_provider.mjs"
SECRET = "a-secret-of-the-tests-alone"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def people(
    postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory, group_file: Path
) -> Iterator[People]:  # fmt: skip
    if NODE is None or not (NODE_MODULES / "oidc-provider").is_dir():
        pytest.skip(f"Node or oidc-provider is not installed: run `npm ci` in {NODE_MODULES.parent}")
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    secret = tmp_path_factory.mktemp("oidc") / "secret"
    secret.write_text(f"{SECRET}\n")
    name = f"citymap_oidc_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=2)
    with database.transaction() as conn:
        conn.execute(text("INSERT INTO access.departments VALUES ('roads', NULL, '路政', 'Roads')"))
    settings = {
        "OUTBOUND__HOSTS": f"['{issuer}']", "OUTBOUND__PRIVATE": "['127.0.0.0/8']",
        "ACCESS__OIDC": f"{{city-id: {{issuer: '{issuer}', client_id: citymap, client_secret_file: '{secret}',"
                        " create_accounts: true, domains: [city.example], groups: [staff], roles: [{group: planners, role: planner},"
                        " {group: streets, role: grid-worker, department: roads, area: '420704'},"
                        " {group: planners, role: no-such-role}, {group: chiefs, role: security-administrator},"
                        " {group: chiefs, role: audit-administrator}]}}",
    }  # fmt: skip
    with serve(url, **settings) as address:
        command = [
            NODE,
            str(SCRIPT),
            str(NODE_MODULES.parent),
            str(port),
            f"{address}/sign-in/city-id/callback",
            str(group_file),
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as provider:
            assert provider.stdout is not None
            while (line := provider.stdout.readline()) and "ready" not in line:
                pass
            yield People(address, database)
            provider.terminate()
    database.close()
    drop_database(postgres_url, name)


@pytest.fixture
def visit(browser: Browser, people: People) -> Iterator[Callable[..., Page]]:
    pages: list[Page] = []

    def open_page(path: str) -> Page:
        pages.append(browser.new_context(locale="zh-CN").new_page())
        pages[-1].goto(people.url + path)
        return pages[-1]

    yield open_page
    for page in pages:
        page.context.close()


@pytest.fixture(scope="module")
def group_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the provider says of who is in which groups, as JSON by name; others are in ``staff``."""
    path = tmp_path_factory.mktemp("groups") / "groups.json"
    path.write_text("{}")
    return path


@pytest.fixture
def groups(group_file: Path) -> Callable[..., None]:
    def put(name: str, *named: str) -> None:
        group_file.write_text(json.dumps({**json.loads(group_file.read_text()), name: named}))

    return put


def at_provider(page: Page, name: str) -> None:
    """Sign in at the provider's own form, and agree."""
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", "any")
    page.click("button[type=submit]")
    page.wait_for_selector("input[name=prompt][value=consent]", state="attached")
    page.click("button[type=submit]")


def test_a_new_person_gets_an_account_without_rights_and_comes_back_where_they_were(
    visit: Callable[..., Page], people: People
) -> None:
    page = visit("/sign-in?next=/collections")
    page.get_by_role("link", name="用 统一身份认证 登录").click()
    at_provider(page, "zhou")
    arrive(page, "/collections")
    expect(page.locator(".person-name")).to_have_text("zhou")
    assert people.sql("SELECT hash FROM access.accounts WHERE name = 'zhou'") == [(None,)]
    assert people.sql("SELECT count(*) FROM access.memberships WHERE account = 'zhou'") == [(0,)]
    assert people.sql("SELECT via FROM access.sessions WHERE account = 'zhou'") == [("oidc:city-id",)]

    people.sql("UPDATE access.accounts SET disabled = true WHERE name = 'zhou'")
    again = visit("/sign-in/city-id")
    at_provider(again, "zhou")
    expect(again.locator(".exception")).to_be_visible()
    assert people.sql("SELECT count(*) FROM access.external_identities WHERE account = 'zhou'") == [(1,)]


def test_an_account_of_that_name_is_not_taken_over_but_linked_by_its_owner(
    visit: Callable[..., Page], people: People
) -> None:
    people.employ("sun", "planner")
    page = visit("/sign-in/city-id")
    at_provider(page, "sun")
    expect(page.locator(".exception")).to_contain_text("已存在")
    assert people.sql("SELECT count(*) FROM access.sessions WHERE account = 'sun'") == [(0,)]

    owner = signed_in(visit, "sun")
    owner.get_by_role("button", name="关联统一身份认证账号").click()
    at_provider(owner, "sun")
    arrive(owner, "/account")
    other = visit("/sign-in/city-id")
    at_provider(other, "sun")
    arrive(other, "/")
    expect(other.locator(".person-name")).to_have_text("sun")


def test_who_is_in_no_admitted_group_is_refused(visit: Callable[..., Page], people: People) -> None:
    page = visit("/sign-in/city-id")
    at_provider(page, "guest-li")
    expect(page.locator(".exception")).to_be_visible()
    assert people.sql("SELECT count(*) FROM access.accounts WHERE name = 'guest-li'") == [(0,)]


def test_an_answer_that_this_browser_did_not_begin_is_refused(visit: Callable[..., Page], people: People) -> None:
    begun = requests.get(f"{people.url}/sign-in/city-id", allow_redirects=False, timeout=10)
    assert begun.status_code == 303 and "code_challenge_method=S256" in begun.headers["Location"]
    callback = f"{people.url}/sign-in/city-id/callback"
    for cookies, state in (({}, "x"), (begun.cookies, "x")):
        answer = requests.get(callback, params={"code": "c", "state": state}, cookies=cookies, timeout=10)
        assert answer.status_code == 401 and answer.json()["type"] == "ProviderRefused"
    assert people.sql("SELECT count(*) FROM access.sessions WHERE via LIKE 'oidc%' AND account = 'x'") == [(0,)]


def roles_of(people: People, account: str) -> list[tuple[str, str, str, str]]:
    query = "SELECT role, department, area, provider FROM access.memberships WHERE account = :a ORDER BY 1"
    return [tuple(row) for row in people.sql(query, a=account)]


def enter_by_provider(visit: Callable[..., Page], name: str) -> Page:
    page = visit("/sign-in/city-id?next=/collections")
    at_provider(page, name)
    return page


def test_groups_give_roles_and_take_them_away_again(
    visit: Callable[..., Page], people: People, groups: Callable[..., None]
) -> None:
    groups("qian", "staff", "planners", "streets")
    page = enter_by_provider(visit, "qian")
    arrive(page, "/collections")
    streets = ("grid-worker", "roads", "420704", "city-id")
    assert roles_of(people, "qian") == [streets, ("planner", "", "", "city-id")]
    held = page.evaluate("fetch('/account?f=json').then((answer) => answer.json())")
    assert {"planner", "grid-worker"} <= set(held["roles"])

    people.sql("INSERT INTO access.memberships (account, role) VALUES ('qian', 'leader')")
    groups("qian", "staff", "streets")
    arrive(enter_by_provider(visit, "qian"), "/collections")
    assert roles_of(people, "qian") == [streets, ("leader", "", "", "")]  # what somebody gave stays
    assert page.evaluate("fetch('/account?f=json').then((answer) => answer.status)") == 401  # older than its rights
    told = people.sql("SELECT detail FROM audit.entries WHERE object = 'qian' AND detail ->> 'change' LIKE 'roles by%'")
    assert [(row.detail["given"], row.detail["taken"]) for row in told] == [
        (["grid-worker", "planner"], []), ([], ["planner"]),
    ]  # fmt: skip


def test_groups_that_would_join_kept_apart_roles_are_refused(
    visit: Callable[..., Page], people: People, groups: Callable[..., None]
) -> None:
    groups("chief", "staff", "chiefs")
    expect(enter_by_provider(visit, "chief").locator(".exception")).to_contain_text("三员")
    assert roles_of(people, "chief") == []
    assert people.sql("SELECT count(*) FROM access.sessions WHERE account = 'chief'") == [(0,)]


def test_the_last_security_administrator_keeps_the_role(
    visit: Callable[..., Page], people: People, groups: Callable[..., None]
) -> None:
    groups("last", "staff")
    arrive(enter_by_provider(visit, "last"), "/collections")
    people.sql(
        "INSERT INTO access.memberships (account, role, provider) VALUES ('last', 'security-administrator', 'city-id')"
    )
    arrive(enter_by_provider(visit, "last"), "/collections")
    assert [held[0] for held in roles_of(people, "last")] == ["security-administrator"]


def test_a_link_is_listed_and_removed_with_the_roles_that_it_gave(
    visit: Callable[..., Page], people: People, groups: Callable[..., None]
) -> None:
    people.employ("wu", "leader")
    groups("wu", "staff", "planners")
    page = signed_in(visit, "wu")
    page.get_by_role("button", name="关联统一身份认证账号").click()
    at_provider(page, "wu")
    arrive(page, "/account")
    row = page.locator("#links tbody tr")
    expect(row).to_contain_text("wu")
    assert [held[0] for held in roles_of(people, "wu")] == ["leader", "planner"]
    row.get_by_role("button").click()
    page.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(page.locator(".exception")).to_be_visible()  # signed out everywhere
    assert [held[0] for held in roles_of(people, "wu")] == ["leader"]
    assert people.sql("SELECT count(*) FROM access.external_identities WHERE account = 'wu'") == [(0,)]


def test_the_only_way_to_sign_in_is_removed_by_an_administrator_alone(
    visit: Callable[..., Page], people: People
) -> None:
    page = enter_by_provider(visit, "zheng")
    arrive(page, "/collections")
    page.goto(f"{people.url}/account")
    page.locator("#links tbody button").click()
    page.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(page.locator("#trouble")).to_contain_text("唯一")

    people.employ("keeper", "security-administrator")
    office = signed_in(visit, "keeper", "/admin")
    row = office.locator("#links tbody tr", has_text="zheng")
    row.get_by_role("button").click()
    office.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(row).to_have_count(0)
    page.reload()
    expect(page.locator(".exception")).to_be_visible()


def test_a_role_by_a_provider_that_is_gone_from_the_configuration_does_not_count(people: People) -> None:
    people.employ("stale", "leader")
    people.sql("INSERT INTO access.memberships (account, role, provider) VALUES ('stale', 'planner', 'former-id')")
    assert "planner" in Principals(people.database, providers=["former-id"]).of("stale").roles
    assert Principals(people.database, providers=["city-id"]).of("stale").roles == {"leader", "public"}
