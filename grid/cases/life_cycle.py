"""The table of the life cycle, and how a case moves by it."""

from dataclasses import dataclass, replace

from grid.cases import effects, guards
from grid.errors import ActNotAllowed, GridError
from grid.model import ACTS, CLOCK, FINAL, Act, Case, Inputs, Setting, State, Transition, transitions_from

_WORKER, _CLERK, _SHIFT, _DISPATCHER = "grid-worker", "intake-clerk", "shift-leader", "case-dispatcher"
_HANDLER, _VERIFIER, _LEADER = "case-handler", "case-verifier", "leader"
_RUNNING: tuple[State, ...] = ("dispatched", "handling")


#: state × act × role → state (domain facts §1).
TRANSITIONS: tuple[Transition, ...] = (
    Transition(("reported",), "verify", (_WORKER, _VERIFIER), "verified", (guards.says_found,), (effects.keep_found,)),
    Transition(("reported",), "accept", (_CLERK,), "accepted", (guards.needs_no_verification,), (effects.accept,)),
    Transition(("verified",), "accept", (_CLERK,), "accepted", (guards.was_found,), (effects.accept,)),
    Transition(("reported",), "self-handle", (_WORKER,), "self-handled",
               (guards.is_own_patrol, guards.has_evidence), (effects.end,)),
    Transition(("verified",), "decline", (_SHIFT,), "declined",
               (guards.was_not_found, guards.has_reason), (effects.end,)),
    Transition(("accepted",), "file", (_SHIFT,), "filed",
               (guards.has_class, guards.has_known_condition), (effects.file,)),
    Transition(("accepted",), "decline", (_SHIFT,), "declined", (guards.has_reason,), (effects.end,)),
    Transition(("filed",), "dispatch", (_DISPATCHER,), "dispatched", (guards.has_department,), (effects.start_clock,)),
    Transition(("dispatched",), "return", (_HANDLER,), "filed", (guards.has_reason,), (effects.give_back,)),
    Transition(("dispatched",), "handle", (_HANDLER,), "handling"),
    Transition(("handling",), "feedback", (_HANDLER,), "handled", (guards.has_evidence,), (effects.feed_back,)),
    Transition(("handled",), "check", (_VERIFIER, _WORKER), "checked",
               (guards.says_consistent,), (effects.keep_consistent,)),
    Transition(("checked",), "close", (_VERIFIER, _SHIFT), "closed", (guards.was_consistent,), (effects.end,)),
    Transition(("checked",), "rework", (_VERIFIER, _SHIFT), "handling",
               (guards.was_inconsistent, guards.has_reason), (effects.rework,)),
    Transition(_RUNNING, "ask-extension", (_HANDLER,), None,
               (guards.has_amount, guards.none_asked, guards.has_reason), (effects.ask_extension,)),
    Transition(_RUNNING, "extend", (_SHIFT,), None,
               (guards.one_asked, guards.has_form_if_needed), (effects.extend,)),
    Transition(_RUNNING, "refuse-extension", (_SHIFT,), None,
               (guards.one_asked, guards.has_reason), (effects.refuse_extension,)),
    Transition(_RUNNING, "suspend", (_SHIFT,), "suspended", (guards.has_reason,), (effects.suspend,)),
    Transition(("suspended",), "resume", (_SHIFT,), "dispatched", (), (effects.resume,),
               lambda case: case.suspended_from == "dispatched"),
    Transition(("suspended",), "resume", (_SHIFT,), "handling", (), (effects.resume,),
               lambda case: case.suspended_from == "handling"),
    Transition(("reported", "verified"), "void", (_CLERK, _SHIFT), "void", (guards.has_reason,), (effects.end,)),
    Transition(("accepted", "filed", *_RUNNING, "suspended"), "void", (_SHIFT,), "void",
               (guards.has_reason,), (effects.end,)),
    Transition(_RUNNING, "urge", (_DISPATCHER, _SHIFT, _LEADER), None, (), (effects.urge,)),
    Transition(("accepted", "filed", *_RUNNING, "suspended", "handled", "checked"), "supervise", (_LEADER,), None,
               (guards.has_reason,), (effects.supervise,)),
    Transition(_RUNNING, "remind", (CLOCK,), None, (), (effects.escalate,), lambda case: case.escalation == 0),
    Transition(_RUNNING, "urge", (CLOCK,), None, (), (effects.urge, effects.escalate),
               lambda case: case.escalation == 1),
    Transition(_RUNNING, "supervise", (CLOCK,), None, (), (effects.supervise, effects.escalate),
               lambda case: case.escalation == 2),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moved:
    """A case after an act, and the role in which it was done."""

    case: Case
    role: str


def allowed_acts(case: Case, roles: frozenset[str]) -> tuple[Act, ...]:
    """The acts that somebody of these roles may do now, guards aside."""
    return tuple(dict.fromkeys(row.act for row in transitions_from(TRANSITIONS, case, roles)))


def advance(case: Case, act: str, roles: frozenset[str], given: Inputs, setting: Setting) -> Moved:
    """The case after the act. Raises :class:`ActNotAllowed`, or :class:`GridError` for what is lacking."""
    row = next((row for row in transitions_from(TRANSITIONS, case, roles) if row.act == act), None)
    if row is None:
        raise ActNotAllowed(*_refusal(case, act, roles))
    for guard in row.guards:
        if lacking := guard(case, given, setting):
            raise GridError(f"{ACTS[act].zh}：{lacking.zh}", f"{act}: {lacking.en}")
    after = case
    for effect in row.effects:
        after = effect(after, given, setting)
    state = row.to or case.state
    return Moved(replace(after, state=state), next(role for role in row.roles if role in roles))


def _refusal(case: Case, act: str, roles: frozenset[str]) -> tuple[str, str]:
    name = ACTS[act].zh if act in ACTS else act[:40]
    acts = allowed_acts(case, roles)
    if acts:
        zh, en = "可以：" + "、".join(ACTS[one].zh for one in acts), "allowed are: " + ", ".join(acts)
    elif case.state in FINAL:
        zh, en = "案卷已终结", "the case is over"
    else:
        zh, en = "您在此状态下没有可做的操作", "in this state you have nothing to do here"
    return (
        f"案卷 {case.code} 现在不能{name}；{zh}",
        f"case {case.code} is {case.state}: {act[:40]!r} is not allowed; {en}",
    )
