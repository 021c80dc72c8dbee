"""Signing in, one's own account and administration in a real Chromium, over the real server."""

import os
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pyotp
import pytest
import requests
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from geoserver.web.assets import NODE_MODULES
from layers.catalogue import Field, Layer, Text
from layers.database import Database
from layers.registry import create_layer
from tests.conftest import drop_database, make_database, serve
from tests.people import PASSWORD, employ

pytestmark = pytest.mark.browser

AXE = NODE_MODULES / "axe-core" / "axe.min.js"
NEW = "Green-Copper-58 hill"
PHONE = {"width": 390, "height": 844}
BREACHES = (
    "window.breaches = []; addEventListener('securitypolicyviolation', (e) => breaches.push(e.violatedDirective))"
)
TREES = Layer(
    id="trees", title=Text("古树", "Old trees"), description=Text("", ""), geometry_type="Point",
    fields=(Field("name", "string", Text("名称", "Name"), role="title"),),
)  # fmt: skip
TREE = (
    '{"type": "Feature", "geometry": {"type": "Point", "coordinates": [114.9, 30.4]}, "properties": {"name": "银杏"}}'
)
#: What a page of ours does for the reader: create a tree with or without the session's token.
CREATE = """async ([tree, withToken]) => {
  const { csrfToken } = await (await fetch('/account?f=json')).json();
  const headers = { 'Content-Type': 'application/geo+json', ...(withToken ? { 'X-CSRF-Token': csrfToken } : {}) };
  return (await fetch('/collections/trees/items', { method: 'POST', headers, body: tree })).status;
}"""

type Visit = Callable[..., Page]


class People:
    """The running server, and its database as its owner sees it."""

    def __init__(self, url: str, database: Database) -> None:
        self.url = url
        self.database = database

    def employ(self, account: str, *roles: str, must_change: bool = False) -> str:
        with self.database.transaction() as conn:
            employ(conn, account, *roles)
            change = text("UPDATE access.accounts SET must_change = :m WHERE name = :n")
            conn.execute(change, {"m": must_change, "n": account})
        return account

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with self.database.transaction() as conn:
            result = conn.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []


@pytest.fixture(scope="module")
def people(postgres_url: str, template_name: str) -> Iterator[People]:
    name = f"citymap_people_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=2)
    with database.transaction() as conn:
        create_layer(conn, TREES)
        employ(conn, "guan", "administrator")
        employ(conn, "anquan", "security-administrator")
        employ(conn, "shen", "audit-administrator")
        conn.execute(text("INSERT INTO access.departments VALUES ('ziguiju', NULL, '自规局', 'Planning bureau')"))
    with serve(url) as base:
        yield People(base, database)
    database.close()
    drop_database(postgres_url, name)


@pytest.fixture
def visit(browser: Browser, people: People) -> Iterator[Visit]:
    """Open a path in a new browser profile; the policy's breaches and script errors fail the test."""
    pages: list[Page] = []
    errors: list[str] = []

    def open_page(path: str, **options: Any) -> Page:
        context = browser.new_context(**{"locale": "zh-CN", "viewport": {"width": 1280, "height": 900}, **options})
        page = context.new_page()
        page.add_init_script(BREACHES)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(people.url + path)
        pages.append(page)
        return page

    yield open_page
    breaches = [page.evaluate("window.breaches ?? []") for page in pages]
    for page in pages:
        page.context.close()
    assert (errors, [found for found in breaches if found]) == ([], [])


def enter(page: Page, account: str, password: str = PASSWORD) -> None:
    page.fill("#account", account)
    page.fill("#password", password)
    page.click("main [type=submit]")


def arrive(page: Page, path: str) -> None:
    """Until the browser is at that path."""
    page.wait_for_url(lambda url: urlsplit(url).path == path)


def signed_in(visit: Visit, account: str, path: str = "/account", **options: Any) -> Page:
    page = visit(f"/sign-in?next={path}", **options)
    enter(page, account)
    arrive(page, path)
    page.wait_for_load_state("networkidle")
    return page


def test_a_first_password_is_changed_before_anything_else(visit: Visit, people: People) -> None:
    people.employ("novice", "planner", must_change=True)
    page = visit("/sign-in?next=/collections")
    enter(page, "novice")
    arrive(page, "/account")
    expect(page.get_by_role("heading", name="请先修改密码")).to_be_visible()
    expect(page.locator("#keys")).to_have_count(0)

    page.fill("#old", PASSWORD)
    page.fill("#new", "novice-novice")
    page.fill("#again", "novice-novice")
    page.click("main [type=submit]")
    expect(page.get_by_role("alert").first).to_contain_text("含有账号名")
    page.fill("#new", NEW)
    page.fill("#again", "something else")
    page.click("main [type=submit]")
    assert page.evaluate("document.getElementById('again').validationMessage") == "两次输入的新密码不一致。"
    page.fill("#again", NEW)
    page.click("main [type=submit]")
    arrive(page, "/collections")
    expect(page.locator(".person-name")).to_have_text("novice")


def test_a_session_edits_with_its_token_and_not_without(visit: Visit, people: People) -> None:
    people.employ("editor", "planner")
    page = signed_in(visit, "editor", "/collections")
    assert page.evaluate(CREATE, [TREE, False]) == 403
    assert page.evaluate(CREATE, [TREE, True]) == 201
    assert people.sql("SELECT name FROM city.trees") == [("银杏",)]

    page.click("[data-sign-out]")
    expect(page.locator("[data-sign-in]")).to_be_visible()
    assert page.context.request.get(f"{people.url}/account?f=json").status == 401


def test_wrong_passwords_are_answered_in_the_readers_language(visit: Visit, people: People) -> None:
    people.employ("forgetful")
    for language, said in (("zh-CN", "账号或凭据不正确"), ("en", "wrong")):
        page = visit("/sign-in", locale=language)
        enter(page, "forgetful", "no such password 1!")
        expect(page.get_by_role("alert")).to_contain_text(said)
        expect(page.locator("#password")).to_be_focused()


@pytest.mark.parametrize("where", [
    "https://evil.example/", "//evil.example/", "/\\evil.example", "/%09/evil.example", "javascript:alert(1)", "%5C%5Cevil.example",
])  # fmt: skip
def test_signing_in_never_leads_to_another_site(visit: Visit, people: People, where: str) -> None:
    if not people.sql("SELECT 1 FROM access.accounts WHERE name = 'traveller'"):
        people.employ("traveller")
    page = visit(f"/sign-in?next={where}")
    enter(page, "traveller")
    expect(page.locator(".person-name")).to_have_text("traveller")
    assert page.url == f"{people.url}/"


def test_one_time_codes_are_set_up_and_asked_for(visit: Visit, people: People) -> None:
    people.employ("careful")
    page = signed_in(visit, "careful")
    page.fill("#codes-password", PASSWORD)
    page.click("#codes-begin [type=submit]")
    image = page.get_by_alt_text("用手机身份验证器扫描的二维码")
    expect(image).to_be_visible()
    assert page.evaluate("document.querySelector('.qr').naturalWidth") > 100
    secret = page.locator("#codes-confirm code").inner_text()
    page.fill("#confirm-code", "000000")
    page.click("#codes-confirm [type=submit]")
    expect(page.locator("#codes-confirm [role=alert]")).to_be_visible()
    page.fill("#confirm-code", pyotp.TOTP(secret).now())
    page.click("#codes-confirm [type=submit]")
    expect(page.locator("#codes-recovery")).to_be_visible()
    codes = page.locator("#codes-recovery pre").inner_text().split()
    assert len(codes) == 10

    other = visit("/sign-in?next=/account")
    enter(other, "careful")
    expect(other.get_by_role("alert")).to_have_text("请输入动态验证码")
    expect(other.locator("#code")).to_be_focused()
    other.fill("#code", codes[0])
    other.click("main [type=submit]")
    arrive(other, "/account")
    expect(other.locator("#codes-heading .status")).to_have_text("已启用")


def test_a_key_is_shown_once_works_and_is_revoked(visit: Visit, people: People) -> None:
    people.employ("maker", "planner")
    page = signed_in(visit, "maker")
    page.fill("#key-label", "交警支队 <b>")
    page.click("#key-add [type=submit]")
    expect(page.locator("#key-made")).to_be_visible()
    key = page.input_value("#key-made-value")
    header = {"X-API-Key": key}
    assert requests.get(f"{people.url}/account", headers=header, timeout=10).json()["account"] == "maker"
    tree = {**header, "Content-Type": "application/geo+json"}
    refused = requests.post(f"{people.url}/collections/trees/items", TREE.encode(), headers=tree, timeout=10)
    assert refused.status_code == 403  # the box «reading only» was ticked
    expect(page.locator("#keys tbody th")).to_have_text("交警支队 <b>")

    page.click("#keys [data-send]")
    page.get_by_role("dialog").get_by_role("button", name="取消").click()
    assert requests.get(f"{people.url}/account", headers=header, timeout=10).status_code == 200
    page.click("#keys [data-send]")
    page.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(page.locator("#keys tbody .status")).to_have_text("已撤销")
    assert requests.get(f"{people.url}/account", headers=header, timeout=10).status_code == 401


def test_a_role_that_is_given_counts_at_once(visit: Visit, people: People) -> None:
    people.employ("clerk")
    tree = {"Content-Type": "application/geo+json"}

    def edit() -> int:
        address = f"{people.url}/collections/trees/items"
        return requests.post(address, TREE.encode(), headers=tree, auth=("clerk", PASSWORD), timeout=10).status_code

    assert edit() == 403
    page = signed_in(visit, "anquan", "/admin")
    page.select_option("#give-account", "clerk")
    page.select_option("#give-role", label="规划师")
    page.click("#give [type=submit]")
    row = page.locator("#memberships tbody tr", has_text="clerk")
    expect(row).to_contain_text("规划师")
    assert edit() == 201
    row.locator("[data-send]").click()
    page.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(row).to_have_count(0)
    assert edit() == 403


def test_a_role_is_made_permitted_given_and_changed_and_refusals_are_told(visit: Visit, people: People) -> None:
    people.employ("yuanlin")
    tree = {"Content-Type": "application/geo+json"}

    def edit() -> int:
        address = f"{people.url}/collections/trees/items"
        return requests.post(address, TREE.encode(), headers=tree, auth=("yuanlin", PASSWORD), timeout=10).status_code

    page = signed_in(visit, "anquan", "/admin")
    page.fill("#role-id", "gardener")
    page.fill("#role-zh", "园林员")
    page.fill("#role-en", "Gardener")
    page.get_by_role("button", name="新建角色").click()
    row = page.locator("#roles tbody tr", has_text="园林员")
    expect(row).to_have_count(1)

    page.select_option("#permit-role", "gardener")
    page.fill("#permit-resource", "trees")
    page.get_by_label("新增").check()
    page.select_option("#permit-level", "public")
    page.locator("#permit").get_by_role("button").click()
    row.locator("summary").click()
    expect(row.locator("li")).to_have_count(2)
    expect(row).to_contain_text("图层 trees 新增 · 可见级别至 公开")
    assert edit() == 403
    page.select_option("#give-account", "yuanlin")
    page.select_option("#give-role", "gardener")
    page.select_option("#give-department", "ziguiju")
    page.fill("#give-area", "420704")
    page.click("#give [type=submit]")
    expect(page.locator("#memberships tbody tr", has_text="园林员")).to_contain_text("自规局")
    assert edit() == 201

    row.get_by_role("button", name="收回 gardener trees create").click()
    page.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(row.locator("li")).to_have_count(1)
    expect(row.locator("li")).to_be_visible()  # what was open stays open
    assert edit() == 403

    page.select_option("#permit-kind", "process")
    expect(page.locator("#permit-level")).to_be_hidden()
    page.fill("#permit-resource", "import-layer")
    page.locator("#permit").get_by_role("button").click()
    expect(row).to_contain_text("处理 import-layer 执行")

    for role, why in (("administrator", "三员"), ("security-administrator", "三员")):
        page.select_option("#permit-role", role)
        page.locator("#permit").get_by_role("button").click()
        expect(page.locator("#permit [role=alert]")).to_contain_text(why)
    row.get_by_role("button", name="删除").click()
    page.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(page.locator("#trouble")).to_contain_text("gardener")  # somebody has it
    expect(row).to_have_count(1)


def test_two_roles_that_are_kept_apart_are_refused_in_words(visit: Visit, people: People) -> None:
    page = signed_in(visit, "anquan", "/admin")
    page.select_option("#give-account", "guan")
    page.select_option("#give-role", "audit-administrator")
    page.click("#give [type=submit]")
    expect(page.locator("#give [role=alert]")).to_contain_text("审计管理员")
    assert people.sql("SELECT count(*) FROM access.memberships WHERE account = 'guan'") == [(1,)]


def test_an_account_is_made_signs_in_and_is_disabled(visit: Visit, people: People) -> None:
    page = signed_in(visit, "guan", "/admin")
    expect(page.locator("#keys, #audit, #give")).to_have_count(0)  # other offices'
    page.fill("#account-add", "xinren")
    page.get_by_role("button", name="新建").click()
    expect(page.locator("#password-made")).to_be_visible()
    password = page.input_value("#password-made-value")
    other = visit("/sign-in")
    enter(other, "xinren", password)
    arrive(other, "/account")
    row = page.locator("#accounts tbody tr", has_text="xinren")
    expect(row).to_contain_text("待改密码")
    row.get_by_role("button", name="停用").click()
    page.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(row).to_contain_text("已停用")
    other.reload()
    expect(other.get_by_role("link", name="登录").first).to_be_visible()

    page.fill("#department-id", "chengguan")
    page.fill("#department-zh", "城管局")
    page.fill("#department-en", "Urban management")
    page.select_option("#department-parent", "ziguiju")
    page.locator("form", has=page.locator("#department-id")).get_by_role("button").click()
    expect(page.locator("#departments tbody tr", has_text="城管局")).to_contain_text("ziguiju")


def test_the_audit_log_is_read_with_filters(visit: Visit, people: People) -> None:
    people.employ("intruder")
    requests.get(f"{people.url}/account", auth=("intruder", "wrong password 1!"), timeout=10)
    page = signed_in(visit, "shen", "/admin")
    expect(page.locator("#accounts")).to_have_count(0)
    page.select_option("#audit-action", "sign-in-refused")
    page.fill("#audit-object", "intruder")
    page.click("#audit-filter [type=submit]")
    expect(page.locator("#audit tbody tr")).to_have_count(1)
    expect(page.locator("#audit tbody tr")).to_contain_text("refused")


def test_people_without_an_account_or_an_office_are_told_where_to_sign_in(visit: Visit, people: People) -> None:
    page = visit("/admin")
    page.get_by_role("main").get_by_role("link", name="登录").click()
    people.employ("nobody-special", "planner")
    enter(page, "nobody-special")
    arrive(page, "/admin")
    expect(page.get_by_role("heading", level=1)).to_have_text("您的账号没有此项权限。")
    asked = {"Accept": "text/html"}
    assert "WWW-Authenticate" not in requests.get(f"{people.url}/admin", headers=asked, timeout=10).headers
    for of_a_page in ({"Sec-Fetch-Mode": "cors"}, {"Accept": "text/event-stream"}):
        refused = requests.get(f"{people.url}/admin", headers=of_a_page, timeout=10)
        assert refused.status_code == 401 and "WWW-Authenticate" not in refused.headers
    assert "Basic" in requests.get(f"{people.url}/admin", timeout=10).headers["WWW-Authenticate"]


def test_the_map_says_who_is_signed_in_and_comes_back_after_signing_in(visit: Visit, people: People) -> None:
    people.employ("mapper")
    page = visit("/map?lang=zh-CN#15/30.4/114.9")
    page.get_by_role("link", name="登录").click()
    enter(page, "mapper")
    page.wait_for_url(lambda url: urlsplit(url).path == "/map" and "114.9" in url)
    expect(page.get_by_role("link", name="已登录：mapper，我的账号")).to_be_visible()


@pytest.mark.parametrize(("account", "path"), [
    (None, "/sign-in"), ("guan", "/account"), ("guan", "/admin"), ("anquan", "/admin"), ("shen", "/admin"),
])  # fmt: skip
def test_pages_are_accessible_and_fit_a_phone(visit: Visit, account: str | None, path: str) -> None:
    if not AXE.is_file():
        pytest.skip(f"axe-core is not installed: run `npm ci` in {NODE_MODULES.parent}")
    options: dict[str, Any] = {"color_scheme": "light", "bypass_csp": True}
    page = signed_in(visit, account, path, **options) if account else visit(path, **options)
    page.add_script_tag(path=AXE)
    rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
    found = page.evaluate("(rules) => axe.run({ runOnly: rules, resultTypes: ['violations'] })", rules)["violations"]
    page.emulate_media(color_scheme="dark")  # which changes colours alone
    found += page.evaluate("axe.run({ runOnly: ['color-contrast'], resultTypes: ['violations'] })")["violations"]
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    found += page.evaluate("(rules) => axe.run({ runOnly: rules, resultTypes: ['violations'] })", rules)["violations"]
    problems = [f"{one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]
    assert not problems, "\n".join(problems)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_form_works_from_the_keyboard_alone(visit: Visit, people: People) -> None:
    people.employ("typist")
    page = visit("/sign-in?next=/account")
    expect(page.locator("#account")).to_be_focused()
    page.keyboard.type("typist")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    arrive(page, "/account")
