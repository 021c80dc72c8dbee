"""The leader's view in a real Chromium: every number is what SQL counts, and leads to its cases in two clicks."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from geoserver.web.assets import NODE_MODULES, STATIC
from tests.clients.conftest import CitySite, signed_in
from tests.people import PASSWORD

pytestmark = pytest.mark.browser

READY = "html[data-ready=true]"
WALL = {"viewport": {"width": 1920, "height": 1080}}
#: Narrow enough that no map is drawn before a number is pressed.
PLAIN = {"viewport": {"width": 990, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
BREACHES = "window.breaches = []; addEventListener('securitypolicyviolation', (e) => breaches.push(e.violatedDirective + e.blockedURI))"
NOW = {
    "now.open": "closed_at IS NULL", "now.red": "closed_at IS NULL AND light = 'red'", "now.suspended": "state = 'suspended'",
    "now.amber": "closed_at IS NULL AND light = 'amber'", "now.supervised": "closed_at IS NULL AND supervised",
}  # fmt: skip
LIVE = "dispatched_at IS NOT NULL AND state <> 'void'"
TOTAL = {
    "total.reported": "true", "total.filed": "filed_at IS NOT NULL", "total.closed": "filed_at IS NOT NULL AND state = 'closed'",
    "total.handled": f"{LIVE} AND handled_at IS NOT NULL",
    "total.handled-on-time": f"{LIVE} AND handled_at IS NOT NULL AND used_seconds <= limit_seconds",
    "total.handling-due": f"{LIVE} AND (handled_at IS NOT NULL OR deadline <= now() OR used_seconds > limit_seconds)",
}  # fmt: skip

type Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, city_site: CitySite) -> Iterator[Visit]:
    contexts = []

    def open_page(path: str = "/board", account: str | None = "boss", **options: Any) -> Page:
        context = browser.new_context(
            **{"locale": "zh-CN", "timezone_id": "Asia/Shanghai", "reduced_motion": "reduce", **PLAIN, **options}
        )
        contexts.append(context)
        if account:
            said = context.request.post(f"{city_site.url}/sign-in", data={"account": account, "password": PASSWORD})
            assert said.ok, said.text()
        page = context.new_page()
        page.add_init_script(BREACHES)
        page.seen, page.complaints = [], []  # type: ignore[attr-defined]
        page.on("request", lambda request: page.seen.append(request.url))  # type: ignore[attr-defined]
        page.on("pageerror", lambda error: page.complaints.append(str(error)))  # type: ignore[attr-defined]
        page.goto(city_site.url + path)
        page.wait_for_selector(READY, state="attached", timeout=40_000)
        return page

    yield open_page
    for context in contexts:
        context.close()


def numbers(page: Page) -> dict[str, tuple[int, str]]:
    """Name → number and address of every number on the page."""
    found = page.evaluate(
        "() => [...document.querySelectorAll('a[data-number]')].map((a) => [a.dataset.number, a.textContent, a.href])"
    )
    return {name: (int(text.replace(",", "")), address) for name, text, address in found}


def since(days: int) -> str:
    """From the midnight of the city's day so many days ago, today among them."""
    return f"reported_at >= (date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') - interval '{days - 1} days') AT TIME ZONE 'Asia/Shanghai'"


def test_every_number_is_what_sql_counts_and_its_link_lists(visit: Visit, city_site: CitySite) -> None:
    page = visit()
    shown = numbers(page)
    for name, condition in NOW.items():
        assert shown[name][0] == city_site.number(condition), name
    for name, condition in TOTAL.items():
        assert shown[name][0] == city_site.number(f"{since(30)} AND ({condition})"), name
    assert shown["now.red"][0] > 0 and shown["total.handled-on-time"][0] > 0
    rate = page.locator(".share", has_text="按期处置率").locator(".big").inner_text()
    assert rate == f"{100 * shown['total.handled-on-time'][0] / shown['total.handling-due'][0]:.1f}%"
    with requests.Session() as session:
        session.auth = signed_in("boss")
        for name, (number, address) in shown.items():
            assert session.get(f"{address}&resulttype=hits&f=json", timeout=30).json()["numberMatched"] == number, name
    assert len(shown) > 25


def test_the_parts_of_a_trend_add_up(visit: Visit, city_site: CitySite) -> None:
    page = visit()
    for period in ("近 7 天", "近 3 个月", "近 12 个月"):
        page.get_by_role("button", name=period).click()
        page.wait_for_selector(READY, state="attached")
        shown = numbers(page)
        parts = [number for name, (number, _) in shown.items() if re.fullmatch(r"trend\..*\.reported", name)]
        assert sum(parts) == shown["total.reported"][0] > 0
        if period == "近 7 天":
            assert shown["total.reported"][0] == city_site.number(since(7))


def test_number_map_case_is_two_clicks(visit: Visit, city_site: CitySite) -> None:
    page = visit(viewport={"width": 1100, "height": 700})
    page.locator("[data-number='now.red']").click()
    red = city_site.number(NOW["now.red"])
    page.wait_for_selector(f".places[data-shown='{red}']", timeout=40_000)
    expect(page.locator(".counted [role=status]")).to_have_text(f"共 {red} 件")
    assert page.locator(".list .case").count() == red
    canvas = page.locator(".places canvas")
    box = canvas.bounding_box()
    first = page.locator(".list .case").first
    (code, lon, lat) = city_site.sql(
        "SELECT code, ST_X(geom), ST_Y(geom) FROM city.cases WHERE id = :i", i=int(first.get_attribute("data-id") or 0)
    )[0]
    assert code in unquote(first.get_attribute("href") or "")
    drawn = page.evaluate(  # where the map draws that case, by the Web Mercator of its own bounds
        """([lon, lat]) => { const merc = (d) => Math.asinh(Math.tan(d * Math.PI / 180));
           const { west, south, east, north, width, height } = document.querySelector('.places').dataset;
           return [(lon - west) / (east - west) * width, (merc(+north) - merc(lat)) / (merc(+north) - merc(+south)) * height]; }""",
        [lon, lat],
    )
    assert box
    canvas.click(position={"x": drawn[0], "y": drawn[1]})
    page.wait_for_url("**/cases#case=*")
    opened = unquote(page.url.rpartition("=")[2])
    near = city_site.sql("SELECT 1 FROM city.cases WHERE code = :c AND closed_at IS NULL AND light = 'red'", c=opened)
    assert near


def test_an_area_narrows_every_number_and_stays_in_the_address(visit: Visit, city_site: CitySite) -> None:
    page = visit()
    page.locator("#areas ~ .scroll .drill", has_text="滨湖区").click()
    page.locator("#areas ~ .scroll .drill", has_text="文星街道").click()
    page.locator("#areas ~ .scroll .drill", has_text="湖滨社区").click()
    page.wait_for_selector(".where span[aria-current]:has-text('湖滨社区')")
    page.wait_for_selector(READY, state="attached")
    assert "area=429701001001" in page.url
    again = visit(page.url[page.url.index("/board") :])
    within = "area_code LIKE '429701001001%'"
    for one in (page, again):
        assert numbers(one)["now.open"][0] == city_site.number(f"closed_at IS NULL AND {within}")
        assert numbers(one)["total.reported"][0] == city_site.number(f"{since(30)} AND {within}")
    again.get_by_role("button", name="全市", exact=True).click()
    again.wait_for_selector(".where span[aria-current]:has-text('全市')")


def test_numbers_refresh_by_themselves_and_outlive_a_failure(visit: Visit, city_site: CitySite) -> None:
    page = visit()
    page.clock.install()
    page.reload()
    page.wait_for_selector(READY, state="attached")
    before = numbers(page)["now.open"][0]
    city_site.sql("SELECT set_config('citymap.case_act', 'import', true)")
    (made,) = city_site.sql("SELECT set_config('citymap.case_act', 'import', true); INSERT INTO city.cases (geom, code, state, reported_at, area_code)"
                            " VALUES (ST_SetSRID(ST_MakePoint(114.91, 30.41), 4490), 'refresh-1', 'reported', now(), '429701001001') RETURNING id")  # fmt: skip
    page.clock.fast_forward(61_000)
    expect(page.locator("[data-number='now.open']")).to_have_text(str(before + 1), timeout=20_000)
    page.route(
        "**/processes/evaluate/**",
        lambda route: route.fulfill(status=500, headers={"x-request-id": "r-17"}, json={"description": "库在维护"}),
    )
    page.get_by_role("button", name="立即刷新").click()
    expect(page.get_by_role("alert")).to_contain_text("r-17")
    assert numbers(page)["now.open"][0] == before + 1
    city_site.sql("DELETE FROM city.cases WHERE id = :i", i=made.id)


def test_the_public_is_asked_to_sign_in(visit: Visit) -> None:
    page = visit(account=None)
    expect(page.get_by_role("alert")).to_contain_text("登录")
    assert "/sign-in?next=%2Fboard" in str(page.get_by_role("alert").get_by_role("link").get_attribute("href"))


@pytest.mark.parametrize("options", [{**WALL, "locale": "en"}, PHONE])
def test_page_fits_wall_and_phone_and_meets_wcag(visit: Visit, city_site: CitySite, options: dict[str, Any]) -> None:
    page = visit(**options)
    wall = options["viewport"]["width"] > 1500
    if not wall:
        assert not any("maplibre-gl.mjs" in one for one in page.seen)  # type: ignore[attr-defined] # loaded where it is wanted
        page.locator("[data-number='now.red']").click()
    page.wait_for_selector(".places[data-shown]", timeout=40_000)
    page.locator(".trend summary").click()
    page.evaluate((NODE_MODULES / "axe-core/axe.min.js").read_text("utf-8"))
    for only in (None,) if wall else (None, ["color-contrast"]):  # every rule in light, contrast again in dark
        violations = page.evaluate("(only) => axe.run(document, only ? {runOnly: only} : {})", only)["violations"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in violations] == []
        page.evaluate("() => document.querySelector('.tools button').click()")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert not wall or page.evaluate("() => document.documentElement.scrollHeight <= innerHeight")
    assert page.evaluate("breaches") == [] and page.complaints == []  # type: ignore[attr-defined]
    assert {one.split("/")[2] for one in page.seen if one.startswith("http")} == {city_site.url[7:]}  # type: ignore[attr-defined]


def test_texts_are_in_both_catalogues_and_used() -> None:
    zh, en = (json.loads((STATIC / f"i18n/board/{language}.json").read_text("utf-8")) for language in ("zh-CN", "en"))
    assert zh.keys() == en.keys() and not any(re.search(r"[\u4e00-\u9fff]", text) for text in en.values())
    assert all(re.findall(r"\{\w+\}", zh[key]) == re.findall(r"\{\w+\}", en[key]) for key in zh)
    shared = json.loads((STATIC / "i18n/work/zh-CN.json").read_text("utf-8"))
    source = "".join(path.read_text("utf-8") for path in (STATIC / "board").glob("*.js"))
    assert set(re.findall(r"\bt\(\"([\w.]+)\"", source)) <= zh.keys() | shared.keys()
    families = tuple(re.findall(r"t\(`([\w.]+\.)\$", source))
    assert [key for key in zh if f'"{key}"' not in source and not key.startswith((*families, "page."))] == []
