"""Which cases wait for somebody: by the table of the life cycle and the rows that a role reaches. No I/O."""

from collections.abc import Iterable
from typing import Any

from grid.cases.life_cycle import TRANSITIONS
from layers.access import Duty

#: Acts that nobody waits for.
_OPTIONAL = frozenset({"void", "urge", "supervise", "self-handle", "suspend", "ask-extension", "return", "remind"})


def waiting_states(role: str) -> tuple[str, ...]:
    """The states in which a case waits for that role."""
    found = (state for row in TRANSITIONS if role in row.roles and row.act not in _OPTIONAL for state in row.states)
    return tuple(dict.fromkeys(found))


def waiting_condition(duties: Iterable[Duty]) -> tuple[str, dict[str, Any]]:
    """The condition on rows of ``cases`` that wait for somebody with these duties, as SQL with bound values."""
    parts, values = [], dict[str, Any]()
    for n, duty in enumerate(duty for duty in duties if duty.process == "advance-case"):
        states = [
            state
            for state in waiting_states(duty.role)
            if state not in ("dispatched", "handling") or duty.role == "case-handler"
        ]
        where = [f"state = ANY (:states{n})"]
        if duty.role == "shift-leader":
            where[0] = f"(state = ANY (:states{n}) OR asked_extension IS NOT NULL)"
        if duty.area:
            where.append(f"area_code LIKE :area{n}")
            values[f"area{n}"] = f"{duty.area}%"
        if duty.departments is not None:
            where.append(f"department = ANY (:departments{n})")
            values[f"departments{n}"] = list(duty.departments)
        values[f"states{n}"] = states
        parts.append(f"({' AND '.join(where)})")
    return " OR ".join(parts) or "false", values
