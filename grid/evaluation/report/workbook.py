"""The month as a workbook: a sheet of the whole, one of the days with a chart, one for each kind of group."""

from pathlib import Path
from typing import Any

import xlsxwriter

from grid.evaluation.processes import Row
from grid.evaluation.report.month import TITLES, Month
from layers.catalogue import Text


def write_workbook(month: Month, path: Path) -> None:
    """An XLSX; numbers are numbers, shares are percentages, what was due to nobody is empty."""
    with xlsxwriter.Workbook(path, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        formats = {
            "head": book.add_format({"bold": True, "bg_color": "#ECF0F3", "text_wrap": True, "valign": "vcenter"}),
            "share": book.add_format({"num_format": "0.00%"}),
            "count": book.add_format({"num_format": "#,##0"}),
        }
        _write_whole(book, month, formats)
        _write_days(book, month, formats)
        for by, rows in month.groups.items():
            _write_groups(book, month, formats, by, rows)


def _write_whole(book: Any, month: Month, formats: dict[str, Any]) -> None:
    sheet = book.add_worksheet(month.say(Text("总览", "Summary")))
    heads = (Text("指标", "Figure"), Text("本月", "This month"), Text("上月", "Month before"), Text("变化", "Change"))
    sheet.write_row(0, 0, [month.say(text) for text in heads], formats["head"])
    line = 0
    for name, counted in month.whole.counts.items():
        this, before = month.whole.total.counts[name].cases, month.before.counts[name].cases
        line += 1
        sheet.write(line, 0, month.say(counted.title))
        sheet.write_row(line, 1, (this, before, this - before), formats["count"])
    for name, divided in month.whole.indicators.items():
        shares = month.whole.total.indicators[name], month.before.indicators[name]
        line += 1
        sheet.write(line, 0, month.say(divided.title))
        for column, value in enumerate(shares, 1):
            _write_share(sheet, line, column, value, formats)
        if None not in shares:
            _write_share(sheet, line, 3, shares[0] - shares[1], formats)  # type: ignore[operator]
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, 3, 14)
    sheet.freeze_panes(1, 0)


def _write_days(book: Any, month: Month, formats: dict[str, Any]) -> None:
    title = month.say(Text("每日", "Days"))
    sheet = book.add_worksheet(title)
    _write_rows(
        sheet, month, formats, month.say(Text("日期", "Day")), [(row.keys["day"] or "", row) for row in month.days]
    )
    if not month.days:
        return
    chart = book.add_chart({"type": "column"})
    last = len(month.days)
    for column in (1, 1 + list(month.whole.counts).index("closed")) if "closed" in month.whole.counts else (1,):
        chart.add_series(
            {
                "name": [title, 0, column],
                "categories": [title, 1, 0, last, 0],
                "values": [title, 1, column, last, column],
            }
        )
    chart.set_size({"width": 900, "height": 320})
    sheet.insert_chart(last + 2, 1, chart)


def _write_groups(book: Any, month: Month, formats: dict[str, Any], by: str, rows: tuple[Row, ...]) -> None:
    title = month.say(TITLES[by])
    sheet = book.add_worksheet(title)
    _write_rows(sheet, month, formats, title, [(month.name(by, row), row) for row in rows])


def _write_rows(sheet: Any, month: Month, formats: dict[str, Any], head: str, rows: list[tuple[str, Row]]) -> None:
    counts, shares = month.whole.counts, month.whole.indicators
    titles = [head, *(month.say(c.title) for c in counts.values()), *(month.say(d.title) for d in shares.values())]
    sheet.write_row(0, 0, titles, formats["head"])
    for line, (name, row) in enumerate(rows, 1):
        sheet.write_string(line, 0, name)
        sheet.write_row(line, 1, [row.counts[one].cases for one in counts], formats["count"])
        for column, one in enumerate(shares, 1 + len(counts)):
            _write_share(sheet, line, column, row.indicators[one], formats)
    sheet.set_column(0, 0, 28)
    sheet.set_column(1, len(titles), 11)
    sheet.freeze_panes(1, 1)
    if rows:
        sheet.autofilter(0, 0, len(rows), len(titles) - 1)


def _write_share(sheet: Any, line: int, column: int, value: float | None, formats: dict[str, Any]) -> None:
    if value is not None:
        sheet.write_number(line, column, value, formats["share"])
