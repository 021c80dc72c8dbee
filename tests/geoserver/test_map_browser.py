"""The map page in a real Chromium, on the real server with a small sample city."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import rasterio
import requests
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page

from geoserver.web.assets import NODE_MODULES

pytestmark = pytest.mark.browser

DESKTOP = {"viewport": {"width": 1280, "height": 720}}
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
READY = "html[data-ready=true]"

type Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, live_city: str) -> Iterator[Visit]:
    """Open a path of the city and wait for its map; ``page.seen`` lists the addresses that were asked for."""
    contexts = []

    def open_page(path: str, ready: bool = True, prepare: Callable[[Page], object] | None = None, **options: Any) -> Page:
        context = browser.new_context(**{**DESKTOP, "locale": "zh-CN", "reduced_motion": "reduce", **options})
        contexts.append(context)
        page = context.new_page()
        page.seen, page.complaints = [], []  # type: ignore[attr-defined]
        page.on("request", lambda request: page.seen.append(request.url))  # type: ignore[attr-defined]
        page.on("console", lambda said: said.type == "error" and page.complaints.append(said.text))  # type: ignore[attr-defined]
        page.on("pageerror", lambda error: page.complaints.append(str(error)))  # type: ignore[attr-defined]
        if prepare:
            prepare(page)
        page.goto(live_city + path)
        if ready:
            rest(page)
        return page

    yield open_page
    for context in contexts:
        context.close()


def rest(page: Page) -> None:
    """Wait until nothing loads or moves any more."""
    page.wait_for_timeout(200)
    page.wait_for_selector(READY, state="attached", timeout=60_000)


def pixels(page: Page, path: Path) -> NDArray[np.uint8]:
    page.screenshot(path=path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(path) as picture:
            values: NDArray[np.uint8] = picture.read()[:3]
    return values


@pytest.fixture(scope="module")
def poi(live_city: str) -> dict[str, Any]:
    """A named point of interest of the city, as the API gives it."""
    answer = requests.get(f"{live_city}/collections/pois/items", params={"f": "json", "limit": 50}, timeout=20).json()
    return next(f for f in answer["features"] if f["properties"]["name"] and f["properties"]["category"])


def at(feature: dict[str, Any], zoom: float = 17.5) -> str:
    lon, lat = feature["geometry"]["coordinates"]
    return f"#map={zoom}/{lat}/{lon}"


def test_map_draws_the_city_and_asks_nobody_else(visit: Visit, live_city: str, tmp_path: Path) -> None:
    page = visit("/map")
    drawn = page.evaluate(
        "() => [...new Set(citymap.map.queryRenderedFeatures().map((f) => f.layer.metadata['citymap:layer']))]"
    )
    assert {"roads", "water", "land-use"} <= set(drawn)
    assert any("/tiles/WebMercatorQuad/" in url for url in page.seen)  # type: ignore[attr-defined]
    foreign = [url for url in page.seen if not url.startswith((live_city, "data:", "blob:"))]  # type: ignore[attr-defined]
    assert foreign == []
    assert page.complaints == []  # type: ignore[attr-defined]
    picture = pixels(page, tmp_path / "map.png")
    colours = np.unique(picture.reshape(3, -1).T // 8, axis=0)
    assert len(colours) > 60


def test_chinese_names_are_drawn_from_local_fonts(visit: Visit, poi: dict[str, Any], tmp_path: Path) -> None:
    page = visit(f"/map{at(poi, 16)}")
    names = page.evaluate(
        """() => citymap.map.queryRenderedFeatures()
          .filter((f) => f.layer.type === 'symbol' && /\\p{Script=Han}/u.test(f.properties.name ?? ''))
          .map((f) => f.properties.name)"""
    )
    assert names
    named = pixels(page, tmp_path / "named.png")
    page.evaluate(
        """() => citymap.map.getStyle().layers.filter((l) => l.type === 'symbol')
          .forEach((l) => citymap.map.setLayoutProperty(l.id, 'visibility', 'none'))"""
    )
    rest(page)
    bare = pixels(page, tmp_path / "bare.png")
    assert np.any(named != bare, axis=0).sum() > 40 * len(set(names))


def test_click_identifies_with_titles_and_class_names(visit: Visit, live_city: str, poi: dict[str, Any]) -> None:
    page = visit(f"/map{at(poi)}")
    page.mouse.click(640, 360)
    page.wait_for_selector(f'[data-feature="pois/{poi["id"]}"]')
    head = page.locator(f'[data-feature="pois/{poi["id"]}"] .item-head')
    if head.get_attribute("aria-expanded") == "false":
        head.click()
    page.wait_for_selector(f'[data-feature="pois/{poi["id"]}"] dl')
    schema = requests.get(f"{live_city}/collections/pois/schema?f=json&lang=zh", timeout=20).json()["properties"]
    row = page.locator(f'[data-feature="pois/{poi["id"]}"] [data-field=category]')
    assert row.locator("dt").inner_text() == schema["category"]["title"] == "大类"
    assert row.locator("dd").inner_text() == schema["category"]["x-citymap-domain"][poi["properties"]["category"]]
    assert page.evaluate("() => location.hash").endswith(f"at=pois/{poi['id']}")


def test_units_stand_behind_numbers(visit: Visit, live_city: str) -> None:
    params = {"f": "json", "limit": 1, "filter": "height > 3"}
    building = requests.get(f"{live_city}/collections/buildings/items", params=params, timeout=20).json()["features"][0]
    page = visit(f"/map#at=buildings/{building['id']}")
    text = page.locator("[data-field=height] dd").inner_text()
    assert text == f"{building['properties']['height']:g} m"


def test_keyboard_alone_identifies_and_closes(visit: Visit, poi: dict[str, Any]) -> None:
    page = visit(f"/map{at(poi)}")
    page.focus("canvas.maplibregl-canvas")
    page.keyboard.press("Enter")
    page.wait_for_selector(".results .item")
    page.keyboard.press("Escape")
    page.wait_for_selector(".results", state="detached")


def test_search_finds_by_part_of_a_name_and_goes_there(visit: Visit, poi: dict[str, Any]) -> None:
    page = visit("/map")
    page.keyboard.press("Control+k")
    page.keyboard.type(poi["properties"]["name"][:20])
    page.wait_for_selector(".hit")
    titles = page.locator(".hit-title").all_inner_texts()
    assert poi["properties"]["name"] in titles
    for _ in range(titles.index(poi["properties"]["name"]) + 1):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector(".attributes")
    rest(page)
    assert page.locator(".item-title").inner_text() == poi["properties"]["name"]
    assert page.evaluate("() => citymap.map.querySourceFeatures('selection').length") > 0


def test_search_takes_coordinates_and_goes_there(visit: Visit, poi: dict[str, Any]) -> None:
    lon, lat = (round(value, 4) for value in poi["geometry"]["coordinates"])
    page = visit("/map")
    page.fill("#search", f"{lat} {lon}")
    page.wait_for_selector(".hit")
    page.keyboard.press("Enter")
    rest(page)
    west, south, east, north = page.evaluate("() => citymap.map.getBounds().toArray().flat()")
    assert west < lon < east and south < lat < north and east - west < 0.1
    read = "async (text) => (await import('/static/map/geometry.js')).parseCoordinates(text)"
    for text in ("114.9,30.4", "30.4 114.9", "北纬30.4，东经114.9", "30.4°N 114.9°E", "１１４．９，３０．４"):
        assert page.evaluate(read, text) == {"lng": 114.9, "lat": 30.4}, text
    assert page.evaluate(read, "33.9S 151.2E") == {"lng": 151.2, "lat": -33.9}
    for text in ("114.9", "人民路 12", "200,30", "1 2 3", "12,34号"):
        assert page.evaluate(read, text) is None, text


def test_search_text_is_data_not_filter(visit: Visit) -> None:
    page = visit("/map")
    page.fill("#search", "50%_' OR 1=1 --")
    page.wait_for_selector(".hits .hint")
    assert page.locator(".hit").count() == 0 and page.locator(".trouble").count() == 0


def test_layer_switch_and_fade_change_the_map_and_the_link(visit: Visit) -> None:
    page = visit("/map")
    page.locator("[data-layer=water] .switch").click()
    page.locator("[data-layer=roads] .fold").click()
    page.locator("[data-layer=roads] input[type=range]").fill("50")
    rest(page)
    assert page.evaluate("() => citymap.map.getLayoutProperty('water', 'visibility')") == "none"
    assert page.evaluate("() => citymap.map.getPaintProperty('roads-fill', 'line-opacity')") == 0.5
    link = page.evaluate("() => location.href")
    again = visit(link[link.index("/map") :])
    assert again.evaluate("() => citymap.map.getLayoutProperty('water', 'visibility')") == "none"
    assert again.evaluate("() => citymap.map.getPaintProperty('roads-fill', 'line-opacity')") == 0.5


def test_third_dimension_raises_the_buildings(visit: Visit, poi: dict[str, Any]) -> None:
    page = visit(f"/map{at(poi, 16)}")
    assert page.evaluate("() => citymap.map.queryRenderedFeatures({layers: ['buildings-3d']}).length") == 0
    page.get_by_role("button", name="三维建筑", exact=True).click()
    page.wait_for_timeout(900)
    rest(page)
    assert page.evaluate("() => citymap.map.getPitch()") > 40
    assert page.evaluate("() => citymap.map.queryRenderedFeatures({layers: ['buildings-3d']}).length") > 0


def test_dark_mode_follows_the_system_and_the_button(visit: Visit) -> None:
    ground = "() => citymap.map.getPaintProperty('background', 'background-color')"
    page = visit("/map", color_scheme="dark")
    dark = page.evaluate(ground)
    page.get_by_label("浅色").click()
    page.wait_for_selector("html[data-theme=light]", state="attached")
    rest(page)
    assert page.evaluate(ground) != dark
    page.reload()
    rest(page)
    assert page.evaluate("() => document.documentElement.dataset.theme") == "light"


def test_language_switch_keeps_the_view(visit: Visit, poi: dict[str, Any]) -> None:
    page = visit(f"/map{at(poi, 15)}")
    page.get_by_label("EN English").click()
    page.wait_for_selector("html[lang=en]", state="attached")
    rest(page)
    assert page.title() == "Map · CityMap"
    assert page.locator(".layers h2").inner_text() == "Layers"
    assert abs(page.evaluate("() => citymap.map.getZoom()") - 15) < 0.01


def test_phone_shows_the_map_and_opens_layers_as_a_sheet(visit: Visit) -> None:
    page = visit("/map", **PHONE)
    assert page.locator(".layers").count() == 0
    page.get_by_label("图层", exact=True).tap()
    box = page.locator(".layers").bounding_box()
    assert box and box["width"] == 390 and box["y"] > 300
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("options", [{**DESKTOP}, {**DESKTOP, "color_scheme": "dark"}, {**PHONE}])
def test_page_with_everything_open_meets_wcag(visit: Visit, poi: dict[str, Any], options: dict[str, Any]) -> None:
    page = visit(f"/map{at(poi)}", **options)
    page.focus("canvas.maplibregl-canvas")
    page.keyboard.press("Enter")
    page.wait_for_selector(".attributes")
    if page.locator(".layers").count():
        page.locator("[data-layer=pois] .fold").click()
    page.fill("#search", poi["properties"]["name"][:1])
    page.wait_for_selector(".hit")
    page.evaluate((NODE_MODULES / "axe-core/axe.min.js").read_text("utf-8"))
    violations = page.evaluate("() => axe.run()")["violations"]
    assert [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in violations] == []


def test_failing_tiles_are_reported_and_can_be_retried(visit: Visit) -> None:
    def fail_tiles(page: Page) -> None:
        page.route("**/tiles/**", lambda route: route.fulfill(status=503, body="{}"))

    page = visit("/map", prepare=fail_tiles)
    page.wait_for_selector(".notice.warn")
    assert "503" in page.locator(".notice.warn").inner_text()
    page.unroute("**/tiles/**")
    page.get_by_role("button", name="重试").click()
    page.wait_for_selector(".notice.warn", state="detached")
    rest(page)
    assert page.evaluate("() => citymap.map.queryRenderedFeatures({layers: ['roads-fill']}).length") > 0


def test_failing_style_names_cause_cure_and_request(visit: Visit) -> None:
    def fail_style(page: Page) -> None:
        answer = {"status": 500, "headers": {"x-request-id": "r-17"}, "json": {"description": "库在维护"}}
        page.route("**/styles/city**", lambda route: route.fulfill(**answer))

    page = visit("/map", ready=False, prepare=fail_style)
    text = page.locator(".trouble").inner_text()
    assert "500" in text and "库在维护" in text and "r-17" in text and "重试" in text


def test_unknown_linked_feature_is_explained(visit: Visit) -> None:
    page = visit(f"/map#at={quote('pois')}/99999999")
    assert "404" in page.locator(".results .trouble").inner_text()


def test_city_without_data_says_what_to_do(visit: Visit) -> None:
    def empty(page: Page) -> None:
        def answer(route: Any) -> None:
            style = route.fetch().json()
            style["metadata"]["citymap:bounds"] = None
            for layer in style["metadata"]["citymap:layers"]:
                layer["extent"] = None
            route.fulfill(json=style)

        page.route("**/styles/city**", answer)

    page = visit("/map", prepare=empty)
    assert "导入" in page.locator(".notice").inner_text()
