"""The planner's day in a real Chromium over the real server: import, conflict, fix, apply, step by step to approval."""

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.geoserver.visits import PHONE, Visit, faults, fits, sign_in, visitor
from tests.planning.boundary_files import SOUND, spoiled
from tests.planning.http_site import Site, open_site

pytestmark = pytest.mark.browser

#: A blue line over the eastern ten metres of the sound parcel.
_BLUE = """INSERT INTO city.control_lines (geom, kind, name, code, plan, version, status, approved_on)
    SELECT ST_Multi(ST_Transform(ST_MakeEnvelope(586490, 3364700, 586600, 3365000, 4547), 4490)),
        'blue', '长港蓝线', 'LX-1', '规划', '2024', 'approved', '2024-01-01'"""


@pytest.fixture(scope="module")
def site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(postgres_url, template_name, tmp_path_factory.mktemp("planning"), "page") as found:
        found.sql(_BLUE)
        yield found


@pytest.fixture
def visit(browser: Browser, site: Site) -> Iterator[Visit]:
    with visitor(browser, site.url) as found:
        yield found


def bring(page: Page, text: str, name: str = "界址点.txt") -> None:
    """Import a boundary-point file in GBK."""
    page.set_input_files("input[type=file]", {"name": name, "mimeType": "text/plain", "buffer": text.encode("gbk")})


def verdict(page: Page, wanted: str) -> None:
    page.wait_for_selector(f".checked[data-verdict={wanted}]", timeout=60_000)


def step(page: Page, act: str, state: str, **fields: str) -> None:
    page.click(f"[data-act={act}]")
    for name, value in fields.items():
        page.fill(f"dialog [name={name}]", value)
    page.click("[data-perform]")
    page.wait_for_selector(f".line[data-state={state}]", timeout=60_000)


def test_a_parcel_is_imported_found_in_conflict_fixed_and_approved(visit: Visit, site: Site) -> None:
    page = visit("/planning#tab=draft", "zhou")
    bring(page, spoiled("J2,1,3364900.000", "J2,1,586500.000"))
    # The first import of a new server reads its libraries.
    expect(page.locator("[data-severity=error]").first).to_contain_text("第 16 行", timeout=60_000)
    expect(page.locator(".checked")).to_have_count(0)
    bring(page, SOUND)
    verdict(page, "blocked")
    expect(page.locator("[data-area=hectares]")).to_contain_text("1.0000 公顷")
    expect(page.locator("[data-area=mu]")).to_contain_text("15.00 亩")
    blocking = page.locator("[data-severity=blocking] .piece")
    expect(blocking).to_have_count(1)
    expect(blocking).to_contain_text(re.compile(r"长港蓝线.*1,000\.\d\d 平方米 · 10\.0%"))
    blocking.click()
    expect(blocking).to_have_attribute("aria-pressed", "true")
    page.locator("summary", has_text="界址点").click()
    for point in ("J2", "J3"):
        checks = page.locator(".checked").get_attribute("data-check")
        page.fill(f"[data-point={point}][data-axis=y]", "586455")
        page.keyboard.press("Tab")
        page.wait_for_function(
            "(old) => !['', old].includes(document.querySelector('.checked').dataset.check)", arg=checks
        )
    expect(page.locator("[data-area=plane]")).to_contain_text("5,500.00 平方米")
    verdict(page, "clear") if page.locator("[data-severity=warning]").count() == 0 else verdict(page, "warnings")
    page.click("[data-apply]")
    page.fill("dialog [name=name]", "滨湖商场")
    page.click("dialog [data-send]")
    page.wait_for_selector(".line[data-state=applied]", timeout=60_000)
    number = page.locator(".line").get_attribute("data-line")
    assert number and unquote(page.url).endswith(f"line={number}")
    found = faults(page)
    step(page, "examine", "examined")
    expect(page.locator("[data-act=set-conditions]")).to_have_count(0)  # that is the reviewer's

    reviewer = visit(f"/planning#tab=lines&line={quote(number)}", "wu")
    reviewer.wait_for_selector(".line[data-state=examined]")
    step(reviewer, "set-conditions", "conditions", conditions="容积率 ≤ 2.0")
    expect(reviewer.locator("[data-document]").last).to_contain_text("选字第")
    page.wait_for_selector(".line[data-state=conditions]", timeout=30_000)  # told by the server, without a reload
    step(page, "publicise", "publicised", title="滨湖商场公示", text="现予公示。", contact="规划窗口")

    approver = visit(f"/planning#tab=lines&line={quote(number)}", "zheng")
    approver.click("[data-act=approve]")
    approver.click("[data-perform]")
    expect(approver.locator("dialog [role=alert]")).to_contain_text("公示期未满")
    site.sql("UPDATE city.notices SET begins = begins - 30, ends = ends - 30")
    approver.click("[data-perform]")
    approver.wait_for_selector(".line[data-state=approved]", timeout=60_000)
    expect(approver.locator("[data-document]").last).to_contain_text("批字第")
    steps = site.done("redline-history", "zheng", redline=number)["steps"]
    assert [one["action"] for one in steps] == ["apply", "examine", "set-conditions", "publicise", "approve"]
    found += faults(approver)
    approver.set_viewport_size(PHONE)  # type: ignore[arg-type]
    found += faults(approver)
    assert found == [] and fits(approver)


def test_input_outlives_the_session_and_errors_say_their_request(visit: Visit) -> None:
    page = visit("/planning#tab=draft", "zhou")
    bring(page, SOUND)
    verdict(page, "blocked")
    page.click("[data-apply]")
    page.fill("dialog [name=name]", "不会丢")
    page.context.clear_cookies()
    page.click("dialog [data-send]")
    expect(page.locator("dialog [role=alert]")).to_contain_text("登录已过期")
    with page.context.expect_page() as opened:
        page.locator("dialog").get_by_role("link", name="登录").click()
    sign_in(opened.value, "zhou")
    opened.value.wait_for_selector("html[data-ready=true]", state="attached")
    opened.value.close()
    page.locator("dialog").get_by_role("button", name="我已登录").click()
    expect(page.locator("dialog [role=alert]")).to_have_count(0)
    expect(page.locator("dialog [name=name]")).to_have_value("不会丢")
    page.keyboard.press("Escape")
    refused = {"status": 500, "headers": {"x-request-id": "r-77"}, "json": {"description": "库在维护"}}
    page.context.route("**/processes/check-redline/**", lambda route: route.fulfill(**refused))
    page.fill("[data-use]", "070102")
    expect(page.locator(".checked [role=alert]")).to_contain_text("r-77")
    page.context.unroute("**/processes/check-redline/**")
    page.locator(".checked").get_by_role("button", name="重试").click()
    expect(page.locator(".checked [role=alert]")).to_have_count(0)


def test_the_public_reads_notices_and_finds_sites_without_an_account(visit: Visit) -> None:
    page = visit("/planning", viewport=PHONE)
    expect(page.locator("[role=tab]")).to_have_text(["公示", "方案", "选址", "规划版本"])
    page.click("[data-notice]")
    expect(page.locator(".line")).to_contain_text("现予公示。")
    found = faults(page)
    page.click("[data-tab=siting]")
    page.fill("input[type=number] >> nth=1", "0")
    page.click("[data-run=siting]")
    expect(page.locator("[role=status]", has_text="考察")).to_be_visible(timeout=60_000)
    found += faults(page)
    assert found == [] and fits(page)
