"""The process that compares a shift's plan with what was done."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, Field
from sqlalchemy import Connection

from layers.processing import Job, process
from tracking.dispatching.model import WrongInputs
from tracking.dispatching.queries import read_plan
from tracking.dispatching.shifts import Done, done_at
from tracking.tracks import read_devices, read_track

_Codes = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=64)], ...], Field(max_length=500)]
_Ids = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(max_length=500)]
#: The longest shift, and pairs of unit and fence of one report.
_LONGEST, _MOST = timedelta(days=1), 2000


@dataclass(frozen=True, slots=True)
class ShiftReport:
    """Each unit at each fence that is planned for it."""

    begin: datetime
    end: datetime
    units: int
    rows: tuple[Done, ...]


@process(
    keywords=("排班 shift", "计划完成 planned and done", "tracking"),
    example={"begin": "2026-11-20T07:00:00+08:00", "end": "2026-11-20T15:00:00+08:00"},
)
def shift_report(
    conn: Connection, job: Job, begin: AwareDatetime, end: AwareDatetime, devices: _Codes = (), fences: _Ids = ()
) -> ShiftReport:
    """班次计划与完成 | A shift planned and done

    对照围栏图层中指定给车辆的线路和区域，给出一个班次内的完成长度、比例和在区时间。 | Of the routes and areas that the
    layer geofences plans for units: how much of each route was driven and how long the unit was there, within a shift.

    begin: 班次开始 | Beginning of the shift
    end: 班次结束，至多一天 | End of the shift, a day later at most
    devices: 设备编号；不填为全部 | Devices; all where none is named
    fences: 围栏编号；不填为全部 | Fences by id; all where none is named
    returns: 每辆车在每个线路、区域的完成情况 | What each unit did at each fence
    """
    if not begin < end <= begin + _LONGEST:
        raise WrongInputs("input 'end' is after 'begin', by a day at most")
    plan = read_plan(conn, fences)
    units = [unit for unit in read_devices(conn, list(devices) or None) if any(f.concerns(unit) for f in plan)]
    pairs = sum(f.concerns(unit) for unit in units for f in plan)
    if pairs > _MOST:
        raise WrongInputs(f"{pairs} pairs of device and fence are more than {_MOST}: name some devices or fences")
    rows: list[Done] = []
    for n, unit in enumerate(units):
        job.progress(100.0 * n / len(units))
        track = read_track(conn, unit, begin, end)
        rows += (done_at(fence, track) for fence in plan if fence.concerns(unit))
    return ShiftReport(begin, end, len(units), tuple(rows))
