"""One act on one case: read, decide by the table, keep, and enter the step."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from grid.cases.life_cycle import Moved, advance
from grid.cases.queries import Found, add_step, departments, limits_of, save_case
from grid.clock.model import WorkingTime, share_of
from grid.clock.queries import city_line
from grid.model import Case, Inputs, Setting
from grid.notices.telling import tell
from grid.options import GridOptions

#: What is given with an act and kept in its step's detail.
_SAID = tuple(one.name for one in fields(Inputs) if one.name != "reason")


def act_on(
    conn: Connection,
    found: Found,
    act: str,
    roles: frozenset[str],
    given: Inputs,
    options: GridOptions,
    at: datetime,
    place: tuple[float, float] | None = None,
    attachments: tuple[UUID, ...] = (),
) -> tuple[Moved, int]:
    """Do an act on a locked case and keep the step; what it became, and its new revision.

    Raises as :func:`grid.cases.life_cycle.advance`.
    """
    line = city_line(conn)
    limits = limits_of(conn, found) if act == "file" else ()
    known = departments(conn) if act == "dispatch" else None
    moved = advance(found.case, act, roles, given, Setting(at, line, options, limits, known))
    follows = clock_columns(moved.case, line, options, at)
    revision = save_case(conn, moved.case, follows)
    detail = {**step_detail(given, follows, moved.case), "revision": revision}
    add_step(conn, moved.case, act, found.case.state, moved.role, at, given.reason, detail, place, attachments)
    told = {**detail, "actor_role": moved.role, "at": at, "reason": given.reason}
    tell(conn, moved.case, act, found.title, found.area_code, told, follows.get("deadline"), options)
    return moved, revision


def step_detail(given: Inputs, follows: Mapping[str, Any], case: Case) -> dict[str, Any]:
    """What a step says beside its reason: what was given with the act, and how the clock stands after it."""
    said = {name: value for name in _SAID if (value := getattr(given, name)) not in (None, False, 0)}
    clock = {name: follows[name] for name in ("used_seconds", "deadline") if follows.get(name) is not None}
    return {**said, **clock, "round": case.clock_round}


def clock_columns(case: Case, line: WorkingTime, options: GridOptions, at: datetime) -> Mapping[str, Any]:
    """The columns of the layer ``cases`` that say how its clock stands."""
    clock, shares = case.clock, options.clock
    if clock is None:
        return {}
    ends = {
        "remind_at": share_of(clock.limit, shares.remind_share),
        "deadline": clock.limit,
        "supervise_at": share_of(clock.limit, shares.supervise_share),
    }
    return {
        "used_seconds": clock.used,
        "running_since": clock.running_since,
        "light": clock.light(line, at, shares),
        **{name: clock.reaches(line, seconds) for name, seconds in ends.items()},
    }
