"""Visits and what they covered; reports by text message; inputs that no database can hold."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, text

from grid.errors import GridError
from grid.options import GridOptions
from grid.social.messages import KnownClass, matching_class, parse
from grid.social.processes import report_by_text, visit_coverage
from tests.grid.conftest import COMMUNITY, OTHER
from tests.grid.people import act_as, principal_of
from tests.grid.site import GridSite

CLASSES = [
    KnownClass("event", "0102", "暴露垃圾"),
    KnownClass("event", "0103", "积存垃圾渣土"),
    KnownClass("event", "0507", "乱堆物堆料"),
]
WORKER = principal_of("worker", "grid-worker", area=COMMUNITY)
BEGIN, END = datetime.fromisoformat("2026-11-01T00:00:00+08:00"), datetime.fromisoformat("2026-12-01T00:00:00+08:00")


def test_a_message_is_taken_apart() -> None:
    found = parse("上报 暴露垃圾，武昌大道12号 路边有 三袋垃圾")
    assert (found.class_name, found.place, found.description) == ("暴露垃圾", "武昌大道12号", "路边有 三袋垃圾")
    for wrong in ("你好", "上报", "上报 垃圾", ""):
        with pytest.raises(GridError, match="上报 类别 地点 描述"):
            parse(wrong)


def test_a_class_is_meant_by_code_name_or_the_only_part_of_one() -> None:
    assert [matching_class(said, CLASSES).code for said in ("0103", "暴露垃圾", "渣土", "堆料")] == [
        "0103",
        "0102",
        "0103",
        "0507",
    ]
    with pytest.raises(GridError, match="暴露垃圾、积存垃圾渣土"):
        matching_class("垃圾", CLASSES)


def test_a_message_becomes_a_case_at_the_address(ground: Connection, options: GridOptions) -> None:
    ground.execute(
        text(
            "INSERT INTO city.addresses (geom, address, road, number) VALUES (ST_SetSRID(ST_MakePoint(114.9051, 30.4102), 4490), '滨湖路12号', '滨湖路', '12号')"
        )
    )
    ground.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    act_as(ground, principal_of("clerk", "intake-clerk"))
    found = report_by_text(ground, options, "上报 暴露垃圾 滨湖路12号 三袋", "13800000001")
    assert (found.state, found.area_code, found.place) == ("reported", COMMUNITY, "滨湖路12号附近")
    row = ground.execute(
        text("SELECT channel, reporter_phone, description, class FROM city.cases WHERE code = :c"), {"c": found.case}
    ).one()
    assert tuple(row) == ("sms", "13800000001", "三袋", "0102")
    with pytest.raises(GridError, match="no place"):
        report_by_text(ground, options, "上报 暴露垃圾 火星基地九号 x")


def visit(
    conn: Connection, household: str, result: str = "normal", day: str = "2026-11-05", lon: float = 114.905, **more: Any
) -> None:
    values = {"household": household, "result": result, "kind": "visit", "visited_at": f"{day}T10:00:00+08:00", **more}
    names, bound = ", ".join(values), ", ".join(f":{name}" for name in values)
    conn.execute(
        text(f"INSERT INTO city.visits (geom, {names}) VALUES (ST_SetSRID(ST_MakePoint(:x, 30.405), 4490), {bound})"),
        {"x": lon, **values},
    )


def test_visits_get_their_grid_and_cover_households_once(ground: Connection) -> None:
    ground.execute(text("UPDATE city.grid_cells SET households = 10 WHERE parent = :p"), {"p": COMMUNITY})
    act_as(ground, WORKER)
    visit(ground, "1-101", grid="wrong", area_code=OTHER)
    visit(ground, "1-101", day="2026-11-20")
    visit(ground, "1-102", "danger")
    visit(ground, "1-103", "danger", rectified_at="2026-11-30T00:00:00+08:00")
    visit(ground, "1-104", "absent")
    visit(ground, "1-105", day="2026-12-01")
    (found,) = visit_coverage(ground, COMMUNITY, BEGIN, END)
    assert (found.grid, found.households, found.visited, found.visits) == (COMMUNITY + "01", 10, 3, 5)
    assert (found.share, found.dangers, found.open_dangers) == (0.3, 2, 1)


def test_a_worker_enters_visits_in_the_own_area_only(ground: Connection) -> None:
    act_as(ground, WORKER)
    with pytest.raises(Exception, match="row-level security"), ground.begin_nested():
        visit(ground, "9-901", lon=114.93, area_code=COMMUNITY)


def test_a_period_needs_a_zone_and_an_order(ground: Connection) -> None:
    act_as(ground, WORKER)
    for begin, end in ((END, BEGIN), (BEGIN.replace(tzinfo=None), END.replace(tzinfo=None))):
        with pytest.raises(GridError, match="time zone"):
            visit_coverage(ground, COMMUNITY, begin, end)


HOSTILE = ["\0", "a\0b", "'; DROP TABLE city.cases; --", "%s", ":x", "\u202e", "9" * 60]
ASKED: list[tuple[str, str, str, dict[str, Any]]] = [
    ("clerk", "report-case", "description", {"position": [114.915, 30.405]}), ("clerk", "report-case", "class_code", {"position": [114.915, 30.405]}),
    ("clerk", "report-case", "crs", {"position": [114.915, 30.405]}), ("clerk", "advance-case", "case", {"act": "accept"}),
    ("clerk", "case-history", "case", {}), ("clerk", "propose-dispatch", "case", {}), ("clerk", "similar-cases", "class_code", {"position": [114.9, 30.4]}),
    ("worker", "inspect-component", "component", {"state": "sound"}), ("clerk", "component-inspections", "component", {}),
]  # fmt: skip


@pytest.mark.parametrize(("who", "process", "name", "more"), ASKED)
def test_hostile_texts_are_refused_or_kept_as_they_are(
    site: GridSite, who: str, process: str, name: str, more: dict[str, Any]
) -> None:
    for hostile in HOSTILE:
        answer = site.run(who, process, **{name: hostile}, **more)
        assert answer.status_code < 500, (hostile, answer.text)
        if "\0" in hostile:
            assert answer.status_code == 400 and "U+0000" in answer.text
