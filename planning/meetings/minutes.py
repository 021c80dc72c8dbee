"""会议纪要 the minutes on paper: the agenda, then each item with its map, opinions and decision."""

from pathlib import Path

from sqlalchemy import Connection

from layers.catalogue import Text
from layers.printing.maps import draw_ground, draw_scale_and_north, draw_shape, place_for
from layers.printing.sheet import Paper, Sheet
from layers.processing import CityMaps
from planning.check.store import kept_check, latest_check
from planning.layers import REDLINE_STATES
from planning.meetings.model import DECISIONS, STANCES, Item, Meeting
from planning.redline.reading import RedLine, find_redline
from planning.report.pages import LAYERS
from planning.report.tables import VERDICTS, moment

_RED = "#e60000"
#: Height of an item's map [mm].
_MAP = 80.0


class Minutes:
    """Writes the pages in one language."""

    def __init__(self, conn: Connection, maps: CityMaps, timezone: str, paper: Paper, language: str) -> None:
        self._conn = conn
        self._maps = maps
        self._timezone = timezone
        self._paper: Paper = paper
        self._language = language

    def write(self, meeting: Meeting, path: Path) -> None:
        """The PDF."""
        title = self._say("规划业务会议纪要", "Minutes of a planning meeting")
        words = self._say("第 {page} 页，共 {pages} 页", "Page {page} of {pages}")
        sheet = Sheet(f"{title}  {meeting.number}", self._paper, words)
        sheet.add_page()
        sheet.title_line(title)
        self._head(sheet, meeting)
        self._agenda(sheet, meeting)
        for item in meeting.items:
            self._item(sheet, item)
        if meeting.conclusion:
            sheet.heading(self._say("结语", "Conclusion"))
            sheet.say(meeting.conclusion)
        sheet.output(path)

    def _say(self, zh: str, en: str) -> str:
        return Text(zh, en)[self._language]

    def _head(self, sheet: Sheet, meeting: Meeting) -> None:
        state = self._say("进行中（未结束）", "Not closed yet")
        if meeting.closed_at is not None:
            state = f"{moment(meeting.closed_at, self._timezone)} · {meeting.closed_by}"
        sheet.pairs(
            [
                (self._say("编号", "Number"), meeting.number),
                (self._say("名称", "Title"), meeting.title),
                (
                    self._say("时间地点", "When and where"),
                    " · ".join(filter(None, (str(meeting.held_on), meeting.venue))),
                ),
                (self._say("主持", "Chair"), meeting.chair or "—"),
                (self._say("参加", "Attending"), "、".join(meeting.attendants) or "—"),
                (self._say("结束", "Closed"), state),
            ]
        )

    def _agenda(self, sheet: Sheet, meeting: Meeting) -> None:
        sheet.heading(self._say("议程", "Agenda"))
        headings = (("序", "No"), ("议题", "Item"), ("意见", "Opinions"), ("决定", "Decision"))
        rows = [
            (str(i.place), self._name(i), str(len(i.opinions)), self._decided(i) or "—")
            for i in meeting.items
        ]  # fmt: skip
        sheet.rows([self._say(*h) for h in headings], rows, (0.5, 6, 1, 1.6), ("C", "L", "R", "L"))

    def _decided(self, item: Item) -> str:
        return DECISIONS[item.decision][self._language] if item.decision else ""

    def _name(self, item: Item) -> str:
        return " · ".join(filter(None, (item.name, item.subject, item.redline)))

    def _item(self, sheet: Sheet, item: Item) -> None:
        sheet.heading(f"{item.place}. {self._name(item)}", _MAP + 30 if item.redline else 40)
        if item.redline:
            self._site(sheet, find_redline(self._conn, item.redline))
        if item.opinions:
            headings = (
                ("时间", "When"),
                ("发言", "Who"),
                ("态度", "Stance"),
                ("意见", "Opinion"),
                ("记录", "Written by"),
            )
            rows = [
                (moment(o.at, self._timezone), o.speaker, STANCES[o.stance][self._language], o.opinion, o.actor)
                for o in item.opinions
            ]
            sheet.rows([self._say(*h) for h in headings], rows, (1.7, 1.2, 1.2, 4.5, 1.2), ("L",) * 5)
        if item.decision:
            by = f"{item.decided_by} · {moment(item.decided_at, self._timezone)}" if item.decided_at else ""
            words = f"{self._decided(item)}  {item.words}".strip()
            sheet.pairs([(self._say("决定", "Decision"), f"{words}\n{by}")])

    def _site(self, sheet: Sheet, line: RedLine) -> None:
        """The red line on the city's map, its area and what its newest check found."""
        found = latest_check(self._conn, line.id)
        verdict = self._say("尚未检查", "Never checked")
        if found is not None:
            kept = kept_check(self._conn, found)
            verdict = f"{VERDICTS[kept.result.verdict][self._language]} (#{kept.id}, {moment(kept.at, self._timezone)})"
        sheet.pairs([
            (self._say("状态", "State"), REDLINE_STATES[line.status][self._language]),
            (self._say("面积", "Area"), f"{line.facts['area']:,.2f} m² · {line.scheme or '—'} {line.land_code or ''}"),
            (self._say("检查结论", "Check"), verdict),
        ])  # fmt: skip
        if sheet.will_page_break(_MAP + 6):
            sheet.add_page()
        top = sheet.get_y() + 2
        place = place_for(line.shape, line.zone.srid, sheet.l_margin, top, sheet.inner_width, _MAP)
        draw_ground(sheet, place, self._maps, LAYERS, self._language)
        draw_shape(sheet, place, line.shape, _RED, 0.6, 0.08)
        draw_scale_and_north(sheet, place, self._say("北", "N"))
        sheet.set_y(top + _MAP + 2)


def write_minutes(
    conn: Connection, meeting: Meeting, maps: CityMaps, timezone: str, paper: Paper, language: str, path: Path
) -> None:
    """The minutes of a meeting as a PDF."""
    Minutes(conn, maps, timezone, paper, language).write(meeting, path)
