"""The report on paper."""

import io
from pathlib import Path

import segno
import shapely

from layers.catalogue import Text
from layers.printing.maps import draw_ground, draw_points, draw_scale_and_north, draw_shape, place_for
from layers.printing.sheet import Paper, Sheet
from layers.processing import CityMaps
from planning.report import tables
from planning.report.model import Report
from planning.report.tables import SEVERITIES, Table

#: Layers drawn over the base map.
LAYERS = ("control-zones", "control-lines", "open-control-lines")
_RED = "#e60000"
_COLOURS = {"blocking": "#c00000", "warning": "#e07b00", "info": "#2b6cb0"}
#: Points whose names fit on a map; more are listed only.
_NAMED = 60
_CODE = 24.0


def write_pages(report: Report, maps: CityMaps, paper: Paper, timezone: str, path: Path) -> None:
    """The PDF: what and where, conflicts, surroundings, the course, boundary points."""
    words = report.say(Text("第 {page} 页，共 {pages} 页", "Page {page} of {pages}"))
    title = report.say(Text("用地红线检查报告", "Red-line report"))
    number = report.line.number if report.line else f"#{report.kept.id}"
    sheet = Sheet(f"{title}  {number}", paper, words)
    sheet.add_page()
    sheet.title_line(title)
    _facts_and_code(sheet, report, maps.url, timezone)
    _situation(sheet, report, maps)
    _conflicts(sheet, report, maps)
    for table in (tables.plots(report), tables.land_use(report)):
        _table(sheet, table)
    if rows := tables.surroundings(report):
        sheet.heading(report.say(Text("红线内外", "In and around")))
        sheet.pairs(rows)
    if remarks := tables.remarks(report):
        sheet.heading(report.say(Text("说明", "Remarks")))
        for remark in remarks:
            sheet.say(f"· {remark}")
    if rows := tables.publicity(report):
        sheet.heading(report.say(Text("公示与公众意见", "Publicity")))
        sheet.pairs(rows)
    _table(sheet, tables.life(report, timezone))
    _table(sheet, tables.coordinates(report))
    sheet.output(path)


def live_page(report: Report, url: str) -> str:
    """Where the present state is shown: the red line's page, or the map at the parcel."""
    if report.line is not None:
        return f"{url}/collections/redlines/items/{report.line.id}"
    middle = report.parcels[0].degrees.centroid
    return f"{url}/map#17/{middle.y:.5f}/{middle.x:.5f}"


def _facts_and_code(sheet: Sheet, report: Report, url: str, timezone: str) -> None:
    top, page = sheet.get_y(), sheet.page
    picture = io.BytesIO()
    segno.make(live_page(report, url), error="m").save(picture, kind="png", scale=6, border=1)
    sheet.image(picture, sheet.w - sheet.r_margin - _CODE, top, _CODE, _CODE)
    sheet.set_xy(sheet.l_margin, top)
    sheet.pairs(tables.facts(report, timezone), sheet.inner_width - _CODE - 4)
    if sheet.page == page:
        sheet.set_y(max(sheet.get_y(), top + _CODE))


def _situation(sheet: Sheet, report: Report, maps: CityMaps) -> None:
    """The parcel on the city's map, true to scale, on what is left of the first sheet."""
    sheet.heading(report.say(Text("位置", "Situation")), 90)
    top = sheet.get_y()
    room = sheet.h - top - sheet.b_margin - 6
    place = place_for(report.shape, report.zone.srid, sheet.l_margin, top, sheet.inner_width, room)
    draw_ground(sheet, place, maps, LAYERS, report.language)
    draw_shape(sheet, place, report.shape, _RED, 0.6, 0.06)
    points = [(p.name, p.east, p.north) for parcel in report.parcels for ring in parcel.rings for p in ring]
    if len(points) <= _NAMED:
        sheet.set_fill_color(230, 0, 0)
        draw_points(sheet, place, points)
    draw_scale_and_north(sheet, place, report.say(Text("北", "N")))
    sheet.set_y(top + room + 1)


def _conflicts(sheet: Sheet, report: Report, maps: CityMaps) -> None:
    table = tables.conflicts(report)
    sheet.add_page()
    if not table.rows:
        sheet.heading(table.title)
        sheet.say(report.say(Text("未发现冲突。", "No conflict was found.")))
        return
    sheet.heading(table.title)
    top, room = sheet.get_y(), sheet.h * 0.36
    place = place_for(report.shape, report.zone.srid, sheet.l_margin, top, sheet.inner_width, room)
    draw_ground(sheet, place, maps, LAYERS, report.language)
    for number, (conflict, piece) in enumerate(report.pieces(), 1):
        draw_shape(sheet, place, piece, _COLOURS[conflict.severity], 0.9 if conflict.length else 0.25, 0.35)
        _number(sheet, place.on_paper(*shapely.get_coordinates(piece.representative_point())[0]), number)
    draw_shape(sheet, place, report.shape, _RED, 0.6)
    draw_scale_and_north(sheet, place, report.say(Text("北", "N")))
    sheet.set_y(top + room + 2)
    _legend(sheet, report)
    sheet.rows(table.headings, table.rows, table.widths, table.align)


def _legend(sheet: Sheet, report: Report) -> None:
    sheet.set_font("body", size=8)
    found = [conflict.severity for conflict in report.kept.result.conflicts]
    for severity, text in SEVERITIES.items():
        if severity in found:
            sheet.set_fill_color(_COLOURS[severity])
            sheet.rect(sheet.get_x() + 1, sheet.get_y() + 1, 3, 3, style="F")
            sheet.set_x(sheet.get_x() + 5)
            sheet.cell(22, 5, f"{report.say(text)} {found.count(severity)}")
    sheet.ln(6)


def _number(sheet: Sheet, at: tuple[float, float], number: int) -> None:
    sheet.set_font("body", size=7)
    sheet.set_xy(at[0] - 4, at[1] - 2)
    sheet.cell(8, 4, str(number), align="C")


def _table(sheet: Sheet, table: Table) -> None:
    if table.rows:
        sheet.heading(table.title)
        sheet.rows(table.headings, table.rows, table.widths, table.align)
