"""The light map in a real Chromium without WebGL, and without scripts, under the policy that it is sent with."""

import html
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import geopandas as gpd
import pytest
import requests
from playwright.sync_api import Browser, Page, expect
from shapely import Point

from citymap import City
from geoserver.lite.view import HEIGHT, WIDTH, View
from geoserver.web.assets import NODE_MODULES
from tests.clients.conftest import CitySite, signed_in

pytestmark = pytest.mark.browser

READY = "html[data-ready=true]"
BREACHES = "window.breaches = []; addEventListener('securitypolicyviolation', (e) => breaches.push(e.violatedDirective + e.blockedURI))"
WITHOUT_WEBGL = "HTMLCanvasElement.prototype.getContext = (get => function (kind, ...more) { return kind === 'webgl2' ? null : get.call(this, kind, ...more); })(HTMLCanvasElement.prototype.getContext)"


@pytest.fixture(scope="module")
def page(browser: Browser, city_site: CitySite) -> Iterator[Page]:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.add_init_script(BREACHES)
    page.add_init_script(WITHOUT_WEBGL)
    page.seen = []  # type: ignore[attr-defined]
    page.on("request", lambda request: page.seen.append(request.url))  # type: ignore[attr-defined]
    yield page
    context.close()


def opened(page: Page, site: CitySite, path: str) -> Page:
    page.goto(site.url + path)
    page.wait_for_selector(READY, state="attached", timeout=30_000)
    page.wait_for_selector(".leaflet-tile-loaded", timeout=30_000)
    return page


def test_a_view_that_is_cut_shows_its_box() -> None:
    view = View.of((114.90, 30.40, 114.94, 30.42))
    west, south, east, north = view.box()
    assert west < 114.90 and east > 114.94 and south < 30.40 and north > 30.42
    assert not (lambda w, s, e, n: w < 114.90 and e > 114.94 and s < 30.40 and n > 30.42)(*view.zoomed(1).box())
    assert view.moved(1, 0).box()[0] == pytest.approx(east) and view.moved(0, 1).box()[3] == pytest.approx(south)
    # 156 543.034 m a pixel at level 0 (OGC 17-083r4, WebMercatorQuad)
    assert (east - west) * 111319.4908 == pytest.approx(WIDTH * 156543.03392804 / 2**view.zoom)
    assert HEIGHT < WIDTH and View.read(str(view)).zoom == view.zoom


def test_map_is_drawn_searched_and_listed_without_webgl(page: Page, city_site: CitySite) -> None:
    opened(page, city_site, "/lite")
    page.fill("#q", "人民医院")
    page.select_option("#list", "pois")
    page.get_by_label("部件").check()
    page.get_by_role("button", name="显示").click()
    page.wait_for_selector(READY, state="attached")
    page.wait_for_selector(".leaflet-tile-loaded")
    expect(page.locator("[aria-labelledby=found] li").first).to_contain_text("人民医院")
    expect(page.locator("path.leaflet-interactive").first).to_be_attached()
    assert any("collections=city,components" in one for one in page.seen)  # type: ignore[attr-defined]
    page.locator("[aria-labelledby=found] li a").first.click()
    page.wait_for_selector(READY, state="attached")
    middle = page.evaluate("() => map_lite.getCenter()")
    (spot,) = city_site.sql("SELECT ST_X(geom), ST_Y(geom) FROM city.pois WHERE name = '人民医院'")
    assert (middle["lng"], middle["lat"]) == pytest.approx(tuple(spot), abs=1e-5)
    assert page.evaluate("breaches") == []
    assert {one.split("/")[2] for one in page.seen if one.startswith("http")} == {city_site.url[7:]}  # type: ignore[attr-defined]


def test_the_map_offers_it_where_webgl_is_missing(page: Page, city_site: CitySite) -> None:
    page.goto(f"{city_site.url}/map")
    page.get_by_role("link", name="打开轻量地图").click()
    page.wait_for_selector(READY, state="attached")
    assert page.url == f"{city_site.url}/lite"


def test_the_view_goes_with_form_and_address(page: Page, city_site: CitySite) -> None:
    opened(page, city_site, "/lite")
    page.evaluate("() => map_lite.setView([30.411, 114.905], 18, {animate: false})")
    page.select_option("#list", "pois")
    assert "at=114.905000%2C30.411000%2C18" in page.url
    page.get_by_role("button", name="显示").click()
    page.wait_for_selector("[aria-labelledby=listed]")
    west, south, east, north = View(114.905, 30.411, 18).box()
    inside = city_site.sql(
        "SELECT name FROM city.pois WHERE geom && ST_MakeEnvelope(:w, :s, :e, :n, 4490)",
        w=west,
        s=south,
        e=east,
        n=north,
    )
    rows = page.locator("[aria-labelledby=listed] li")
    assert rows.count() == len(inside) > 0
    expect(rows.first).to_contain_text(inside[0].name)


def test_everything_works_without_scripts(browser: Browser, city_site: CitySite) -> None:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = context.new_page()
    page.goto(f"{city_site.url}/lite?list=buildings&at=114.905,30.402,16")
    picture = page.locator("img.lite-picture")
    assert (
        requests.get(city_site.url + str(picture.get_attribute("src")), timeout=60).headers["Content-Type"]
        == "image/png"
    )
    (within,) = city_site.sql("SELECT count(*) FROM city.buildings WHERE geom && ST_MakeEnvelope(:w, :s, :e, :n, 4490)",
                              **dict(zip("wsen", View(114.905, 30.402, 16).box(), strict=True)))  # fmt: skip
    expect(page.locator("#listed")).to_contain_text(f"共 {within[0]} 个要素")
    seen = set()
    while True:
        seen |= set(page.locator("[aria-labelledby=listed] li a:not(.detail)").all_inner_texts())
        if page.get_by_role("link", name="下一页").count() == 0:
            break
        page.get_by_role("link", name="下一页").click()
    assert len(seen) == within[0] > 20
    before = picture.get_attribute("src")
    page.get_by_role("link", name="向东").click()
    assert picture.get_attribute("src") != before
    context.close()


def test_markup_in_names_stays_text(page: Page, city_site: CitySite) -> None:
    evil = "</script><img src=x onerror=alert(1)>`${alert(1)}`"
    (made,) = city_site.sql(
        "INSERT INTO city.pois (geom, name) VALUES (ST_SetSRID(ST_MakePoint(114.907, 30.407), 4490), :n) RETURNING id",
        n=evil,
    )
    opened(page, city_site, f"/lite?q={quote(evil)}&list=pois&at=114.907,30.407,18")
    assert page.evaluate("() => geo_json_found.getLayers().map((one) => one.feature.properties.name)")[0] == evil
    page.locator("path.leaflet-interactive").first.dispatch_event("mouseover")
    assert page.locator("main img[src=x]").count() == 0 and page.evaluate("breaches") == []
    city_site.sql("DELETE FROM city.pois WHERE id = :i", i=made.id)


@pytest.mark.parametrize(("path", "says"), [
    ("/lite?at=1,2", "114.9,30.4,15"), ("/lite?layers=cases", "cases"), ("/lite?from=-1", "from"), ("/lite?x=1", "x"), ("/lite?list=city", "list"),
    ("/lite?at=nan,1,1", "114.9"), ("/lite?layers=" + "&layers=".join(f"l{n}" for n in range(20)), "layers"),
])  # fmt: skip
def test_what_cannot_be_shown_says_why(city_site: CitySite, path: str, says: str) -> None:
    answer = requests.get(city_site.url + path, headers={"Accept": "application/json"}, timeout=30)
    assert answer.status_code == 400 and says in html.unescape(answer.text)


def test_layers_of_an_account_are_drawn_for_it_alone(city_site: CitySite) -> None:
    path = "/lite?layers=city&layers=cases&list=cases"
    page = requests.get(city_site.url + path, auth=signed_in("boss"), timeout=60)
    assert page.status_code == 200 and re.search(r"第 \d+ 号", page.text)
    assert "unsafe" not in page.headers["Content-Security-Policy"] and "private" in page.headers["Cache-Control"]


@pytest.mark.parametrize(
    "options", [{"color_scheme": "light"}, {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}}]
)
def test_page_meets_wcag_and_fits_a_phone(browser: Browser, city_site: CitySite, options: dict[str, Any]) -> None:
    context = browser.new_context(locale="zh-CN", **options)
    page = opened(context.new_page(), city_site, "/lite?q=医院&list=pois&layers=city&layers=control-lines")
    page.evaluate((NODE_MODULES / "axe-core/axe.min.js").read_text("utf-8"))
    assert [
        (rule["id"], [node["html"] for node in rule["nodes"]])
        for rule in page.evaluate("() => axe.run()")["violations"]
    ] == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_a_notebooks_map_is_drawn_by_the_city_alone(page: Page, city_site: CitySite) -> None:
    """Its HTML in a page of the city's own, as folium writes it; hostile names stay text."""
    frame = gpd.GeoDataFrame({"name": ["<img src=x onerror=alert(1)>"]}, geometry=[Point(114.905, 30.405)], crs=4326)
    with City(city_site.url) as city:
        written = city.map("buildings", frames={"<b>点</b>": frame}, tooltip=["name"]).get_root().render()
    page.route("**/notebook", lambda route: route.fulfill(content_type="text/html; charset=utf-8", body=written))
    del page.seen[:]  # type: ignore[attr-defined]
    page.goto(f"{city_site.url}/notebook")
    page.wait_for_selector(".leaflet-tile-loaded", timeout=30_000)
    page.locator("path.leaflet-interactive").first.dispatch_event("mouseover")
    expect(page.locator(".leaflet-tooltip")).to_contain_text("<img src=x onerror=alert(1)>")
    expect(page.locator(".leaflet-control-layers")).to_contain_text("<b>点</b>")
    assert {one.split("/")[2] for one in page.seen if one.startswith("http")} == {city_site.url[7:]}  # type: ignore[attr-defined]
