"""The life of a red line as one table: which step leads from where to where, who may take it, and what it needs.

申请 → 预审 → 选址意见书/规划条件 → 公示 → 批准 → 建设用地规划许可 → 建设工程规划许可 → 核实 → 归档;
退回, 撤回, 撤销, 到期, 变更. No I/O.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from layers.catalogue import Text
from planning.errors import PlanningConflict, PlanningError, StepNotAllowed

Action = Literal[
    "examine", "set-conditions", "publicise", "approve", "permit-land", "permit-works", "verify", "archive",
    "return", "resubmit", "withdraw", "revoke", "expire", "replace",
]  # fmt: skip
State = Literal[
    "applied", "examined", "conditions", "publicised", "approved", "land-permit", "works-permit", "verified",
    "archived", "returned", "withdrawn", "revoked", "expired", "replaced",
]  # fmt: skip
_BEFORE_APPROVAL: tuple[State, ...] = ("applied", "examined", "conditions", "publicised")


@dataclass(frozen=True, slots=True)
class Transition:
    """One step. ``roles``: any of them may take it. ``series``: of the number that its document gets, if it has one.

    ``needs``: ``opinion`` words why; ``conditions`` are set; ``looked`` a kept check that is not stale; ``check`` one
    made in the same moment, without blocking conflict; ``notice`` a publicity that has ended; ``current`` a term that
    has not passed; ``overdue`` one that has. ``term``: with the step the term of its state begins, or there is none.
    """

    action: Action
    title: Text
    before: tuple[State, ...]
    after: State
    roles: tuple[str, ...]
    series: str | None = None
    needs: tuple[Literal["opinion", "conditions", "looked", "check", "notice", "current", "overdue"], ...] = ()
    term: bool = False


_CLERK, _PLANNER, _REVIEWER, _APPROVER = "planning-clerk", "planner", "planning-reviewer", "planning-approver"

TRANSITIONS: tuple[Transition, ...] = (
    Transition("examine", Text("预审", "Examine"), ("applied",), "examined", (_PLANNER,), needs=("looked",)),
    Transition("set-conditions", Text("核发选址意见书与规划条件", "Issue site opinion and conditions"), ("examined",),
               "conditions", (_REVIEWER,), "选", ("conditions",), term=True),
    Transition("publicise", Text("公示", "Put before the public"), ("conditions",), "publicised", (_PLANNER,),
               needs=("current",)),
    Transition("approve", Text("批准", "Approve"), ("publicised",), "approved", (_APPROVER,), "批",
               ("current", "check", "notice"), term=True),
    Transition("permit-land", Text("核发建设用地规划许可证", "Issue the land permit"), ("approved",), "land-permit",
               (_APPROVER,), "地", ("current",), term=True),
    Transition("permit-works", Text("核发建设工程规划许可证", "Issue the works permit"), ("land-permit",),
               "works-permit", (_APPROVER,), "建", ("current",), term=True),
    Transition("verify", Text("规划核实", "Verify"), ("works-permit",), "verified", (_PLANNER,), "核"),
    Transition("archive", Text("归档", "Archive"), ("verified",), "archived", (_CLERK, _PLANNER)),
    Transition("return", Text("退回", "Return"), _BEFORE_APPROVAL, "returned", (_PLANNER, _REVIEWER, _APPROVER),
               needs=("opinion",)),
    Transition("resubmit", Text("重新申报", "Resubmit"), ("returned",), "applied", (_CLERK, _PLANNER), term=True),
    Transition("withdraw", Text("撤回", "Withdraw"), (*_BEFORE_APPROVAL, "returned"), "withdrawn", (_CLERK, _PLANNER),
               needs=("opinion",)),
    Transition("revoke", Text("撤销", "Revoke"), ("approved", "land-permit", "works-permit"), "revoked", (_APPROVER,),
               needs=("opinion",)),
    Transition("expire", Text("到期", "Expire"), ("conditions", "publicised", "approved", "land-permit"), "expired",
               (_CLERK, _PLANNER, _REVIEWER, _APPROVER), needs=("overdue",)),
    Transition("replace", Text("变更", "Replace"), ("approved", "land-permit"), "replaced", (_APPROVER,),
               needs=("opinion",)),
)  # fmt: skip
_BY_ACTION = {transition.action: transition for transition in TRANSITIONS}
#: States in which the ground is given out; planning.is_allocated() in planning.sql says the same.
ALLOCATED: frozenset[State] = frozenset(("approved", "land-permit", "works-permit", "verified", "archived"))


def step(action: Action, state: str, roles: Collection[str]) -> tuple[Transition, str]:
    """The transition that the action is in this state, and the role by which it is taken.

    Raises :class:`PlanningConflict` in another state, and :class:`StepNotAllowed` for other roles.
    """
    found = _BY_ACTION[action]
    if state not in found.before:
        may = "、".join(t.title.zh for t in possible(state)) or "无"
        may_en = ", ".join(t.action for t in possible(state)) or "nothing"
        raise PlanningConflict(
            f"红线处于“{state}”，不能{found.title.zh}；可以：{may}",
            f"the red line is {state!r}, from which {action!r} does not lead; possible: {may_en}",
        )
    role = next((role for role in found.roles if role in roles), None)
    if role is None:
        raise StepNotAllowed(
            f"{found.title.zh}须由 {'、'.join(found.roles)} 办理",
            f"{action!r} is for the role {' or '.join(found.roles)}",
        )
    return found, role


def possible(state: str) -> tuple[Transition, ...]:
    """The steps that lead on from a state, those of the change of a red line aside."""
    return tuple(t for t in TRANSITIONS if state in t.before and t.action != "replace")


def require_opinion(transition: Transition, opinion: str) -> None:
    """Raise :class:`PlanningError` where a step needs words and has none."""
    if "opinion" in transition.needs and not opinion.strip():
        raise PlanningError(
            f"{transition.title.zh}须写明意见", f"{transition.action!r} needs words of why (input 'opinion')"
        )
