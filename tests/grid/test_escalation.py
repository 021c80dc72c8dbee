"""The clock reminds, urges and calls the leaders: once each, whoever dies meanwhile."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from grid.clock.escalation import CLOCK_PRINCIPAL, escalate
from grid.options import GridOptions
from tests.grid.people import act_as
from tests.grid.test_life_cycle import dispatched, does, row


def told(conn: Connection, case: str) -> list[str]:
    return list(
        conn.execute(
            text("SELECT act FROM grid.steps WHERE case_code = :c AND role = 'clock' ORDER BY id"), {"c": case}
        ).scalars()
    )


def tick(conn: Connection, options: GridOptions, at: datetime) -> list[tuple[str, str]]:
    act_as(conn, CLOCK_PRINCIPAL)
    return escalate(conn, options, at)


def test_each_level_comes_at_its_time_and_once(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options)
    found = row(ground, case)
    second = timedelta(seconds=1)
    assert tick(ground, options, found.remind_at - second) == []
    assert tick(ground, options, found.remind_at) == [(case, "remind")]
    assert tick(ground, options, found.deadline) == []
    assert row(ground, case).light == "amber"
    assert tick(ground, options, found.deadline + second) == [(case, "urge")]
    assert tick(ground, options, found.deadline + second) == []
    assert tick(ground, options, found.supervise_at) == [(case, "supervise")]
    assert tick(ground, options, found.supervise_at + timedelta(days=30)) == []
    after = row(ground, case)
    assert (told(ground, case), after.light, after.urges, after.supervised) == (
        ["remind", "urge", "supervise"],
        "red",
        1,
        True,
    )


def test_a_worker_that_was_away_makes_up_for_every_level(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options)
    late = row(ground, case).supervise_at + timedelta(days=1)
    assert [tick(ground, options, late) for _ in range(4)] == [
        [(case, "remind")],
        [(case, "urge")],
        [(case, "supervise")],
        [],
    ]


def test_an_extension_is_a_new_round(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options)
    tick(ground, options, row(ground, case).remind_at)
    does(ground, options, "handler", case, "ask-extension", amount=2, reason="设备未到")
    does(ground, options, "shift", case, "extend")
    found = row(ground, case)
    assert (found.clock_round, found.escalation) == (2, 0)
    tick(ground, options, found.remind_at)
    assert told(ground, case) == ["remind", "remind"]


def test_a_case_that_stands_is_not_told_of(ground: Connection, options: GridOptions) -> None:
    case = dispatched(ground, options)
    late = row(ground, case).supervise_at
    does(ground, options, "shift", case, "suspend", reason="冬季")
    assert tick(ground, options, late) == []


def test_two_clocks_at_once_tell_once(ground: Connection, options: GridOptions) -> None:
    """The database itself refuses a second step of the same round."""
    case = dispatched(ground, options)
    tick(ground, options, row(ground, case).remind_at)
    repeat = (
        "INSERT INTO grid.steps (case_id, case_code, act, to_state, actor, role, at, detail)"
        " SELECT case_id, case_code, act, to_state, actor, role, at, detail FROM grid.steps WHERE role = 'clock'"
        " ON CONFLICT DO NOTHING"
    )
    assert ground.execute(text(repeat)).rowcount == 0


def test_the_clock_works_with_the_rights_of_the_clock_only(ground: Connection, options: GridOptions) -> None:
    dispatched(ground, options)
    act_as(ground, CLOCK_PRINCIPAL)
    assert ground.execute(text("SELECT count(*) FROM city.visits")).scalar_one() == 0
    assert escalate(ground, options, datetime.now(UTC) - timedelta(days=1)) == []
