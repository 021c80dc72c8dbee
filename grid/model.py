"""The life cycle of a case as one table: state × act × role → state, with what must hold and what follows. No I/O.

上报 report · 核实 verify · 受理 accept · 立案 file · 不予立案 decline · 派遣 dispatch · 处置 handle · 反馈 feedback ·
核查 check · 结案 close · 返工 rework · 回退 return · 延期 extend · 挂账/缓办 suspend · 作废 void ·
自行处置 self-handle · 提醒 remind · 催办 urge · 督办 supervise. Source: domain facts §1; what a city decides is in
:mod:`grid.options`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from grid.clock.model import Clock, WorkingTime
from grid.options import GridOptions
from layers.catalogue import Text

State = Literal[
    "reported",
    "verified",
    "accepted",
    "filed",
    "dispatched",
    "handling",
    "suspended",
    "handled",
    "checked",
    "closed",
    "declined",
    "self-handled",
    "void",
]
Act = Literal[
    "verify",
    "accept",
    "file",
    "decline",
    "dispatch",
    "return",
    "handle",
    "feedback",
    "check",
    "close",
    "rework",
    "ask-extension",
    "extend",
    "refuse-extension",
    "suspend",
    "resume",
    "self-handle",
    "void",
    "remind",
    "urge",
    "supervise",
]
#: States in which nothing more happens.
FINAL: frozenset[State] = frozenset({"closed", "declined", "self-handled", "void"})
#: The role of the city's clock, which no account holds.
CLOCK = "clock"

ACTS: dict[str, Text] = {
    "verify": Text("核实", "Verify"),
    "accept": Text("受理", "Accept"),
    "file": Text("立案", "File"),
    "decline": Text("不予立案", "Decline"),
    "dispatch": Text("派遣", "Dispatch"),
    "return": Text("回退", "Return"),
    "handle": Text("处置", "Handle"),
    "feedback": Text("反馈", "Feed back"),
    "check": Text("核查", "Check"),
    "close": Text("结案", "Close"),
    "rework": Text("返工", "Rework"),
    "ask-extension": Text("申请延期", "Ask for an extension"),
    "extend": Text("延期", "Extend"),
    "refuse-extension": Text("不予延期", "Refuse an extension"),
    "suspend": Text("挂账", "Suspend"),
    "resume": Text("恢复", "Resume"),
    "self-handle": Text("自行处置", "Handle on the spot"),
    "void": Text("作废", "Void"),
    "remind": Text("提醒", "Remind"),
    "urge": Text("催办", "Urge"),
    "supervise": Text("督办", "Supervise"),
}


@dataclass(frozen=True, slots=True)
class Case:
    """What the life cycle knows of a case; names as in the layer ``cases``. ``clock`` None: no limit is set yet."""

    id: int
    code: str
    revision: int
    state: State
    channel: str
    class_code: str | None = None
    department: str | None = None
    condition: str | None = None
    found: bool | None = None
    consistent: bool | None = None
    accepted_at: datetime | None = None
    filed_at: datetime | None = None
    filing_due: datetime | None = None
    dispatched_at: datetime | None = None
    handled_at: datetime | None = None
    check_due: datetime | None = None
    checked_at: datetime | None = None
    closed_at: datetime | None = None
    limit_amount: float | None = None
    limit_unit: str | None = None
    limit_seconds: int | None = None
    clock: Clock | None = None
    clock_round: int = 0
    escalation: int = 0
    dispatches: int = 0
    returns: int = 0
    reworks: int = 0
    extensions: int = 0
    urges: int = 0
    supervised: bool = False
    asked_extension: float | None = None
    suspended_from: State | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """处置时限 the limit of a 立案条件; ``exact`` where it is for the case's own class and type of area."""

    condition: str
    amount: float
    unit: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """What is said with an act. ``amount`` is in the unit of the case's limit; ``evidence`` counts attachments."""

    reason: str | None = None
    department: str | None = None
    condition: str | None = None
    amount: float | None = None
    found: bool | None = None
    consistent: bool | None = None
    engineering: bool = False
    evidence: int = 0


@dataclass(frozen=True, slots=True)
class Setting:
    """When and by which rules an act is done; ``limits`` are those of the case's class and area."""

    at: datetime
    line: WorkingTime
    options: GridOptions
    limits: tuple[Limit, ...] = ()
    departments: frozenset[str] | None = None


type Guard = Callable[[Case, Inputs, Setting], Text | None]
type Effect = Callable[[Case, Inputs, Setting], Case]


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the life cycle. ``to`` None: the state stays. ``when`` chooses between rows of the same act."""

    states: tuple[State, ...]
    act: Act
    roles: tuple[str, ...]
    to: State | None
    guards: tuple[Guard, ...] = ()
    effects: tuple[Effect, ...] = ()
    when: Callable[[Case], bool] = field(default=lambda _case: True)


def transitions_from(table: Iterable[Transition], case: Case, roles: frozenset[str]) -> list[Transition]:
    """The rows by which somebody of these roles may move a case, guards aside."""
    return [row for row in table if case.state in row.states and roles & set(row.roles) and row.when(case)]
