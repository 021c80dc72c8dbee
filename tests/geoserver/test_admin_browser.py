"""The steward's day in a real Chromium: a GBK shapefile is previewed, imported, named, styled, undone; and the operators'."""

import io
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from playwright.sync_api import Browser, Page, expect

from tests.geoserver.job_site import JobSite, job_site
from tests.geoserver.visits import PHONE, Visit, faults, fits, visitor
from tests.geoserver.workshop import working
from tests.people import PASSWORD, employ

pytestmark = pytest.mark.browser

NAMES = ("滨湖公园", "长港驿站", "洋澜湖泵站")


@pytest.fixture(scope="module")
def site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JobSite]:
    directory = tmp_path_factory.mktemp("admin")
    with job_site(postgres_url, template_name, f"citymap_admin_{os.getpid()}", directory) as found:
        with found.database.transaction() as conn:
            employ(conn, "guan", "administrator")
            employ(conn, "gui", "planner")
            employ(conn, "anquan", "security-administrator")
            employ(conn, "shen", "audit-administrator")
            employ(conn, "wangge", "grid-worker")
        with working(found.database.url, **found.settings):
            yield found


@pytest.fixture
def visit(browser: Browser, site: JobSite) -> Iterator[Visit]:
    with visitor(browser, site.url) as found:
        yield found


def shapefile(directory: Path) -> bytes:
    """A zip of points with Chinese names in GBK, which no .cpg tells."""
    places = gpd.GeoDataFrame(
        {"名称": NAMES, "类型": ["公园", "驿站", "泵站"]},
        geometry=shapely.points([(114.89, 30.39), (114.90, 30.40), (114.91, 30.41)]),
        crs=4490,
    )
    places.to_file(directory / "fac.shp", encoding="gbk", engine="pyogrio")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(directory.iterdir()):
            if file.suffix != ".cpg":
                archive.write(file, file.name)
    return packed.getvalue()


def keep(page: Page, part: str) -> None:
    before = page.locator("article").get_attribute("data-updated")
    page.click(f"[data-keep={part}]")
    page.wait_for_function(
        "(old) => document.querySelector('article').dataset.updated !== old", arg=before, timeout=60_000
    )
    expect(page.locator(".said")).to_be_visible(timeout=30_000)


def test_a_gbk_shapefile_is_previewed_imported_named_styled_and_undone(
    visit: Visit, site: JobSite, tmp_path: Path
) -> None:
    page = visit("/admin/layers", "gui")
    page.click("[data-upload]")
    page.set_input_files(
        "input[type=file]", {"name": "设施.zip", "mimeType": "application/zip", "buffer": shapefile(tmp_path)}
    )
    page.wait_for_selector("[data-preview]", timeout=90_000)
    page.select_option("[data-encoding]", "utf-8")
    page.get_by_role("button", name="按此重新预览").click()
    expect(page.locator("main [role=alert], [data-preview]").first).not_to_contain_text("滨湖公园", timeout=60_000)
    page.select_option("[data-encoding]", "gbk")
    page.get_by_role("button", name="按此重新预览").click()
    expect(page.locator("[data-preview] td", has_text="滨湖公园")).to_be_visible(timeout=60_000)
    found = faults(page)
    page.fill("[data-layer-id]", "city-facilities")
    page.click("[data-import]")
    page.wait_for_selector("[data-report]", timeout=90_000)
    expect(page.locator("[data-report]")).to_contain_text("已导入 3 个要素")
    page.click("[data-open=city-facilities]")
    page.wait_for_selector("article[data-layer=city-facilities]")

    page.fill("[name=zh]", "城市设施")
    keep(page, "about")
    page.locator("summary", has_text="字段别名").click()
    page.fill("[data-field='类型'][data-part=en]", "Type")
    keep(page, "fields")
    page.locator("[data-style] > summary").click()
    page.select_option("[data-style-part=by]", "类型")
    expect(page.locator(".classes li")).to_have_count(3)
    page.wait_for_selector("[data-style] .small-map[data-ready=true]", timeout=60_000)
    page.eval_on_selector(
        "[data-style-part=color]",
        "(input) => { input.value = '#aa2211'; input.dispatchEvent(new Event('input', { bubbles: true })); }",
    )
    keep(page, "style")
    style = site.get("/styles/city", ("gui", PASSWORD)).json()
    [drawn] = [one for one in style["layers"] if one["id"].startswith("city-facilities:") and one["type"] == "circle"]
    assert drawn["paint"]["circle-color"][0] == "match" and drawn["paint"]["circle-color"][-1] == "#aa2211"
    [entry] = [one for one in style["metadata"]["citymap:layers"] if one["id"] == "city-facilities"]
    assert entry["title"] == "城市设施" and {one["label"] for one in entry["legend"]} == {"公园", "驿站", "泵站"}
    schema = site.get("/collections/city-facilities/schema?lang=en", ("gui", PASSWORD)).json()
    assert schema["properties"]["类型"]["title"] == "Type"

    page.click("[data-import] [data-undo]")
    page.click("[data-undo-do]")
    page.wait_for_selector("[data-import][data-mode=undo]", timeout=60_000)
    assert site.sql("SELECT count(*) FROM city.city_facilities") == [(0,)]
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    found += faults(page)
    assert found == [] and fits(page)


def test_a_layer_is_withdrawn_and_removed_only_by_who_may_and_never_one_of_the_servers_own(
    visit: Visit, site: JobSite
) -> None:
    page = visit("/admin/layers#layer=roads", "guan")
    page.wait_for_selector("article[data-layer=roads]")
    expect(page.locator("summary", has_text="删除图层")).to_have_count(0)
    page.locator("summary", has_text="谁可以看").click()
    page.check("[name=level][value=internal]")
    keep(page, "seen")
    assert site.get("/collections/roads", None).status_code == 404
    page.check("[name=level][value=public]")
    keep(page, "seen")
    assert site.get("/collections/roads", None).status_code == 200


def test_each_part_is_for_those_who_hold_it(visit: Visit, site: JobSite) -> None:
    found = []
    page = visit("/admin/health", "guan")
    page.wait_for_selector("[data-good]")
    expect(page.locator("[data-good=false]")).to_have_count(0)
    expect(page.locator(".parts a")).to_have_text(["图层", "规则与日历", "终端设备", "任务", "运行状况", "账号与密钥"])
    found += faults(page)
    page.goto(f"{site.url}/admin/rules")
    expect(page.locator(".days li").first).to_be_visible(timeout=30_000)
    found += faults(page)
    page = visit("/admin/log", "shen")
    page.click("[data-verify]")
    page.wait_for_selector("[data-valid=true]", timeout=60_000)
    page.fill("[name=actor]", "guan")
    page.click("form [class~=main]")
    expect(page.locator("[data-entries] tbody tr").first).to_contain_text("guan")
    found += faults(page)
    page = visit("/admin/terminals", "anquan")
    page.fill("[name=device]", "car-1")
    page.click("[data-secret]")
    expect(page.locator("[data-shown]")).to_have_text(re.compile(r"[0-9a-f]{32}"))
    found += faults(page)
    page = visit("/admin/log", "wangge")
    expect(page.locator(".part")).to_contain_text("没有权限")
    expect(page.locator(".parts a")).to_have_text(["任务"])
    assert site.get("/admin/state", ("wangge", PASSWORD)).status_code == 403
    assert site.get("/audit/verification", ("guan", PASSWORD)).status_code == 403
    assert found == []
