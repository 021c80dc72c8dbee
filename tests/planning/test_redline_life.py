"""A red line from application to archive, on the way back, changed, and at its end; by roles, signed, without gaps."""

from datetime import timedelta
from itertools import product
from typing import get_args

import pytest
import shapely
from sqlalchemy.exc import DBAPIError

from layers.features import RowDenied
from planning.errors import PlanningConflict, PlanningError, StepNotAllowed
from planning.publicity.writing import Publicity
from planning.redline import processes
from planning.redline.transitions import ALLOCATED, TRANSITIONS, Action, State, possible, step
from tests.planning.redline_site import APPROVER, CLERK, PLANNER, REVIEWER, Office, given, officer, square


def test_the_whole_life_by_its_officers(office: Office) -> None:
    line = office.apply(square(0, 0, 100), name="示范学校", applicant="市教育局")
    assert line.status == "applied" and line.facts["area"] == 10_000
    assert [s.action for s in line.steps] == ["apply"] and line.unbroken
    number = line.number
    office.publicise(number)
    allocated = office.run(APPROVER, processes.allocate_redline, redline=number, opinion="同意")
    assert allocated.result.blocking == 0 and allocated.redline.facts["approved_on"] == office.options.today()
    for name, who in (("permit-land", APPROVER), ("permit-works", APPROVER), ("verify", PLANNER), ("archive", CLERK)):
        line = office.advance(number, name, who)
    assert line.status == "archived" and line.possible == ()
    assert [s.after for s in line.steps] == [
        "applied", "examined", "conditions", "publicised", "approved", "land-permit", "works-permit", "verified", "archived",
    ]  # fmt: skip
    assert [s.role for s in line.steps[:5]] == [
        "planning-clerk",
        "planner",
        "planning-reviewer",
        "planner",
        "planning-approver",
    ]
    documents = [s.document for s in line.steps if s.document]
    assert [d[0] for d in documents] == ["选", "批", "地", "建", "核"]
    assert line.steps[4].opinion == "同意" and line.steps[4].check == allocated.check
    assert line.unbroken
    audited = office.sql("SELECT count(*) FROM audit.entries WHERE kind = 'redline' AND action = 'step'")
    assert audited[0][0] >= 9


def test_the_table_alone_says_who_may_do_what() -> None:
    """Every state with every action and role: the step is taken exactly where a row of the table says so."""
    roles = ("planning-clerk", "planner", "planning-reviewer", "planning-approver", "grid-worker")
    rows = {(before, t.action, role): t.after for t in TRANSITIONS for before in t.before for role in t.roles}
    for state, action, role in product(get_args(State), get_args(Action), roles):
        wanted = rows.get((state, action, role))
        if wanted:
            assert step(action, state, (role,))[0].after == wanted
        else:
            with pytest.raises((PlanningConflict, StepNotAllowed)):
                step(action, state, (role,))
    ends = [state for state in get_args(State) if not possible(state)]
    assert ends == ["archived", "withdrawn", "revoked", "expired", "replaced"]
    assert {
        t.after for t in TRANSITIONS if t.action in ("approve", "permit-land", "permit-works", "verify", "archive")
    } == ALLOCATED


def test_the_database_says_the_same_of_ground_that_is_given_out(office: Office) -> None:
    rows = office.sql(
        "SELECT s, planning.is_allocated(s) FROM unnest(CAST(:states AS text[])) AS s", states=list(get_args(State))
    )
    assert {state for state, allocated in rows if allocated} == ALLOCATED


def test_a_step_of_another_role_or_state_is_refused_and_changes_nothing(office: Office) -> None:
    number = office.apply(square(300, 0, 50)).number
    with pytest.raises(StepNotAllowed, match="'examine' is for the role planner"):
        office.advance(number, "examine", CLERK)
    with pytest.raises(
        PlanningConflict, match="from which 'archive' does not lead; possible: examine, return, withdraw"
    ):
        office.advance(number, "archive", CLERK)
    with pytest.raises(PlanningConflict, match="never checked"):
        office.advance(number, "examine", PLANNER)
    with pytest.raises(PlanningError, match="needs words of why"):
        office.advance(number, "return", PLANNER)
    with pytest.raises(StepNotAllowed):
        office.apply(square(0, 0, 10), who=officer("grid-worker"))
    assert [
        s.action
        for s in office.run(
            PLANNER, lambda conn, *_, redline: processes.redline_history(conn, redline), redline=number
        ).steps
    ] == ["apply"]


def test_returned_resubmitted_withdrawn(office: Office) -> None:
    number = office.apply(square(400, 0, 50)).number
    assert office.advance(number, "return", REVIEWER, opinion="界址点缺失").status == "returned"
    assert office.advance(number, "resubmit", CLERK).status == "applied"
    assert office.advance(number, "withdraw", CLERK, opinion="业主撤回").status == "withdrawn"
    with pytest.raises(PlanningConflict):
        office.advance(number, "resubmit", CLERK)


def test_a_stale_check_does_not_carry_the_examination(office: Office) -> None:
    number = office.apply(square(600, 0, 50)).number
    assert office.check(number).result.verdict == "clear"
    place = "ST_Multi(ST_Transform(ST_MakeEnvelope(587030, 3364830, 587040, 3364840, 4547), 4490))"
    office.sql(f"INSERT INTO city.control_lines (geom, kind, code, status) VALUES ({place}, 'blue', 'NEW', 'approved')")
    with pytest.raises(PlanningConflict, match="control-lines changed since the check"):
        office.advance(number, "examine", PLANNER)
    again = office.check(number).result
    assert [(c.kind, c.rule) for c in again.conflicts] == [("blue", "must-not-overlap"), ("blue", "keep-distance")]
    assert office.advance(number, "examine", PLANNER).status == "examined"
    office.sql("DELETE FROM city.control_lines WHERE code = 'NEW'")


def test_a_change_far_away_leaves_a_check_fresh(office: Office) -> None:
    number = office.apply(square(800, 0, 50)).number
    office.check(number)
    far = "ST_Multi(ST_Transform(ST_MakeEnvelope(588500, 3364830, 588510, 3364840, 4547), 4490))"
    office.sql(f"INSERT INTO city.control_lines (geom, kind, code, status) VALUES ({far}, 'blue', 'FAR', 'approved')")
    assert office.advance(number, "examine", PLANNER).status == "examined"
    office.sql("DELETE FROM city.control_lines WHERE code = 'FAR'")


def test_approval_waits_for_the_publicity_and_refuses_an_open_conflict(office: Office) -> None:
    number = office.apply(square(1000, 0, 50)).number
    office.check(number)
    office.advance(number, "examine", PLANNER)
    with pytest.raises(PlanningError, match="'conditions' is needed"):
        office.advance(number, "set-conditions", REVIEWER)
    office.advance(number, "set-conditions", REVIEWER, conditions="限高 24 米")
    today = office.options.today()
    for begins, ends, says in (
        (today, today + timedelta(days=3), "10 days at least"),
        (today - timedelta(days=1), today, "cannot begin"),
    ):
        with pytest.raises(PlanningError, match=says):
            office.advance(number, "publicise", PLANNER, publicity=Publicity("t", "x", begins, ends))
    office.advance(number, "publicise", PLANNER, publicity=Publicity("t", "x", today, today + timedelta(days=9)))
    with pytest.raises(PlanningConflict, match="publicity has not ended"):
        office.run(APPROVER, processes.allocate_redline, redline=number)
    office.end_notice(number)
    place = "ST_Multi(ST_Transform(ST_MakeEnvelope(587410, 3364810, 587420, 3364820, 4547), 4490))"
    office.sql(
        f"INSERT INTO city.control_zones (geom, kind, code, status) VALUES ({place}, 'farmland', 'F1', 'approved')"
    )
    with pytest.raises(PlanningConflict, match=r"1 open conflicts: Land Administration Law, art. 35.*\(100.00 m²\)"):
        office.run(APPROVER, processes.allocate_redline, redline=number)
    assert office.status(number) == "publicised"
    office.sql("DELETE FROM city.control_zones WHERE code = 'F1'")
    assert office.run(APPROVER, processes.allocate_redline, redline=number).redline.status == "approved"
    with pytest.raises(PlanningConflict):
        office.run(APPROVER, processes.allocate_redline, redline=number)


def test_numbers_have_no_gaps_though_transactions_fail(office: Office) -> None:
    """A taken number is given back when its transaction ends badly."""

    def serials() -> list[int]:
        return sorted(int(number[-6:-1]) for (number,) in office.sql("SELECT number FROM city.redlines"))

    for _ in range(3):
        office.apply(square(1200, 0, 20))
        with pytest.raises(PlanningConflict), office.database.transaction(principal=CLERK) as conn:
            office.run_on(conn, CLERK, processes.apply_redline, name="x", land_code="0901", parcels=(square(0, 0, 9),))
            raise PlanningConflict("后来失败", "failed later")
    assert serials() == list(range(1, len(serials()) + 1))


def test_expiry_needs_a_term_that_has_passed(office: Office) -> None:
    number = office.approved(square(1400, 0, 30))
    with pytest.raises(PlanningConflict, match="is valid until"):
        office.advance(number, "expire", PLANNER)
    office.sql("UPDATE city.redlines SET expires_on = '2020-01-01' WHERE number = :n", n=number)
    assert office.advance(number, "expire", PLANNER).status == "expired"
    assert office.approved(square(1410, 5, 30))  # its ground is free again


def test_what_has_run_out_carries_no_further_step(office: Office) -> None:
    """Neither an approval on conditions that lapsed, nor a permit on an approval that did; a works permit has no term."""
    number = office.apply(square(1400, 300, 30)).number
    office.publicise(number)
    past, later = "'2020-01-01'", "'2099-01-01'"
    office.sql(f"UPDATE city.redlines SET expires_on = {past} WHERE number = :n", n=number)
    with pytest.raises(PlanningConflict, match="was valid until 2020-01-01"):
        office.run(APPROVER, processes.allocate_redline, redline=number)
    office.sql(f"UPDATE city.redlines SET expires_on = {later} WHERE number = :n", n=number)
    office.run(APPROVER, processes.allocate_redline, redline=number)
    office.sql(f"UPDATE city.redlines SET expires_on = {past} WHERE number = :n", n=number)
    with pytest.raises(PlanningConflict, match="was valid until 2020-01-01"):
        office.advance(number, "permit-land", APPROVER)
    office.sql(f"UPDATE city.redlines SET expires_on = {later} WHERE number = :n", n=number)
    office.advance(number, "permit-land", APPROVER)
    assert office.advance(number, "permit-works", APPROVER).facts["expires_on"] is None


def test_revoked_ground_is_free_again(office: Office) -> None:
    number = office.approved(square(1600, 0, 30))
    other = office.apply(square(1615, 0, 30)).number
    office.publicise(other)
    with pytest.raises(PlanningConflict, match=f"It overlaps the approved red line {number}"):
        office.run(APPROVER, processes.allocate_redline, redline=other)
    office.advance(number, "revoke", APPROVER, opinion="项目取消")
    assert office.run(APPROVER, processes.allocate_redline, redline=other).redline.status == "approved"


def test_split_and_merge_keep_the_ground_the_state_and_the_lineage(office: Office) -> None:
    number = office.approved(square(0, 300, 100), name="大地块")
    with pytest.raises(PlanningConflict, match="the parts lack 2500.00 m²"):
        office.run(
            APPROVER,
            processes.change_redline,
            change="split",
            redlines=(number,),
            parcels=(square(0, 300, 50, 100), square(50, 300, 50, 50)),
        )
    with pytest.raises(PlanningConflict, match="exceed by 500.00 m²"):
        office.run(
            APPROVER,
            processes.change_redline,
            change="split",
            redlines=(number,),
            parcels=(square(0, 300, 50, 100), square(50, 300, 55, 100)),
        )
    with pytest.raises(StepNotAllowed):
        office.run(
            PLANNER, processes.change_redline, change="split", redlines=(number,), parcels=(square(0, 300, 50, 100),)
        )
    west, east = office.run(
        APPROVER,
        processes.change_redline,
        change="split",
        redlines=(number,),
        parcels=(square(0, 300, 40, 100), square(40, 300, 60, 100)),
        opinion="分期",
    )
    assert [w.facts["area"] for w in (west, east)] == [4000, 6000]
    assert {w.status for w in (west, east)} == {"approved"} and west.parents == east.parents == (number,)
    parent = office.run(PLANNER, lambda conn, *_, redline: processes.redline_history(conn, redline), redline=number)
    assert parent.status == "replaced" and parent.children == (west.number, east.number) and parent.unbroken
    [merged] = office.run(APPROVER, processes.change_redline, change="merge", redlines=(west.number, east.number))
    assert merged.facts["area"] == 10_000 and set(merged.parents) == {west.number, east.number}
    points = office.sql(
        "SELECT name, x::float8, y::float8 FROM planning.boundary_points WHERE redline = (SELECT id FROM city.redlines WHERE number = :n) ORDER BY place",
        n=merged.number,
    )
    assert [tuple(p) for p in points][0] == ("J1", 3365200.0, 586400.0)


def test_an_adjustment_replaces_its_parent_when_it_is_approved(office: Office) -> None:
    number = office.approved(square(300, 300, 50))
    adjusted = office.apply(square(300, 300, 60), adjusts=(number,))
    assert adjusted.parents == (number,) and office.status(number) == "approved"
    office.publicise(adjusted.number)
    found = office.run(APPROVER, processes.allocate_redline, redline=adjusted.number)
    assert found.redline.status == "approved" and office.status(number) == "replaced"


def test_no_edit_by_another_road_moves_a_red_line(office: Office) -> None:
    number = office.apply(square(500, 300, 50)).number
    for statement in (
        "UPDATE city.redlines SET status = 'approved' WHERE number = :n",
        "UPDATE city.redlines SET number = 'mine' WHERE number = :n",
        "UPDATE city.redlines SET geom = ST_Translate(geom, 0.001, 0) WHERE number = :n",
        "DELETE FROM city.redlines WHERE number = :n",
        "INSERT INTO city.redlines (geom, number, status) SELECT geom, 'x', 'approved' FROM city.redlines WHERE number = :n",
    ):
        with pytest.raises(DBAPIError, match="moves by its steps"), office.owner.engine.begin() as conn:
            conn.exec_driver_sql(statement.replace(":n", f"'{number}'"))
    with pytest.raises(DBAPIError, match="permission denied"), office.database.transaction(principal=APPROVER) as conn:
        conn.exec_driver_sql("UPDATE planning.steps SET opinion = 'x'")


def test_an_altered_step_breaks_the_seals(office: Office) -> None:
    number = office.apply(square(700, 300, 50)).number
    office.advance(number, "return", PLANNER, opinion="原因甲")
    office.sql("UPDATE planning.steps SET opinion = '原因乙' WHERE opinion = '原因甲'")
    assert not office.run(
        PLANNER, lambda conn, *_, redline: processes.redline_history(conn, redline), redline=number
    ).unbroken


def test_one_who_may_not_read_red_lines_may_not_move_them(office: Office) -> None:
    from layers.access import Principal
    from layers.registry import LayerNotFound

    number = office.apply(square(900, 300, 50)).number
    stranger = Principal("stranger", frozenset({"planner"}))  # the role, without its grants
    with pytest.raises((LayerNotFound, RowDenied, PlanningError)):
        office.advance(number, "return", stranger, opinion="x")


def test_a_red_line_of_two_zones_or_of_no_known_use_is_refused(office: Office) -> None:
    from dataclasses import replace

    with pytest.raises(PlanningError, match="one zone"):
        office.apply(square(0, 0, 10), replace(square(0, 0, 10), zone=39))
    with pytest.raises(PlanningError, match="no land code '99'"):
        office.run(CLERK, processes.apply_redline, name="x", land_code="99", parcels=(square(0, 0, 10),))


def test_points_are_kept_as_surveyed(office: Office) -> None:
    shape = shapely.Polygon([(587_000.123, 3_365_500.456), (587_100.789, 3_365_501.111), (587_050.555, 3_365_400.222)])
    line = office.apply(given(shape))
    with office.database.transaction(principal=PLANNER) as conn:
        from planning.redline.reading import find_redline

        found = find_redline(conn, line.number)
    assert {p.position for p in found.parcels[0].rings[0]} == {(y, x) for x, y in shape.exterior.coords[:-1]}
