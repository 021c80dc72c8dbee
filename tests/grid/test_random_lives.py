"""Random acts by random roles: no illegal state, no lost step, clocks that never run backwards, counters that are right.

What may follow what is said once more in plain words here; nothing of it is taken from the table under test.
"""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from grid.cases.advancing import act_on
from grid.cases.life_cycle import TRANSITIONS, advance, allowed_acts
from grid.cases.queries import lock_case
from grid.clock.calendar import working_time, years
from grid.clock.escalation import escalate
from grid.errors import ActNotAllowed, GridError
from grid.model import ACTS, CLOCK, FINAL, Case, Inputs, Limit, Setting
from grid.options import GridOptions
from tests.grid.people import act_as_owner
from tests.grid.test_life_cycle import report

#: state → what may come after it (domain facts §1).
NEXT = {
    "reported": {"verified", "accepted", "self-handled", "void"}, "verified": {"accepted", "declined", "void"},
    "accepted": {"filed", "declined", "void"}, "filed": {"dispatched", "void"},
    "dispatched": {"handling", "filed", "suspended", "void"}, "handling": {"handled", "suspended", "void"},
    "suspended": {"dispatched", "handling", "void"}, "handled": {"checked"}, "checked": {"closed", "handling"},
    "closed": set(), "declined": set(), "self-handled": set(), "void": set(),
}  # fmt: skip
#: Who alone may do what.
ONLY = {
    "file": {"shift-leader"}, "dispatch": {"case-dispatcher"}, "handle": {"case-handler"}, "feedback": {"case-handler"},
    "return": {"case-handler"}, "accept": {"intake-clerk"}, "extend": {"shift-leader"}, "suspend": {"shift-leader"},
    "check": {"case-verifier", "grid-worker"}, "close": {"case-verifier", "shift-leader"}, "remind": {CLOCK},
    "decline": {"shift-leader"}, "supervise": {"leader", CLOCK}, "self-handle": {"grid-worker"},
}  # fmt: skip
ROLES = (
    "grid-worker",
    "intake-clerk",
    "shift-leader",
    "case-dispatcher",
    "case-handler",
    "case-verifier",
    "leader",
    CLOCK,
)
START = datetime(2026, 9, 28, 1, 0, tzinfo=UTC)


def some_inputs(dice: random.Random) -> Inputs:
    def maybe(value: Any) -> Any:
        return value if dice.random() < 0.8 else None

    return Inputs(
        maybe("因为"), maybe("sanitation"), maybe("小于一立方米"), maybe(2.0), maybe(dice.random() < 0.8),
        maybe(dice.random() < 0.6), dice.random() < 0.1, dice.randrange(2),
    )  # fmt: skip


def some_act(dice: random.Random, case: Case, role: str) -> str:
    """Mostly one that the role may do, so that lives get anywhere."""
    likely = [act for act in allowed_acts(case, frozenset({role})) if act != "void" or dice.random() < 0.1]
    return dice.choice(likely) if likely and dice.random() < 0.8 else dice.choice(list(ACTS))


def check_move(before: Case, after: Case, act: str, role: str) -> None:
    assert after.state in NEXT[before.state] | {before.state}
    assert before.state not in FINAL
    assert role in ONLY.get(act, {role})
    for name in ("dispatches", "returns", "reworks", "extensions", "urges", "clock_round"):
        assert getattr(before, name) <= getattr(after, name) <= getattr(before, name) + 1
    if after.clock and before.clock and after.clock.round == before.clock.round:
        assert after.clock.used >= before.clock.used
    running = after.clock is not None and after.clock.running_since is not None
    assert running == (after.state in ("dispatched", "handling"))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_random_acts_lead_nowhere_that_the_rules_forbid(seed: int) -> None:
    """Thousands of steps of the table alone, with the clock going on."""
    dice, options = random.Random(seed), GridOptions()
    line, limits = working_time(options.clock, *years(START.date())), (Limit("小于一立方米", 4, "work-hours"),)
    channel = dice.choice(["patrol", "public"])
    case, at, spent = Case(1, "c", 1, "reported", channel, "0102"), START, 0
    for _ in range(150):
        at += timedelta(minutes=dice.choice([0, 1, 17, 60, 600, 1500]))
        role = dice.choice(ROLES)
        act = some_act(dice, case, role)
        try:
            moved = advance(case, act, frozenset({role}), some_inputs(dice), Setting(at, line, options, limits))
        except GridError:
            continue
        check_move(case, moved.case, act, role)
        after = moved.case
        if after.clock and after.clock_round == case.clock_round:
            assert after.clock.spent(line, at) >= spent
        spent = after.clock.spent(line, at) if after.clock else 0
        assert channel == "patrol" or after.state in ("reported", "verified", "void") or after.found is not None
        case = after


def test_random_lives_reach_every_state_and_every_act() -> None:
    """Otherwise the test above would prove little."""
    states, acts, options = set(), set(), GridOptions()
    line, limits = working_time(options.clock, *years(START.date())), (Limit("小于一立方米", 4, "work-hours"),)
    for seed in range(150):
        dice = random.Random(seed)
        case, at = Case(1, "c", 1, "reported", dice.choice(["patrol", "public"]), "0102"), START
        for _ in range(120):
            at += timedelta(minutes=dice.choice([1, 17, 600]))
            role = dice.choice(ROLES)
            act = some_act(dice, case, role)
            try:
                case = advance(case, act, frozenset({role}), some_inputs(dice), Setting(at, line, options, limits)).case
            except GridError:
                continue
            states.add(case.state)
            acts.add(act)
    assert states | {"reported"} == set(NEXT) and acts == set(ACTS) == {row.act for row in TRANSITIONS}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32))
def test_the_history_of_random_lives_is_whole_and_counts_as_the_case_says(ground: Connection, seed: int) -> None:
    dice, options = random.Random(seed), GridOptions()
    with ground.begin_nested() as life:
        act_as_owner(ground)
        code, at, done = report(ground, channel=dice.choice(["patrol", "hotline"])), datetime.now(UTC), 1
        for _ in range(45):
            at += timedelta(minutes=dice.choice([1, 17, 60, 600]))
            if dice.random() < 0.2:
                done += sum(1 for one, _ in escalate(ground, options, at) if one == code)
            held = lock_case(ground, code)
            role = dice.choice(ROLES[:-1])
            act = some_act(dice, held.case, role)
            try:
                moved, _ = act_on(ground, held, act, frozenset({role}), some_inputs(dice), options, at)
            except GridError as error:
                if isinstance(error, ActNotAllowed):
                    assert act not in allowed_acts(held.case, frozenset({role}))
                assert lock_case(ground, code) == held  # what is refused changes nothing
                continue
            check_move(held.case, moved.case, act, role)
            done += 1
        check_history(ground, code, done)
        life.rollback()


def check_history(conn: Connection, code: str, done: int) -> None:
    case = conn.execute(text("SELECT * FROM city.cases WHERE code = :c"), {"c": code}).one()
    steps = conn.execute(text("SELECT * FROM grid.steps WHERE case_code = :c ORDER BY id"), {"c": code}).all()
    assert len(steps) == done
    assert all(later.from_state == earlier.to_state for earlier, later in zip(steps, steps[1:], strict=False))
    assert steps[-1].to_state == case.state
    assert [s.at for s in steps] == sorted(s.at for s in steps)
    said = Counter(step.act for step in steps)
    recount = (
        said["dispatch"],
        said["return"],
        said["rework"],
        said["extend"],
        said["urge"],
        said["dispatch"] + said["extend"],
    )
    assert (case.dispatches, case.returns, case.reworks, case.extensions, case.urges, case.clock_round) == recount
    assert case.supervised == (said["supervise"] > 0)
    told = Counter((s.detail["round"], s.act) for s in steps if s.role == CLOCK)
    assert max(told.values(), default=1) == 1


@pytest.mark.parametrize("state", NEXT)
def test_no_row_of_the_table_leads_where_the_rules_do_not(state: Any) -> None:
    targets = {row.to for row in TRANSITIONS if state in row.states and row.to is not None}
    assert targets == NEXT[state]
