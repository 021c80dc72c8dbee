"""Processes of alarms: a case of one, and their statistics."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field
from sqlalchemy import Connection

from layers.processing import OtherProcesses, process
from tracking.alarms.handling import AlarmHandled, Counted, Group, count_alarms, enter_case, lock_alarm
from tracking.inputs.values import InputRefused
from tracking.layers import ALARM_KINDS

_Key = Annotated[str, Field(min_length=1, max_length=200)]
_Code = Annotated[str, Field(min_length=1, max_length=40)]
_Words = Annotated[str, Field(min_length=1, max_length=1000)]
#: The longest time of one statistic.
_LONGEST = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class CaseOfAlarm:
    """The case that was made; ``attached_to`` names one that had been reported already."""

    alarm: str
    case: str
    attached_to: str | None


@dataclass(frozen=True, slots=True)
class AlarmStatistics:
    """Alarms by groups, the most frequent first."""

    begin: datetime
    end: datetime
    by: tuple[str, ...]
    groups: tuple[Counted, ...]


@process(
    edits=True,
    keywords=("报警 alarm", "案卷 case", "tracking"),
    example={"alarm": "13900000001 leave-7 1795000000", "class_code": "0102"},
)
def alarm_to_case(
    conn: Connection,
    others: OtherProcesses,
    alarm: _Key,
    class_code: _Code,
    description: _Words | None = None,
    kind: Literal["event", "component"] = "event",
) -> CaseOfAlarm:
    """报警转案卷 | Make a case of an alarm

    以报警的位置和内容上报案卷，并在报警上登记案卷编号；须有上报案卷的权限。 | Reports a case where the alarm was, and
    enters its number at the alarm; it needs the right to report cases.

    alarm: 报警标识 | Key of the alarm
    class_code: 案卷类别代码 | Code of the case's class
    description: 描述；缺省为报警内容 | Description; by default what the alarm says
    kind: 事件或部件 | Event or component
    returns: 案卷 | The case
    """
    found = lock_alarm(conn, alarm)
    if found.case_id is not None:
        raise AlarmHandled(f"alarm {alarm!r} is case {found.case_id} already")
    called = ALARM_KINDS.get(found.kind)
    words = [called.zh if called else found.kind, found.name or found.device, found.detail or ""]
    report = others.run(
        "report-case",
        {
            "position": [found.lon, found.lat], "class_code": class_code, "kind": kind,
            "description": description or f"车辆报警：{' '.join(filter(None, words))}",
        },
    )  # fmt: skip
    enter_case(conn, found, report["case"])
    return CaseOfAlarm(alarm, report["case"], report["attached_to"])


@process(
    keywords=("报警 alarm", "统计 statistics", "tracking"),
    example={"begin": "2026-11-01T00:00:00+08:00", "end": "2026-12-01T00:00:00+08:00", "by": ["kind"]},
)
def alarm_statistics(
    conn: Connection,
    begin: AwareDatetime,
    end: AwareDatetime,
    by: Annotated[tuple[Group, ...], Field(min_length=1, max_length=3)] = ("kind",),
    kinds: Annotated[tuple[_Code, ...], Field(max_length=40)] = (),
) -> AlarmStatistics:
    """统计报警 | Count alarms

    按类型、车辆、部门、围栏、状态、日期或钟点统计报警数量、处理情况与平均时长。 | How many alarms there were, by kind,
    device, department, fence, state, day or hour, how far they are handled and how long they were.

    begin: 开始时间 | Beginning
    end: 结束时间，不含 | End, not included
    by: 分组；至多三项 | By; three of these at most
    kinds: 报警类型；不填为全部 | Kinds; all where none is named
    returns: 统计 | The statistics
    """
    if not begin < end <= begin + _LONGEST:
        raise InputRefused("input 'end' is after 'begin', by ten years at most")
    if len(set(by)) != len(by):
        raise InputRefused("input 'by' names something twice")
    return AlarmStatistics(begin, end, by, tuple(count_alarms(conn, begin, end, by, kinds)))
