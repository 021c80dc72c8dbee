"""The working pages in a real Chromium, over the real server: a worker's report without a network, a case through its acts."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.geoserver.visits import PHONE, READY, Visit, faults, fits, sign_in, visitor
from tests.grid.site import GridSite, grid_site
from tests.people import employ

pytestmark = pytest.mark.browser

HERE = {"longitude": 114.9052, "latitude": 30.4102, "accuracy": 8}
#: One person who does everything, as in a small town.
ALL = ("intake-clerk", "shift-leader", "case-dispatcher", "case-verifier")



@pytest.fixture(scope="module")
def site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GridSite]:
    directory = tmp_path_factory.mktemp("work")
    with grid_site(postgres_url, template_name, f"citymap_work_{os.getpid()}", directory) as found:
        with found.database.transaction() as conn:
            employ(conn, "town", *ALL)
            employ(conn, "town", "case-handler", department="sanitation")
        yield found


@pytest.fixture
def visit(browser: Browser, site: GridSite) -> Iterator[Visit]:
    """Open a path as somebody, or as nobody, in a new profile that is somewhere."""
    somewhere = {"viewport": {"width": 1280, "height": 800}, "geolocation": HERE, "permissions": ["geolocation"]}
    with visitor(browser, site.url) as found:
        yield lambda path, who=None, **options: found(path, who, **somewhere | options)


def photo(path: Path) -> Path:
    """A picture of a phone's camera: large, upright by its EXIF only."""
    image, exif = Image.effect_noise((3000, 2000), 60).convert("RGB"), Image.Exif()
    exif[0x0112] = 6
    image.save(path, "JPEG", exif=exif)
    return path


def choose_class_and_go_on(page: Page, service: str, words: str) -> None:
    page.get_by_role("button", name="下一步").click()
    page.click(f"[data-class={service}]")
    page.fill("textarea", words)


def test_a_report_without_a_network_becomes_one_case_though_an_answer_is_lost(
    visit: Visit, site: GridSite, tmp_path: Path
) -> None:
    page = visit("/report", "worker", viewport=PHONE, is_mobile=True, has_touch=True)
    context: BrowserContext = page.context
    page.wait_for_selector("html[data-offline=ready]", state="attached", timeout=30_000)
    context.set_offline(True)
    page.reload()
    expect(page.get_by_text("没有网络")).to_be_visible()
    expect(page.get_by_text("误差约 8 米")).to_be_visible()
    choose_class_and_go_on(page, "event-0102", "离线上报的垃圾")
    page.set_input_files("input[type=file]", photo(tmp_path / "1.jpg"))
    expect(page.locator(".photos img")).to_have_count(1)
    page.get_by_role("button", name="下一步").click()
    page.click("[data-send]")
    expect(page.get_by_text("已存在手机上")).to_be_visible()
    page.reload()  # as if the phone had been switched off
    page.click("[data-tab=outbox]")
    expect(page.locator("[data-state=queued]")).to_contain_text("等待网络")
    assert site.sql("SELECT count(*) FROM city.cases WHERE description = '离线上报的垃圾'") == [(0,)]

    lost: list[int] = []

    def lose_first(route: Route) -> None:
        if lost:
            return route.continue_()
        lost.append(route.fetch().status)
        return route.abort()

    context.route("**/processes/report-case/execution*", lose_first)
    context.clear_cookies()  # the session ended meanwhile: the report stays the worker's
    context.set_offline(False)
    expect(page.locator("[data-state=queued]")).to_contain_text("请以 worker 登录后继续发送")
    assert lost == []
    other = context.new_page()
    other.goto(f"{site.url}/sign-in?next=/health")
    sign_in(other, "worker")
    other.wait_for_url(lambda url: urlsplit(url).path == "/health")
    other.close()
    page.get_by_role("button", name="现在发送").click()
    expect(page.locator("[data-state=queued]")).to_contain_text("无法连接服务器")
    assert lost == [200]
    page.get_by_role("button", name="现在发送").click()
    expect(page.locator("[data-report]")).to_have_count(0)
    [(code, reporter, photos, accuracy)] = site.sql(
        "SELECT code, reporter, photos, accuracy FROM city.cases WHERE description = '离线上报的垃圾'"
    )
    assert (reporter, photos, accuracy) == ("worker", 1, 8)
    (kept,) = site.done("clerk", "case-history", case=code)["photos"]
    assert (kept["width"], kept["height"]) == (1067, 1600)  # made smaller and set upright on the phone
    page.click("[data-tab=mine]")
    expect(page.locator(f"[data-case='{code}']")).to_contain_text("已上报")


def test_a_citizen_without_an_account_is_refused_outside_the_city_corrects_it_and_follows_the_state(
    visit: Visit, site: GridSite
) -> None:
    page = visit("/report", viewport=PHONE, geolocation={**HERE, "longitude": 100.0, "accuracy": 160})
    expect(page.get_by_text("误差约 160 米")).to_be_visible()
    expect(page.locator("[data-tab=patrol]")).to_have_count(0)
    page.wait_for_selector(".map[data-ready=true]", timeout=30_000)
    found = [*faults(page)]
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("searchbox").fill("垃圾")
    page.get_by_role("button", name="收藏 暴露垃圾").click()
    found += faults(page)
    page.click("[data-class=event-0102]")
    page.fill("textarea", "公众上报的垃圾")
    page.get_by_role("button", name="下一步").click()
    page.get_by_label("联系电话").fill("13900000000")
    found += faults(page)
    page.click("[data-send]")
    expect(page.locator(".result [role=alert]")).to_contain_text("不在本市范围内")
    page.click("[data-tab=outbox]")
    page.get_by_role("button", name="继续填写").click()
    expect(page.locator("textarea")).to_have_value("公众上报的垃圾")
    page.get_by_role("button", name="上一步").click()
    page.context.set_geolocation({**HERE, "latitude": 30.4172})  # type: ignore[arg-type]
    expect(page.get_by_text("误差约 8 米")).to_be_visible()
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="下一步").click()
    page.click("[data-send]")
    code = page.locator(".result .code").inner_text()
    site.done("worker", "advance-case", case=code, act="verify", found=True)
    page.click("[data-tab=mine]")
    expect(page.locator(f"[data-case='{code}']")).to_contain_text("已核实")
    found += faults(page)
    assert found == [] and fits(page)
    kept = "SELECT channel, reporter_phone FROM city.cases WHERE description = '公众上报的垃圾'"
    assert site.sql(kept) == [("public", "13900000000")]


def report(site: GridSite, words: str, lat: float) -> str:
    made = site.done(
        "worker", "report-case", position=[114.9171, lat], class_code="0102", description=words, separate=True
    )
    return str(made["case"])


def press_act(page: Page, act: str) -> None:
    """The key that the button of the act shows."""
    page.wait_for_selector(f".acts [data-act={act}]")
    acts = page.locator(".acts [data-act]").evaluate_all("(all) => all.map((one) => one.dataset.act)")
    page.keyboard.press(str(acts.index(act) + 1))
    page.wait_for_selector("dialog[open]")


def perform(page: Page, state: str) -> None:
    page.keyboard.press("Control+Enter")
    page.wait_for_selector("dialog", state="detached")
    page.wait_for_selector(f".detail[data-state={state}]")


def test_a_case_goes_through_its_acts_by_the_keyboard_alone(visit: Visit, site: GridSite, tmp_path: Path) -> None:
    code = report(site, "键盘办理", 30.4031)
    page = visit("/cases", "town")
    page.keyboard.press("/")
    page.keyboard.type(code)
    expect(page.locator(".row-open")).to_have_count(1)
    page.keyboard.press("Tab")
    page.focus("body")
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_selector(f".detail[data-case='{code}']")

    def allowed() -> list[str]:
        return list(page.locator(".acts [data-act]").evaluate_all("(all) => all.map((one) => one.dataset.act)"))

    assert set(allowed()) == set(site.done("town", "case-history", case=code)["allowed"])
    press_act(page, "accept")
    perform(page, "accepted")
    press_act(page, "file")
    page.wait_for_selector("dialog input[type=radio]:focus")
    page.keyboard.press("Space")
    perform(page, "filed")
    press_act(page, "dispatch")
    page.wait_for_selector("dialog select:focus")
    page.keyboard.type("sanitation")
    perform(page, "dispatched")
    expect(page.locator(".detail-head .countdown")).to_contain_text("剩")
    expect(page.locator(".detail-head [data-light=green]")).to_have_text("绿")
    press_act(page, "handle")
    perform(page, "handling")
    press_act(page, "feedback")
    page.keyboard.type("已清运")
    page.set_input_files("dialog input[type=file]", photo(tmp_path / "after.jpg"))
    perform(page, "handled")
    expect(page.locator("figure", has_text="处置后").locator("img")).to_have_count(1)
    press_act(page, "check")
    page.wait_for_selector("dialog input[type=radio]:focus")
    page.keyboard.press("Space")
    perform(page, "checked")
    press_act(page, "close")
    perform(page, "closed")
    expect(page.locator(".acts-none")).to_be_visible()
    steps = site.done("clerk", "case-history", case=code)["steps"]
    acts = ["report", "accept", "file", "dispatch", "handle", "feedback", "check", "close"]
    assert [step["act"] for step in steps] == acts and len(steps[5]["attachments"]) == 1


def test_nothing_is_lost_when_the_session_ends_or_somebody_was_faster_or_the_server_fails(
    visit: Visit, site: GridSite
) -> None:
    code = report(site, "过期", 30.4061)
    site.sql(
        "INSERT INTO city.cameras (geom, name, source_id, direction, view_angle, reach)"
        " SELECT ST_Translate(geom, -0.0005, 0), n, n, d, 60, 100 FROM city.cases,"
        " (VALUES ('文星路口', 90), ('背对的', 270)) AS k (n, d) WHERE code = :c",
        c=code,
    )
    page = visit("/cases", "clerk")
    page.evaluate("(code) => { location.hash = 'case=' + code; }", code)
    page.wait_for_selector(f".detail[data-case='{code}']")
    expect(page.locator(".cameras li")).to_have_text([re.compile("文星路口.*48 米.*正对此处"), re.compile("背对的.* 米$")])
    press_act(page, "void")
    page.fill("dialog textarea", "重复的测试上报")
    page.context.clear_cookies()
    page.keyboard.press("Control+Enter")
    expect(page.locator("dialog [role=alert]")).to_contain_text("登录已过期")
    expect(page.locator("dialog textarea")).to_have_value("重复的测试上报")
    with page.context.expect_page() as opened:
        page.locator("dialog").get_by_role("link", name="登录").click()
    other = opened.value
    sign_in(other, "clerk")
    other.wait_for_selector(READY, state="attached")
    other.close()
    page.bring_to_front()
    page.locator("dialog").get_by_role("button", name="我已登录").click()
    expect(page.locator("dialog [role=alert]")).to_have_count(0)
    site.done("worker", "advance-case", case=code, act="verify", found=False)
    page.keyboard.press("Control+Enter")
    expect(page.locator("dialog [role=alert]")).to_contain_text("别人刚刚处理过")
    expect(page.locator("dialog textarea")).to_have_value("重复的测试上报")
    perform(page, "void")
    assert site.done("clerk", "case-history", case=code)["steps"][-1]["reason"] == "重复的测试上报"

    answer: dict[str, Any] = {"status": 500, "headers": {"x-request-id": "r-42"}, "json": {"description": "库在维护"}}
    page.context.route("**/processes/work-list/**", lambda route: route.fulfill(**answer))
    page.keyboard.press("r")
    trouble = page.locator(".list-body [role=alert]")
    for part in ("库在维护", "请稍后重试", "r-42"):
        expect(trouble).to_contain_text(part)
    page.context.unroute("**/processes/work-list/**")
    page.get_by_role("button", name="重试").click()
    expect(trouble).to_have_count(0)


def test_several_cases_at_once_and_the_inbox_is_accessible_in_every_look(visit: Visit, site: GridSite) -> None:
    codes = [report(site, f"批量 {n}", 30.4091 + 0.001 * n) for n in range(2)]
    page = visit("/cases", "clerk")
    for code in codes:
        page.check(f"[aria-label='勾选案卷 {code}']")
    page.click(".batch [data-act=accept]")
    page.wait_for_selector("dialog[open]")
    found = faults(page)
    site.done("clerk", "advance-case", case=codes[0], act="void", reason="抢先作废")
    page.click("[data-perform]")
    expect(page.locator("dialog [role=alert]")).to_be_visible()
    states = dict(site.sql("SELECT code, state FROM city.cases WHERE code = ANY (:codes)", codes=codes))
    assert states == {codes[0]: "void", codes[1]: "accepted"}
    page.get_by_role("button", name="取消", exact=True).click()
    page.click("[data-tab=all]")
    page.click(f".row-open[data-code='{codes[1]}']")
    page.wait_for_selector(f".detail[data-case='{codes[1]}']")
    found += faults(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    found += faults(page)
    assert found == [] and fits(page)


def test_the_maps_search_box_finds_cases_and_red_lines_by_number_and_words(visit: Visit, site: GridSite) -> None:
    code = report(site, "井盖旁的积水", 30.4121)
    site.sql(
        "SELECT set_config('citymap.planning_step', 'draft', true);"
        " INSERT INTO city.redlines (geom, number, name) VALUES (ST_Multi(ST_MakeEnvelope(114.91, 30.41, 114.912, 30.412, 4490)),"
        " '红线〔2026〕7号', '湖滨学校')"
    )
    with site.database.transaction() as conn:
        employ(conn, "town", "planner")
    page = visit("/map#map=15/30.41/114.91", "town", viewport={"width": 480, "height": 360})
    (case,) = site.sql("SELECT id FROM city.cases WHERE code = :c", c=code)[0]
    (line,) = site.sql("SELECT id FROM city.redlines WHERE name = '湖滨学校'")[0]
    for words, key, field in (
        (code, f"cases/{case}", "code"), ("旁的积水", f"cases/{case}", "code"),
        ("2026〕7", f"redlines/{line}", "number"), ("湖滨学", f"redlines/{line}", "number"),
    ):  # fmt: skip
        page.fill("#search", words)
        page.locator(".hit").first.click()
        expect(page.locator(f".results [data-feature='{key}'] [data-field={field}]")).to_be_visible(timeout=60_000)
    stranger = site.call(None, "GET", "/collections/cases/items")
    assert stranger.status_code in (401, 404)
