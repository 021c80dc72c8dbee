"""Two officers at once, on real connections: overlapping ground is given out once, numbers are never given twice."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from layers.features import EditConflict
from planning.errors import PlanningConflict
from planning.redline import processes
from tests.planning.redline_site import APPROVER, CLERK, Office, officer, square


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Results or errors of calls that begin together."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return call()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_two_officers_cannot_approve_overlapping_lines_at_the_same_moment(office: Office) -> None:
    for turn in range(2):
        numbers = [
            office.apply(square(100 * turn, -500, 60)).number,
            office.apply(square(100 * turn + 30, -480, 60)).number,
        ]
        for number in numbers:
            office.publicise(number)
        officers = officer("planning-approver", name="甲"), officer("planning-approver", name="乙")
        found = at_once(
            *(
                lambda n=n, who=who: office.run(who, processes.allocate_redline, redline=n)
                for n, who in zip(numbers, officers, strict=True)
            )
        )
        refused = [result for result in found if isinstance(result, PlanningConflict)]
        assert len(refused) == 1, found
        assert sorted(map(office.status, numbers)) == ["approved", "publicised"]


def test_who_saw_an_older_revision_takes_no_step(office: Office) -> None:
    line = office.apply(square(900, -500, 60))
    seen = line.facts["revision"]
    office.advance(line.number, "withdraw", CLERK, opinion="申请有误", revision=seen)
    with pytest.raises(EditConflict, match=f"is at revision {seen + 1}, not {seen}"):
        office.advance(line.number, "withdraw", CLERK, opinion="再撤一次", revision=seen)


def test_lines_that_only_share_a_boundary_are_both_approved(office: Office) -> None:
    numbers = [office.apply(square(0, -800, 60)).number, office.apply(square(60, -800, 60)).number]
    for number in numbers:
        office.publicise(number)
    found = at_once(*(lambda n=n: office.run(APPROVER, processes.allocate_redline, redline=n) for n in numbers))
    assert [result.redline.status for result in found] == ["approved", "approved"]


def test_the_database_alone_keeps_them_apart(office: Office) -> None:
    """Without the process: both rows are changed before either transaction ends. The second waits, then is refused."""
    numbers = [office.apply(square(500, -500, 60)).number, office.apply(square(530, -480, 60)).number]
    changed, first_done = threading.Event(), threading.Event()
    approve = text("UPDATE city.redlines SET status = 'approved' WHERE number = :n")
    unlock = text("SELECT set_config('citymap.planning_step', 'on', true)")

    def first() -> None:
        with office.owner.engine.begin() as conn:
            conn.execute(unlock)
            conn.execute(approve, {"n": numbers[0]})
            changed.set()
            first_done.wait(1.0)  # the other one asks meanwhile

    def second() -> None:
        changed.wait(10)
        with office.owner.engine.begin() as conn:
            conn.execute(unlock)
            conn.execute(approve, {"n": numbers[1]})

    found = at_once(first, second)
    assert found[0] is None and isinstance(found[1], DBAPIError) and "overlaps" in str(found[1])
    with pytest.raises(DBAPIError, match="READ COMMITTED"), office.owner.engine.connect() as conn:
        conn = conn.execution_options(isolation_level="REPEATABLE READ")
        with conn.begin():
            conn.execute(unlock)
            conn.execute(approve, {"n": numbers[1]})


def test_many_applications_at_once_get_numbers_without_gaps(office: Office) -> None:
    before = {number for (number,) in office.sql("SELECT number FROM city.redlines")}
    made = at_once(*(lambda i=i: office.apply(square(1000 + 30 * i, -500, 20), who=CLERK).number for i in range(6)))
    assert len(set(made)) == 6
    serials = sorted(int(number[-6:-1]) for number in {*before, *made})
    assert serials == list(range(1, len(serials) + 1))
