"""Versions of plans: approval, and comparison against geopandas, also of the real zoning of San José at two dates."""

import zipfile
from datetime import date
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import Connection, text

from layers.access import Principal
from layers.importing.loader import load
from layers.registry import load_layers
from planning.errors import PlanningConflict, PlanningError, StepNotAllowed
from planning.options import PlanningOptions
from planning.plan.processes import approve_plan, compare_plans
from planning.survey.areas import ELLIPSOID
from tests.planning.plan_site import X, Y

SAN_JOSE = Path(__file__).parents[3] / "shared/data/06_utilities_zoning/sanjose"
APPROVER = Principal("approver", frozenset({"planning-approver"}))


def enter(conn: Connection, version: str, status: str, plots: dict[str, tuple[shapely.Polygon, str, float]]) -> None:
    frame = gpd.GeoDataFrame(
        {"plot": list(plots), "code": [f"{p}@{version}" for p in plots], "plan": "规划", "version": version, "status": status, "scheme": "2023",
         "land_code": [code for _, code, _ in plots.values()], "far_max": [far for *_, far in plots.values()],
         "approved_on": date(2020, 1, 1) if status == "approved" else None},
        geometry=[shape for shape, *_ in plots.values()], crs=4547,
    )  # fmt: skip
    load(conn, load_layers(conn)["control-plan"], [frame], "append")


def test_an_approval_supersedes_the_version_before_on_the_same_day(conn: Connection) -> None:
    plot = shapely.box(X, Y, X + 100, Y + 100)
    enter(conn, "2020", "approved", {"A": (plot, "07", 1.0)})
    enter(conn, "2026", "draft", {"A": (plot, "09", 2.0), "B": (plot, "14", 0.1)})
    with pytest.raises(StepNotAllowed):
        approve_plan(conn, Principal("x", frozenset({"planner"})), PlanningOptions(), "规划", "2026", "文号")
    [done] = approve_plan(conn, APPROVER, PlanningOptions(), "规划", "2026", "文号")
    assert (done.layer, done.approved, done.superseded) == ("control-plan", 2, 1)
    today = PlanningOptions().today()
    rows = conn.execute(
        text("SELECT version, status, approved_on, superseded_on, basis FROM city.control_plan ORDER BY version, plot")
    ).all()
    assert [tuple(r) for r in rows] == [
        ("2020", "superseded", date(2020, 1, 1), today, None),
        ("2026", "approved", today, None, "文号"),
        ("2026", "approved", today, None, "文号"),
    ]
    with pytest.raises(PlanningConflict, match="no draft"):
        approve_plan(conn, APPROVER, PlanningOptions(), "规划", "2026", "文号")


def test_a_comparison_says_what_changed_and_how_much(conn: Connection) -> None:
    west, east = shapely.box(X, Y, X + 100, Y + 100), shapely.box(X + 100, Y, X + 200, Y + 100)
    enter(conn, "1", "superseded", {"A": (west, "07", 1.0), "B": (east, "14", 0.1)})
    enter(conn, "2", "approved", {"A": (west, "07", 1.5), "C": (shapely.box(X + 100, Y, X + 150, Y + 100), "09", 3.0)})
    found = compare_plans(conn, "规划", "1", "2")
    assert {(t.before, t.after) for t in found.transitions} == {("14", "09"), ("14", None)}
    assert [t.area for t in found.transitions] == pytest.approx([5000, 5000], rel=1e-3)
    assert found.unchanged_area == pytest.approx(10_000, rel=1e-3)
    assert (found.added, found.removed) == (("C",), ("B",))
    assert [(p.plot, p.index, p.before, p.after) for p in found.plots] == [("A", "far_max", 1.0, 1.5)]
    with pytest.raises(PlanningError, match="no version '9'"):
        compare_plans(conn, "规划", "1", "9")


def _zoning(name: str) -> gpd.GeoDataFrame:
    with zipfile.ZipFile(SAN_JOSE / name) as archive:
        [shp] = [n for n in archive.namelist() if n.lower().endswith(".shp")]
    frame = gpd.read_file(f"/vsizip/{SAN_JOSE / name}/{shp}")
    code = next(c for c in ("ZONINGABBR", "ZONING", "ZONE", "ZONINGABBREV") if c in frame.columns)
    frame = frame[[code, "geometry"]].rename(columns={code: "land_code"}).to_crs(4326)
    return frame.cx[-121.93:-121.90, 37.30:37.33]  # a part of the city, for the test's time


def test_the_zoning_of_san_jose_at_two_dates(conn: Connection) -> None:
    if not SAN_JOSE.exists():
        pytest.skip("../shared/data/06_utilities_zoning/sanjose is absent")
    versions = {"2014-07": _zoning("Zoning_2014-07.zip"), "2016": _zoning("Zoning.zip")}
    layer = load_layers(conn)["control-plan"]
    for version, frame in versions.items():
        load(
            conn,
            layer,
            [
                frame.assign(
                    plan="San José",
                    version=version,
                    status="approved",
                    code=[f"{version}-{i}" for i in range(len(frame))],
                )
            ],
            "append",
        )
    found = compare_plans(conn, "San José", "2014-07", "2016")
    stored = {}
    for version in versions:
        rows = conn.execute(
            text("SELECT land_code, ST_AsBinary(geom) FROM city.control_plan WHERE version = :v"), {"v": version}
        ).all()
        stored[version] = gpd.GeoDataFrame(
            {"land_code": [r[0] for r in rows]}, geometry=shapely.from_wkb([bytes(r[1]) for r in rows]), crs=4490
        )
    both = gpd.overlay(stored["2014-07"], stored["2016"], keep_geom_type=True)
    areas = both.geometry.map(lambda g: abs(ELLIPSOID.geometry_area_perimeter(shapely.orient_polygons(g))[0]))
    expected = areas.groupby([both["land_code_1"], both["land_code_2"]]).sum()
    wanted = {pair: area for pair, area in expected.items() if pair[0] != pair[1] and area > 1}
    told = {(t.before, t.after): t.area for t in found.transitions if t.before and t.after and t.area > 1}
    assert told.keys() == wanted.keys() and told
    assert told == pytest.approx(wanted, rel=1e-4, abs=0.5)
