"""The month on paper: what was reported and closed each day, the indicators, every area and department."""

from pathlib import Path

from grid.evaluation.processes import Row
from grid.evaluation.report.month import TITLES, Month
from layers.catalogue import Text
from layers.printing.sheet import Sheet

_BAR, _DONE = (120, 160, 200), (40, 100, 160)
_HEIGHT = 42.0
#: Counts that stand beside the indicators of a group, where the city counts them.
_SHOWN = ("reported", "filed", "closed")


def write_pages(month: Month, as_of: str, path: Path) -> None:
    """The PDF, A4 across; ``as_of`` is the time of the figures as the city's clocks show it."""
    say = month.say
    title = say(Text("城市管理综合评价月报", "Monthly evaluation"))
    words = say(Text("第 {page} 页，共 {pages} 页", "Page {page} of {pages}"))
    sheet = Sheet(f"{title}  {month.period.name}", page_words=words, landscape=True)
    sheet.add_page()
    sheet.title_line(f"{title}  {month.period.name}")
    sheet.say(say(Text("按上报时间归月；截至 ", "Cases reported in the month, as of ")) + as_of)
    _days(sheet, month)
    _whole(sheet, month)
    for by, rows in month.groups.items():
        _group(sheet, month, by, rows)
    sheet.output(path)


def _days(sheet: Sheet, month: Month) -> None:
    say = month.say
    sheet.heading(say(Text("每日上报与其中已结案", "Reported each day, and of these closed")), _HEIGHT + 12)
    reported = {row.keys["day"]: row.counts["reported"].cases for row in month.days if "reported" in row.counts}
    closed = {row.keys["day"]: row.counts["closed"].cases for row in month.days if "closed" in row.counts}
    days = sorted(day for day in reported if day)
    if not days:
        sheet.say(say(Text("没有案卷。", "No cases.")))
        return
    most = max(reported.values()) or 1
    left, bottom, step = sheet.l_margin, sheet.get_y() + _HEIGHT, sheet.inner_width / 31
    sheet.set_font("body", size=6.5)
    for day in days:
        number = int(day[-2:])
        x = left + (number - 1) * step
        for values, colour in ((reported, _BAR), (closed, _DONE)):
            high = values.get(day, 0) / most * (_HEIGHT - 6)
            sheet.set_fill_color(*colour)
            sheet.rect(x + 0.6, bottom - high, step - 1.2, high, style="F")
        sheet.set_xy(x, bottom - reported[day] / most * (_HEIGHT - 6) - 3.4)
        sheet.cell(step, 3, str(reported[day]), align="C")
        sheet.set_xy(x, bottom + 0.6)
        sheet.cell(step, 3, str(number), align="C")
    sheet.line(left, bottom, left + sheet.inner_width, bottom)
    sheet.set_xy(left, bottom + 5)


def _whole(sheet: Sheet, month: Month) -> None:
    say, total, before = month.say, month.whole.total, month.before
    rows = [
        (say(c.title), f"{total.counts[n].cases:,}", f"{before.counts[n].cases:,}",
         f"{total.counts[n].cases - before.counts[n].cases:+,}")
        for n, c in month.whole.counts.items()
    ]  # fmt: skip
    for name, divided in month.whole.indicators.items():
        this, last = total.indicators[name], before.indicators[name]
        change = "—" if this is None or last is None else f"{(this - last) * 100:+.2f}"
        rows.append((say(divided.title), _share(this), _share(last), change))
    heads = (Text("指标", "Figure"), Text("本月", "This month"), Text("上月", "Month before"),
             Text("变化（件或百分点）", "Change (cases or points)"))  # fmt: skip
    sheet.heading(say(Text("全市", "The whole city")))
    sheet.rows([say(text) for text in heads], rows, (4, 2, 2, 2), ("L", "R", "R", "R"))


def _group(sheet: Sheet, month: Month, by: str, rows: tuple[Row, ...]) -> None:
    counts = [name for name in _SHOWN if name in month.whole.counts]
    titles = [month.whole.counts[name].title for name in counts]
    titles += [one.title for one in month.whole.indicators.values()]
    lines = [
        (month.name(by, row), *(f"{row.counts[name].cases:,}" for name in counts),
         *(_share(row.indicators[name]) for name in month.whole.indicators))
        for row in rows
    ]  # fmt: skip
    if not lines:
        return
    sheet.heading(month.say(TITLES[by]))
    heads = [month.say(TITLES[by]), *(month.say(title) for title in titles)]
    sheet.rows(heads, lines, (2.6, *(1 for _ in titles)), ("L", *("R" for _ in titles)))


def _share(value: float | None) -> str:
    return "—" if value is None else f"{value:.2%}"
