"""Indices of a scheme by hand-made numbers, sides and their neighbours, heights under sloping surfaces."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import shapely
from sqlalchemy import Connection, text

from layers.crs import transformer
from layers.raster.store import RasterStore
from layers.terrain.geojson import Polygon
from planning.errors import PlanningError
from planning.indices.heights import Surface, clearances
from planning.indices.model import Building, Limits, Side, indices
from planning.indices.processes import GivenBuilding, height_check, index_check
from planning.options import PlanningOptions

OPTIONS = PlanningOptions()
X, Y = 586_400.0, 3_364_800.0
SITE = shapely.box(0, 0, 100, 100)
LIMITS = Limits(2.0, 0.5, 30, 35, 24, setback_road=8, setback_plot=4, parking_min=1.0)


def values(found: list[Any]) -> dict[str, tuple[float, float | None, str]]:
    return {i.name: (i.value, i.limit, i.verdict) for i in found}


def test_every_index_by_hand() -> None:
    houses = [
        Building(shapely.box(10, 10, 40, 40), 6, 18.0),
        Building(shapely.box(60, 10, 80, 40), 10, 30.0, floor_area=5000),
    ]
    green = shapely.box(0, 60, 100, 100)
    sides = [
        Side(1, shapely.LineString([(0, 0), (100, 0)]), "road"),
        Side(2, shapely.LineString([(0, 0), (0, 100)]), "plot"),
    ]
    found = values(indices(SITE, houses, green, 104, sides, LIMITS))
    assert found == {
        "far": (1.04, 2.0, "pass"),  # (900 × 6 + 5000) / 10 000
        "far-min": (1.04, 0.5, "pass"),
        "density": (15.0, 30, "pass"),  # (900 + 600) / 10 000
        "green": (40.0, 35, "pass"),
        "height": (30.0, 24, "fail"),
        "setback-road": (10.0, 8, "pass"),
        "setback-plot": (10.0, 4, "pass"),
        "parking": (104.0, 104.0, "pass"),  # 1.0 per 100 m² of 10 400 m²
        "outside": (0.0, 0.0, "pass"),
    }


def test_green_under_a_building_and_ground_outside_do_not_count() -> None:
    house = Building(shapely.box(-10, 60, 50, 80), 1, 5.0)
    found = values(indices(SITE, [house], shapely.box(0, 50, 150, 100), 0, [], Limits()))
    assert found["green"][0] == 40.0  # 5 000 − 1 000 under the house
    assert found["density"][0] == 10.0
    assert found["outside"] == (200.0, 0.0, "fail")
    assert {name: row[2] for name, row in found.items() if name != "outside"} == dict.fromkeys(
        ("far", "density", "green", "height", "parking"), "no-limit"
    )


def test_overlapping_footprints_count_once_for_density_and_twice_for_floors() -> None:
    tower, podium = Building(shapely.box(10, 10, 30, 30), 20, 60.0), Building(shapely.box(0, 0, 50, 50), 3, 12.0)
    found = values(indices(SITE, [tower, podium], shapely.Polygon(), 0, [], Limits()))
    assert found["density"][0] == 25.0 and found["far"][0] == pytest.approx((400 * 20 + 2500 * 3) / 10_000)


def test_a_bare_pass_passes() -> None:
    house = Building(shapely.box(8, 8, 38, 38), 1, 24.0)
    side = [Side(1, shapely.LineString([(0, 0), (100, 0)]), "road")]
    found = values(
        indices(SITE, [house], SITE, 9, side, Limits(density_max=9.0, height_max=24, setback_road=8, parking_min=1))
    )
    assert {found[n][2] for n in ("density", "height", "setback-road", "parking")} == {"pass"}


def test_sloping_surfaces_against_a_dense_sampling() -> None:
    """The lowest limit over a footprint: the exact answer is that of ten thousand points in it."""
    rng = np.random.default_rng(3)
    for slope in (0.05, -0.03, 0.0):
        cone = Surface("s", "airport-surface", shapely.box(-500, -500, 500, 500), 60.0, slope, (0.0, 0.0))
        for _ in range(20):
            x, y = rng.uniform(-450, 450, 2)
            ground = shapely.box(x, y, x + 40, y + 25)
            xs, ys = np.meshgrid(np.linspace(x, x + 40, 200), np.linspace(y, y + 25, 200))
            inside = shapely.contains_xy(cone.shape.buffer(1e-9), xs, ys)
            sampled = (60 + slope * np.hypot(xs, ys))[inside].min()
            assert cone.lowest_over(ground) == pytest.approx(sampled, abs=0.02)
    assert cone.lowest_over(shapely.box(600, 600, 700, 700)) is None
    [worst, fine] = clearances(
        [(shapely.box(0, 0, 10, 10), 20.0, 50.0), (shapely.box(20, 0, 30, 10), 20.0, 30.0)], [cone]
    )
    assert (worst.building, worst.top, worst.limit, worst.exceeds, worst.allowed_height) == (1, 70.0, 60.0, 10.0, 40.0)
    assert (fine.building, fine.exceeds) == (2, 0.0)


def degrees(shape: Any) -> Polygon:
    moved = shapely.transform(
        shapely.affinity.translate(shape, X, Y), transformer(4547, 4490).transform, interleaved=False
    )
    return Polygon("Polygon", orjson.loads(shapely.to_geojson(moved))["coordinates"])


def put(conn: Connection, layer: str, shape: Any, **fields: Any) -> None:
    names = ", ".join(fields)
    conn.execute(
        text(
            f"INSERT INTO city.{layer} (geom, {names}) VALUES (ST_Multi(ST_Transform(ST_GeomFromWKB(:g, 4547), 4490)), {', '.join(':' + n for n in fields)})"
        ),
        {"g": shapely.to_wkb(shapely.affinity.translate(shape, X, Y)), **fields},
    )


def test_a_scheme_against_the_plan_and_what_lies_around_it(conn: Connection) -> None:
    put(conn, "control_plan", shapely.box(-20, -20, 120, 120), plot="A-1", code="A", status="approved", far_max=2.0, density_max=30.0, green_min=35.0,
        height_max=24.0, setback_road=8.0, setback_water=15.0, setback_plot=4.0)  # fmt: skip
    put(conn, "control_plan", shapely.box(100, 0, 200, 100), plot="A-2", code="B", status="approved", far_max=9.0)
    put(conn, "control_lines", shapely.box(-50, -30, 150, -3), kind="road", code="R", status="approved")
    put(
        conn, "control_lines", shapely.box(-30, 40, -2, 60), kind="green", code="G", status="approved"
    )  # a fifth of a side
    put(conn, "water", shapely.box(101, -20, 150, 120), kind="river", source_id="w")
    houses = (
        GivenBuilding(degrees(shapely.box(5, 5, 45, 45)), 18, 6),
        GivenBuilding(degrees(shapely.box(60, 50, 90, 90)), 30, 8),
    )
    found = index_check(
        conn, OPTIONS, houses, geometry=degrees(SITE), green=degrees(shapely.box(0, 95, 100, 100)), parking=10
    )
    assert found.plot == "A-1" and found.passes is False
    assert sorted(s.neighbour for s in found.sides) == ["plot", "plot", "road", "water"]
    by_name = {(i.name, round(i.value)): i for i in found.indices}
    assert by_name["setback-road", 5].verdict == "fail" and by_name["setback-water", 10].verdict == "fail"
    assert by_name["setback-plot", 5].verdict == "pass" and by_name["height", 30].verdict == "fail"
    assert {i.name: i.value for i in found.indices}["far"] == pytest.approx((1600 * 6 + 1200 * 8) / 10_000, abs=1e-4)
    assert {i.name: i.verdict for i in found.indices if i.name in ("far", "density", "green", "parking")} == {
        "far": "pass", "density": "pass", "green": "fail", "parking": "no-limit",
    }  # fmt: skip
    nothing = index_check(conn, OPTIONS, houses, geometry=degrees(shapely.affinity.translate(SITE, 3000, 0)))
    assert nothing.plot is None and "没有已批准的控规指标" in nothing.remarks[0].zh


def test_heights_under_the_surfaces_of_the_city(conn: Connection, tmp_path: Path) -> None:
    lon, lat = transformer(4547, 4490).transform(X, Y)
    put(conn, "control_zones", shapely.box(-500, -500, 500, 500), kind="airport-surface", name="锥面", code="S", status="approved",
        limit_height=45.0, limit_slope=0.1, origin_lon=lon, origin_lat=lat)  # fmt: skip
    near, far = degrees(shapely.box(30, 0, 50, 20)), degrees(shapely.box(200, 0, 220, 20))
    store = RasterStore(tmp_path)
    found = height_check(
        conn,
        store,
        OPTIONS,
        (GivenBuilding(near, 40, ground=20.0), GivenBuilding(far, 40, ground=20.0)),
        on=date(2026, 1, 1),
    )
    assert [(c.building, c.surface) for c in found.clearances] == [(1, "锥面"), (2, "锥面")] and not found.passes
    assert [c.limit for c in found.clearances] == pytest.approx([48.0, 65.0], abs=0.01)
    assert [c.exceeds for c in found.clearances] == pytest.approx([12.0, 0.0], abs=0.01)
    with pytest.raises(PlanningError, match="building 1: elevation 'dem' knows no ground there"):
        height_check(conn, store, OPTIONS, (GivenBuilding(near, 40),))
    away = height_check(conn, store, OPTIONS, (GivenBuilding(degrees(shapely.box(3000, 0, 3010, 10)), 400),))
    assert away.passes and away.remarks
