"""A city's own table of cases: mapped, read in its encoding and system, entered once; what is wrong is told by line."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from grid.errors import GridError
from grid.importing.processes import ImportedCases, import_cases
from grid.options import GridOptions
from layers.access import Principal
from layers.china_offset import wgs84_to_gcj02
from layers.processing import CityCrs, UploadedFile
from tests.grid.conftest import COMMUNITY

COLUMNS = {"source_id": "工单编号", "reported_at": "来电时间", "closed_at": "办结时间", "lon": "经度", "lat": "纬度",
           "class": "事项", "status": "状态", "due": "期限", "satisfaction": "满意"}  # fmt: skip
HEADER = "工单编号,来电时间,办结时间,经度,纬度,事项,状态,期限,满意"
STATES = {"已办结": "closed", "办理中": "handling", "退单": "declined"}


class Quiet:
    """A job that nobody watches."""

    def progress(self, percent: float, message: object = None) -> None:
        """Nothing to tell."""

    def cancelled(self) -> bool:
        """Nobody cancels."""
        return False


def brought_in(conn: Connection, directory: Path, lines: list[str], **more: Any) -> ImportedCases:
    path = directory / "cases.csv"
    path.write_text("\n".join([HEADER, *lines]), encoding=more.get("encoding", "utf-8"))
    found: ImportedCases = import_cases(
        conn, Quiet(), GridOptions(), CityCrs(4547, frozenset({4490})), UploadedFile(path, "cases.csv"), "12345",
        **({"columns": COLUMNS, "states": STATES, "time_formats": ("%Y/%m/%d %H:%M",), "classes": {"垃圾": "0102"},
            "scheme": "CJ/T 214-2007"} | more),
    )  # fmt: skip
    return found


def cases(conn: Connection) -> list[Any]:
    return list(conn.execute(text("SELECT *, ST_X(geom) AS lon, ST_Y(geom) AS lat FROM city.cases WHERE source = '12345' ORDER BY source_id")))  # fmt: skip


def test_a_hotlines_table_becomes_cases_with_their_past(ground: Connection, clerk: Principal, tmp_path: Path) -> None:
    lon, lat = (float(one) for one in wgs84_to_gcj02(114.9102, 30.4102))
    told = brought_in(
        ground, tmp_path,
        [f"A1,2026/03/02 09:30,2026/03/03 10:00,{lon},{lat},垃圾,已办结,2026/03/04 00:00,5", f"A2,2026/03/02 23:59,,{lon},{lat},其它,办理中,,"],
        encoding="gb18030", crs="GCJ-02",
    )  # fmt: skip
    assert (told.lines, told.imported, told.wrong, told.repeated) == (2, 2, 0, 0)
    first, second = cases(ground)
    assert (first.state, first.class_name, first.area_code, first.satisfaction) == ("closed", "暴露垃圾", COMMUNITY, 5)
    assert first.reported_at.isoformat() == "2026-03-02T01:30:00+00:00" and first.code.startswith("20260302-")
    assert (first.lon, first.lat) == (pytest.approx(114.9102, abs=1e-7), pytest.approx(30.4102, abs=1e-7))
    assert (first.limit_seconds, first.used_seconds) == (
        (24 * 2 + 14.5) * 3600,
        24.5 * 3600,
    )  # due by the end of 4 March
    assert (second.state, second.closed_at, second.class_name, second.limit_seconds) == ("handling", None, "其它", None)


def test_what_was_imported_before_is_passed_over(ground: Connection, clerk: Principal, tmp_path: Path) -> None:
    line = "{},2026/03/02 09:30,,114.9102,30.4102,垃圾,办理中,,"
    brought_in(ground, tmp_path, [line.format("B1")])
    again = brought_in(ground, tmp_path, [line.format("B1"), line.format("B2"), line.format("B2")])
    assert (again.imported, again.known, again.repeated) == (1, 2, 1)
    first, second = cases(ground)
    assert (second.duplicate_of, second.state, first.reports, second.reports) == (first.code, "handling", 2, 1)


def test_lines_that_are_wrong_are_named_and_left_out(ground: Connection, clerk: Principal, tmp_path: Path) -> None:
    told = brought_in(ground, tmp_path, [
        "C1,2026/03/02 09:30,,,,垃圾,办理中,,", "C2,gestern,,114.9,30.4,垃圾,办理中,,", "C3,2026/03/02 09:30,,114.9,30.4,垃圾,已办结,,",
        "C4,2026/03/02 09:30,,114.9,30.4,垃圾,未知,,", "C5,2026/03/02 09:30,,999,30.4,垃圾,办理中,,", "C6,2026/03/02 09:30,,114.9,30.4,垃圾,办理中,,9",
        ",2026/03/02 09:30,,114.9,30.4,垃圾,办理中,,", "C8,2026/03/02 09:30,,114.9,30.4,垃圾,办理中,,",
    ])  # fmt: skip
    assert (told.lines, told.imported, told.unplaced, told.wrong) == (8, 1, 1, 6)
    problems = {one.line: one.problem for one in told.mistakes}
    assert "reported_at 'gestern' is no time" in problems[3] and "closed_at is empty" in problems[4]
    assert problems[5] == "status '未知' is not among states" and problems[6] == "the position lies outside CGCS2000"
    assert problems[7] == "satisfaction '9' is not 1 to 5" and problems[8] == "source_id is empty"


@pytest.mark.parametrize(
    ("more", "says"),
    [({"columns": {**COLUMNS, "colour": "状态"}}, "a case has no field 'colour'"), ({"columns": {"lon": "经度"}}, "which column holds source_id, reported_at, lat"),
     ({"columns": {**COLUMNS, "place": "地点|地址"}}, "the table has no column '地点'"), ({"states": {"x": "done"}}, "states: there is no 'done'"),
     ({"timezone": "Mars/Olympus"}, "there is no time zone"), ({"crs": "nowhere"}, "nowhere")],
)  # fmt: skip
def test_a_mapping_that_does_not_fit_is_refused(
    ground: Connection, clerk: Principal, tmp_path: Path, more: dict[str, Any], says: str
) -> None:
    with pytest.raises(GridError, match=says):
        brought_in(ground, tmp_path, ["D1,2026/03/02 09:30,,114.9,30.4,垃圾,办理中,,"], **more)
