"""Processes of dispatch: the nearest units to a case or place, sending one there, and what becomes of the task."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import Connection

from layers.features import RowDenied
from layers.processing import process
from tracking.commands import enqueue
from tracking.dispatching.model import (
    DispatchRefused,
    Place,
    Unit,
    Wanted,
    WrongInputs,
    allow,
    counted,
    on_duty,
    task_text,
    unfit,
)
from tracking.dispatching.queries import add_task, advance, lock_unit, next_code, read_case, read_task, read_units
from tracking.dispatching.ranking import Way, soonest
from tracking.tracks import read_device

_Code = Annotated[str, Field(min_length=1, max_length=64)]
_Words = Annotated[str, Field(min_length=1, max_length=300)]
_Point = tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]]
_Named = Annotated[tuple[_Code, ...], Field(max_length=20)]
_Reach = Annotated[float, Field(gt=0, le=20_000)]
_Mode = Literal["drive", "cycle", "walk"]


@dataclass(frozen=True, slots=True)
class RouteLine:
    """GeoJSON (RFC 7946 §3.1.4)."""

    type: Literal["LineString"]
    coordinates: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class NearUnit:
    """A unit and its way: time on free roads [s], when it would be there, length [m]; ``age`` [s] of its last place,
    ``off_road`` [m] from it to the road."""

    device: str
    name: str
    kind: str
    department: str | None
    state: str
    time: datetime
    age: float
    speed: float | None
    on_duty: bool
    skills: tuple[str, ...]
    tasks: int
    capacity: int
    seconds: float
    eta: datetime
    length: float
    off_road: float
    route: RouteLine


@dataclass(frozen=True, slots=True)
class NearestUnits:
    """The units, soonest first, and how many were left out for which reason."""

    point: _Point
    units: tuple[NearUnit, ...]
    left_out: dict[str, int]


@dataclass(frozen=True, slots=True)
class SentTask:
    """The task that was made: its number, the id of the text in the terminal's queue, and when the unit should be
    there (None: no road leads there)."""

    task: str
    device: str
    command: int
    assigned: datetime
    eta: datetime | None
    length: float | None
    route: RouteLine


@dataclass(frozen=True, slots=True)
class TaskBecame:
    """A task and its state now."""

    task: str
    state: str


@process(
    keywords=("调度 dispatch", "最近车辆 nearest unit", "tracking"),
    example={"point": [114.897, 30.397], "count": 3, "kinds": ["sanitation"]},
)
def nearest_units(
    conn: Connection,
    point: _Point | None = None,
    case: _Code | None = None,
    count: Annotated[int, Field(ge=1, le=50)] = 5,
    kinds: _Named = (),
    skills: _Named = (),
    max_age: Annotated[float, Field(ge=1, le=86_400)] = 300.0,
    on_duty_only: bool = True,
    free_only: bool = True,
    mode: _Mode = "drive",
    within: Annotated[float, Field(gt=0, le=14_400)] = 7200.0,
    reach: _Reach = 1000.0,
) -> NearestUnits:
    """查找最近车辆 | Find the nearest units

    按路网行驶时间查找最先到达案卷或地点的车辆与人员，考虑在线状态、值班、技能与任务数，给出预计到达时间和路线。 | The
    units that are soonest at a case or place by road, of those that are heard, on duty, skilled and free, each with its
    time of arrival and its route.

    point: 地点；经度、纬度 [°] | Point; longitude, latitude [°]
    case: 案卷编号；代替地点 | Case; its number in place of a point
    count: 个数 | Count; how many
    kinds: 类别；不填为全部 | Kinds of unit; all where none is named
    skills: 技能；须全部具备 | Skills; all of these
    max_age: 位置最大时延 [s] | Age of the last position at most [s]
    on_duty_only: 仅值班的 | Only those on duty
    free_only: 仅任务未满的 | Only those that can take a further task
    mode: 方式；drive 驾车，cycle 骑行，walk 步行 | Mode; drive, cycle or walk
    within: 最长行驶时间 [s] | Within; the longest time on the road [s]
    reach: 距道路最大距离 [m] | Reach; how far from a road [m]
    returns: 车辆，最先到达的在前 | The units, soonest first
    """
    place, _ = _place(conn, point, case)
    now = time.time()
    units = read_units(conn)
    wanted = Wanted(frozenset(kinds), frozenset(skills), max_age, on_duty_only, free_only)
    reasons = [unfit(unit, wanted, now) for unit in units]
    fit = [unit for unit, reason in zip(units, reasons, strict=True) if reason is None]
    ways, far = soonest(conn, fit, place, count, mode, within, reach)
    left_out = counted(reasons) | ({"off-road": far} if far else {})
    return NearestUnits(place, tuple(_near(fit[way.number], way, now) for way in ways), left_out)


@process(
    edits=True,
    keywords=("调度 dispatch", "派车 send a unit", "tracking"),
    example={"device": "13900000001", "point": [114.897, 30.397], "text": "请到此处清理"},
)
def dispatch_unit(
    conn: Connection,
    device: _Code,
    point: _Point | None = None,
    case: _Code | None = None,
    text: _Words | None = None,
    arrive_within: Annotated[float, Field(ge=10, le=5000)] = 100.0,
    urgent: bool = False,
    overload: bool = False,
    mode: _Mode = "drive",
    reach: _Reach = 1000.0,
) -> SentTask:
    """派遣车辆 | Send a unit

    把任务下发到终端并登记；按位置跟踪至到达。 | Sends the task to the terminal and records it; it is followed by
    position until the unit has arrived.

    device: 设备编号 | Code of the device
    point: 地点；经度、纬度 [°] | Point; longitude, latitude [°]
    case: 案卷编号；代替地点 | Case; its number in place of a point
    text: 任务内容；案卷可不填 | Text; what is to be done, by default what the case is called
    arrive_within: 到达判定距离 [m] | Within so many metres it has arrived [m]
    urgent: 是否紧急 | Whether the text is urgent
    overload: 任务已满也派 | Send it also where it has as many tasks as it can take
    mode: 方式；drive 驾车，cycle 骑行，walk 步行 | Mode; drive, cycle or walk
    reach: 距道路最大距离 [m] | Reach; how far from a road [m]
    returns: 任务 | The task
    """
    place, called = _place(conn, point, case)
    words = text or called
    if words is None:
        raise WrongInputs("input 'text' is missing: say what is to be done there")
    known = read_device(conn, device)
    lock_unit(conn, device)
    unit = _unit(conn, device, overload=overload)
    ways, _ = soonest(conn, [unit], place, 1, mode, float("inf"), reach)
    way = ways[0] if ways else None
    between = [(float(lon), float(lat)) for lon, lat in way.line] if way is not None else []
    line = [(unit.lon, unit.lat), *between, place]
    code = next_code(conn)
    command = enqueue(conn, known, "text", {"text": task_text(code, words, place), "emergency": urgent})
    assigned, eta = add_task(
        conn,
        {
            "code": code, "title": words, "device": device, "name": unit.name, "department": unit.department,
            "case": case, "seconds": way.seconds if way else None, "length": way.length if way else None,
            "within": arrive_within, "command": command,
        },
        line,
    )  # fmt: skip
    return SentTask(code, device, command, assigned, eta, way.length if way else None, _line(line))


@process(edits=True, keywords=("调度 dispatch", "任务 task", "tracking"), example={"task": "T1", "to": "done"})
def advance_task(
    conn: Connection,
    task: _Code,
    to: Literal["under-way", "arrived", "done", "cancelled"],
    note: _Words | None = None,
) -> TaskBecame:
    """推进任务 | Advance a task

    人工登记途中、到达、完成或撤销；撤销时通知终端。 | Enter by hand that the unit is under way, has arrived or is
    done, or cancel the task: then the terminal is told.

    task: 任务编号 | Number of the task
    to: 新状态 | What it becomes
    note: 备注 | Note
    returns: 任务状态 | The task's state
    """
    found = read_task(conn, task)
    allow(found.state, to)
    if not advance(conn, found, to, note):
        if read_task(conn, task).state != found.state:
            raise DispatchRefused(f"task {task!r} has just become something else: look again")
        raise RowDenied(f"you may not change task {task!r}")
    if to == "cancelled":
        words = f"【任务{found.code}】已撤销" + (f" {note}" if note else "")
        enqueue(conn, read_device(conn, found.device), "text", {"text": words, "emergency": False})
    return TaskBecame(task, to)


def _place(conn: Connection, point: Place | None, case: str | None) -> tuple[Place, str | None]:
    """The place that was asked for, and what it is called."""
    if (point is None) == (case is None):
        raise WrongInputs("give either input 'point' or input 'case'")
    if case is not None:
        called, place = read_case(conn, case)
        return place, called
    assert point is not None
    return point, None


def _unit(conn: Connection, device: str, *, overload: bool) -> Unit:
    """The unit, where it was last. Raises :class:`DispatchRefused`."""
    found = read_units(conn, device)
    if not found:
        raise DispatchRefused(f"device {device!r} has not told where it is, or is not in use")
    (unit,) = found
    if unit.tasks >= unit.capacity and not overload:
        raise DispatchRefused(f"device {device!r} has {unit.tasks} open tasks already: 'overload' sends it anyway")
    return unit


def _near(unit: Unit, way: Way, now: float) -> NearUnit:
    return NearUnit(
        unit.device, unit.name, unit.kind, unit.department, unit.state, datetime.fromtimestamp(unit.time, UTC),
        round(now - unit.time, 1), unit.speed, on_duty(unit.duty, now), tuple(sorted(unit.skills)), unit.tasks,
        unit.capacity, round(way.seconds, 1), datetime.fromtimestamp(now, UTC) + timedelta(seconds=way.seconds),
        round(way.length, 1), round(way.off_road, 1), _line([(float(lon), float(lat)) for lon, lat in way.line]),
    )  # fmt: skip


def _line(points: list[Place]) -> RouteLine:
    return RouteLine("LineString", tuple((lon, lat) for lon, lat in points))
