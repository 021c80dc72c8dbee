"""Site selection against distances by geopandas in the plane, and its limits and words."""

from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import shapely
from sqlalchemy import Connection

from planning.errors import PlanningError
from planning.options import PlanningOptions
from planning.siting.model import Criterion, Limit
from planning.siting.processes import site_selection
from tests.planning.plan_site import make_plan

DAY = date(2026, 1, 1)


def test_candidates_are_ranked_as_plain_distances_say(conn: Connection) -> None:
    plan = make_plan(conn)
    plots = plan.plots[plan.plots["land_code"].str.startswith(("07", "09"))]
    green, road = (plan.lines[plan.lines["kind"] == kind].union_all() for kind in ("green", "road"))
    farmland = plan.zones[plan.zones["kind"] == "farmland"].union_all()
    houses = plan.buildings.union_all()
    criteria = (
        Criterion("control-lines", 0, 300, 2, "kind", "green"),
        Criterion("control-lines", 500, 50, 1, "kind", "road"),
        Criterion("buildings", 20, 20, 0.5),
    )
    limits = (
        Limit("control-zones", 30, "beyond", "kind", "farmland"),
        Limit("control-lines", 400, "within", "kind", "road"),
    )
    found = site_selection(
        conn, PlanningOptions(), criteria, limits, land_codes=("07", "09"), min_area=1000, on=DAY, count=200
    )
    assert found.considered == len(plots) > 20

    def score(plot: shapely.Polygon) -> float:
        near = max(0, min(1, (300 - plot.distance(green)) / 300))
        far = max(0, min(1, (50 - plot.distance(road)) / (50 - 500)))
        return (2 * near + far + 0.5 * (plot.distance(houses) <= 20)) / 3.5

    wanted = {
        row.plot: score(row.geometry)
        for row in plots.itertuples()
        if row.geometry.distance(farmland) > 30 and row.geometry.distance(road) <= 400
    }
    assert {c.name: c.score for c in found.candidates} == pytest.approx(wanted, abs=2e-3)
    assert found.kept == len(wanted) < found.considered
    assert found.excluded[0] == sum(plots.distance(farmland) <= 30)
    scores = [c.score for c in found.candidates]
    assert scores == sorted(scores, reverse=True) and [c.rank for c in found.candidates] == list(
        range(1, len(scores) + 1)
    )
    best = found.candidates[0]
    assert best.reasons[0].text.zh.startswith("距 control-lines（green）")
    assert best.area == pytest.approx(
        gpd.GeoSeries(
            [shapely.from_geojson(str(best.geometry).replace("'", '"').replace("(", "[").replace(")", "]"))], crs=4490
        )
        .to_crs(4547)
        .area[0],
        rel=1e-3,
    )


def test_a_distance_is_worth_what_it_says() -> None:
    near, far, edge = Criterion("x", 100, 300), Criterion("x", 300, 100), Criterion("x", 50, 50)
    assert [near.score(d) for d in (0, 100, 200, 300, None)] == [1, 1, 0.5, 0, 0]
    assert [far.score(d) for d in (0, 100, 200, 300, None)] == [0, 0, 0.5, 1, 1]
    assert [edge.score(d) for d in (50, 51, None)] == [1, 0, 0]
    assert [Limit("x", 50, "within").holds(d) for d in (0, 50, 51, None)] == [True, True, False, False]
    assert [Limit("x", 50, "beyond").holds(d) for d in (0, 49.9, 50, None)] == [False, False, True, True]


def test_what_cannot_be_asked_is_named(conn: Connection) -> None:
    options, one = PlanningOptions(), (Criterion("roads", 0, 100),)
    with pytest.raises(PlanningError, match="no layer 'nothing'"):
        site_selection(conn, options, (Criterion("nothing", 0, 100),))
    with pytest.raises(PlanningError, match="layer 'roads' has no field 'colour'"):
        site_selection(conn, options, (Criterion("roads", 0, 100, field="colour", value="x"),))
    with pytest.raises(PlanningError, match="no layer of areas"):
        site_selection(conn, options, one, candidates="roads")
    with pytest.raises(PlanningError, match="no field of land codes"):
        site_selection(conn, options, one, candidates="water", land_codes=("07",))
    assert np.isclose(site_selection(conn, options, one).considered, 0)
