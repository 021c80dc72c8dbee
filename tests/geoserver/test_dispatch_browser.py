"""The dispatcher's desk in a real Chromium, over the real server and gateway, with terminals that speak JT/T 808."""

import json
import os
import re
import struct
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from playwright.sync_api import Browser, Page, Route, expect

from geoserver.web.assets import STATIC
from tests.geoserver.visits import PHONE, READY, Visit, faults, fits, sign_in, visitor
from tests.grid.site import GridSite, grid_site
from tests.people import employ
from tests.tracking.gateways import running
from tests.tracking.terminal import Terminal
from tracking.jt808 import uplink
from tracking.model import Fix

pytestmark = pytest.mark.browser

DESK = {"width": 1440, "height": 900}
#: In the community's ground; one road runs north and one east (tests/grid/conftest.py). The fence is east of 114.914.
NEAR, FAR, OTHERS = "13900000001", "13900000002", "13900000003"
FENCE = "POLYGON((114.914 30.405, 114.92 30.405, 114.92 30.415, 114.914 30.415, 114.914 30.405))"
LAT = 30.41
#: Vehicles of the test of many, their ground, and how long it may take until all have come [ms].
MANY, PATIENCE = 5000, 60_000


@pytest.fixture(scope="module")
def site(postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GridSite]:
    directory = tmp_path_factory.mktemp("dispatch")
    with grid_site(postgres_url, template_name, f"citymap_dispatch_{os.getpid()}", directory) as found:
        with found.database.transaction() as conn:
            employ(conn, "diao", "fleet-dispatcher", department="sanitation")
            employ(conn, "water", "fleet-dispatcher", department="water")
        for department, called in (("sanitation", "环卫处"), ("water", "水务局")):
            found.sql("UPDATE access.departments SET zh = :zh WHERE id = :id", zh=called, id=department)
        for code, name, department in (
            (NEAR, "环卫1号", "sanitation"),
            (FAR, "环卫2号", "sanitation"),
            (OTHERS, "水务1号", "water"),
        ):
            found.sql(
                "INSERT INTO city.devices (code, name, plate, kind, department, enabled, skills)"
                " VALUES (:code, :name, :plate, 'sanitation', :department, true, ARRAY['高压清洗'])",
                code=code, name=name, plate=f"鄂G{code[-5:]}", department=department,
            )  # fmt: skip
        found.sql(
            "INSERT INTO city.geofences (geom, name, department, watch, enabled)"
            f" VALUES (ST_GeomFromText('{FENCE}', 4490), '湖岸禁行区', 'sanitation', ARRAY['enter'], true)"
        )
        yield found


@pytest.fixture
def visit(browser: Browser, site: GridSite) -> Iterator[Visit]:
    """Open the desk as somebody in a new profile."""
    with visitor(browser, site.url) as found:
        yield lambda who="diao", path="/dispatch", **options: found(path, who, **{"viewport": DESK} | options)


def fix(at: float, lon: float, speed: float = 36.0) -> Fix:
    return Fix(at // 1, round(lon, 6), LAT, speed, 90, 20, 0, 3)


def admitted(port: int, code: str) -> Terminal:
    unit = Terminal(port, code)
    assert unit.authenticate(unit.register(f"鄂G{code[-5:]}")[1]) == 0
    return unit


def item(page: Page, code: str) -> Any:
    return page.locator(f".unit-row[data-code='{code}']")


def test_the_day_of_a_dispatcher_from_alarm_to_replay(visit: Visit, site: GridSite) -> None:
    with running(site.database.url) as gateway:
        near, far, others = (admitted(gateway.port, code) for code in (NEAR, FAR, OTHERS))
        begun = time.time() - 120
        far.report(*(fix(begun + n * 10, 114.9005 + n * 1e-5, 0.0) for n in range(3)))
        others.report(fix(begun, 114.9122))
        near.report(*(fix(begun + n * 10, 114.9105 + n * 0.0003) for n in range(3)))
        page = visit()
        expect(item(page, NEAR)).to_contain_text("36 km/h", timeout=PATIENCE)
        assert page.locator("#units").get_attribute("data-count") == "2"  # the other department's is not told
        near.report(*(fix(begun + 60 + n * 10, 114.9135 + n * 0.001) for n in range(4)))  # into the fence
        alarm = page.locator("[data-alarm][data-state=new]")
        expect(alarm).to_contain_text("进入", timeout=PATIENCE)
        expect(page).to_have_title(re.compile(r"^\(1\)"), timeout=PATIENCE)
        alarm.get_by_role("button", name="确认").click()
        expect(page.locator("[data-alarm][data-state=acknowledged]")).to_contain_text("diao", timeout=PATIENCE)
        assert site.sql("SELECT state, assignee FROM city.alarms") == [("acknowledged", "diao")]

        page.click("[data-alarm] [data-act=nearest]")
        first = page.locator("[data-candidate]").first
        expect(first).to_contain_text("环卫1号", timeout=PATIENCE)
        ranked = page.locator("[data-candidate]").evaluate_all("(all) => all.map((one) => one.dataset.candidate)")
        place = site.sql("SELECT ST_X(geom), ST_Y(geom) FROM city.alarms")[0]
        answer = site.done("diao", "nearest-units", point=list(place), count=6)
        assert ranked == [unit["device"] for unit in answer["units"]]
        page.locator(f"[data-candidate='{FAR}'] input").check()
        page.fill(".send-form textarea", "请到湖岸查看")
        page.click("[data-act=send]")
        task = page.locator("[data-task]")
        expect(task).to_contain_text("环卫2号 请到湖岸查看", timeout=PATIENCE)
        told = far.wait_for(0x8300)
        assert "请到湖岸查看" in told.body[1:].decode("gbk")
        far.send(uplink.GENERAL_REPLY, struct.pack(">HHB", told.serial, 0x8300, 0))
        assigned = time.time() + 1
        way = [114.9010, 114.9030, 114.9060, 114.9090, 114.9120, place[0]]
        far.report(*(fix(assigned + n * 15, lon) for n, lon in enumerate(way[:3])))
        expect(page.locator("[data-task][data-state=under-way]")).to_be_visible(timeout=PATIENCE)
        far.report(*(fix(assigned + n * 15, lon) for n, lon in enumerate(way) if n >= 3))
        expect(page.locator("[data-task][data-state=arrived]")).to_be_visible(timeout=PATIENCE)
        page.click("[data-task] .card-open")
        page.click(".unit-head [aria-expanded]") if page.locator(".unit .facts").count() == 0 else None
        expect(page.locator("[data-command=text] .chip")).to_have_text("已执行", timeout=PATIENCE)
        page.click("[data-task] [data-act=done]")
        expect(page.get_by_text("没有进行中的任务")).to_be_visible(timeout=PATIENCE)
        assert site.sql("SELECT state FROM city.unit_tasks") == [("done",)]
        replay_of(page, site, begun)


def test_an_alarm_is_seen_given_to_somebody_made_a_case_and_closed_with_what_was_found(
    visit: Visit, site: GridSite
) -> None:
    site.sql(
        "INSERT INTO city.alarms (geom, key, kind, device, name, department, began, detail, state) VALUES"
        " (ST_SetSRID(ST_MakePoint(114.91, 30.41), 4490), 'act', 'leave', :code, '环卫1号', 'sanitation', now(), '东区', 'new')", code=NEAR
    )  # fmt: skip
    page = visit()
    card = page.locator("[data-alarm=act]")
    card.locator("[data-act=acknowledge]").click()
    expect(card).to_have_attribute("data-state", "acknowledged", timeout=PATIENCE)
    card.locator("[data-act=assign]").click()
    card.locator("form input").fill("老李")
    card.locator("form [type=submit]").click()
    expect(card).to_have_attribute("data-state", "assigned", timeout=PATIENCE)
    expect(card).to_contain_text("老李", timeout=PATIENCE)
    card.locator("[data-act=case]").click()
    card.locator("form select").select_option("event-0102", timeout=PATIENCE)
    card.locator("form textarea").fill("车辆离开作业区，路面有抛洒")
    card.locator("form [type=submit]").click()
    link = card.locator("a[href*='cases#case=']")
    expect(link).to_be_visible(timeout=PATIENCE)
    (made,) = site.sql("SELECT a.case_id, c.class, c.description, ST_X(c.geom) FROM city.alarms a"
                       " JOIN city.cases c ON c.code = a.case_id WHERE a.key = 'act'")  # fmt: skip
    assert tuple(made[1:]) == ("0102", "车辆离开作业区，路面有抛洒", 114.91) and made[0] in link.inner_text()
    expect(card.locator("[data-act=case]")).to_have_count(0)
    card.locator("[data-act=close]").click()
    card.locator("form textarea").fill("已清扫")
    card.locator("form [type=submit]").click()
    expect(card).to_have_count(0, timeout=PATIENCE)
    (closed,) = site.sql("SELECT state, assignee, note, handled IS NOT NULL FROM city.alarms WHERE key = 'act'")
    assert tuple(closed) == ("closed", "老李", "已清扫", True)
    steps = site.call(
        "diao",
        "GET",
        f"/collections/alarms/items/{site.sql("SELECT id FROM city.alarms WHERE key = 'act'")[0][0]}/history",
    )
    assert "diao" in steps.text


def test_a_vehicle_that_is_entered_in_the_administration_reports_and_is_seen_with_its_department(
    visit: Visit, site: GridSite
) -> None:
    code = "13900000009"
    page = visit(path="/admin/terminals")
    page.locator("summary", has_text="添加设备").click()
    page.fill("[name=code]", code)
    page.fill("[name=name]", "洒水9号")
    page.select_option("form [name=kind]", label="环卫车")
    page.fill("[name=plate]", f"鄂G{code[-5:]}")
    page.select_option("form [name=department]", label="环卫处")
    found = faults(page)
    page.locator("details [class~=main]").click()
    expect(page.locator("tbody tr", has_text="洒水9号")).to_contain_text("环卫车", timeout=PATIENCE)
    assert [tuple(row) for row in site.sql("SELECT name, department, enabled FROM city.devices WHERE code = :c", c=code)] == [("洒水9号", "sanitation", True)]  # fmt: skip
    page.get_by_label(f"{code} 的所属部门").select_option(label="水务局")  # not this dispatcher's to give away
    expect(page.locator("td [role=alert]")).to_be_visible(timeout=PATIENCE)
    with running(site.database.url) as gateway:
        unit = admitted(gateway.port, code)
        unit.report(fix(time.time() - 30, 114.905))
        page.goto(f"{site.url}/dispatch")
        expect(item(page, code)).to_contain_text("环卫处", timeout=PATIENCE)
    page.fill("#find", "环卫处 洒水")
    expect(page.locator("#units")).to_have_attribute("data-count", "1", timeout=PATIENCE)
    assert found == [] and fits(page)


def replay_of(page: Page, site: GridSite, begun: float) -> None:
    """Both vehicles again: where they were, how fast, and what happened."""
    page.click(".unit [data-act=replay]")
    page.fill("input[placeholder='添加车辆']", "环卫1号")
    page.get_by_role("button", name="环卫1号", exact=True).click()
    page.click("[data-act=load]")
    expect(page.locator("[data-event=alarm]")).to_have_count(1, timeout=PATIENCE)
    expect(page.locator(".graph canvas")).to_be_visible(timeout=PATIENCE)
    page.click("[data-event=alarm]")
    began = site.sql("SELECT extract(epoch FROM began)::float8 FROM city.alarms")[0][0]
    assert datetime.fromisoformat(page.locator(".player-time").get_attribute("datetime") or "").timestamp() == began
    speeds = page.locator(".player-speeds li")
    expect(speeds).to_have_count(2, timeout=PATIENCE)
    assert "36 km/h" in speeds.nth(1).inner_text()
    page.select_option(".rate select", "60")
    page.click("[data-act=play]")
    page.wait_for_function("(at) => Number(document.querySelector('.scrub').value) > at + 20000", arg=began * 1000)
    page.click("[data-act=play]")
    expect(page.locator(".player[data-playing=false]")).to_be_visible(timeout=PATIENCE)
    address = page.url
    assert f"replay={FAR},{NEAR}" in address and "from=" in address
    page.reload()
    expect(page.locator("[data-event=alarm]")).to_have_count(1, timeout=PATIENCE)
    page.click("[data-act=close-replay]")
    expect(page.locator(".player")).to_have_count(0, timeout=PATIENCE)


def test_only_what_one_may_do_is_done_and_nothing_is_lost_when_the_session_ends(visit: Visit, site: GridSite) -> None:
    page = visit(path=f"/dispatch#unit={OTHERS}")
    expect(page.locator(".unit")).to_contain_text("不在您的权限内", timeout=PATIENCE)
    page.click("[data-act=text]")
    page.fill(".unit textarea", "不归我管")
    page.click(".unit form [type=submit]")
    expect(page.locator(".unit [role=alert]")).to_contain_text("13900000003", timeout=PATIENCE)
    assert site.sql("SELECT count(*) FROM tracking.commands WHERE words ->> 'text' = '不归我管'") == [(0,)]
    page.context.clear_cookies()
    page.click(".unit form [type=submit]")
    expect(page.get_by_text("登录已过期")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(".unit textarea")).to_have_value("不归我管", timeout=PATIENCE)
    other = page.context.new_page()
    other.goto(f"{site.url}/sign-in?next=/health")
    sign_in(other, "diao")
    other.wait_for_url(lambda url: urlsplit(url).path == "/health")
    other.close()
    page.get_by_role("button", name="我已登录").click()
    expect(page.get_by_text("登录已过期")).to_have_count(0, timeout=PATIENCE)
    page.context.set_offline(True)
    expect(page.get_by_text("没有网络")).to_be_visible(timeout=PATIENCE)
    page.context.set_offline(False)
    expect(page.locator("[data-link=live]")).to_be_visible(timeout=PATIENCE)
    nobody = visit(None)
    expect(nobody.get_by_text("请先登录")).to_be_visible(timeout=PATIENCE)
    clerk = visit("handler")
    expect(clerk.locator("[data-act=acknowledge], [data-draw]")).to_have_count(0, timeout=PATIENCE)


def test_a_fence_is_drawn_ruled_changed_and_deleted_and_a_link_ends(visit: Visit, site: GridSite) -> None:
    page = visit(path="/dispatch#panel=fences&map=15/30.41/114.91")
    page.wait_for_selector(".map[data-ready=true]", timeout=PATIENCE)
    page.click("[data-draw=Polygon]")
    page.wait_for_selector(".map[data-pen=Polygon]", timeout=PATIENCE)
    box = page.locator(".map").bounding_box()
    assert box
    for dx, dy in ((-80, -80), (80, -80), (80, 80), (-80, -80)):
        page.mouse.move(box["x"] + box["width"] / 2 + dx, box["y"] + box["height"] / 2 + dy)
        page.mouse.click(box["x"] + box["width"] / 2 + dx, box["y"] + box["height"] / 2 + dy)
    page.get_by_label("名称").fill("夜间限速区")
    page.get_by_label("区域超速").check()
    page.get_by_label("限速").fill("30")
    page.get_by_label("生效时间").fill("daily 22:00-06:00")
    page.click("[data-act=save]")
    expect(page.get_by_text("夜间限速区")).to_be_visible(timeout=PATIENCE)
    query = "SELECT watch, speed_limit, calendar, department, ST_NPoints(geom), ST_IsValid(geom), ST_Covers(geom, 'SRID=4490;POINT(114.911 30.411)')"
    (made,) = site.sql(query + " FROM city.geofences WHERE name = '夜间限速区'")
    assert tuple(made) == (["enter", "leave", "overspeed"], 30, "daily 22:00-06:00", "sanitation", 4, True, True)
    page.locator(".card", has_text="夜间限速区").locator("[data-act=edit]").click()
    page.get_by_label("限速").fill("40")
    page.click("[data-act=save]")
    expect(page.locator(".panel form")).to_have_count(0, timeout=PATIENCE)
    assert site.sql("SELECT speed_limit FROM city.geofences WHERE name = '夜间限速区'") == [(40,)]
    page.locator(".card", has_text="夜间限速区").locator("[data-act=edit]").click()
    page.click("[data-act=delete]")
    page.click("[data-act=delete-sure]")
    expect(page.locator(".card", has_text="夜间限速区")).to_have_count(0, timeout=PATIENCE)

    page.click("[data-draw=Circle]")
    page.get_by_role("button", name="用地图中心").click()
    page.get_by_label("名称").fill("圆")
    page.click("[data-act=save]")
    expect(page.locator(".card", has_text="圆")).to_have_count(1, timeout=PATIENCE)
    (area,) = site.sql("SELECT ST_Area(geom::geography) FROM city.geofences WHERE name = '圆'")[0]
    assert area == pytest.approx(3.1416 * 300**2, rel=0.02)

    page.evaluate("(code) => { location.hash = 'unit=' + code; location.reload(); }", NEAR)
    page.wait_for_selector(READY, state="attached")
    page.click("[data-act=share]")
    page.get_by_role("button", name="生成链接").click()
    link = page.get_by_label("分享链接").input_value()
    assert requests.get(link, headers={"Accept": "application/json"}, timeout=20).status_code in (200, 404)
    page.get_by_role("button", name="停止").click()
    expect(page.locator(".shares li")).to_have_count(0, timeout=PATIENCE)
    assert requests.get(link, timeout=20).status_code == 404


def test_five_thousand_vehicles_are_drawn_in_bounded_memory_and_the_list_makes_only_what_is_in_view(
    visit: Visit, site: GridSite
) -> None:
    site.sql(
        "INSERT INTO city.positions (geom, device, name, kind, department, state, time, heard, speed, heading)"
        " SELECT ST_SetSRID(ST_MakePoint(114.88 + (n % 100) * 0.0005, 30.39 + (n / 100) * 0.0005), 4490), 'm' || n,"
        " '众车' || n, 'bus', 'sanitation', 'moving', now(), now(), 36, n % 360 FROM generate_series(1, :n) n", n=MANY
    )  # fmt: skip
    page = visit(path="/dispatch#map=12.7/30.4025/114.905&find=%E4%BC%97%E8%BD%A6", reduced_motion="no-preference")
    expect(page.locator("#units")).to_have_attribute("data-count", str(MANY), timeout=PATIENCE)
    assert page.locator(".unit-row").count() < 60
    sizes = []
    for _ in range(4):
        site.sql("UPDATE city.positions SET geom = ST_Translate(geom, 0.0001, 0), time = now() WHERE device LIKE 'm%'")
        before = page.locator(".map").get_attribute("data-counted")
        page.wait_for_function(
            "(was) => document.querySelector('.map').dataset.counted !== was", arg=before, timeout=PATIENCE
        )
        sizes.append(page.evaluate("performance.memory?.usedJSHeapSize ?? 0"))
    seen = page.locator(".map").evaluate("(map) => ({...map.dataset})")
    assert int(seen["drawn"]) > 0.9 * MANY and seen["joined"] == "0"
    assert max(sizes) < 200e6
    page.evaluate("() => { location.hash = 'map=9.5/30.4025/114.905'; location.reload(); }")
    page.wait_for_function("() => Number(document.querySelector('.map')?.dataset.joined) > 0", timeout=PATIENCE)
    assert int(page.locator(".map").get_attribute("data-drawn") or 0) < 20
    page.focus("#units")
    page.keyboard.press("End")
    expect(item(page, f"m{MANY}")).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("Enter")
    expect(page.locator(f".unit[data-unit='m{MANY}']")).to_be_visible(timeout=PATIENCE)
    site.sql("DELETE FROM city.positions WHERE device LIKE 'm%'")


def test_the_desk_is_accessible_in_every_look_and_on_a_phone(visit: Visit, site: GridSite) -> None:
    site.sql(
        "INSERT INTO city.alarms (geom, key, kind, device, name, department, began, state) VALUES"
        " (ST_SetSRID(ST_MakePoint(114.91, 30.41), 4490), 'a11y', 'sos', :code, '环卫1号', 'sanitation', now(), 'new')", code=NEAR
    )  # fmt: skip
    page = visit(path=f"/dispatch#unit={NEAR}")
    page.wait_for_selector(".map[data-ready=true]", timeout=PATIENCE)
    page.wait_for_selector("[data-alarm=a11y]")
    page.click("[data-alarm=a11y] [data-act=assign]")
    found = faults(page)
    for panel in ("send", "fences", "replay", "ground"):
        page.click(f"#tab-{panel}")
        found += faults(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    for sheet in ("车辆", "处置", "地图"):
        page.locator(".sheets").get_by_role("button", name=sheet).click()
        found += faults(page)
        assert fits(page)
    assert found == []


def test_a_failing_server_is_told_with_cause_cure_and_request(visit: Visit, site: GridSite) -> None:
    page = visit()

    def fail(route: Route) -> None:
        route.fulfill(status=500, headers={"x-request-id": "r-77"}, json={"description": "库在维护"})

    page.context.route("**/processes/nearest-units/**", fail)
    page.evaluate("() => document.querySelector('#tab-send').click()")
    page.click("[data-act=pick]")
    page.get_by_role("button", name="用地图中心").click()
    trouble = page.locator(".steps [role=alert]")
    for part in ("库在维护", "请稍后重试", "r-77"):
        expect(trouble).to_contain_text(part, timeout=PATIENCE)
    page.context.unroute("**/processes/nearest-units/**")
    trouble.get_by_role("button", name="重试").click()
    expect(trouble).to_have_count(0, timeout=PATIENCE)


def test_the_desk_has_the_same_texts_in_both_languages_and_uses_them() -> None:
    zh, en = (json.loads((STATIC / f"i18n/dispatch/{one}.json").read_text("utf-8")) for one in ("zh-CN", "en"))
    assert zh.keys() == en.keys() and not any(re.search(r"[\u4e00-\u9fff]", text) for text in en.values())
    assert all(sorted(re.findall(r"\{\w+\}", zh[key])) == sorted(re.findall(r"\{\w+\}", en[key])) for key in zh)
    shared = json.loads((STATIC / "i18n/work/zh-CN.json").read_text("utf-8"))
    source = "".join(path.read_text("utf-8") for path in (STATIC / "dispatch").glob("*.js"))
    assert set(re.findall(r"\bt\(\"([\w.-]+)\"", source)) <= zh.keys() | shared.keys()
    families = tuple(re.findall(r"t\(`([\w.]+\.)\$", source))
    assert [key for key in zh if f'"{key}"' not in source and not key.startswith((*families, "page."))] == []
