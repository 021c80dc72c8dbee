"""Suspected construction against permits, and the three zones, with areas checked by hand and by pyproj."""

from datetime import date, timedelta
from typing import Any

import pytest
import shapely
from pyproj import Transformer
from shapely.geometry import mapping
from sqlalchemy import Connection, text

from grid.control.processes import construction_suspects, report_suspects, zone_check
from grid.errors import GridError
from grid.options import GridOptions
from layers.access import Grant, Principal
from layers.processing import CityCrs
from tests.grid.people import act_as, act_as_owner, principal_of

CITY = CityCrs(4547, frozenset({4490}))
PLANNER = Principal(
    "planner",
    grants=(Grant("*", frozenset({"read"}), "sensitive"), Grant("cases", frozenset({"read", "create"}), "internal")),
)
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
