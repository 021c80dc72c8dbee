"""Suspected construction against permits, and the three zones, with areas checked by hand and by pyproj."""

from datetime import date, timedelta
from typing import Any

import pytest
import shapely
from pyproj import Transformer
from shapely.geometry import mapping
from sqlalchemy import Connection, text

from grid.control.processes import construction_suspects, report_suspects, zone_check
from grid.control.temporary import overdue_temporary_buildings, report_overdue_buildings
from grid.errors import GridError
from grid.options import GridOptions
from layers.access import Grant, Principal
from layers.processing import CityCrs
from tests.grid.people import act_as, act_as_owner, principal_of

CITY = CityCrs(4547, frozenset({4490}))
PLANNER = Principal(
    "planner",
    grants=(
        Grant("*", frozenset({"read"}), "sensitive"), Grant("cases", frozenset({"read", "create"}), "internal"),
        Grant("illegal-buildings", frozenset({"create"}), "internal"),
    ),
)  # fmt: skip
#: About 96 m × 111 m.
PATCH = shapely.box(114.905, 30.405, 114.906, 30.406)


def area(shape: Any) -> float:
    return float(
        shapely.transform(shape, Transformer.from_crs(4490, 4547, always_xy=True).transform, interleaved=False).area
    )


def permit(conn: Connection, shape: Any, status: str = "works-permit", expires: date | None = None) -> None:
    conn.exec_driver_sql("SELECT set_config('citymap.planning_step', 'test', true)")
    conn.execute(
        text("INSERT INTO city.redlines (geom, number, name, status, expires_on) VALUES (ST_Multi(ST_GeomFromWKB(:w, 4490)), :n, '厂房', :s, :e)"),
        {"w": shapely.to_wkb(shape), "n": f"R{shape.bounds}{status}", "s": status, "e": expires},
    )  # fmt: skip


def zone(conn: Connection, kind: str, shape: Any, status: str = "approved") -> None:
    conn.execute(
        text("INSERT INTO city.control_zones (geom, kind, name, code, status) VALUES (ST_Multi(ST_GeomFromWKB(:w, 4490)), :k, :k, :c, :s)"),
        {"w": shapely.to_wkb(shape), "k": kind, "c": f"{kind}{status}", "s": status},
    )  # fmt: skip


def suspects(conn: Connection, *patches: Any) -> Any:
    act_as(conn, PLANNER)
    return construction_suspects(conn, CITY, tuple(mapping(patch) for patch in patches))


def test_a_patch_is_judged_by_the_part_that_is_permitted(ground: Connection) -> None:
    permit(ground, shapely.box(114.9045, 30.4045, 114.9055, 30.4065))
    half, whole, none = suspects(
        ground, PATCH, shapely.box(114.905, 30.405, 114.9054, 30.406), shapely.box(114.907, 30.405, 114.908, 30.406)
    )
    assert [one.verdict for one in (half, whole, none)] == ["partly", "permitted", "suspected"]
    assert (half.share, half.area) == (pytest.approx(0.5, abs=1e-3), pytest.approx(area(PATCH), abs=0.01))
    assert half.permits[0].area == pytest.approx(area(PATCH) / 2, rel=1e-3)


def test_permits_side_by_side_count_together(ground: Connection) -> None:
    permit(ground, shapely.box(114.905, 30.405, 114.9056, 30.406))
    permit(ground, shapely.box(114.9056, 30.405, 114.906, 30.406))
    (found,) = suspects(ground, PATCH)
    assert (found.verdict, found.share) == ("permitted", pytest.approx(1.0, abs=1e-3))


@pytest.mark.parametrize(
    ("status", "days", "verdict"),
    [("land-permit", None, "suspected"), ("works-permit", -1, "suspected"), ("works-permit", 0, "permitted"), ("works-permit", 30, "permitted"),
     ("verified", -30, "permitted"), ("revoked", None, "suspected"), ("applied", None, "suspected")],
)  # fmt: skip
def test_only_a_permit_to_build_that_is_in_force_permits(
    ground: Connection, status: str, days: int | None, verdict: str
) -> None:
    today = ground.execute(text("SELECT current_date")).scalar_one()
    permit(ground, PATCH, status, today + timedelta(days) if days is not None else None)
    (found,) = suspects(ground, PATCH)
    assert found.verdict == verdict


def test_a_suspected_patch_becomes_a_case_with_its_evidence(ground: Connection, options: GridOptions) -> None:
    permit(ground, shapely.box(114.91, 30.405, 114.911, 30.406))
    act_as(ground, PLANNER)
    patches = (
        mapping(PATCH),
        {"type": "Feature", "geometry": mapping(shapely.box(114.91, 30.405, 114.911, 30.406)), "properties": {}},
    )
    first = report_suspects(ground, CITY, options, patches)
    again = report_suspects(ground, CITY, options, patches)
    assert first[0].case and first[1].case is None and again[0].attached_to == first[0].case
    act_as_owner(ground)
    row = ground.execute(text("SELECT class_name, channel, description, ST_Covers(ST_GeomFromWKB(:w, 4490), geom) AS inside FROM city.cases WHERE code = :c"),
                         {"c": first[0].case, "w": shapely.to_wkb(PATCH)}).one()  # fmt: skip
    assert (row.class_name, row.channel, row.inside) == ("私搭乱建", "video", True)
    assert f"疑似违建 {area(PATCH):.0f} m²，许可范围内 0 %；图斑 POLYGON" in row.description


def test_the_strictest_zone_decides_and_drafts_do_not_count(ground: Connection) -> None:
    west, east = shapely.box(114.905, 30.405, 114.9055, 30.406), shapely.box(114.9055, 30.405, 114.9058, 30.406)
    zone(ground, "guided-development", west)
    zone(ground, "controlled-use", east)
    zone(ground, "strict-protection", PATCH, "draft")
    zone(ground, "farmland", PATCH)
    act_as(ground, PLANNER)
    found = zone_check(ground, CITY, mapping(PATCH))
    assert (found.strictest, [one.kind for one in found.zones]) == (
        "controlled-use",
        ["guided-development", "controlled-use"],
    )
    assert found.uncovered == pytest.approx(area(PATCH) * 0.2, rel=2e-3)
    assert zone_check(ground, CITY, mapping(shapely.box(114.95, 30.45, 114.951, 30.451))).strictest is None


def test_what_is_no_polygon_is_named(ground: Connection) -> None:
    act_as(ground, PLANNER)
    bow = {"type": "Polygon", "coordinates": [[[114, 30], [115, 31], [115, 30], [114, 31], [114, 30]]]}
    for wrong in ({}, {"type": "Point", "coordinates": [1, 2]}, {"type": "Polygon", "coordinates": []}, bow,
                  {"type": "Polygon", "coordinates": [[[586489, 3364799], [586490, 3364799], [586490, 3364800], [586489, 3364799]]]}):  # fmt: skip
        with pytest.raises(GridError, match="area"):
            zone_check(ground, CITY, wrong)
        with pytest.raises(GridError, match=r"patches\[0\]"):
            construction_suspects(ground, CITY, (wrong,))


def test_who_may_not_read_red_lines_learns_nothing_of_them(ground: Connection) -> None:
    ground.execute(text("UPDATE citymap.layers SET visibility = 'sensitive' WHERE id = 'redlines'"))
    act_as(ground, principal_of("clerk", "intake-clerk"))
    with pytest.raises(LookupError):
        construction_suspects(ground, CITY, (mapping(PATCH),))


CLERK = Principal(
    "clerk",
    grants=(
        Grant("*", frozenset({"read"}), "sensitive"), Grant("cases", frozenset({"read", "create"}), "internal"),
        Grant("illegal-buildings", frozenset({"read", "create", "update"}), "internal"),
        Grant("temporary-buildings", frozenset({"read", "update"}), "internal"),
    ),
)  # fmt: skip


def test_a_suspected_patch_is_followed_to_its_demolition(ground: Connection, options: GridOptions) -> None:
    permit(ground, shapely.box(114.9045, 30.4045, 114.9051, 30.4065))
    act_as(ground, CLERK)
    (found,) = report_suspects(ground, CITY, options, (mapping(PATCH),))
    (again,) = report_suspects(ground, CITY, options, (mapping(PATCH),))
    row = ground.execute(text("SELECT *, ST_AsBinary(geom) AS wkb FROM city.illegal_buildings")).one()
    assert (row.case_code, row.stage, row.permits) == (found.case, "suspected", "厂房")
    assert again.attached_to == found.case and row.permitted_share == found.share and row.area_code == "429701001001"
    assert shapely.from_wkb(bytes(row.wkb)).equals(shapely.MultiPolygon([PATCH]))

    def to(stage: str, **more: Any) -> None:
        sets = "".join(f", {name} = :{name}" for name in more)
        ground.execute(text(f"UPDATE city.illegal_buildings SET stage = :stage{sets}"), {"stage": stage, **more})

    for stage, said in (("demolished", "next may be"), ("penalised", "cannot follow"), ("dismissed", "needs reason")):
        with pytest.raises(Exception, match=said), ground.begin_nested():
            to(stage)
    to("confirmed")
    with pytest.raises(Exception, match="needs document, penalty"), ground.begin_nested():
        to("penalised")
    to("penalised", document="鄂罚字1号", penalty=5000)
    to("demolition-ordered", demolish_by="2026-12-31")
    to("demolished")
    ended = ground.execute(text("SELECT * FROM city.illegal_buildings")).one()
    assert ended.confirmed_at and ended.penalised_at and ended.ordered_at and ended.ended_at and ended.revision == 5


def test_temporary_buildings_beyond_their_day_are_listed_and_become_cases_once(
    ground: Connection, options: GridOptions
) -> None:
    today = ground.execute(text("SELECT (now() AT TIME ZONE 'Asia/Shanghai')::date")).scalar_one()
    for n, (expires, extended, removed) in enumerate(
        [
            (-30, None, None),
            (-30, -3, None),
            (-30, 5, None),
            (-30, None, -1),
            (0, None, None),
            (-1, None, None),
            (None,) * 3,
        ]
    ):
        days = [today + timedelta(one) if one is not None else None for one in (expires, extended, removed)]
        west = 114.902 + n * 0.002
        ground.execute(
            text("INSERT INTO city.temporary_buildings (geom, permit, name, expires_on, extended_to, removed_on) VALUES"
                 " (ST_Multi(ST_MakeEnvelope(:w, 30.405, :w + 0.0005, 30.4055, 4490)), :p, '工棚', :e, :x, :r)"),
            {"w": west, "p": f"L{n}", "e": days[0], "x": days[1], "r": days[2]},
        )  # fmt: skip
    act_as(ground, CLERK)
    found = overdue_temporary_buildings(ground, CITY, options)
    assert [(one.permit, one.days) for one in found] == [("L0", 30), ("L1", 3), ("L5", 1)]
    assert found[0].area == pytest.approx(area(shapely.box(114.902, 30.405, 114.9025, 30.4055)), abs=0.1)
    assert not overdue_temporary_buildings(ground, CITY, options, "999999")
    before = overdue_temporary_buildings(ground, CITY, options, on=today - timedelta(days=2))
    assert [one.permit for one in before] == ["L0", "L3", "L1"]  # what is gone today stood then
    reported = report_overdue_buildings(ground, CITY, options)
    assert len(reported) == 3 and len({one.case for one in reported}) == 3
    assert not report_overdue_buildings(ground, CITY, options)
    assert overdue_temporary_buildings(ground, CITY, options)[0].case_code == reported[0].case
    words = ground.execute(
        text("SELECT description FROM city.cases WHERE code = :c"), {"c": reported[0].case}
    ).scalar_one()
    assert "逾期 30 天" in words
