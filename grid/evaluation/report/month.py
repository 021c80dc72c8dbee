"""A month as it is reported: the whole, the month before, each day, and every area and department."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from grid.errors import GridError
from grid.evaluation.model import Area, Period, periods
from grid.evaluation.processes import Evaluation, Row, evaluate
from grid.options import GridOptions
from layers.catalogue import Text

Language = Literal["zh-CN", "en-US"]
TITLES = {
    "city": Text("市", "City"),
    "district": Text("区县", "District"),
    "street": Text("街道", "Street"),
    "community": Text("社区", "Community"),
    "department": Text("部门", "Department"),
}
_NOBODY = Text("（未定）", "(none)")


@dataclass(frozen=True)
class Month:
    """``groups`` by what they are of; ``before`` is the total of the month before."""

    period: Period
    now: datetime
    whole: Evaluation
    before: Row
    days: tuple[Row, ...]
    groups: dict[str, tuple[Row, ...]]
    language: Language

    def say(self, text: Text) -> str:
        """The text in the report's language."""
        return text.zh if self.language == "zh-CN" else text.en

    def name(self, by: str, row: Row) -> str:
        """What a group is called: its name, else its code."""
        key = row.keys[by]
        return row.names.get(by) or (key if key is not None else self.say(_NOBODY))


def read_month(conn: Connection, options: GridOptions, month: str, areas: Sequence[Area], language: Language) -> Month:
    """The figures of a month such as ``2026-10``, of cases reported in it. Raises :class:`GridError`."""
    zone = ZoneInfo(options.clock.timezone)
    this, last = _month(month, zone)

    def ask(period: Period, *by: str) -> Evaluation:
        return evaluate(conn, options, period.begin, period.end, by=by, filters=False)  # type: ignore[arg-type]

    whole = ask(this)
    groups = {by: ask(this, by).rows for by in (*dict.fromkeys(areas), "department")}
    return Month(this, whole.as_of, whole, ask(last).total, ask(this, "day").rows, groups, language)


def _month(month: str, zone: ZoneInfo) -> tuple[Period, Period]:
    """The month, and the one before it."""
    try:
        first = datetime.strptime(month, "%Y-%m").replace(tzinfo=zone)
        before = first.replace(year=first.year - (first.month == 1), month=(first.month - 2) % 12 + 1)
        after = first.replace(year=first.year + (first.month == 12), month=first.month % 12 + 1)
    except ValueError:
        raise GridError(f"月份 {month[:20]!r} 应形如 2026-10", f"month {month[:20]!r} is not like 2026-10") from None
    last, this = periods("month", before, after, zone)
    return this, last
