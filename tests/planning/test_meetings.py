"""Meetings: an agenda in order, opinions that stay, minutes that a reader gets on paper and nobody changes after."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pypdfium2
import pytest

from geoserver.config import load
from geoserver.process_maps import ProcessMaps
from layers.access import Principal
from layers.features import RowDenied
from layers.processing import Workspace
from planning.errors import PlanningConflict, PlanningError
from planning.meetings import processes
from planning.meetings.model import GivenDecision, GivenItem, Meeting
from tests.planning.redline_site import APPROVER, CLERK, PLANNER, REVIEWER, Office, square

DAY = date(2026, 12, 1)


class Room:
    """Runs the processes of meetings, one transaction each."""

    def __init__(self, office: Office) -> None:
        self.office = office

    def arrange(self, *items: GivenItem, who: Principal = CLERK, **more: Any) -> Meeting:
        with self.office.database.transaction(principal=who) as conn:
            return processes.arrange_meeting(
                conn, who, self.office.options, "第3次规划业务会议", DAY, items, venue="三楼", chair="周", **more
            )

    def say(
        self, meeting: str, item: int, stance: Any, opinion: str, who: Principal = PLANNER, speaker: str = ""
    ) -> Meeting:
        with self.office.database.transaction(principal=who) as conn:
            return processes.record_opinion(conn, who, meeting, item, stance, opinion, speaker)

    def close(self, meeting: str, *decisions: GivenDecision) -> Meeting:
        with self.office.database.transaction(principal=APPROVER) as conn:
            return processes.close_meeting(conn, APPROVER, meeting, decisions, "散会")


@pytest.fixture(scope="module")
def room(office: Office) -> Iterator[Room]:
    yield Room(office)


@pytest.fixture(scope="module")
def line(office: Office) -> str:
    number = office.apply(square(400, 400, 120), name="会议项目").number
    office.check(number)
    return number


def test_agenda_is_rearranged_and_items_keep_what_was_said(room: Room, line: str) -> None:
    site, works = GivenItem(line), GivenItem(subject="近期工作")
    made = room.arrange(site, works)
    room.say(made.number, 1, "changes", "退让道路 15 米", REVIEWER, speaker="吴工")
    turned = room.arrange(works, GivenItem(subject="其他"), site, meeting=made.number)
    assert [(i.place, i.redline, i.name, i.subject) for i in turned.items] == [
        (1, None, None, "近期工作"), (2, None, None, "其他"), (3, line, "会议项目", ""),
    ]  # fmt: skip
    [opinion] = turned.items[2].opinions
    assert (opinion.speaker, opinion.actor, opinion.stance) == ("吴工", REVIEWER.account, "changes")
    with pytest.raises(PlanningConflict, match="item 3 has opinions"):
        room.arrange(works, meeting=made.number)
    for items, why in (
        ((GivenItem("没有"),), "no red line"),
        ((GivenItem(),), "red line or a subject"),
        ((works, works), "twice"),
    ):
        with pytest.raises(PlanningError, match=why):
            room.arrange(*items)


def test_a_closed_meeting_changes_no_more_by_whatever_road(room: Room, office: Office, line: str) -> None:
    meeting = room.arrange(GivenItem(line)).number
    with pytest.raises(PlanningConflict, match="items 1 have no decision"):
        room.close(meeting)
    room.close(meeting, GivenDecision(1, "agreed", "按方案一"))
    with pytest.raises(PlanningConflict, match="closed"):
        room.say(meeting, 1, "agree", "迟到的意见")
    with pytest.raises(PlanningConflict, match="closed"):
        room.arrange(GivenItem(subject="新"), meeting=meeting)
    for statement in (
        "UPDATE planning.meetings SET state = 'planned', closed_at = NULL",
        "DELETE FROM planning.meetings WHERE state = 'closed'",
        "UPDATE planning.meeting_items SET decision = 'refused'",
    ):
        with pytest.raises(Exception, match="the meeting is closed"):
            office.sql(statement)


def test_who_may_not_change_red_lines_holds_no_meetings(room: Room, line: str) -> None:
    outsider = Principal("li", frozenset({"leader"}), ())
    with pytest.raises((RowDenied, PlanningError, LookupError)):
        room.arrange(GivenItem(subject="x"), who=outsider)


def test_the_minutes_show_each_red_line_on_the_map_with_opinions_and_decisions(
    room: Room, office: Office, line: str, tmp_path: Path
) -> None:
    meeting = room.arrange(GivenItem(line), GivenItem(subject="近期工作"), attendants=("吴工", "郑工")).number
    room.say(meeting, 1, "agree", "同意选址", speaker="郑工")
    room.say(meeting, 2, "remark", "下周完成")
    room.close(meeting, GivenDecision(1, "changes", "高度不超过 60 米"), GivenDecision(2, "deferred"))
    with office.database.transaction(principal=PLANNER) as conn:
        maps = ProcessMaps(conn, PLANNER, load(environ={}), office.store)
        found = processes.meeting_minutes(conn, Workspace(tmp_path), maps, office.options, meeting)
    document = pypdfium2.PdfDocument(found.path)
    pages = [page.get_textpage().get_text_bounded() for page in document]
    said = "".join(pages).replace("\r\n", "").replace("\n", "")
    for words in (
        meeting,
        "会议项目",
        "同意选址",
        "郑工",
        "高度不超过 60 米",
        "修改后通过",
        "暂缓",
        "散会",
        "1:",
        "吴工、郑工",
    ):
        assert words in said, words
    assert "\ufffd" not in said
    picture = document[next(n for n, page in enumerate(pages) if "1:" in page)].render(scale=1).to_pil()
    assert len(picture.convert("RGB").getcolors(1 << 20) or []) > 30
    document.close()
