"""One case of the sample year from its report on, by the table of the life cycle and the city's clock. No I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from grid.cases.advancing import clock_columns, step_detail
from grid.cases.life_cycle import advance
from grid.clock.escalation import LEVELS
from grid.clock.model import URGENT, WorkingTime, share_of
from grid.model import CLOCK, FINAL, Case, Inputs, Limit, Setting
from grid.options import GridOptions
from grid.sample_year.kinds import Kind

#: Share of reports from each channel.
CHANNELS = {"patrol": 56, "hotline": 14, "public": 9, "open311": 4, "video": 10, "superior": 4, "media": 2, "sms": 1}
_CLOCK_ACTOR = "citymap clock"


@dataclass(frozen=True, slots=True)
class Birth:
    """A report: what, when, through which channel, by whom; ``worker`` looks after the grid, ``spot`` is where."""

    kind: Kind
    at: datetime
    channel: str
    reporter: str
    worker: str
    district: str
    spot: int
    shift: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Done:
    """One step that was done."""

    act: str
    from_state: str | None
    to_state: str
    actor: str
    role: str
    at: datetime
    reason: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Life:
    """What became of a report up to some instant: the case, its clock's columns, its steps in order."""

    case: Case
    columns: Mapping[str, Any]
    steps: tuple[Done, ...]


@dataclass(frozen=True, slots=True)
class _Next:
    """What somebody does next, at an instant."""

    act: str
    role: str
    actor: str
    at: datetime
    given: Inputs = Inputs()


def live(
    birth: Birth, id: int, code: str, until: datetime, dice: Random, line: WorkingTime, options: GridOptions
) -> Life:
    """The life of a report up to an instant, as the people of the sample city lead it."""
    return _Living(
        birth, Case(id, code, 1, "reported", birth.channel, birth.kind.code), until, dice, line, options
    ).whole()


class _Living:
    def __init__(
        self, birth: Birth, case: Case, until: datetime, dice: Random, line: WorkingTime, options: GridOptions
    ) -> None:
        self.birth, self.case, self.until, self.dice, self.line, self.options = birth, case, until, dice, line, options
        self.limits = (Limit(birth.kind.condition, birth.kind.amount, birth.kind.unit),)
        self.at, self.columns = birth.at, dict[str, Any]()
        told = {"channel": birth.channel}
        self.steps = [Done("report", None, "reported", birth.reporter, "reporter", birth.at, None, told)]

    def whole(self) -> Life:
        for following in self._course():
            self._clock(min(following.at, self.until))
            if following.at > self.until:
                break
            self._do(following)
        if self.case.state not in FINAL:
            self._clock(self.until)
        return Life(self.case, self.columns, tuple(self.steps))

    def _do(self, one: _Next) -> None:
        before, self.at = self.case, one.at
        setting = Setting(one.at, self.line, self.options, self.limits)
        moved = advance(before, one.act, frozenset({one.role}), one.given, setting)
        self.case = moved.case
        follows = clock_columns(moved.case, self.line, self.options, one.at)
        self.columns.update(follows)
        detail = step_detail(one.given, follows, moved.case)
        self.steps.append(
            Done(one.act, before.state, moved.case.state, one.actor, moved.role, one.at, one.given.reason, detail)
        )

    def _clock(self, now: datetime) -> None:
        """What the clock of the case does up to an instant."""
        shares = self.options.clock
        while self.case.clock and self.case.clock.running_since and self.case.escalation < len(LEVELS):
            limit = self.case.clock.limit
            marks = share_of(limit, shares.remind_share), limit + 1, share_of(limit, shares.supervise_share)
            due = self.case.clock.reaches(self.line, marks[self.case.escalation])
            if due is None or due > now:
                return
            self._do(_Next(LEVELS[self.case.escalation], CLOCK, _CLOCK_ACTOR, max(due, self.at)))

    def _course(self) -> Iterator[_Next]:
        birth, dice = self.birth, self.dice
        if birth.channel == "patrol" and dice.random() < 0.1:
            yield _Next("self-handle", "grid-worker", birth.worker, self._wall(2, 40), Inputs("当场清理完毕"))
            return
        if birth.channel in self.options.reports.needs_verification:
            found = dice.random() < 0.86
            yield _Next("verify", "grid-worker", birth.worker, self._work(10, 180), Inputs(found=found))
            if not found:
                yield _Next(
                    "decline", "shift-leader", self._one("shift", 3), self._work(3, 40), Inputs("现场核实不属实")
                )
                return
        yield _Next("accept", "intake-clerk", self._one("clerk", 5), self._work(1, 25))
        if dice.random() < 0.03:
            yield _Next("decline", "shift-leader", self._one("shift", 3), self._work(3, 40), Inputs("不属于管理范围"))
            return
        late = dice.random() < 0.05
        filing = self._work(*((61, 240) if late else (3, 50)))
        yield _Next("file", "shift-leader", self._one("shift", 3), filing, Inputs(condition=birth.kind.condition))
        yield from self._handled()

    def _handled(self) -> Iterator[_Next]:
        kind, dice = self.birth.kind, self.dice
        if dice.random() < 0.04:
            yield self._dispatched("housing" if kind.department == "municipal" else "municipal")
            wrong = Inputs("不属于本部门职责")
            yield _Next("return", "case-handler", self._handler(), self._work(10, 120), wrong)
        yield self._dispatched(kind.department)
        yield _Next("handle", "case-handler", self._handler(), self._share(0.02, 0.2))
        if dice.random() < 0.012:
            yield _Next("suspend", "shift-leader", self._one("shift", 3), self._work(10, 120), Inputs("受天气影响暂缓"))
            yield _Next("resume", "shift-leader", self._one("shift", 3), self._wall(1440, 20 * 1440))
        if dice.random() < 0.05:
            asked = Inputs("需协调权属单位", amount=max(1.0, kind.amount / 2))
            yield _Next("ask-extension", "case-handler", self._handler(), self._share(0.1, 0.3), asked)
            granted = dice.random() < 0.7
            yield _Next("extend" if granted else "refuse-extension", "shift-leader", self._one("shift", 3),
                        self._work(5, 60), Inputs(None if granted else "可以按期完成"))  # fmt: skip
        yield self._fed_back(min(2.4, dice.lognormvariate(-0.9, 0.5)))
        while True:
            consistent = dice.random() < 0.92
            yield _Next("check", "grid-worker", self.birth.worker, self._work(15, 600), Inputs(consistent=consistent))
            if consistent:
                yield _Next("close", "shift-leader", self._one("shift", 3), self._work(2, 60))
                return
            yield _Next("rework", "shift-leader", self._one("shift", 3), self._work(2, 60), Inputs("问题仍未解决"))
            yield self._fed_back(dice.uniform(0.1, 0.4))

    def _dispatched(self, department: str) -> _Next:
        given = Inputs(department=department)
        return _Next("dispatch", "case-dispatcher", self._one("dispatcher", 3), self._work(2, 30), given)

    def _fed_back(self, share: float) -> _Next:
        return _Next("feedback", "case-handler", self._handler(), self._share(share, share), Inputs("已处置完毕"))

    def _handler(self) -> str:
        return f"{self.case.department}-{self.dice.randint(1, 3)}"

    def _one(self, post: str, of: int) -> str:
        return f"{post}-{self.dice.randint(1, of)}"

    def _wall(self, least: float, most: float) -> datetime:
        """So many minutes later."""
        return self.at + timedelta(seconds=round(60 * self.dice.uniform(least, most)))

    def _work(self, least: float, most: float) -> datetime:
        """So many working minutes later; what is urgent waits for nobody's working hours."""
        if self.birth.kind.unit == URGENT:
            return self._wall(least / 3, most / 3)
        return self._later("work-hours", 60 * self.dice.uniform(least, most))

    def _share(self, least: float, most: float) -> datetime:
        """When such a share of the limit has passed from now on, in the time of the limit."""
        assert self.case.limit_seconds is not None and self.case.limit_unit is not None  # filed
        return self._later(self.case.limit_unit, self.dice.uniform(least, most) * self.case.limit_seconds)

    def _later(self, unit: str, seconds: float) -> datetime:
        position = self.line.position(unit, self.at) + max(1, round(seconds))
        return max(self.at + timedelta(seconds=1), self.line.instant(unit, position))
