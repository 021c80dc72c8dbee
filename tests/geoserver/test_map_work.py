"""Working on the map page in a real Chromium: live tiles, layers, table, measuring, editing, past states, print."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, Route, expect
from pyproj import Geod, Transformer

from layers.database import Database
from layers.versions.names import forget_version, name_version
from tests.geoserver.map_desk import SMALL, Visit, rest

pytestmark = pytest.mark.browser

GEOD = Geod(ellps="GRS80")


class Spot:
    """Features that a test makes and takes away again."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.made: list[str] = []

    def put(self, layer: str, geometry: dict[str, Any], **properties: Any) -> str:
        body = {"type": "Feature", "geometry": geometry, "properties": properties}
        answer = requests.post(f"{self.url}/collections/{layer}/items", json=body, timeout=20)
        answer.raise_for_status()
        self.made.append(answer.headers["Location"])
        return answer.headers["Location"].rsplit("/", 1)[1]

    def items(self, layer: str, **params: Any) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.url}/collections/{layer}/items", params={"f": "json", **params}, timeout=20)
        found: list[dict[str, Any]] = answer.json()["features"]
        return found

    def hits(self, layer: str, text: str) -> int:
        params = {"f": "json", "resulttype": "hits", "filter": text}
        answer = requests.get(f"{self.url}/collections/{layer}/items", params=params, timeout=20)
        return int(answer.json()["numberMatched"])


@pytest.fixture
def spot(live_city: str) -> Iterator[Spot]:
    spot = Spot(live_city)
    yield spot
    for address in spot.made:
        requests.delete(address, timeout=20)


def point(lon: float, lat: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}


def centre(page: Page) -> tuple[float, float]:
    lon, lat = page.evaluate("() => citymap.map.getCenter().toArray()")
    return lon, lat


def drawn(page: Page, name: str) -> str:
    """JavaScript: whether a feature of that name is drawn."""
    return f"() => citymap.map.queryRenderedFeatures().some((f) => f.properties.name === {json.dumps(name)})"


def open_layer(page: Page, layer: str) -> None:
    page.get_by_label("图层", exact=True).click()
    page.locator(f"[data-layer={layer}] .fold").click()


def test_changed_tiles_come_by_themselves_and_no_others(desk: Page, spot: Spot) -> None:
    lon, lat = centre(desk)
    spot.put("pois", point(lon + 0.0004, lat), name="新亭", category="tourism")
    desk.wait_for_function(drawn(desk, "新亭"))
    asked = [url.partition("/tiles/")[2].partition("#")[0] for url in desk.seen if "/tiles/" in url]  # type: ignore[attr-defined]
    assert asked and all(url.startswith("WebMercatorQuad/16/") and url.endswith("=buildings,pois") for url in asked)
    column = int((lon + 0.0004 + 180) / 360 * 2**16)
    assert {int(url.split("/")[3].split("?")[0]) for url in asked} <= {column - 1, column, column + 1}
    # Changed out of sight, first seen afterwards: what the map keeps for panning back must not be shown.
    desk.evaluate("([x, y]) => citymap.map.jumpTo({ center: [x + 0.03, y] })", [lon, lat])
    rest(desk)
    spot.put("pois", point(lon - 0.0004, lat), name="旧亭", category="tourism")
    desk.wait_for_function("() => (citymap.store.get().changes.pois ?? 0) >= 2")
    desk.evaluate("(c) => citymap.map.jumpTo({ center: c })", [lon, lat])
    desk.wait_for_function(drawn(desk, "旧亭"))


def test_tiles_of_all_levels_in_view_are_told_apart(desk: Page) -> None:
    told = {"0": [0, 0, 0, 0], "15": [0, 0, 40000, 40000], "16": [0, 0, 1, 1]}
    find = "async (told) => (await import('/static/map/live.js')).tilesInView(citymap.map, told)"
    tiles = desk.evaluate(find, told)
    (west, south), (east, north) = desk.evaluate("() => citymap.map.getBounds().toArray()")
    to_metres = Transformer.from_crs(4326, 3857, always_xy=True)
    (x0, y0), (x1, y1) = to_metres.transform(west, north), to_metres.transform(east, south)
    size, edge = 2 * 20037508.342789244 / 2**15, 20037508.342789244
    columns = range(int((x0 + edge) // size), int((x1 + edge) // size) + 1)
    rows = range(int((edge - y0) // size), int((edge - y1) // size) + 1)
    wanted = {(15, x, y) for x, y in itertools.product(columns, rows)} | {(0, 0, 0)}
    assert {(tile["z"], tile["x"], tile["y"]) for tile in tiles} == wanted


def test_layers_are_found_by_pinyin_and_drawn_in_the_order_of_the_list(desk: Page) -> None:
    desk.get_by_label("图层", exact=True).click()
    desk.fill("#layer-search", "kzx")
    assert set(desk.locator(".layer-title").all_inner_texts()) == {"控制性详细规划", "城市控制线"}
    desk.fill("#layer-search", "chengshi kongzhi")
    assert desk.locator(".layer-title").all_inner_texts() == ["城市控制线"]
    desk.locator("[data-layer=control-lines] .switch").click()
    desk.fill("#layer-search", "")
    desk.locator("[data-layer=control-plan] .switch").click()
    order = """() => citymap.map.getStyle().layers.map((l) => l.metadata?.['citymap:layer'])
      .filter((id) => id?.startsWith('control-')).filter((id, n, all) => id !== all[n - 1])"""
    assert [v for v in desk.evaluate(order) if v != "control-zones"][:2] == ["control-lines", "control-plan"]
    desk.get_by_label("上移 城市控制线").click()
    rest(desk)
    assert [v for v in desk.evaluate(order) if v != "control-zones"][:2] == ["control-plan", "control-lines"]
    assert "order=control-lines,control-plan" in desk.evaluate("() => location.hash")
    desk.get_by_label("下移 城市控制线").click()


def test_table_is_sorted_filtered_and_linked_to_the_map(desk: Page, spot: Spot, live_city: str) -> None:
    open_layer(desk, "buildings")
    desk.locator("[data-layer=buildings]").get_by_role("button", name="属性表").click()
    desk.get_by_role("button", name="高度", exact=True).click()
    desk.get_by_role("button", name="高度", exact=True).click()
    tallest = spot.items("buildings", sortby="-height", limit=1)[0]
    expect(desk.locator(".rows tbody tr").first).to_contain_text(f"{tallest['properties']['height']:g} m")
    desk.get_by_role("button", name="筛选", exact=True).click()
    desk.get_by_label("字段").select_option("use")
    desk.get_by_label("值", exact=True).select_option("hospital")
    count = spot.hits("buildings", "use = 'hospital'")
    expect(desk.locator(".found-count")).to_have_text(f"符合条件 {count} 个")
    desk.get_by_role("button", name="应用").click()
    expect(desk.locator(".drawer h2 + p")).to_have_text(f"{count} 个要素")
    desk.wait_for_function("() => citymap.map.getSource('hits')")
    address = desk.evaluate("() => citymap.actions.tableAddress('json')")
    assert requests.get(address, params={"resulttype": "hits"}, timeout=20).json()["numberMatched"] == count
    desk.locator(".rows tbody tr").first.click()
    desk.wait_for_selector(".rows tr.chosen")
    rest(desk)
    assert desk.evaluate("() => citymap.map.querySourceFeatures('selection').length") > 0
    desk.wait_for_function("() => citymap.map.queryRenderedFeatures({ layers: ['hits-fill'] }).length > 0")


def test_conditions_become_cql2_that_means_what_they_say(desk: Page, spot: Spot) -> None:
    write = """async ([conditions, joint]) => {
      const { filterText } = await import('/static/map/table/cql2.js');
      const schema = await (await fetch('/collections/pois/schema?f=json')).json();
      return filterText(conditions, joint, schema);
    }"""
    spot.put("pois", point(114.9, 30.4), name="50%_'号", kind="x")
    odd = {"field": "name", "operator": "has", "value": "%_'"}
    blank = {"field": "kind", "operator": "is", "value": ""}
    assert spot.hits("pois", desk.evaluate(write, [[odd, blank], "AND"])) == 1
    rows = spot.items("pois", limit=1000)
    schools = {"field": "category", "operator": "is", "value": "education"}
    nameless = {"field": "phone", "operator": "empty"}
    either = [r for r in rows if r["properties"]["category"] == "education" or r["properties"]["phone"] is None]
    assert spot.hits("pois", desk.evaluate(write, [[schools, nameless], "OR"])) == len(either)


def test_measure_by_keyboard_agrees_with_the_geodesic(desk: Page) -> None:
    desk.get_by_role("button", name="量测").click()
    corners = [centre(desk)]
    desk.keyboard.press("Enter")
    for key in ("ArrowRight", "ArrowDown"):
        desk.keyboard.press(key)
        rest(desk)
        corners.append(centre(desk))
        desk.keyboard.press("Enter")
    desk.get_by_role("button", name="面积").click()
    desk.wait_for_function("() => citymap.store.get().measure.result?.area")
    result = desk.evaluate("() => citymap.store.get().measure.result")
    lons, lats = zip(*corners, strict=True)
    area, perimeter = GEOD.polygon_area_perimeter(lons, lats)
    assert result["geodesic_area"] == pytest.approx(abs(area), rel=1e-6)
    assert result["geodesic_length"] == pytest.approx(perimeter, abs=1e-3)
    assert "EPSG:4547" in desk.locator(".measure p.sub").inner_text()
    desk.focus("canvas.maplibregl-canvas")
    desk.keyboard.press("Escape")
    desk.wait_for_selector(".measure", state="detached")


def test_shape_is_drawn_onto_a_corner_undone_saved_changed_and_deleted(desk: Page, spot: Spot) -> None:
    building = next(f for f in spot.items("buildings", limit=200) if len(f["geometry"]["coordinates"][0]) == 1)
    corner = building["geometry"]["coordinates"][0][0][0]
    desk.evaluate("(c) => citymap.map.jumpTo({ center: c, zoom: 18 })", corner)
    desk.evaluate("() => citymap.actions.createFeature('control-zones')")
    with desk.expect_response(lambda r: "/collections/buildings/items" in r.url):
        desk.wait_for_selector(".edit .field")
    rest(desk)
    x, y = desk.evaluate("(c) => Object.values(citymap.map.project(c)).slice(0, 2)", corner)
    for dx, dy in ((6, 3), (140, 0), (140, 110)):
        desk.mouse.move(x + dx - 2, y + dy)
        desk.mouse.click(x + dx, y + dy)
    desk.keyboard.press("Enter")
    desk.wait_for_function("() => citymap.store.get().edit.parts === 1")
    desk.fill("[data-field=name] input", "试验区")
    desk.get_by_role("button", name="撤销", exact=True).click()
    desk.wait_for_function("() => citymap.store.get().edit.parts === 0")
    desk.get_by_role("button", name="重做", exact=True).click()
    desk.wait_for_function("() => citymap.store.get().edit.parts === 1")
    desk.get_by_role("button", name="保存").click()
    desk.wait_for_selector(".results [data-field=name]")
    [made] = spot.items("control-zones", filter="name = '试验区'")
    spot.made.append(f"{spot.url}/collections/control-zones/items/{made['id']}")
    assert corner[:2] in made["geometry"]["coordinates"][0][0]
    # Somebody else is faster: the page says so, and keeps what was entered.
    desk.get_by_role("button", name="编辑", exact=True).click()
    desk.wait_for_selector(".edit .field")
    patch = {"properties": {"name": "别人改的"}}
    requests.patch(spot.made[-1], json=patch, headers={"Content-Type": "application/merge-patch+json"}, timeout=20)
    desk.fill("[data-field=name] input", "我改的")
    desk.get_by_role("button", name="保存").click()
    expect(desk.locator(".edit .trouble")).to_contain_text("412")
    assert desk.locator("[data-field=name] input").input_value() == "我改的"
    desk.get_by_role("button", name="取消", exact=True).last.click()
    desk.evaluate("(id) => citymap.actions.editFeature('control-zones', id)", made["id"])
    desk.get_by_role("button", name="删除", exact=True).click()
    desk.locator(".confirm .danger").click()
    desk.wait_for_selector(".edit", state="detached")
    assert requests.get(spot.made.pop(), timeout=20).status_code == 404


def test_who_may_not_edit_is_offered_no_editing(desk: Page, poi: dict[str, Any]) -> None:
    def refuse(route: Route) -> None:
        route.fulfill(
            status=204, headers={"Allow": "GET, HEAD, OPTIONS"}
        ) if route.request.method == "OPTIONS" else route.continue_()

    pattern = "**/collections/pois/items**"
    desk.route(pattern, refuse)
    with desk.expect_response(lambda r: r.request.method == "OPTIONS"):
        desk.evaluate("(id) => citymap.actions.openLinked(`pois/${id}`)", poi["id"])
    desk.wait_for_selector(".results .attributes")
    assert desk.get_by_role("button", name="编辑", exact=True).count() == 0
    desk.unroute(pattern)


@pytest.fixture
def census(city_database: str) -> Iterator[str]:
    """A name for the state of the points of interest; its instant, to the microsecond."""
    database = Database(city_database, pool_size=1)
    with database.transaction() as conn:
        found = name_version(conn, "二〇二六年普查", ["pois"], note="经验收")
    yield found.at.isoformat().replace("+00:00", "Z")
    with database.transaction() as conn:
        forget_version(conn, "二〇二六年普查")
    database.close()


def test_map_goes_back_to_a_named_version_and_compares_two_instants(desk: Page, spot: Spot, census: str) -> None:
    lon, lat = centre(desk)
    desk.wait_for_timeout(1100)
    spot.put("pois", point(lon + 0.0004, lat + 0.0002), name="后来的亭", category="tourism")
    desk.wait_for_function(drawn(desk, "后来的亭"))
    desk.get_by_role("button", name="时间与对比").click()
    desk.get_by_label("命名版本").select_option("二〇二六年普查")
    desk.wait_for_function("() => !(" + drawn(desk, "后来的亭") + ")()")
    expect(desk.locator(".instant strong")).to_contain_text("二〇二六年普查")
    expect(desk.locator(".notice.warn")).to_contain_text("二〇二六年普查")
    # to the microsecond, as nothing else shows the state that was named, and in the link
    assert desk.evaluate("() => citymap.store.get().asOf") == census
    assert f"asof={census}" in desk.evaluate("() => location.hash")
    desk.get_by_label("卷帘对比两个时刻").check()
    desk.wait_for_selector(".map.beside[data-ready=true]", state="attached", timeout=60_000)
    desk.focus(".divider")
    desk.keyboard.press("ArrowLeft")
    assert desk.locator(".map.beside").evaluate("(e) => e.style.clipPath") == "inset(0px 0px 0px 48%)"
    desk.get_by_label("关闭，回到现在").click()
    desk.wait_for_function(drawn(desk, "后来的亭"))
    assert desk.locator(".map.beside").count() == 0


def test_search_understands_survey_coordinates_and_pinyin(desk: Page) -> None:
    lon, lat = 114.9, 30.4
    east, north = Transformer.from_crs(4490, 4547, always_xy=True).transform(lon, lat)
    for text in (
        f"{east:.3f} {north:.3f}",
        f"{north:.3f}, {east:.3f}",
        f"38{east:.3f},{north:.3f}",
        f"EPSG:4547 {east:.3f} {north:.3f}",
    ):
        desk.fill("#search", text)
        expect(desk.locator(".hit-note")).to_contain_text("CGCS2000 / 3-degree Gauss-Kruger")
        assert desk.locator(".hit-title").inner_text() == "114.90000°E 30.40000°N", text
        desk.fill("#search", "")
        desk.wait_for_selector(".hits", state="detached")
    desk.fill("#search", "ningshagongyuan")
    desk.wait_for_selector(".hit-title:has-text('宁沙公园')")


def test_sheet_for_the_printer_has_map_scale_and_legend(visit: Visit) -> None:
    stub = "window.print = () => { document.documentElement.dataset.printed = 'yes'; }"
    page = visit("/map#on=control-lines", prepare=lambda p: p.add_init_script(stub), **SMALL)
    page.get_by_role("button", name="打印与图片").click()
    page.get_by_role("button", name="打印或存 PDF").click()
    page.wait_for_selector("html[data-printed=yes]", state="attached")
    page.emulate_media(media="print")
    assert page.locator(".sheet h1").inner_text() == "城市控制线"
    assert "城市绿线" in page.locator(".sheet-legend").inner_text()
    colours = page.locator(".sheet img").evaluate("""(image) => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 60, height: 30 });
      const context = canvas.getContext('2d');
      context.drawImage(image, 0, 0, 60, 30);
      return new Set(Array.from({ length: 1800 }, (_, n) => context.getImageData(n % 60, Math.floor(n / 60), 1, 1).data.join())).size;
    }""")
    assert colours > 20
    assert page.locator(".search").is_hidden() and page.complaints == []  # type: ignore[attr-defined]
