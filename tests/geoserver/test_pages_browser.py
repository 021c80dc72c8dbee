"""The HTML pages in a real Chromium, under the policy they are sent with."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Route, expect

from geoserver.web.assets import NODE_MODULES, missing_packages, read_assets
from geoserver.web.routes import routes
from tests.geoserver.page_site import Site, our_renderer
from tests.geoserver.test_pages import PAGES

pytestmark = pytest.mark.browser

AXE = NODE_MODULES / "axe-core" / "axe.min.js"
BREACHES = "window.breaches = []; addEventListener('securitypolicyviolation', (e) => breaches.push(e.violatedDirective + e.blockedURI))"
#: Milliseconds for modules to fill in what they fetch.
SETTLE = 400
PHONE = {"width": 390, "height": 844}
SCHEMES: tuple[tuple[Literal["light", "dark"], dict[str, Any]], ...] = (
    ("light", {}),
    ("dark", {"runOnly": ["color-contrast"]}),
)

type Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The sample site on a free port."""
    if missing := missing_packages(read_assets()):
        pytest.skip(f"{missing[0]} is not installed: run `npm ci` in {NODE_MODULES.parent}")
    client = routes(lambda _: {})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with our_renderer():
        server = uvicorn.Server(uvicorn.Config(Site().application(client), port=port, log_level="error"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """Open a path; ``options`` go to the browser context."""
    contexts = []

    def open_page(path: str, *, prepare: Callable[[Page], object] | None = None, **options: Any) -> Page:
        context = browser.new_context(**{"locale": "zh-CN", "viewport": {"width": 1440, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.add_init_script(BREACHES)
        if prepare:
            prepare(page)
        page.goto(f"{address}/{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()


def test_pages_keep_their_own_policy_and_fit_a_phone(visit: Visit, address: str) -> None:
    errors: list[str] = []
    page = visit("", viewport=PHONE, prepare=lambda page: page.on("pageerror", lambda error: errors.append(str(error))))
    seen = {}

    for path in PAGES:
        page.goto(f"{address}/{path}")
        page.wait_for_timeout(SETTLE)
        seen[path] = (page.evaluate("breaches"), page.evaluate("document.documentElement.scrollWidth <= innerWidth"))

    assert errors == []
    assert {path: found for path, found in seen.items() if found != ([], True)} == {}


def test_pages_have_no_accessibility_faults(visit: Visit, address: str) -> None:
    if not AXE.is_file():
        pytest.skip(f"{AXE} is missing: run `npm ci` in {NODE_MODULES.parent}")
    page = visit("", bypass_csp=True)
    run = "(only) => axe.run(document, {resultTypes: ['violations'], ...only})"
    faults = {}

    for path in (*PAGES, "no-such-page"):
        page.goto(f"{address}/{path}")
        page.wait_for_timeout(SETTLE)
        for route in page.query_selector_all("details > summary"):
            route.click()
        page.evaluate(AXE.read_text("utf-8"))
        # The scheme changes colours alone: every rule in light, contrast again in dark.
        for scheme, only in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate(run, only)
            faults |= {(path, scheme, fault["id"]): [node["html"] for node in fault["nodes"]] for fault in found["violations"]}

    assert faults == {}


def test_dark_and_light_differ(visit: Visit) -> None:
    light, dark = (
        visit("", color_scheme=scheme).evaluate("getComputedStyle(document.body).backgroundColor") for scheme in ("light", "dark")
    )

    assert light != dark


def test_the_features_of_a_page_are_drawn_on_a_map(visit: Visit) -> None:
    page = visit("collections/buildings/items")

    page.wait_for_selector(".feature-map[data-ready=true]", timeout=60_000)
    assert page.evaluate("breaches") == []
    expect(page.locator(".feature-map canvas")).to_be_visible()
    page.locator(".feature-map canvas").click(position=rectangle_of_first_feature(page))
    page.wait_for_url("**/collections/buildings/items/*")


def rectangle_of_first_feature(page: Page) -> Any:
    """A point inside some building: the sample's rectangles stand in four columns around the middle of the map."""
    box = page.locator(".feature-map canvas").bounding_box()
    assert box
    # Columns are 0.0012° apart and 0.0007° wide over a height of 0.0035°, which fills the box but for 40 px above and below.
    scale = (box["height"] - 80) / 0.0035 * 0.8627
    return {"x": box["width"] / 2 + (0.0012 + 0.00035 - 0.00215) * scale, "y": box["height"] / 2 - 0.0005 * scale}


def test_without_the_map_library_the_table_remains(visit: Visit) -> None:
    def without_library(page: Page) -> None:
        page.route("**/maplibre-gl.mjs", lambda route: route.abort())

    page = visit("collections/buildings/items", prepare=without_library)

    expect(page.locator(".feature-map")).to_be_hidden()
    expect(page.locator("table.features tbody tr")).to_have_count(12)


def test_without_scripts_the_pages_still_say_everything(visit: Visit) -> None:
    page = visit("collections/buildings/items", java_script_enabled=False)

    expect(page.locator("table.features tbody tr")).to_have_count(12)
    expect(page.get_by_role("link", name="下一页")).to_be_visible()
    expect(page.locator(".feature-map")).to_be_hidden()


def test_the_search_box_narrows_the_list(visit: Visit) -> None:
    page = visit("collections")

    page.get_by_role("searchbox").fill("道路 roads")
    expect(page.locator(".card:visible")).to_have_count(1)
    expect(page.locator(".search [role=status]")).to_have_text("匹配 1 项")

    page.get_by_role("searchbox").fill("没有这样的图层")
    expect(page.locator(".card:visible")).to_have_count(0)
    expect(page.locator(".search [role=status]")).to_have_text("没有匹配的结果")


def test_the_landing_page_counts_what_the_reader_may_see(visit: Visit) -> None:
    page = visit("")

    expect(page.locator(".counts dd").nth(0)).to_have_text("11")
    expect(page.locator(".counts dd").nth(1)).to_have_text("1")
    expect(page.locator(".chips a").nth(0)).to_have_text("行政区划")


def test_a_chosen_language_stays_while_browsing(visit: Visit) -> None:
    page = visit("collections")

    page.get_by_role("link", name="English").click()
    page.get_by_role("link", name="Roads").click()

    expect(page.locator("h1")).to_contain_text("Roads")
    assert page.url.endswith("/collections/roads?lang=en")


def test_an_address_is_copied_by_a_button(visit: Visit) -> None:
    page = visit("", permissions=["clipboard-read", "clipboard-write"])

    page.get_by_role("button", name="复制").click()

    expect(page.get_by_role("button", name="已复制")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == "http://127.0.0.1:8099"


def test_times_are_shown_in_the_readers_zone(visit: Visit) -> None:
    page = visit("collections/hostile/items/1", timezone_id="Asia/Shanghai")

    expect(page.locator("td time")).to_contain_text("16:30")


def test_an_empty_filter_stays_out_of_the_address(visit: Visit) -> None:
    page = visit("collections/buildings/items")

    page.get_by_role("button", name="筛选").click()
    page.wait_for_url("**limit=10")

    assert "filter" not in page.url


def test_a_process_is_run_from_its_page(visit: Visit) -> None:
    asked: list[dict[str, Any]] = []

    def answer(route: Route) -> None:
        asked.append({"prefer": route.request.headers.get("prefer"), "body": route.request.post_data_json})
        route.fulfill(status=201, headers={"Location": "http://other/jobs/17"}, json={"status": "accepted"})

    page = visit("processes/buffer", prepare=lambda page: page.route("**/execution", answer))
    page.get_by_role("button", name="异步执行").click()

    expect(page.locator("form a")).to_have_attribute("href", "/jobs/17")
    expect(page.locator("form pre")).to_contain_text('"status": "accepted"')
    assert asked == [{"prefer": "respond-async", "body": {"inputs": {"collection": "roads", "distance": 50, "name": "滨湖路 <1>"}}}]


def test_a_route_is_tried_on_the_api_page(visit: Visit) -> None:
    page = visit("openapi")

    page.locator("summary", has_text="/conformance").click()
    page.get_by_role("button", name="发送请求").click()

    expect(page.locator(".route pre")).to_contain_text("conformsTo")
    expect(page.locator(".route pre")).to_contain_text("200 application/json")


def test_an_unfinished_job_is_followed(visit: Visit, address: str) -> None:
    page = visit("jobs/3f3b6c1e-0000-11ef-9262-0242ac120002")
    expect(page.locator("main")).to_contain_text("42%")

    page.route("**/jobs/3f3b*", lambda route: route.fulfill(content_type="text/html", body="<main><p>全部完成</p></main>"))

    expect(page.locator("main")).to_have_text("全部完成", timeout=10_000)
