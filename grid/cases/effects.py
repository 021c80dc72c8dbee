"""What follows from an act: each effect gives the case as it is afterwards."""

from dataclasses import replace
from datetime import datetime

from grid.clock.model import Clock, limit_seconds
from grid.model import Case, Inputs, Setting


def keep_found(case: Case, given: Inputs, _setting: Setting) -> Case:
    """Remember what the field check found."""
    return replace(case, found=given.found)


def accept(case: Case, _given: Inputs, setting: Setting) -> Case:
    """Filing is due after so many working hours."""
    due = _after(setting, setting.options.clock.filing_hours)
    return replace(case, accepted_at=setting.at, filing_due=due)


def file(case: Case, given: Inputs, setting: Setting) -> Case:
    """The condition gives the limit; the city's default where no condition does."""
    clock = setting.options.clock
    chosen = next((one for one in setting.limits if given.condition in (None, one.condition)), None)
    amount, unit = (chosen.amount, chosen.unit) if chosen else (clock.default_amount, clock.default_unit)
    return replace(
        case,
        filed_at=setting.at,
        condition=chosen.condition if chosen else None,
        limit_amount=amount,
        limit_unit=unit,
        limit_seconds=limit_seconds(amount, unit, clock),
    )


def start_clock(case: Case, given: Inputs, setting: Setting) -> Case:
    """The clock starts with the dispatch, anew with each: a department does not pay for another's refusal."""
    assert case.limit_seconds is not None and case.limit_unit is not None  # set by filing
    clock = Clock(case.limit_unit, case.limit_seconds, 0, setting.at, case.clock_round + 1)
    return replace(
        case, department=given.department, dispatched_at=setting.at, dispatches=case.dispatches + 1, clock=clock,
        clock_round=clock.round, escalation=0,
    )  # fmt: skip


def give_back(case: Case, _given: Inputs, setting: Setting) -> Case:
    """The department refused: its clock ends. It stays named until another gets the case, and so sees what becomes."""
    return replace(_paused(case, setting), returns=case.returns + 1, asked_extension=None)


def feed_back(case: Case, _given: Inputs, setting: Setting) -> Case:
    """The clock stands while the work is checked; the check is due after so many working hours."""
    due = _after(setting, setting.options.clock.check_hours)
    return replace(_paused(case, setting), handled_at=setting.at, check_due=due, asked_extension=None)


def keep_consistent(case: Case, given: Inputs, setting: Setting) -> Case:
    """Remember what the check found."""
    return replace(case, consistent=given.consistent, checked_at=setting.at)


def rework(case: Case, _given: Inputs, setting: Setting) -> Case:
    """The department goes on, and so does its clock."""
    again = replace(case, reworks=case.reworks + 1, consistent=None, handled_at=None, check_due=None, checked_at=None)
    return _resumed(again, setting)


def ask_extension(case: Case, given: Inputs, _setting: Setting) -> Case:
    """Remember how much is asked for; the clock goes on."""
    return replace(case, asked_extension=given.amount)


def extend(case: Case, _given: Inputs, setting: Setting) -> Case:
    """The limit grows by what was asked for; the new deadline is told of anew."""
    assert case.clock is not None and case.asked_extension is not None and case.limit_unit is not None  # guards
    more = limit_seconds(case.asked_extension, case.limit_unit, setting.options.clock)
    clock = case.clock.extended(more)
    return replace(
        case, clock=clock, clock_round=clock.round, escalation=0, extensions=case.extensions + 1, asked_extension=None,
        limit_seconds=clock.limit, limit_amount=(case.limit_amount or 0) + case.asked_extension,
    )  # fmt: skip


def refuse_extension(case: Case, _given: Inputs, _setting: Setting) -> Case:
    """Nothing is asked for any longer."""
    return replace(case, asked_extension=None)


def suspend(case: Case, _given: Inputs, setting: Setting) -> Case:
    """The clock stands until the season or the conditions allow the work."""
    return replace(_paused(case, setting), suspended_from=case.state)


def resume(case: Case, _given: Inputs, setting: Setting) -> Case:
    """The clock goes on."""
    return replace(_resumed(case, setting), suspended_from=None)


def urge(case: Case, _given: Inputs, _setting: Setting) -> Case:
    """Count it."""
    return replace(case, urges=case.urges + 1)


def supervise(case: Case, _given: Inputs, _setting: Setting) -> Case:
    """The leaders watch it from now on."""
    return replace(case, supervised=True)


def escalate(case: Case, _given: Inputs, _setting: Setting) -> Case:
    """The clock told of the next level."""
    return replace(case, escalation=case.escalation + 1)


def end(case: Case, _given: Inputs, setting: Setting) -> Case:
    """The case is over; its clock stands."""
    return replace(_paused(case, setting), closed_at=setting.at, asked_extension=None)


def _paused(case: Case, setting: Setting) -> Case:
    return replace(case, clock=case.clock.paused(setting.line, setting.at) if case.clock else None)


def _resumed(case: Case, setting: Setting) -> Case:
    return replace(case, clock=case.clock.resumed(setting.at) if case.clock else None)


def _after(setting: Setting, hours: float) -> datetime:
    """So many working hours from now."""
    line = setting.line
    return line.instant("work-hours", line.position("work-hours", setting.at) + round(hours * 3600))
