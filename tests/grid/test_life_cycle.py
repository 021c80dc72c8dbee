"""A case from its report to its end, by the people of each role, on the real layer with its rights."""

from typing import Any

import pytest
from psycopg2 import DatabaseError
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from grid.cases.processes import CaseStatus, advance_case, case_history
from grid.errors import ActNotAllowed, CaseNotFound, GridError
from grid.options import GridOptions
from layers.access import Principal
from layers.features import EditConflict, RowDenied
from tests.grid.conftest import COMMUNITY, OTHER
from tests.grid.people import act_as, act_as_owner, principal_of

PEOPLE = {
    "worker": principal_of("worker", "grid-worker", area=COMMUNITY),
    "clerk": principal_of("clerk", "intake-clerk"),
    "shift": principal_of("shift", "shift-leader"),
    "dispatcher": principal_of("dispatcher", "case-dispatcher"),
    "handler": principal_of("handler", "case-handler", departments=("sanitation",)),
    "plumber": principal_of("plumber", "case-handler", departments=("water",)),
    "verifier": principal_of("verifier", "case-verifier", area=COMMUNITY),
    "away": principal_of("away", "case-verifier", area=OTHER),
    "leader": principal_of("leader", "leader"),
}


def report(conn: Connection, lon: float = 114.9102, lat: float = 30.4102, **fields: Any) -> str:
    """A case as a client posts it; returns its number."""
    values = {"class": "0102", "channel": "patrol", **fields}
    names = ", ".join(values)
    bound = ", ".join(f":{name}" for name in values)
    statement = f"INSERT INTO city.cases (geom, {names}) VALUES (ST_SetSRID(ST_MakePoint(:x, :y), 4490), {bound}) RETURNING code"
    return str(conn.execute(text(statement), {"x": lon, "y": lat, **values}).scalar_one())


def does(
    conn: Connection, options: GridOptions, who: str | Principal, case: str, act: Any, **inputs: Any
) -> CaseStatus:
    person = PEOPLE[who] if isinstance(who, str) else who
    act_as(conn, person)
    return advance_case(conn, person, options, case, act, **inputs)


def dispatched(conn: Connection, options: GridOptions, condition: str = "小于一立方米") -> str:
    act_as(conn, PEOPLE["worker"])
    case = report(conn)
    does(conn, options, "clerk", case, "accept")
    does(conn, options, "shift", case, "file", condition=condition)
    does(conn, options, "dispatcher", case, "dispatch", department="sanitation")
    return case


def row(conn: Connection, case: str) -> Any:
    act_as_owner(conn)
    return conn.execute(text("SELECT * FROM city.cases WHERE code = :c"), {"c": case}).one()


def test_a_case_runs_from_report_to_closing_and_every_step_is_kept(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options)
    does(ground, options, "handler", case, "handle")
    does(ground, options, "handler", case, "feedback", reason="已清运", position=(114.9101, 30.4101))
    does(ground, options, "verifier", case, "check", consistent=True)
    closed = does(ground, options, "verifier", case, "close")
    assert (closed.state, closed.allowed) == ("closed", ())
    steps = case_history(ground, PEOPLE["verifier"], case).steps
    assert [(s.act, s.actor, s.to_state) for s in steps] == [
        ("report", "worker", "reported"), ("accept", "clerk", "accepted"), ("file", "shift", "filed"),
        ("dispatch", "dispatcher", "dispatched"), ("handle", "handler", "handling"), ("feedback", "handler", "handled"),
        ("check", "verifier", "checked"), ("close", "verifier", "closed"),
    ]  # fmt: skip
    assert (steps[5].reason, steps[5].place) == ("已清运", (114.9101, 30.4101))
    assert [s.at for s in steps] == sorted(s.at for s in steps)
    found = row(ground, case)
    assert (found.limit_seconds, found.limit_unit, found.running_since) == (4 * 3600, "work-hours", None)


def test_an_act_that_is_not_allowed_says_which_are(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options)
    with pytest.raises(
        ActNotAllowed, match="case .* is dispatched: 'feedback' is not allowed; allowed are: return, handle"
    ):
        does(ground, options, "handler", case, "feedback", reason="x")


def test_a_public_report_is_verified_before_it_is_accepted(ground: Connection, options: GridOptions) -> None:
    act_as(ground, PEOPLE["clerk"])
    case = report(ground, channel="hotline")
    with pytest.raises(GridError, match="verified in the field first"):
        does(ground, options, "clerk", case, "accept")
    does(ground, options, "worker", case, "verify", found=True)
    assert does(ground, options, "clerk", case, "accept").state == "accepted"


def test_what_was_not_found_so_is_declined_and_not_accepted(ground: Connection, options: GridOptions) -> None:
    act_as(ground, PEOPLE["clerk"])
    case = report(ground, channel="public")
    does(ground, options, "verifier", case, "verify", found=False)
    with pytest.raises(GridError, match="not found so"):
        does(ground, options, "clerk", case, "accept")
    assert does(ground, options, "shift", case, "decline", reason="现场无垃圾").state == "declined"


def test_work_found_undone_goes_back_with_the_rest_of_its_time(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options)
    does(ground, options, "handler", case, "handle")
    does(ground, options, "handler", case, "feedback", reason="已清运")
    does(ground, options, "verifier", case, "check", consistent=False)
    with pytest.raises(GridError, match="it is reworked"):
        does(ground, options, "verifier", case, "close")
    again = does(ground, options, "verifier", case, "rework", reason="仍有垃圾")
    assert (again.state, row(ground, case).reworks, row(ground, case).running_since is not None) == (
        "handling",
        1,
        True,
    )


def test_a_refused_dispatch_comes_back_and_starts_a_new_clock(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options)
    does(ground, options, "handler", case, "return", reason="非本部门职责")
    assert row(ground, case).running_since is None
    does(ground, options, "dispatcher", case, "dispatch", department="water")
    found = row(ground, case)
    assert (found.returns, found.dispatches, found.clock_round, found.used_seconds) == (1, 2, 2, 0)
    with pytest.raises(CaseNotFound):  # it is not theirs any longer
        does(ground, options, "handler", case, "handle")
    assert does(ground, options, "plumber", case, "handle").state == "handling"


def test_a_second_extension_needs_a_signed_form(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options)
    for attempt in (1, 2):
        does(ground, options, "handler", case, "ask-extension", amount=2, reason="设备未到")
        if attempt == 1:
            does(ground, options, "shift", case, "extend")
            assert row(ground, case).limit_seconds == 6 * 3600
    with pytest.raises(GridError, match="signed form"):
        does(ground, options, "shift", case, "extend")


def test_engineering_work_needs_the_form_for_its_first_extension(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options)
    does(ground, options, "handler", case, "ask-extension", amount=2, reason="开挖")
    with pytest.raises(GridError, match="signed form"):
        does(ground, options, "shift", case, "extend", engineering=True)


def test_a_suspended_case_goes_on_where_it_stood(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options)
    does(ground, options, "handler", case, "handle")
    assert does(ground, options, "shift", case, "suspend", reason="冬季不宜施工").deadline is None
    assert does(ground, options, "shift", case, "resume").state == "handling"
    assert row(ground, case).deadline is not None


def test_a_condition_is_named_where_the_class_has_several(ground: Connection, options: GridOptions) -> None:
    act_as(ground, PEOPLE["worker"])
    case = report(ground)
    does(ground, options, "clerk", case, "accept")
    with pytest.raises(GridError, match="name the condition"):
        does(ground, options, "shift", case, "file")
    with pytest.raises(GridError, match="there is no condition"):
        does(ground, options, "shift", case, "file", condition="无")


def test_only_the_people_of_the_area_verify_there(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options)
    does(ground, options, "handler", case, "handle")
    does(ground, options, "handler", case, "feedback", reason="已清运")
    with pytest.raises((CaseNotFound, RowDenied)):
        does(ground, options, "away", case, "check", consistent=True)


def test_a_role_counts_only_where_it_is_held(ground: Connection, options: GridOptions) -> None:
    """Who may change every case as a clerk is still a verifier in the own area only."""
    case = dispatched(ground, options)
    does(ground, options, "handler", case, "handle")
    does(ground, options, "handler", case, "feedback", reason="已清运")
    both = principal_of("both", "intake-clerk", "case-verifier", area=OTHER)
    with pytest.raises(ActNotAllowed):
        does(ground, options, both, case, "check", consistent=True)


def test_an_old_revision_is_refused(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options)
    with pytest.raises(EditConflict):
        does(ground, options, "handler", case, "handle", revision=1)


def test_a_department_that_is_not_there_gets_no_case(ground: Connection, options: GridOptions) -> None:
    act_as(ground, PEOPLE["worker"])
    case = report(ground, **{"class": "0402"})
    does(ground, options, "clerk", case, "accept")
    does(ground, options, "shift", case, "file")
    with pytest.raises(GridError, match="there is no department"):
        does(ground, options, "dispatcher", case, "dispatch", department="moon")


def test_nobody_writes_the_state_past_the_life_cycle(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options)
    act_as(ground, PEOPLE["shift"])
    for change in ("state = 'closed'", "deadline = now() + interval '1 year'", "department = 'water'", "reworks = 5"):
        with pytest.raises(DBAPIError) as refused, ground.begin_nested():
            ground.execute(text(f"UPDATE city.cases SET {change} WHERE code = :c"), {"c": case})
        assert isinstance(refused.value.orig, DatabaseError) and refused.value.orig.pgcode == "CM409"


def test_a_filed_case_keeps_its_class_and_place(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options)
    act_as(ground, PEOPLE["shift"])
    with pytest.raises(DBAPIError, match="stand once the case is filed"), ground.begin_nested():
        ground.execute(text("UPDATE city.cases SET class = '0103' WHERE code = :c"), {"c": case})


def test_a_step_cannot_be_changed_by_anybody(ground: Connection, options: GridOptions) -> None:
    dispatched(ground, options)
    act_as_owner(ground)
    for statement in ("UPDATE grid.steps SET reason = 'x'", "DELETE FROM grid.steps"):
        with pytest.raises(DBAPIError, match="only ever appended"), ground.begin_nested():
            ground.execute(text(statement))


def test_steps_are_seen_by_those_who_see_the_case(ground: Connection, options: GridOptions) -> None:
    dispatched(ground, options)
    seen = {}
    for name in ("handler", "plumber", "verifier", "away"):
        act_as(ground, PEOPLE[name])
        seen[name] = ground.execute(text("SELECT count(*) FROM grid.steps")).scalar_one()
    assert seen == {"handler": 4, "plumber": 0, "verifier": 4, "away": 0}
