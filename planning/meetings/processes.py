"""Processes of meetings: agenda, opinions, decisions, minutes."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import Connection

from layers.access import Principal
from layers.processing import CityMaps, FileResult, Workspace, process
from planning.errors import StepNotAllowed
from planning.meetings.model import GivenDecision, GivenItem, Meeting, MeetingHead, Stance
from planning.options import PlanningOptions

_Number = Annotated[str, Field(min_length=1, max_length=100)]
_Line = Annotated[str, Field(max_length=200)]
_EXAMPLE = "会字第420700202600001号"
SERIES = "会"


@process(
    edits=True,
    keywords=("规划业务会议 meeting", "议程 agenda"),
    example={
        "title": "第3次规划业务会议", "held_on": "2026-12-01", "venue": "三楼会议室", "chair": "周",
        "items": [{"redline": "红字第420700202600001号"}, {"subject": "近期工作安排"}],
    },
)  # fmt: skip
def arrange_meeting(
    conn: Connection,
    principal: Principal,
    options: PlanningOptions,
    title: Annotated[str, Field(min_length=1, max_length=200)],
    held_on: date,
    items: Annotated[tuple[GivenItem, ...], Field(min_length=1, max_length=100)],
    venue: _Line = "",
    chair: _Line = "",
    attendants: Annotated[tuple[_Line, ...], Field(max_length=200)] = (),
    meeting: _Number | None = None,
) -> Meeting:
    """安排规划业务会议 | Arrange a meeting

    建立会议及其议程；给出编号则修改，已有意见的议题保留意见，不能删去。 | Enters a meeting with its agenda, or
    changes the one of that number; an item keeps the opinions on it, and cannot be dropped once it has some.

    title: 会议名称 | Title
    held_on: 日期 | Day
    items: 议程；按顺序，每项一条红线或一个题目 | Agenda; in order, each a red line or a subject
    venue: 地点 | Place
    chair: 主持人 | Chair
    attendants: 参加人 | Who attends
    meeting: 会议编号；修改时 | Number of the meeting; to change it
    returns: 会议 | The meeting
    """
    from planning.meetings.queries import enter, find_meeting, rearrange
    from planning.redline.writing import next_number

    _account(principal)
    facts = {"title": title, "held_on": held_on, "venue": venue, "chair": chair, "attendants": list(attendants)}
    if meeting is None:
        meeting = next_number(conn, options, SERIES, options.today())
        enter(conn, meeting, facts, items)
    else:
        rearrange(conn, meeting, facts, items)
    return find_meeting(conn, meeting)


@process(
    edits=True,
    keywords=("规划业务会议 meeting", "意见 opinion"),
    example={"meeting": _EXAMPLE, "item": 1, "stance": "agree", "opinion": "同意选址", "speaker": "吴"},
)
def record_opinion(
    conn: Connection,
    principal: Principal,
    meeting: _Number,
    item: Annotated[int, Field(ge=1)],
    stance: Stance,
    opinion: Annotated[str, Field(min_length=1, max_length=5000)],
    speaker: _Line = "",
) -> Meeting:
    """记录会议意见 | Record an opinion

    记下对一项议题的意见：谁说、谁记、何时；记下的不改不删。 | Writes down what somebody says of an item: who, written
    by whom, and when. What is written stays.

    meeting: 会议编号 | Number of the meeting
    item: 第几项 | Place of the item
    stance: 态度 | Stance
    opinion: 意见 | Opinion
    speaker: 发言人；缺省为本人 | Who says it; by default you
    returns: 会议 | The meeting
    """
    from planning.meetings.queries import find_meeting, say

    say(conn, meeting, item, speaker.strip() or _account(principal), stance, opinion.strip())
    return find_meeting(conn, meeting)


@process(
    edits=True,
    keywords=("规划业务会议 meeting", "决定 decision", "纪要 minutes"),
    example={"meeting": _EXAMPLE, "decisions": [{"item": 1, "decision": "agreed"}], "conclusion": "会议结束"},
)
def close_meeting(
    conn: Connection,
    principal: Principal,
    meeting: _Number,
    decisions: Annotated[tuple[GivenDecision, ...], Field(max_length=100)] = (),
    conclusion: Annotated[str, Field(max_length=5000)] = "",
) -> Meeting:
    """结束会议 | Close a meeting

    写入各项的决定并结束会议；每项都须有决定，结束后纪要不再变动。 | Writes the decisions and closes the meeting.
    Every item needs one; afterwards the minutes change no more.

    meeting: 会议编号 | Number of the meeting
    decisions: 决定；按议题 | Decisions; by item
    conclusion: 结语 | Conclusion
    returns: 会议 | The meeting
    """
    from planning.meetings.queries import close, decide, find_meeting

    account = _account(principal)
    decide(conn, meeting, account, decisions)
    close(conn, meeting, account, conclusion)
    return find_meeting(conn, meeting)


@process(keywords=("规划业务会议 meeting", "议程 agenda"), example={"meeting": _EXAMPLE})
def meeting_agenda(conn: Connection, meeting: _Number) -> Meeting:
    """会议议程与意见 | A meeting

    会议的议程、每项的意见与决定。 | The agenda of a meeting, with the opinions on each item and what was decided.

    meeting: 会议编号 | Number of the meeting
    returns: 会议；议程、意见、决定 | The meeting with agenda, opinions and decisions
    """
    from planning.meetings.queries import find_meeting

    return find_meeting(conn, meeting)


@process(keywords=("规划业务会议 meeting",), example={"most": 20})
def list_planning_meetings(
    conn: Connection, most: Annotated[int, Field(ge=1, le=1000)] = 100
) -> tuple[MeetingHead, ...]:
    """会议列表 | Meetings

    规划业务会议，新的在前。 | The meetings on planning, the newest first.

    most: 最多条数 | Most
    returns: 会议；新的在前 | Meetings, the newest first
    """
    from planning.meetings.queries import list_meetings

    return list_meetings(conn, most)


@process(
    sync=False, keywords=("规划业务会议 meeting", "纪要 minutes", "PDF"), example={"meeting": _EXAMPLE, "paper": "A4"}
)
def meeting_minutes(
    conn: Connection,
    workspace: Workspace,
    maps: CityMaps,
    options: PlanningOptions,
    meeting: _Number,
    paper: Literal["A4", "A3"] = "A4",
    language: Literal["zh-CN", "en-US"] = "zh-CN",
) -> FileResult:
    """会议纪要 | Minutes of a meeting

    会议的 PDF：议程，每条红线的地图、面积与检查结论，意见与决定。 | The meeting as a PDF: agenda; of each red line its
    map, area and newest check; opinions and decisions.

    meeting: 会议编号 | Number of the meeting
    paper: 纸张 | Paper
    language: 语言 | Language
    returns: 纪要 | The minutes
    """
    from planning.meetings.minutes import write_minutes
    from planning.meetings.queries import find_meeting

    path = Path(workspace) / "minutes.pdf"
    write_minutes(conn, find_meeting(conn, meeting), maps, options.timezone, paper, language, path)
    return FileResult(path, "application/pdf", "meeting-minutes.pdf")


def _account(principal: Principal) -> str:
    if principal.account is None:
        raise StepNotAllowed("请先登录", "sign in first")
    return principal.account
