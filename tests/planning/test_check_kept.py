"""Slivers, uses of other schemes, the plan of a day, kept checks: replayed, and recognised as stale."""

from datetime import date

import pytest
import shapely
from sqlalchemy import Connection

from layers.access import Principal
from planning.check.check import Wishes, check
from planning.check.pieces import Tolerance, piece_of
from planning.check.processes import check_redline, replay_check
from planning.check.subject import Subject
from planning.errors import PlanningError
from planning.plan.land_codes import CodeMapping, LandCode, LandCodes, load_land_codes
from planning.survey.zones import Zone
from tests.planning.plan_site import make_plan
from tests.planning.redline_site import PLANNER, Office, X, Y, square


def test_a_sliver_is_small_or_thin() -> None:
    wide, thin, small = shapely.box(0, 0, 10, 10), shapely.box(20, 0, 20.04, 500), shapely.box(600, 0, 600.9, 1)
    found = piece_of(shapely.union_all([wide, thin, small]), Tolerance(1.0, 0.05))
    assert (found.area, found.slivers, round(found.sliver_area, 2)) == (100.0, 2, 20.9)
    everything = piece_of(shapely.union_all([wide, thin, small]), Tolerance(0.0, 0.0))
    assert (round(everything.area, 2), everything.slivers) == (120.9, 0)
    assert piece_of(shapely.LineString([(0, 0), (1, 1)]), Tolerance()).area == 0
    mixed = shapely.GeometryCollection([shapely.Point(0, 0), shapely.MultiPolygon([wide])])
    assert piece_of(mixed, Tolerance()).area == 100
    assert piece_of(shapely.Polygon(), Tolerance()).area == 0


def test_codes_of_different_schemes_are_compared_by_a_mapping_only(conn: Connection) -> None:
    codes = load_land_codes(conn)

    def fit(use: str, scheme: str, allowed: str, other: str) -> str:
        return codes.fit(LandCode(scheme, use), LandCode(other, allowed))

    assert fit("070102", "2023", "0701", "2023") == "fits"
    assert fit("0701", "2023", "070102", "2023") == "unknown"  # wider than what is planned
    assert fit("0901", "2023", "0701", "2023") == "differs"
    assert fit("R2", "2011", "0701", "2023") == "fits" and fit("R2", "2011", "070101", "2023") == "differs"
    assert fit("070102", "2023", "R", "2011") == "fits"
    assert fit("A3", "2011", "0804", "2023") == "unknown"  # education and research together
    assert fit("M1", "2011", "0701", "2023") == "differs"
    assert fit("01", "2023", "R", "2011") == "unknown"  # no mapping of farmland
    assert fit("0701", "2023", "0701", "2011") == "unknown"  # the same digits mean nothing in the other scheme
    assert fit("", "2023", "0701", "2023") == "unknown"
    assert codes.name(LandCode("2023", "0701029")) == "二类城镇住宅用地" and codes.name(LandCode("2023", "99")) is None


def test_a_mapping_read_backwards_turns_its_relation() -> None:
    a, b = LandCode("x", "1"), LandCode("y", "I")
    codes = LandCodes({a: "", b: ""}, (CodeMapping(a, b, "narrower"),))
    assert codes.fit(a, b) == "fits"  # 1 is a part of I
    assert codes.fit(b, a) == "unknown"  # I covers more than 1
    assert codes.fit(LandCode("x", "12"), b) == "fits"


def test_the_plan_of_the_day_holds(conn: Connection) -> None:
    """Approved on 2024-05-20: before that day no control plan covers the parcel."""
    make_plan(conn)
    subject = {
        "shape": shapely.box(X + 300, Y + 300, X + 340, Y + 340),
        "zone": Zone(38),
        "use": LandCode("2023", "07"),
        "tolerance": Tolerance(),
    }
    after = check(conn, None, Subject(on=date(2024, 5, 20), **subject), Wishes())  # type: ignore[arg-type]
    before = check(conn, None, Subject(on=date(2024, 5, 19), **subject), Wishes())  # type: ignore[arg-type]
    assert after.plots and not before.plots
    assert [c.kind for c in before.conflicts] == ["unplanned"]
    assert any("没有 urban-boundary" in text.zh for text in before.unknown)
    conn.exec_driver_sql("DELETE FROM city.control_zones WHERE kind = 'urban-boundary'")
    gone = check(conn, None, Subject(on=date(2024, 5, 20), **subject), Wishes())  # type: ignore[arg-type]
    assert any("没有 urban-boundary" in text.zh for text in gone.unknown)


def test_a_use_that_no_mapping_decides_is_told_and_is_no_conflict(conn: Connection) -> None:
    make_plan(conn)
    use = LandCode("2011", "H1")
    found = check(
        conn,
        None,
        Subject(shapely.box(X + 300, Y + 300, X + 340, Y + 340), Zone(38), use, date(2026, 1, 1), Tolerance()),
        Wishes(),
    )
    assert not [c for c in found.conflicts if c.kind == "land-use"]
    assert any("没有确定的对应" in text.zh for text in found.unknown)


def test_a_kept_check_replays_the_same_after_the_layers_changed(office: Office) -> None:
    number = office.apply(square(0, 0, 80)).number
    kept = office.check(number)
    with office.database.transaction(principal=PLANNER) as conn:
        fresh = replay_check(conn, office.store, check=kept.check)
    assert fresh.same and not fresh.stale and not fresh.rules_changed
    place = "ST_Multi(ST_Transform(ST_MakeEnvelope(586410, 3364810, 586420, 3364820, 4547), 4490))"
    office.sql(f"INSERT INTO city.control_lines (geom, kind, code, status) VALUES ({place}, 'green', 'G1', 'approved')")
    office.sql("UPDATE city.control_plan SET land_code = '0701' WHERE plot = 'P1'")
    with office.database.transaction(principal=PLANNER) as conn:
        again = replay_check(conn, office.store, check=kept.check)
    assert again.same and again.replayed.blocking == 0
    assert {change.layer for change in again.stale} == {"control-lines", "control-plan"}
    now = office.check(number)
    assert {c.kind for c in now.result.conflicts} == {"green", "land-use"}
    office.sql("UPDATE planning.rules SET severity = 'warning' WHERE kind = 'green'")
    with office.database.transaction(principal=PLANNER) as conn:
        by_other_rules = replay_check(conn, office.store, check=now.check)
    assert by_other_rules.rules_changed and not by_other_rules.same
    office.sql("UPDATE planning.rules SET severity = 'blocking' WHERE kind = 'green'")
    office.sql("DELETE FROM city.control_lines WHERE code = 'G1'")
    office.sql("UPDATE city.control_plan SET land_code = '09' WHERE plot = 'P1'")
    with office.database.transaction(principal=PLANNER) as conn:
        assert replay_check(conn, office.store, check=now.check).same


def test_a_check_older_than_the_dirty_log_is_held_against_the_histories(office: Office) -> None:
    number = office.apply(square(200, 0, 80)).number
    kept = office.check(number)
    office.sql("UPDATE planning.checks SET at = at - interval '8 days' WHERE id = :id", id=kept.check)
    place = "ST_Multi(ST_Transform(ST_MakeEnvelope(586610, 3364810, 586620, 3364820, 4547), 4490))"
    office.sql(f"INSERT INTO city.control_lines (geom, kind, code, status) VALUES ({place}, 'green', 'G2', 'approved')")
    office.sql("DELETE FROM citymap.dirty WHERE layer = 'control-lines'")  # as tidy() does in time
    from planning.check.store import changes_since

    with office.database.transaction(principal=PLANNER) as conn:
        assert "control-lines" in {change.layer for change in changes_since(conn, kept.check)}
    office.sql("DELETE FROM city.control_lines WHERE code = 'G2'")


def test_a_check_is_seen_by_who_may_see_red_lines(office: Office) -> None:
    kept = office.check(office.apply(square(400, 0, 20)).number).check
    with office.database.transaction(principal=Principal()) as conn, pytest.raises(PlanningError, match="no check"):
        replay_check(conn, office.store, check=kept)


def test_one_thing_is_checked_at_a_time(office: Office) -> None:
    with office.database.transaction(principal=PLANNER) as conn:
        with pytest.raises(PlanningError, match="give one of"):
            check_redline(conn, office.store, office.options)
        with pytest.raises(PlanningError, match="no red line"):
            check_redline(conn, office.store, office.options, redline="无")
