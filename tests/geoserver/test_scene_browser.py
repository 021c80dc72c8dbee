"""The full 3D view of the map page in a real Chromium, under the page's own policy: terrain, the drawn map and buildings that tell."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from geoserver.web.assets import NODE_MODULES
from tests.geoserver.three_d_site import COLUMNS, ROWS, SOUTH, STEP, WEST, Place, three_d_place
from tests.geoserver.visits import Visit, faults, visitor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (NODE_MODULES / "cesium").is_dir(), reason="CesiumJS is not installed (npm ci in geoserver/web)"
    ),
]

#: Small, because software draws it.
WINDOW = {"viewport": {"width": 480, "height": 360}}
COMPLETE = "html[data-scene=true]"
#: How long a loaded machine may take to draw all of it [ms].
PATIENCE = 180_000
#: A point of the canvas where a building is drawn, away from the cards.
BUILT = """() => {
  const { scene } = citymap.scene.widget;
  const told = (found) => Object.fromEntries(found.getPropertyIds().map((name) => [name, found.getProperty(name)]));
  for (let y = 150; y < 330; y += 6) for (let x = 20; x < 380; x += 6) {
    const found = scene.pick({ x, y });
    if (found?.getProperty && document.elementFromPoint(x, y) === scene.canvas) return [x, y, told(found)];
  }
  return null;
}"""


@pytest.fixture(scope="module")
def place(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    directory = tmp_path_factory.mktemp("scene")
    with three_d_place(postgres_url, template_name, f"citymap_scene_{os.getpid()}", directory) as found:
        yield found


@pytest.fixture
def visit(browser: Browser, place: Place) -> Iterator[Visit]:
    with visitor(browser, place.url) as found:
        yield found


def camera(page: Page) -> list[float]:
    found: list[float] = page.evaluate("() => citymap.scene.place()")
    return found


def ground(page: Page, lon: float, lat: float) -> Any:
    """The height of the drawn ground [m], as far as it has come."""
    cartographic = "{ longitude: lon * Math.PI / 180, latitude: lat * Math.PI / 180, height: 0 }"
    return page.evaluate(f"([lon, lat]) => citymap.scene.widget.scene.globe.getHeight({cartographic})", [lon, lat])


def test_the_full_view_stands_on_the_terrain_tells_buildings_and_is_kept_in_the_link(
    visit: Visit, place: Place
) -> None:
    seen: list[str] = []
    lon, lat = WEST + STEP * COLUMNS / 2, SOUTH + STEP * ROWS / 2
    page = visit(f"/map#map=14.2/{lat}/{lon}", **WINDOW)
    page.on("response", lambda answer: seen.append(answer.url))
    assert page.evaluate("performance.getEntriesByType('resource').every((one) => !one.name.includes('cesium'))")
    page.get_by_role("button", name="三维全景").click()
    page.wait_for_selector(COMPLETE, state="attached", timeout=PATIENCE)
    for part in ("/terrain/layer.json", ".terrain", "/styles/city/map/tiles/WebMercatorQuad/", ".glb"):
        assert any(part in url for url in seen), part

    (below,) = place.sql("SELECT ground FROM city.buildings_3d WHERE name = :n", n=f"楼{4 * ROWS + 4}号")
    assert ground(page, WEST + 4 * STEP, SOUTH + 4 * STEP) == pytest.approx(below.ground, abs=8)

    x, y, told = page.evaluate(BUILT)
    building = int(told["id"])
    item = place.get(f"/collections/buildings-3d/items/{building}?f=json").json()["properties"]
    for name in ("use", "floors", "height", "address", "height_from"):  # as CesiumJS reads them of the tile
        assert told.get(name) == item[name], name
    page.mouse.click(x, y)
    expect(page.locator(f".results [data-feature='buildings-3d/{building}'] dl")).to_be_visible(timeout=PATIENCE)
    (row,) = place.sql("SELECT name, year_built FROM city.buildings WHERE id = :i", i=building)
    expect(page.locator(".results .item-title")).to_have_text(row.name)
    expect(page.locator(".results [data-field=year_built] dd")).to_have_text(str(row.year_built))
    assert f"at=buildings-3d/{building}" in page.url
    page.keyboard.press("Escape")
    expect(page.locator(".results")).to_have_count(0)

    page.focus(".scene canvas")
    before = camera(page)
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowUp")
    after = camera(page)
    assert before[3] != after[3] and before[:2] != after[:2] and abs(before[2] - after[2]) < 60
    page.wait_for_function("(place) => location.hash.includes(`scene=${place.join(',')}`)", arg=after, timeout=PATIENCE)
    assert faults(page) == []

    page.reload()
    page.wait_for_function("() => globalThis.citymap?.scene", timeout=PATIENCE)
    assert camera(page) == pytest.approx(after, abs=0.2)
    view = page.evaluate("() => citymap.scene.view()")
    page.get_by_role("button", name="回到平面地图").click()
    expect(page.locator(".scene")).to_have_count(0)
    centre = page.evaluate("() => citymap.map.getCenter()")
    assert (centre["lng"], centre["lat"]) == pytest.approx((view["lng"], view["lat"]), abs=1e-4)
    assert "scene=" not in page.url


def test_a_view_that_does_not_come_says_why_and_leads_back(visit: Visit) -> None:
    page = visit("/map", **WINDOW)
    page.route("**/vendor/cesium/index.js", lambda route: route.abort())
    page.get_by_role("button", name="三维全景").click()
    trouble = page.locator(".centre [role=alert]")
    expect(trouble).to_contain_text("npm ci", timeout=PATIENCE)
    page.locator(".centre").get_by_role("button", name="回到平面地图").click()
    expect(trouble).to_have_count(0)
    expect(page.locator(".map canvas")).to_be_visible()
