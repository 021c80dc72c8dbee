"""What the acts of a case can be given: conditions for filing with their limits, and departments."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from grid.cases.queries import limits_of, read_case, require_cases
from grid.dispatching.queries import rules_for
from grid.dispatching.rules import Asked, Proposal, proposals
from grid.inputs import CaseCode
from grid.model import Limit
from layers.catalogue import Text
from layers.processing import process
from layers.registry import find_layer


@dataclass(frozen=True, slots=True)
class Department:
    """A department that a case may be dispatched to."""

    id: str
    name: Text


@dataclass(frozen=True, slots=True)
class CaseChoices:
    """What may be chosen for a case: its conditions, all departments, and those that the rules propose, best first."""

    case: str
    conditions: tuple[Limit, ...]
    proposals: tuple[Proposal, ...]
    departments: tuple[Department, ...]


@process(keywords=("立案条件 conditions", "部门 departments"), example={"case": "20261122-000001"})
def case_choices(conn: Connection, case: CaseCode) -> CaseChoices:
    """案卷可选项 | Choices for a case

    立案条件及时限、可派遣的部门和规则建议。 | The conditions for filing with their limits, the departments that a
    case may go to, and those that the rules propose.

    case: 案卷编号 | Case number
    returns: 可选项 | The choices
    """
    require_cases(conn)
    find_layer(conn, "cases")
    found = read_case(conn, case)
    asked = Asked(found.scheme, found.kind, found.case.class_code, found.area_code)
    rows = conn.execute(text("SELECT id, zh, en FROM grid.department_names()"))
    return CaseChoices(
        found.case.code,
        limits_of(conn, found),
        proposals(rules_for(conn, found.scheme, found.kind), asked),
        tuple(Department(row[0], Text(row[1], row[2])) for row in rows),
    )
