"""Rules propose departments and say why; a work list holds what waits for its reader, the most urgent first."""

import random

import pytest
from sqlalchemy import Connection, text

from grid.cases.life_cycle import TRANSITIONS
from grid.clock.escalation import CLOCK_PRINCIPAL
from grid.dispatching.duties import waiting_states
from grid.dispatching.processes import WorkList, propose_dispatch, work_list
from grid.dispatching.rules import Asked, Rule, proposals
from grid.options import GridOptions
from layers.access import Principal
from tests.grid.conftest import COMMUNITY
from tests.grid.people import act_as, act_as_owner, principal_of
from tests.grid.test_life_cycle import PEOPLE, dispatched, does, report

ASKED = Asked("CJ/T 214-2007", "event", "0102", COMMUNITY)


def rule(n: int, class_code: str = "", area: str = "", department: str = "a", rank: int = 100, **more: str) -> Rule:
    return Rule(n, more.get("scheme", ""), more.get("kind", ""), class_code, area, department, rank, None)


def test_the_most_precise_rule_comes_first() -> None:
    rules = [rule(1, department="city"), rule(2, "01", department="sanitation"), rule(3, "0102", department="waste"),
             rule(4, "0102", COMMUNITY[:9], "street"), rule(5, "0102", "4299", "elsewhere"), rule(6, "02", department="ads")]  # fmt: skip
    assert [p.department for p in proposals(rules, ASKED)] == ["street", "waste", "sanitation", "city"]


def test_rank_decides_between_equals_and_a_department_is_proposed_once() -> None:
    rules = [rule(1, "0102", department="b"), rule(2, "0102", department="a", rank=1), rule(3, department="a")]
    found = proposals(rules, ASKED)
    assert [(p.department, p.rule) for p in found] == [("a", 2), ("b", 1)]


def test_another_scheme_or_kind_is_another_class() -> None:
    rules = [rule(1, "0102", scheme="GB/T 30428.2-2013"), rule(2, "0102", kind="component")]
    assert proposals(rules, ASKED) == ()


def test_a_proposal_says_why(ground: Connection, options: GridOptions) -> None:
    ground.execute(
        text(
            "INSERT INTO grid.dispatch_rules (class, area, department, note) VALUES ('0102', :a, 'sanitation', '试点')"
        ),
        {"a": COMMUNITY[:6]},
    )
    act_as(ground, PEOPLE["clerk"])
    (found,) = propose_dispatch(ground, report(ground))
    assert found.department == "sanitation"
    assert f"类别 0102、区域 {COMMUNITY[:6]} → sanitation；试点" in found.reason.zh and "class 0102" in found.reason.en


def listed(conn: Connection, who: str | Principal, **more: object) -> WorkList:
    person = PEOPLE[who] if isinstance(who, str) else who
    act_as(conn, person)
    return work_list(conn, person, **more)  # type: ignore[arg-type]


def test_a_case_waits_for_one_role_after_the_other(ground: Connection, options: GridOptions) -> None:
    people = ("clerk", "shift", "dispatcher", "handler", "plumber", "verifier", "worker", "away")

    def waits() -> set[str]:
        return {who for who in people if any(c.case == case for c in listed(ground, who).cases)}

    act_as(ground, PEOPLE["worker"])
    case = report(ground)
    seen = [waits()]
    for who, act, inputs in (
        ("clerk", "accept", {}), ("shift", "file", {"condition": "小于一立方米"}), ("dispatcher", "dispatch", {"department": "sanitation"}),
        ("handler", "handle", {}), ("handler", "feedback", {"reason": "已清"}), ("verifier", "check", {"consistent": True}), ("verifier", "close", {}),
    ):  # fmt: skip
        does(ground, options, who, case, act, **inputs)
        seen.append(waits())
    assert seen == [
        {"clerk", "worker", "verifier"},
        {"shift"},
        {"dispatcher"},
        {"handler"},
        {"handler"},
        {"verifier", "worker"},
        {"verifier", "shift"},
        set(),
    ]


def test_an_extension_that_is_asked_for_waits_for_the_shift_leader(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options)
    assert listed(ground, "shift").waiting == 0
    does(ground, options, "handler", case, "ask-extension", amount=1, reason="雨")
    (found,) = listed(ground, "shift").cases
    assert (found.case, "extend" in found.acts) == (case, True)


def test_supervised_and_red_cases_come_first(ground: Connection, options: GridOptions) -> None:
    cases = []
    for n in range(4):
        act_as(ground, PEOPLE["worker"])
        code = report(ground, lon=114.902 + 0.002 * n, lat=30.403)
        does(ground, options, "clerk", code, "accept")
        does(ground, options, "shift", code, "file", condition="小于一立方米")
        does(ground, options, "dispatcher", code, "dispatch", department="sanitation")
        cases.append(code)
    act_as_owner(ground)
    ground.exec_driver_sql("SELECT set_config('citymap.case_act', 'advance', true)")
    for code, light, hours in ((cases[1], "red", 1), (cases[2], "amber", 2), (cases[3], "green", 3)):
        ground.execute(
            text("UPDATE city.cases SET light = :l, deadline = now() + :h * interval '1 hour' WHERE code = :c"),
            {"l": light, "h": hours, "c": code},
        )
    ground.exec_driver_sql("SELECT set_config('citymap.case_act', '', true)")
    does(ground, options, "leader", cases[3], "supervise", reason="重点")
    found = listed(ground, "handler")
    assert [c.case for c in found.cases[:3]] == [cases[3], cases[1], cases[2]] and found.waiting == 4
    assert [c.case for c in listed(ground, "handler", lights=("red",)).cases] == [cases[1]]
    assert sum(c.cases for c in found.counts) == 4


def test_the_list_is_that_of_asking_case_by_case(ground: Connection, options: GridOptions) -> None:
    """Against a plain look at every case: is there an act that waits for one of my roles over it?"""
    dice = random.Random(7)
    act_as_owner(ground)
    ground.exec_driver_sql("SELECT set_config('citymap.case_act', 'import', true)")
    states = sorted({state for one in TRANSITIONS for state in one.states})
    for _ in range(120):
        ground.execute(
            text("INSERT INTO city.cases (geom, state, area_code, department, reported_at) VALUES"
                 " (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), :s, :a, :d, now())"),
            {"s": dice.choice(states), "a": dice.choice([COMMUNITY, "429701001002", "429702001001"]), "d": dice.choice(["sanitation", "water", None])},
        )  # fmt: skip
    ground.exec_driver_sql("SELECT set_config('citymap.case_act', '', true)")
    everything = ground.execute(
        text("SELECT code, state, area_code, department FROM city.cases WHERE closed_at IS NULL")
    ).all()
    for person in (
        *PEOPLE.values(),
        principal_of("two", "case-handler", "case-verifier", area=COMMUNITY, departments=("water",)),
    ):
        found = {c.case for c in listed(ground, person, limit=1000).cases}
        plain = {
            one.code for one in everything
            for role in person.roles_over("advance-case", one.area_code, one.department)
            if one.state in waiting_states(role) and (one.state not in ("dispatched", "handling") or role == "case-handler")
        }  # fmt: skip
        assert found == plain, person.account


def test_the_clock_has_no_list(ground: Connection, options: GridOptions) -> None:
    dispatched(ground, options)
    assert listed(ground, CLOCK_PRINCIPAL).waiting == 0


@pytest.mark.parametrize("role", ["case-handler", "case-verifier", "intake-clerk"])
def test_every_role_has_something_to_wait_for(role: str) -> None:
    assert waiting_states(role)


def test_a_row_seen_is_not_a_row_that_waits(ground: Connection, options: GridOptions) -> None:
    dispatched(ground, options)
    assert listed(ground, "leader").waiting == 0
