"""Processes on temporary buildings: which stand beyond their day, and cases of these."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import Connection

from grid.cases.queries import database_now, require_cases
from grid.control.queries import OverdueBuilding, name_case, overdue_buildings
from grid.errors import GridError
from grid.inputs import Name
from grid.options import GridOptions
from grid.reporting.queries import enter_report
from layers.processing import CityCrs, process
from layers.registry import find_layer

#: Buildings of one answer, and of which cases are made at once.
MOST, MOST_REPORTED = 2000, 200
_Area = Annotated[str, Field(pattern=r"^[0-9]{0,18}$")]


@dataclass(frozen=True, slots=True)
class ReportedBuilding:
    """A building and its case; ``attached_to`` names the case that the report joined."""

    building: OverdueBuilding
    case: str
    attached_to: str | None


@process(keywords=("临时建筑 temporary buildings", "逾期 overdue"), example={"area": "429702"})
def overdue_temporary_buildings(
    conn: Connection, city: CityCrs, options: GridOptions, area: _Area = "", on: date | None = None
) -> tuple[OverdueBuilding, ...]:
    """逾期临时建筑 | Overdue temporary buildings

    到期（含延期）未拆除的临时建筑，逾期最久的在前。 | Temporary buildings that stand beyond the day until which they
    are permitted, extensions counted, the longest first.

    area: 区划代码；空则全市 | Division code; empty: the whole city
    on: 日期；缺省为今天 | Day; by default today
    returns: 临时建筑 | The buildings
    """
    find_layer(conn, "temporary-buildings")
    return overdue_buildings(conn, on or _today(conn, options), area, city.projected, MOST)


@process(
    edits=True,
    keywords=("临时建筑 temporary buildings", "案卷 case"),
    example={"area": "429702", "class_code": "0101"},
)
def report_overdue_buildings(
    conn: Connection, city: CityCrs, options: GridOptions, area: _Area = "", class_code: Name = "0101"
) -> tuple[ReportedBuilding, ...]:
    """逾期临时建筑立卷 | Report overdue temporary buildings

    今天逾期未拆且尚无案卷的临时建筑逐一上报为案卷。 | Each temporary building that is overdue today and has no case
    becomes one.

    area: 区划代码；空则全市 | Division code; empty: the whole city
    class_code: 事件类别代码；缺省为私搭乱建 | Code of the event class; by default unpermitted building
    returns: 临时建筑与案卷 | Buildings with their cases
    """
    require_cases(conn)
    find_layer(conn, "temporary-buildings")
    found = overdue_buildings(conn, _today(conn, options), area, city.projected, MOST)
    waiting = [one for one in found if one.case_code is None]
    if len(waiting) > MOST_REPORTED:
        raise GridError(
            f"逾期超过 {MOST_REPORTED} 处，请指定区划", f"more than {MOST_REPORTED} buildings: name an area"
        )
    return tuple(_reported(conn, options, one, class_code) for one in waiting)


def _reported(conn: Connection, options: GridOptions, one: OverdueBuilding, class_code: str) -> ReportedBuilding:
    words = f"临时建筑 {one.name or ''} {one.permit or ''} {one.due} 到期，逾期 {one.days} 天未拆除，{one.area:.0f} m²"
    became = enter_report(
        conn,
        {
            "lon": one.position[0], "lat": one.position[1], "kind": "event", "scheme": options.reports.event_scheme,
            "class": class_code, "description": words, "accuracy": None, "channel": "superior", "reporter_name": None,
            "reporter_phone": None,
        },
        separate=False,
    )  # fmt: skip
    name_case(conn, one.id, became["duplicate_of"] or became["code"])
    return ReportedBuilding(one, became["code"], became["duplicate_of"])


def _today(conn: Connection, options: GridOptions) -> date:
    return database_now(conn).astimezone(ZoneInfo(options.clock.timezone)).date()
