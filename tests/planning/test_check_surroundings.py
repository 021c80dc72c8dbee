"""What lies in a parcel and beside it: each figure against plain numbers of a site that was made for them."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
import shapely
from affine import Affine
from sqlalchemy import Connection, text

from layers.raster.store import RasterStore
from planning.check.answers import Checked
from planning.check.check import Wishes, check
from planning.check.pieces import Tolerance
from planning.check.subject import Subject
from planning.plan.land_codes import LandCode
from planning.survey.zones import Zone
from tests.layers.terrain.grids import write
from tests.layers.terrain.test_processes import take
from tests.planning.redline_site import APPROVER, CLERK, Office, square

X, Y = 586_400.0, 3_364_800.0
PARCEL = shapely.box(X, Y, X + 100, Y + 80)


def put(conn: Connection, table: str, shape: shapely.Geometry, **values: object) -> None:
    """A feature whose corners are metres from the parcel's south-western one."""
    moved = shapely.transform(shape, lambda points: points + (X, Y))
    multi = "ST_Multi" if shape.geom_type == "Polygon" else ""
    columns = "".join(f", {name}" for name in values)
    places = "".join(f", :{name}" for name in values)
    conn.execute(
        text(
            f"INSERT INTO city.{table} (geom{columns})"
            f" VALUES ({multi}(ST_Transform(ST_GeomFromText(:wkt, 4547), 4490)){places})"
        ),
        {"wkt": moved.wkt, **values},
    )


@pytest.fixture
def checked(conn: Connection, tmp_path: Path) -> Checked:
    """Ground that rises by 1 in 10 to the east; two houses, a main, a camera, two streets, two holdings."""
    store = RasterStore(tmp_path / "rasters")
    heights = np.tile(50 + (np.arange(120) * 5.0 - 250 + 2.5) / 10, (120, 1))
    take(conn, store, write(tmp_path / "slope.tif", heights, Affine(5, 0, X - 250, 0, -5, Y + 350), 4547))
    put(conn, "buildings", shapely.box(10, 10, 30, 30), use="residential", floors=6)
    put(conn, "buildings", shapely.box(90, 40, 110, 60), use="office", height=30.0)
    put(conn, "buildings", shapely.box(100, 0, 120, 20), use="office", floors=3)  # only touches
    put(conn, "pipelines", shapely.LineString([(-50, 20), (150, 20)]), kind="water")
    put(conn, "pipelines", shapely.LineString([(50, -20), (50, 40), (200, 40)]), kind="water")
    put(conn, "cameras", shapely.Point(40, 40))
    put(conn, "cameras", shapely.Point(140, 40))
    put(conn, "roads", shapely.LineString([(-100, -12), (200, -12)]), name="滨湖路", **{"class": "secondary"})
    put(conn, "roads", shapely.LineString([(-100, 200), (200, 200)]), name="远路", **{"class": "primary"})
    put(conn, "land_use", shapely.box(-100, -100, 60, 200), code="0701", name="甲村", source_id="a")
    put(conn, "land_use", shapely.box(60, -100, 200, 200), code="0101", name="乙村", source_id="b")
    subject = Subject(PARCEL, Zone(38), LandCode("2023", "0901"), date(2026, 1, 1), Tolerance())
    return check(conn, store, subject, Wishes(ownership="land-use", access=30.0, floor_area_per_person=40.0))


def test_buildings_with_their_floors_and_people(checked: Checked) -> None:
    found = checked.buildings
    assert found is not None and (found.count, found.cut) == (2, 1)
    assert found.footprint == pytest.approx(400 + 200, abs=0.05)
    assert found.floor_area == pytest.approx(400 * 6 + 200 * 10, abs=0.5)  # 30 m are ten storeys
    assert found.people == 400 * 6 / 40


def test_pipes_cameras_and_roads(checked: Checked) -> None:
    pipes, cameras = ([c for c in checked.crossed if c.layer == name] for name in ("pipelines", "cameras"))
    assert [(c.kind, c.count) for c in pipes] == [("water", 2)]
    assert pipes[0].length == pytest.approx(100 + 40 + 50, abs=0.02)
    assert [(c.count, c.length) for c in cameras] == [(1, 0.0)]
    [road] = checked.access
    assert (road.name, road.road_class, road.crosses) == ("滨湖路", "secondary", False)
    assert road.distance == pytest.approx(12, abs=0.01)


def test_land_use_holdings_and_ground(checked: Checked) -> None:
    assert {u.code: u.area for u in checked.land_use} == pytest.approx({"0701": 4800, "0101": 3200}, abs=0.05)
    assert [h.area for h in checked.holdings] == pytest.approx([4800, 3200], abs=0.05)
    assert [h.share for h in checked.holdings] == pytest.approx([0.6, 0.4], abs=1e-4)
    ground = checked.ground
    assert ground is not None
    assert (ground.lowest, ground.highest) == (pytest.approx(50, abs=0.6), pytest.approx(60, abs=0.6))
    assert ground.mean == pytest.approx(55, abs=0.1)
    slope = float(np.degrees(np.arctan(0.1)))
    assert (ground.mean_slope, ground.steepest) == (pytest.approx(slope, abs=0.05), pytest.approx(slope, abs=0.05))


def test_red_lines_of_a_past_day_are_those_of_that_day(office: Office) -> None:
    from planning.check.processes import check_redline

    number = office.approved(square(0, 2000, 40))
    [(then,)] = office.sql("SELECT clock_timestamp()")
    office.advance(number, "revoke", APPROVER, opinion="项目取消")
    for as_of, wanted in ((None, set()), (then, {("approved", "blocking")})):
        with office.database.transaction(principal=CLERK) as conn:
            given = {"parcel": square(20, 2000, 40), "land_code": "0901"}
            result = check_redline(conn, office.store, office.options, as_of=as_of, **given).result  # type: ignore[arg-type]
        assert {(c.kind, c.severity) for c in result.conflicts if c.subject == "redlines"} == wanted
