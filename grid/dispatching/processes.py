"""Processes of dispatch: propose a department, list what waits for the caller."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection

from grid.cases.life_cycle import allowed_acts
from grid.cases.queries import read_case, require_cases
from grid.dispatching.queries import rules_for, waiting, waiting_counts
from grid.dispatching.rules import Asked, Proposal, proposals
from grid.inputs import CaseCode
from grid.model import Case
from layers.access import Principal
from layers.processing import process
from layers.registry import find_layer


@dataclass(frozen=True, slots=True)
class WaitingCase:
    """A case that waits for the caller; ``due`` is when the step that waits is due, where it has a time."""

    case: str
    id: int
    revision: int
    title: str | None
    place: str | None
    state: str
    light: str | None
    department: str | None
    area_code: str | None
    deadline: datetime | None
    due: datetime | None
    reported_at: datetime
    reports: int
    supervised: bool
    acts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WaitingCount:
    """How many cases wait in a state with a light."""

    state: str
    light: str | None
    cases: int


@dataclass(frozen=True, slots=True)
class WorkList:
    """What waits for the caller: a page of it, the most urgent first, and how much there is in all."""

    waiting: int
    counts: tuple[WaitingCount, ...]
    cases: tuple[WaitingCase, ...]


#: Columns that are shown as they are.
_SHOWN = tuple(f.name for f in fields(WaitingCase) if f.name not in ("case", "acts"))


@process(keywords=("派遣 dispatch", "建议 proposal"), example={"case": "20261122-000001"})
def propose_dispatch(conn: Connection, case: CaseCode) -> tuple[Proposal, ...]:
    """派遣建议 | Propose a department

    按类别和区域的规则建议处置部门，并说明理由。 | The departments that the rules of class and area propose, and why.

    case: 案卷编号 | Case number
    returns: 建议；最合适的在前 | Proposals; the best first
    """
    require_cases(conn)
    find_layer(conn, "cases")
    found = read_case(conn, case)
    asked = Asked(found.scheme, found.kind, found.case.class_code, found.area_code)
    return proposals(rules_for(conn, found.scheme, found.kind), asked)


@process(keywords=("待办 work list",), example={"limit": 20, "lights": ["red", "amber"]})
def work_list(
    conn: Connection,
    principal: Principal,
    lights: Annotated[tuple[Literal["red", "amber", "green"], ...], Field(max_length=3)] = (),
    limit: Annotated[int, Field(ge=1, le=1000)] = 50,
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0,
) -> WorkList:
    """待办案卷 | Work list

    等待本人处理的案卷，督办和红灯在前。 | The cases that wait for the caller, supervised and red ones first.

    lights: 只要这些灯 | Only of these lights
    limit: 每页个数 | Cases per page
    offset: 跳过个数 | Cases to skip
    returns: 待办 | What waits
    """
    require_cases(conn)
    duties = principal.duties if "advance-case" in principal.processes else ()
    counts = tuple(WaitingCount(*row) for row in waiting_counts(conn, duties))
    cases = tuple(_waiting(row, principal) for row in waiting(conn, duties, lights, limit, offset))
    return WorkList(sum(one.cases for one in counts), counts, cases)


def _waiting(row: Any, principal: Principal) -> WaitingCase:
    facts = (
        "id",
        "code",
        "revision",
        "state",
        "channel",
        "escalation",
        "extensions",
        "asked_extension",
        "suspended_from",
    )
    case = Case(**{name: row[name] for name in facts})
    roles = principal.roles_over("advance-case", row["area_code"], row["department"])
    shown = {name: row[name] for name in _SHOWN}
    return WaitingCase(case=case.code, acts=allowed_acts(case, roles), **shown)
