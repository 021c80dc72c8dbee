"""The map page in a real Chromium, on the real server with a small sample city."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from playwright.sync_api import Page

from geoserver.web.assets import NODE_MODULES
from tests.geoserver.map_desk import PHONE, SMALL, Visit, at, pixels, rest

pytestmark = pytest.mark.browser


def violations(page: Page) -> list[Any]:
    """What axe-core finds against WCAG."""
    page.evaluate((NODE_MODULES / "axe-core/axe.min.js").read_text("utf-8"))
    found = page.evaluate("() => axe.run()")["violations"]
    return [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in found]


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


def test_chinese_names_are_drawn_from_local_fonts(desk: Page, tmp_path: Path) -> None:
    symbols = """(visibility) => citymap.map.getStyle().layers.filter((l) => l.type === 'symbol')
      .forEach((l) => citymap.map.setLayoutProperty(l.id, 'visibility', visibility))"""
    names = desk.evaluate(
        """() => citymap.map.queryRenderedFeatures()
          .filter((f) => f.layer.type === 'symbol' && /\\p{Script=Han}/u.test(f.properties.name ?? ''))
          .map((f) => f.properties.name)"""
    )
    assert names
    named = pixels(desk, tmp_path / "named.png")
    desk.evaluate(symbols, "none")
    rest(desk)
    bare = pixels(desk, tmp_path / "bare.png")
    desk.evaluate("() => citymap.restyle()")
    assert np.any(named != bare, axis=0).sum() > 40 * len(set(names))


def test_click_identifies_with_titles_and_class_names(desk: Page, live_city: str, poi: dict[str, Any]) -> None:
    desk.locator("canvas.maplibregl-canvas").click()
    item = desk.locator(f'[data-feature="pois/{poi["id"]}"]')
    item.wait_for()
    if item.locator(".item-head").get_attribute("aria-expanded") == "false":
        item.locator(".item-head").click()
    item.locator("dl").wait_for()
    schema = requests.get(f"{live_city}/collections/pois/schema?f=json&lang=zh", timeout=20).json()["properties"]
    row = item.locator("[data-field=category]")
    assert row.locator("dt").inner_text() == schema["category"]["title"] == "大类"
    assert row.locator("dd").inner_text() == schema["category"]["x-citymap-domain"][poi["properties"]["category"]]
    assert desk.evaluate("() => location.hash").endswith(f"at=pois/{poi['id']}")


def test_units_stand_behind_numbers(visit: Visit, live_city: str) -> None:
    params = {"f": "json", "limit": 1, "filter": "height > 3"}
    building = requests.get(f"{live_city}/collections/buildings/items", params=params, timeout=20).json()["features"][0]
    page = visit(f"/map#at=buildings/{building['id']}", **SMALL)
    text = page.locator("[data-field=height] dd").inner_text()
    assert text == f"{building['properties']['height']:g} m"
    page.evaluate("() => citymap.actions.openLinked('pois/99999999')")
    page.wait_for_selector(".results .trouble")
    assert "404" in page.locator(".results .trouble").inner_text()


def test_keyboard_alone_identifies_and_closes(desk: Page) -> None:
    desk.focus("canvas.maplibregl-canvas")
    desk.keyboard.press("Enter")
    desk.wait_for_selector(".results .item")
    desk.keyboard.press("Escape")
    desk.wait_for_selector(".results", state="detached")


def test_search_finds_by_part_of_a_name_and_goes_there(desk: Page, poi: dict[str, Any]) -> None:
    desk.keyboard.press("Control+k")
    desk.keyboard.type(poi["properties"]["name"][:20])
    desk.wait_for_selector(".hit")
    titles = desk.locator(".hit-title").all_inner_texts()
    assert poi["properties"]["name"] in titles
    for _ in range(titles.index(poi["properties"]["name"]) + 1):
        desk.keyboard.press("ArrowDown")
    desk.keyboard.press("Enter")
    desk.wait_for_selector(".attributes")
    rest(desk)
    assert desk.locator(".item-title").inner_text() == poi["properties"]["name"]
    assert desk.evaluate("() => citymap.map.querySourceFeatures('selection').length") > 0


def test_search_takes_coordinates_and_goes_there(desk: Page) -> None:
    lon, lat = 114.7, 30.2  # out of town, where there is nothing to draw
    desk.fill("#search", f"{lat} {lon}")
    desk.wait_for_selector(".hit")
    desk.keyboard.press("Enter")
    rest(desk)
    west, south, east, north = desk.evaluate("() => citymap.map.getBounds().toArray().flat()")
    assert west < lon < east and south < lat < north and east - west < 0.1
    read = "async (text) => (await import('/static/map/geometry.js')).parseCoordinates(text)"
    for text in ("114.9,30.4", "30.4 114.9", "北纬30.4，东经114.9", "30.4°N 114.9°E", "１１４．９，３０．４"):
        assert desk.evaluate(read, text) == {"lng": 114.9, "lat": 30.4}, text
    assert desk.evaluate(read, "33.9S 151.2E") == {"lng": 151.2, "lat": -33.9}
    for text in ("114.9", "人民路 12", "200,30", "1 2 3", "12,34号"):
        assert desk.evaluate(read, text) is None, text


def test_search_text_is_data_not_filter(desk: Page) -> None:
    desk.fill("#search", "50%_' OR 1=1 --")
    desk.wait_for_selector(".hits .hint")
    assert desk.locator(".hit").count() == 0 and desk.locator(".trouble").count() == 0


def test_layer_switch_and_fade_change_the_map_and_the_link(desk: Page, visit: Visit) -> None:
    desk.get_by_label("图层", exact=True).click()
    desk.locator("[data-layer=water] .switch").click()
    desk.locator("[data-layer=roads] .fold").click()
    desk.locator("[data-layer=roads] input[type=range]").fill("50")
    rest(desk)
    assert desk.evaluate("() => citymap.map.getLayoutProperty('water', 'visibility')") == "none"
    assert desk.evaluate("() => citymap.map.getPaintProperty('roads-fill', 'line-opacity')") == 0.5
    link = desk.evaluate("() => location.href")
    again = visit(link[link.index("/map") :], **SMALL)
    assert again.evaluate("() => citymap.map.getLayoutProperty('water', 'visibility')") == "none"
    assert again.evaluate("() => citymap.map.getPaintProperty('roads-fill', 'line-opacity')") == 0.5


def test_third_dimension_raises_the_buildings(desk: Page) -> None:
    assert desk.evaluate("() => citymap.map.queryRenderedFeatures({layers: ['buildings-3d']}).length") == 0
    desk.get_by_role("button", name="三维建筑", exact=True).click()
    desk.wait_for_function("() => citymap.map.queryRenderedFeatures({layers: ['buildings-3d']}).length > 0")
    assert desk.evaluate("() => citymap.map.getPitch()") > 40
    desk.get_by_role("button", name="三维建筑", exact=True).click()


def test_dark_mode_follows_the_system_and_the_button(visit: Visit) -> None:
    ground = "() => citymap.map.getPaintProperty('background', 'background-color')"
    page = visit("/map", color_scheme="dark", **SMALL)
    dark = page.evaluate(ground)
    page.get_by_label("浅色").click()
    page.wait_for_selector("html[data-theme=light]", state="attached")
    page.wait_for_function(f"(dark) => ({ground})() !== dark", arg=dark)
    page.reload()
    rest(page)
    assert page.evaluate("() => document.documentElement.dataset.theme") == "light"
    page.get_by_label("EN English").click()
    page.wait_for_selector("html[lang=en]", state="attached")
    rest(page)
    assert page.title() == "Map · CityMap"


def test_phone_shows_the_map_opens_layers_as_a_sheet_and_meets_wcag(visit: Visit, poi: dict[str, Any]) -> None:
    page = visit(f"/map{at(poi)}", **PHONE)
    assert page.locator(".layers").count() == 0
    page.get_by_label("图层", exact=True).tap()
    box = page.locator(".layers").bounding_box()
    assert box and box["width"] == 390 and box["y"] > 300
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 390
    assert violations(page) == []


def test_page_with_everything_open_meets_wcag_by_day_and_by_night(desk: Page, poi: dict[str, Any]) -> None:
    desk.focus("canvas.maplibregl-canvas")
    desk.keyboard.press("Enter")
    desk.wait_for_selector(".attributes")
    desk.get_by_label("图层", exact=True).click()
    desk.locator("[data-layer=pois] .fold").click()
    desk.locator("[data-layer=pois]").get_by_role("button", name="属性表").click()
    desk.wait_for_selector(".rows td")
    desk.get_by_role("button", name="筛选", exact=True).click()
    desk.fill("#search", poi["properties"]["name"][:1])
    desk.wait_for_selector(".hit")
    day = violations(desk)
    desk.get_by_label("深色").click()
    desk.wait_for_selector("html[data-theme=dark]", state="attached")
    night = violations(desk)
    desk.get_by_label("浅色").click()
    assert (day, night) == ([], [])


def test_failing_tiles_are_reported_and_can_be_retried(visit: Visit) -> None:
    def fail_tiles(page: Page) -> None:
        page.route("**/tiles/**", lambda route: route.fulfill(status=503, body="{}"))

    page = visit("/map", prepare=fail_tiles, **SMALL)
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


def test_city_without_data_says_what_to_do(visit: Visit) -> None:
    def empty(page: Page) -> None:
        def answer(route: Any) -> None:
            style = route.fetch().json()
            style["metadata"]["citymap:bounds"] = None
            for layer in style["metadata"]["citymap:layers"]:
                layer["extent"] = None
            route.fulfill(json=style)

        page.route("**/styles/city**", answer)

    page = visit("/map", prepare=empty, **SMALL)
    assert "导入" in page.locator(".notice").inner_text()
