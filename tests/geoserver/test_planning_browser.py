"""The planner's day in a real Chromium over the real server: import, conflict, fix, apply, step by step to approval."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, unquote

import numpy as np
import pytest
import requests
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from scipy import ndimage

from planning.boundary.reader import read_boundary_points
from planning.options import PlanningOptions
from tests.geoserver.visits import PHONE, Visit, faults, fits, sign_in, visitor
from tests.geoserver.workshop import working
from tests.planning.boundary_files import HEADER, PARCEL, SOUND, spoiled
from tests.planning.http_site import Site, open_site

pytestmark = pytest.mark.browser

#: A blue line over the eastern ten metres of the sound parcel.
_BLUE = """INSERT INTO city.control_lines (geom, kind, name, code, plan, version, status, approved_on)
    SELECT ST_Multi(ST_Transform(ST_MakeEnvelope(586490, 3364700, 586600, 3365000, 4547), 4490)),
        'blue', '长港蓝线', 'LX-1', '规划', '2024', 'approved', '2024-01-01'"""

#: The colour of the pen's handles.
_PEN = (63, 151, 224)
#: Corners of a square of 50 m: north and east of its south-western one.
_SQUARE = ((50, 0), (50, 50), (0, 50), (0, 0))


@pytest.fixture(scope="module")
def site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("planning")
    directories = {"SERVER__UPLOADS__DIRECTORY": str(folder / "up"), "RASTERS__DIRECTORY": str(folder / "r")}
    with open_site(postgres_url, template_name, folder, "page") as found, working(found.database, **directories):
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


def handles(page: Page) -> list[tuple[float, float]]:
    """Where the pen's corner handles are seen on the map [px of the page], by their blue: sides are larger spots."""
    box = page.locator(".map canvas").first.bounding_box()
    assert box
    picture = Image.open(io.BytesIO(page.screenshot(clip=box))).convert("RGB")
    near = np.abs(np.asarray(picture).astype(int) - _PEN).max(axis=-1) < 12
    spots, count = ndimage.label(near)
    labels = range(1, count + 1)
    sizes = ndimage.sum_labels(near, spots, labels)
    centres = ndimage.center_of_mass(near, spots, labels)
    return [(box["x"] + x, box["y"] + y) for (y, x), size in zip(centres, sizes, strict=True) if 50 < size < 200]


def test_a_corner_is_dragged_on_the_map_and_a_building_drawn_there_throws_its_shadow(visit: Visit) -> None:
    page = visit("/planning#tab=draft", "chen")
    page.wait_for_selector(".map[data-ready=true]", timeout=60_000)
    bring(page, SOUND)
    verdict(page, "blocked")
    page.get_by_role("button", name="在图上改界址点").click()
    page.wait_for_selector("[data-pen=ready]", timeout=60_000)
    found: list[tuple[float, float]] = []
    for _ in range(60):  # drawn when the map comes to rest
        found = handles(page)
        if len(found) == 4:
            break
        page.wait_for_timeout(500)
    assert len(found) == 4  # none lies under what floats over the map
    (west, _), (east, south) = min(found), max(found, key=sum)
    page.mouse.move(east, south)
    page.mouse.down()
    page.mouse.move(east - (east - west) / 5, south, steps=8)
    page.mouse.up()
    # It is checked on the way too, where the hand is slow: the area says when the last of it has been.
    nine_tenths = re.compile(r"\b(8,9[2-9]|9,0[0-8])\d\.\d\d")
    expect(page.locator("[data-area=plane]")).to_contain_text(nine_tenths, timeout=90_000)
    page.locator("summary", has_text="界址点").click()
    value = page.input_value
    assert float(value("[data-point=J3][data-axis=y]")) == pytest.approx(586480, abs=1.5)
    assert [value(f"[data-point={n}][data-axis={axis}]") for n in ("J1", "J2", "J4") for axis in "xy"] == [
        "3364900.000", "586400.000", "3364900.000", "586500.000", "3364800.000", "586400.000",
    ]  # fmt: skip
    page.get_by_role("button", name="撤销").click()
    expect(page.locator("[data-area=plane]")).to_contain_text("10,000.00", timeout=60_000)

    page.click("[data-tab=scheme]")
    page.click("[data-draw=building]")
    page.wait_for_selector("[data-pen=ready]", timeout=60_000)
    middle, side = ((west + east) / 2, south - (east - west) / 2), (east - west) / 6
    for dx, dy in ((-1, -1), (1, -1), (1, 1), (-1, 1), (-1, 1)):
        page.mouse.click(middle[0] + dx * side, middle[1] + dy * side)
        page.wait_for_timeout(350)  # two clicks within a third of a second would be one double click
    page.locator("table input").last.fill("30")
    page.keyboard.press("Tab")
    page.fill("[name=time]", "2026-12-22T13:00")
    page.click("[data-run=shadows]")
    told = page.locator("[data-shadows]")
    expect(told).to_contain_text("1 栋建筑", timeout=60_000)
    expect(told).to_contain_text("dem 在此没有高程")
    assert faults(page) == []


def given(north: int, size: int = 50, west: int = 586400) -> dict[str, object]:
    """A square parcel whose south-western corner is there, as import-boundary-points gives it."""
    corners = [(north + size, west), (north + size, west + size), (north, west + size), (north, west)]
    return {"zone": 38, "rings": [[{"name": f"J{n}", "x": x, "y": y} for n, (x, y) in enumerate(corners, 1)]]}


def publicised(site: Site, name: str, north: int, west: int = 586400) -> str:
    """The number of a red line that is before the public."""
    parcels = [given(north, west=west)]
    number: str = site.done("apply-redline", "chen", name=name, land_code="0901", parcels=parcels)["number"]
    site.done("check-redline", "zhou", redline=number)
    site.done("advance-redline", "zhou", redline=number, step="examine")
    site.done("advance-redline", "wu", redline=number, step="set-conditions", conditions="容积率 ≤ 2.0")
    today = PlanningOptions().today()
    words = {
        "title": f"{name}公示",
        "text": "现予公示。",
        "begins": str(today),
        "ends": str(today + timedelta(days=10)),
    }
    site.done("advance-redline", "zhou", redline=number, step="publicise", publicity=words)
    return number


def test_what_the_public_says_is_decided_on_and_the_notice_closed(visit: Visit, site: Site) -> None:
    number = publicised(site, "滨江学校", 3365200)
    [notice] = [
        one
        for one in requests.get(f"{site.url}/notices", params={"f": "json"}, timeout=30).json()["notices"]
        if one["title"].startswith("滨江学校")
    ]
    said = [{"stance": "suggest", "comment": "多留绿地"}, {"stance": "oppose", "comment": "胡言乱语"}]
    for body in said:
        requests.post(f"{site.url}{notice['page']}/comments", json=body, timeout=30).raise_for_status()
    page = visit("/planning#tab=notices", "zhou")
    page.locator("[data-notice]", has_text="滨江学校").first.click()
    good, bad = (page.locator("[data-comment]", has_text=one["comment"]) for one in said)
    expect(bad.get_by_role("button", name="不予公布")).to_be_disabled()  # it takes a reason
    good.locator("textarea").fill("已采纳")
    good.get_by_role("button", name="公布", exact=True).click()
    expect(good).to_have_attribute("data-status", "published", timeout=30_000)
    bad.locator("textarea").fill("与公示无关")
    bad.get_by_role("button", name="不予公布").click()
    expect(bad).to_have_attribute("data-status", "rejected", timeout=30_000)
    shown = requests.get(f"{site.url}/collections/published-comments/items", timeout=30).json()["features"]
    assert [(f["properties"]["comment"], f["properties"]["reply"]) for f in shown] == [("多留绿地", "已采纳")]
    found = faults(page)
    page.get_by_role("button", name="结束公示并汇总意见").click()
    expect(page.locator("[data-comments] [role=alert]")).to_contain_text("公示期")  # it lasts still
    site.sql(f"UPDATE city.notices SET begins = begins - 30, ends = ends - 30 WHERE redline = '{number}'")
    page.fill("[data-comments] textarea[name=words]", "绿地率提高到 35%。")
    page.get_by_role("button", name="结束公示并汇总意见").click()
    expect(page.locator(".said-text", has_text="绿地率提高到 35%")).to_be_visible(timeout=30_000)
    assert found == []


def test_lines_are_merged_and_split_on_the_page_and_their_data_come_as_one_zip(
    visit: Visit, site: Site, tmp_path: Path
) -> None:
    numbers = [publicised(site, name, 3365400, west) for name, west in (("西地块", 586400), ("东地块", 586450))]
    site.sql("UPDATE city.notices SET begins = begins - 30, ends = ends - 30 WHERE ends >= current_date")
    for number in numbers:
        site.done("allocate-redline", "zheng", redline=number)
    page = visit(f"/planning#tab=lines&line={quote(numbers[0])}", "zheng")
    page.click("[data-act=replace]")
    page.fill("dialog [name=others]", numbers[1])
    page.fill("dialog [name=opinion]", "合并开发")
    page.click("[data-perform]")
    line = page.locator(".line[data-state=approved]")
    expect(line).not_to_have_attribute("data-line", numbers[0], timeout=60_000)
    merged = line.get_attribute("data-line")
    assert merged and merged not in numbers
    expect(page.locator(".line .facts")).to_contain_text("5,000.00 平方米")
    for number in numbers:
        expect(page.locator(".line .facts")).to_contain_text(number)

    page.click("[data-check-line]")
    page.wait_for_selector(".checked[data-verdict=clear], .checked[data-verdict=warnings]", timeout=60_000)
    page.click("[data-report=zip]")
    page.wait_for_selector("[data-report-ready]", timeout=120_000)
    with page.expect_download() as download:
        page.click("[data-report-ready] a")
    download.value.save_as(tmp_path / "report.zip")
    with zipfile.ZipFile(tmp_path / "report.zip") as bundle:
        names = {"report.pdf", "report.html", "boundary.txt", "boundary.dxf", "data.gpkg", "check.json"}
        assert set(bundle.namelist()) == names
        points = bundle.read("boundary.txt")
    assert read_boundary_points(points).parcels[0].polygon.area == 5000

    halves = "".join(
        PARCEL.replace("5,1.0000", "4,0.2500").replace("001", f"00{n}")
        + "".join(f"J{k},1,{3365400 + y}.000,{38586400 + 50 * n + x}.000\n" for k, (y, x) in enumerate(_SQUARE, 1))
        for n in range(2)
    )
    page.click("[data-tab=draft]")
    bring(page, HEADER + halves)
    page.wait_for_selector(".checked[data-check]:not([data-check=''])", timeout=60_000)
    page.click("[data-tab=lines]")
    page.click("[data-act=replace]")
    page.check("dialog input[value=split]")
    page.fill("dialog [name=opinion]", "分期实施")
    page.click("[data-perform]")
    expect(line).not_to_have_attribute("data-line", merged, timeout=60_000)
    expect(page.locator(".line .facts")).to_contain_text("2,500.00 平方米")
    assert len(site.done("redline-history", "zheng", redline=merged)["children"]) == 2


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
