"""How the clocks of cases stand: a countdown in the city's working time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection, RowMapping, text

from grid.cases.queries import database_now, require_cases
from grid.clock.model import URGENT, Clock, WorkingTime
from grid.clock.queries import city_line
from grid.inputs import CaseCode
from grid.options import GridOptions
from layers.processing import process
from layers.registry import find_layer

Codes = Annotated[tuple[CaseCode, ...], Field(max_length=1000)]


@dataclass(frozen=True, slots=True)
class CaseClock:
    """The countdown of what waits in a case: the limit of its handling, else its filing or its check.

    ``remaining`` is [s] of working time, by the ``unit`` urgent-hours of the wall clock; negative when overdue.
    ``ticking``: it runs at this moment; it stands while suspended and outside working hours.
    """

    case: str
    what: str
    unit: str
    due: datetime | None
    limit: int | None
    remaining: int
    ticking: bool


@dataclass(frozen=True, slots=True)
class CaseClocks:
    """Countdowns as of ``now``; a working day counts as ``day_seconds``. Cases without one are left out."""

    now: datetime
    working: bool
    day_seconds: int
    clocks: tuple[CaseClock, ...]


_READ = text("""
    SELECT code, state, limit_unit, limit_seconds, used_seconds, running_since, clock_round, deadline,
           CASE state WHEN 'accepted' THEN filing_due WHEN 'handled' THEN check_due END AS step_due
    FROM city.cases WHERE code = ANY (:codes) AND closed_at IS NULL""")


@process(keywords=("时限 limit", "倒计时 countdown"), example={"cases": ["20261122-000001"]})
def case_clocks(conn: Connection, options: GridOptions, cases: Codes) -> CaseClocks:
    """案卷计时 | Clocks of cases

    以工作时间计的剩余时限：处置时限、应立案或应核查时间。 | The working time that is left of a case's limit, or
    until it is to be filed or checked.

    cases: 案卷编号 | Case numbers
    returns: 计时 | The clocks
    """
    require_cases(conn)
    find_layer(conn, "cases")
    now, line = database_now(conn), city_line(conn)
    rows = conn.execute(_READ, {"codes": list(cases)}).mappings()
    working = line.working(now)
    found = tuple(one for one in (_clock(row, line, now, working=working) for row in rows) if one)
    return CaseClocks(now, working, options.clock.day_seconds, found)


def _clock(row: RowMapping, line: WorkingTime, now: datetime, *, working: bool) -> CaseClock | None:
    """The countdown of a case; None where nothing of it is due."""
    if row["step_due"] is not None:
        left = line.position("work-hours", row["step_due"]) - line.position("work-hours", now)
        what = "filing" if row["state"] == "accepted" else "check"
        return CaseClock(row["code"], what, "work-hours", row["step_due"], None, left, working)
    if row["limit_seconds"] is None or row["used_seconds"] is None:
        return None
    unit, used = row["limit_unit"], row["used_seconds"]
    clock = Clock(unit, row["limit_seconds"], used, row["running_since"], row["clock_round"])
    runs = clock.running_since is not None and (working or clock.unit == URGENT)
    left = clock.limit - clock.spent(line, now)
    return CaseClock(row["code"], "handling", unit, row["deadline"], clock.limit, left, runs)
