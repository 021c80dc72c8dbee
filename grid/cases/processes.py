"""Processes on cases: move one on, and tell its history."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection

from grid.cases.advancing import act_on
from grid.cases.life_cycle import allowed_acts
from grid.cases.queries import (
    CasePhoto,
    Step,
    attachments_of,
    database_now,
    light_and_deadline,
    lock_case,
    photos_of,
    read_case,
    require_cases,
    steps_of,
)
from grid.errors import GridError
from grid.inputs import CaseCode, Name, Position, Words
from grid.model import Inputs
from grid.options import GridOptions
from layers.access import Principal
from layers.features import EditConflict
from layers.processing import process
from layers.registry import find_layer

#: The acts of people; those of the clock are its own.
AnAct = Literal[
    "verify", "accept", "file", "decline", "dispatch", "return", "handle", "feedback", "check", "close", "rework",
    "ask-extension", "extend", "refuse-extension", "suspend", "resume", "self-handle", "void", "urge", "supervise",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class CaseStatus:
    """Where a case stands; ``allowed`` are the acts that the caller may do next, what they need aside."""

    case: str
    id: int
    revision: int
    state: str
    department: str | None
    light: str | None
    deadline: datetime | None
    allowed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """A case's steps and photos in order, and the acts that the caller may do next."""

    case: str
    state: str
    revision: int
    allowed: tuple[str, ...]
    steps: tuple[Step, ...]
    photos: tuple[CasePhoto, ...]


@process(
    edits=True,
    keywords=("案卷 case", "派遣 dispatch", "处置 handling", "结案 closing"),
    example={"case": "20261122-000001", "act": "dispatch", "department": "sanitation", "revision": 4},
)
def advance_case(
    conn: Connection,
    principal: Principal,
    options: GridOptions,
    case: CaseCode,
    act: AnAct,
    revision: int | None = None,
    reason: Words | None = None,
    department: Name | None = None,
    condition: Name | None = None,
    amount: float | None = None,
    found: bool | None = None,
    consistent: bool | None = None,
    engineering: bool = False,
    position: Position | None = None,
    attachments: Annotated[tuple[UUID, ...], Field(max_length=20)] = (),
) -> CaseStatus:
    """推进案卷 | Advance a case

    对案卷做一步：核实、受理、立案、派遣、处置、反馈、核查、结案、返工、回退、延期、挂账、作废、督办等。 | One act on a
    case: verify, accept, file, dispatch, handle, feed back, check, close, rework, return, extend, suspend, void …

    case: 案卷编号 | Case number
    act: 操作 | The act
    revision: 版本；与现在不同则拒绝 | Revision; refused unless the case is still at it
    reason: 理由或说明 | Reason, or what was done
    department: 部门；派遣用 | Department; for dispatch
    condition: 立案条件；立案用 | Condition for filing; for file
    amount: 延期时长；单位同时限 | Length of the extension; in the unit of the limit
    found: 是否属实；核实用 | Whether it was found so; for verify
    consistent: 是否一致；核查用 | Whether it is done; for check
    engineering: 是否工程类；延期用 | Whether it is engineering work; for extend
    position: 操作者位置；经度、纬度 [°] | Where the actor stands; longitude, latitude [°]
    attachments: 附件；add-photos 给出的编号 | Attachments; ids that add-photos gave
    returns: 案卷状态 | Where the case stands
    """
    require_cases(conn)
    held = lock_case(conn, case)
    if revision is not None and revision != held.case.revision:
        raise EditConflict(f"case {case} is at revision {held.case.revision}, not {revision}: read it again")
    known = _attached(conn, held.case.id, attachments)
    given = Inputs(reason, department, condition, amount, found, consistent, engineering, len(known))
    roles = principal.roles_over("advance-case", held.area_code, held.case.department)
    moved, new = act_on(conn, held, act, roles, given, options, database_now(conn), position, known)
    after = moved.case
    light, deadline = light_and_deadline(conn, after.id)
    roles = principal.roles_over("advance-case", held.area_code, after.department)
    allowed = allowed_acts(after, roles)
    return CaseStatus(after.code, after.id, new, after.state, after.department, light, deadline, allowed)


@process(keywords=("案卷 case", "历史 history"), example={"case": "20261122-000001"})
def case_history(conn: Connection, principal: Principal, case: CaseCode) -> CaseHistory:
    """案卷历史 | History of a case

    案卷的每一步：谁、何时、何地、为何；以及照片。 | Every step of a case: who, when, where and why; and its photos.

    case: 案卷编号 | Case number
    returns: 步骤 | The steps
    """
    require_cases(conn)
    find_layer(conn, "cases")
    found = read_case(conn, case)
    roles = principal.roles_over("advance-case", found.area_code, found.case.department)
    known = found.case
    allowed = allowed_acts(known, roles)
    return CaseHistory(
        known.code, known.state, known.revision, allowed, steps_of(conn, known.id), photos_of(conn, known.id)
    )


def _attached(conn: Connection, case_id: int, wanted: tuple[UUID, ...]) -> tuple[UUID, ...]:
    """The attachments, which must be the case's own. Raises :class:`GridError`."""
    known = attachments_of(conn, case_id, wanted)
    if missing := next((one for one in wanted if one not in known), None):
        raise GridError(
            f"案卷没有附件 {missing}，请先上传照片", f"the case has no attachment {missing}: add the photo first"
        )
    return known
