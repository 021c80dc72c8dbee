"""Processes on the work of grids: patrols planned against patrols done, figures of residents' requests."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import Connection

from grid.errors import GridError
from grid.inputs import CaseCode
from grid.options import GridOptions
from grid.social.patrols import Plan, Slot, fulfilled, slots, whole_periods
from grid.social.queries import ServiceFigures, patrol_plans
from grid.social.queries import service_figures as figures_of
from layers.processing import Job, OtherProcesses, process
from layers.registry import find_layer

#: Plans of one answer, and slots of all of them whose tracks are looked at.
MOST_PLANS, MOST_SLOTS = 100, 1500
_Area = Annotated[str, Field(pattern=r"^[0-9]{0,18}$")]
_EXAMPLE = {"begin": "2026-11-01T00:00:00+08:00", "end": "2026-12-01T00:00:00+08:00"}


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk that counts: within which time, and the share [0–1] that was covered."""

    begin: datetime
    end: datetime
    share: float


@dataclass(frozen=True, slots=True)
class PlanDone:
    """A plan: so many walks were ``planned`` in its whole periods, so many of them ``done``; ``problem`` says why
    nothing could be told."""

    plan: str
    name: str | None
    worker: str | None
    periods: int
    planned: int
    done: int
    share: float | None
    walks: tuple[Walk, ...]
    problem: str | None = None


@process(keywords=("巡查计划 patrol plan", "完成率 done"), example=_EXAMPLE)
def patrol_performance(
    conn: Connection,
    job: Job,
    options: GridOptions,
    others: OtherProcesses,
    begin: datetime,
    end: datetime,
    area: _Area = "",
    plans: Annotated[tuple[CaseCode, ...], Field(max_length=MOST_PLANS)] = (),
) -> tuple[PlanDone, ...]:
    """巡查完成情况 | Patrols planned and done

    巡查计划在时段内应巡与实巡次数：按定位终端的轨迹计算覆盖率，达标才算一次。 | How often each plan asks for a walk in
    a period, and how often its device's track covered enough of its grids or route to count.

    begin: 开始时间 | Begin
    end: 结束时间；不含 | End; not in it
    area: 区划代码；空则全市 | Division code; empty: the whole city
    plans: 计划编号；空则全部 | Codes of plans; none: all
    returns: 各计划 | Plan by plan
    """
    begin, end = _period(begin, end)
    find_layer(conn, "patrol-plans")
    found = patrol_plans(conn, area, plans, MOST_PLANS + 1)
    if len(found) > MOST_PLANS:
        raise GridError(f"计划超过 {MOST_PLANS} 个", f"more than {MOST_PLANS} plans: name an area, or plans")
    zone = ZoneInfo(options.clock.timezone)
    asked = [(plan, whole_periods(plan, begin, end, zone)) for plan in found]
    due = [(plan, parts, slots(plan, parts, zone)) for plan, parts in asked]
    if sum(len(times) for _, _, times in due) > MOST_SLOTS:
        raise GridError(
            f"要查的时段超过 {MOST_SLOTS} 个", f"more than {MOST_SLOTS} days of plans: a shorter period, or fewer plans"
        )
    answers = []
    for n, (plan, parts, times) in enumerate(due):
        answers.append(_done(others, plan, len(parts), times))
        job.progress(100 * (n + 1) / len(due))
    return tuple(answers)


@process(keywords=("居民诉求 service requests", "满意度 satisfaction"), example=_EXAMPLE)
def service_figures(conn: Connection, begin: datetime, end: datetime, area: _Area = "") -> tuple[ServiceFigures, ...]:
    """居民诉求统计 | Figures of service requests

    时段内登记的居民诉求：办理、办结、超期、重办与满意度；首行为合计，其后按网格。 | Requests that were opened in a
    period: handled, closed, late, opened again, and how satisfied residents were; all together first, then by grid.

    begin: 开始时间 | Begin
    end: 结束时间；不含 | End; not in it
    area: 区划代码；空则全市 | Division code; empty: the whole city
    returns: 合计与各网格 | All together, then grid by grid
    """
    begin, end = _period(begin, end)
    for layer in ("service-requests", "grid-cells"):
        find_layer(conn, layer)
    return figures_of(conn, area, begin, end)


def _done(others: OtherProcesses, plan: Plan, count: int, times: list[Slot]) -> PlanDone:
    planned = count * plan.times
    about = (plan.code, plan.name, plan.worker, count, planned)
    if not plan.device or not (plan.grids or plan.route):
        lack = "device" if not plan.device else "grids, or a route"
        return PlanDone(*about, 0, None, (), f"the plan names no {lack}")
    walked: list[tuple[Slot, float]] = []
    if times and _covered(others, plan, times[0].begin, times[-1].end) > 0:
        shares = [(one, _covered(others, plan, one.begin, one.end)) for one in times]
        walked = [(one, share) for one, share in shares if share >= plan.least_share]
    done = fulfilled(plan, [one for one, _ in walked], count)
    walks = tuple(Walk(one.begin, one.end, round(share, 4)) for one, share in walked)
    return PlanDone(*about, done, round(done / planned, 4) if planned else None, walks)


def _covered(others: OtherProcesses, plan: Plan, begin: datetime, end: datetime) -> float:
    """The share [0–1] of a plan's grids or route that its device's track covered."""
    of: dict[str, Any]
    if plan.grids:
        codes = ", ".join("'" + code.replace("'", "''") + "'" for code in plan.grids)
        of = {"layer": "grid-cells", "filter": f"code IN ({codes})"}
    else:
        feature = {"type": "Feature", "geometry": json.loads(plan.route or "null"), "properties": {}}
        of = {"type": "FeatureCollection", "features": [feature]}
    inputs = {
        "devices": [plan.device],
        "of": of,
        "begin": begin.isoformat(),
        "end": end.isoformat(),
        "width": plan.width,
    }
    return float(others.run("patrol-coverage", inputs)["percent"]) / 100


def _period(begin: datetime, end: datetime) -> tuple[datetime, datetime]:
    if begin.tzinfo is None or end.tzinfo is None or begin >= end:
        raise GridError("起止时间须带时区，且起早于止", "begin and end need a time zone, and begin comes first")
    return begin, end
