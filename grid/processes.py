"""Processes on what a city decides about grid management: its classes, limits and rules of dispatch."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection

from grid.clock.calendar import is_workday
from grid.options import GridOptions
from grid.rules_files import MOST_BYTES, read_rules
from grid.rules_queries import read_rules_of, write_rules
from layers.processing import UploadedFile, process


@dataclass(frozen=True, slots=True)
class WrittenRules:
    """How many rows were added or changed, and how many were removed before."""

    table: str
    written: int
    removed: int


@dataclass(frozen=True, slots=True)
class RulesPage:
    """Some rows of a table of rules, and how many there are."""

    table: str
    total: int
    rows: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day on which the city works otherwise than Monday to Friday, or does not; ``own`` by the city's own list."""

    day: date
    working: bool
    own: bool


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """A year's working days: how many, in which hours (HH:MM), and the days that differ from the plain week."""

    year: int
    working_days: int
    hours: tuple[str, ...]
    days: tuple[CalendarDay, ...]


@process(keywords=("立案条件 conditions", "派遣规则 dispatch rules", "分类 classes"), example={"table": "conditions"})
def list_grid_rules(
    conn: Connection,
    table: Literal["classes", "conditions", "dispatch-rules"],
    words: Annotated[str, Field(max_length=100)] = "",
    limit: Annotated[int, Field(ge=1, le=1000)] = 100,
    offset: Annotated[int, Field(ge=0, le=1_000_000)] = 0,
) -> RulesPage:
    """网格规则清单 | List the rules of the grid

    现行的部件与事件分类、立案条件与时限、派遣规则。 | Classes, conditions with their limits, or rules of dispatch that
    are in force.

    table: 表 | The table
    words: 只要含有这些字的行 | Only rows that hold these words
    limit: 最多行数 | Rows at most
    offset: 跳过的行数 | Rows to leave out
    returns: 规则 | The rules
    """
    total, rows = read_rules_of(conn, table, words, limit, offset)
    return RulesPage(table, total, tuple(rows))


@process(keywords=("工作日历 working calendar", "调休 make-up days"), example={"year": 2026})
def working_calendar(options: GridOptions, year: Annotated[int, Field(ge=2010, le=2100)]) -> WorkingCalendar:
    """工作日历 | The working calendar

    一年的工作日与工作时段：法定节假日、调休与本市自定的日子。时限按此计算。 | The working days and hours of a year:
    public holidays, make-up days, and the city's own. Limits are counted by it.

    year: 年份 | Year
    returns: 日历 | The calendar
    """
    clock = options.clock
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(366)]
    days = [day for day in days if day.year == year]
    works = {day: is_workday(day, clock) for day in days}
    own = clock.extra_holidays | clock.extra_workdays
    special = tuple(CalendarDay(d, works[d], d in own) for d in days if works[d] != (d.weekday() < 5) or d in own)
    hours = tuple("–".join(f"{m // 60:02}:{m % 60:02}" for m in period) for period in clock.hours)
    return WorkingCalendar(year, sum(works.values()), hours, special)


@process(
    edits=True,
    keywords=("立案条件 conditions", "派遣规则 dispatch rules", "分类 classes"),
    example={"table": "conditions", "upload": "00000000-0000-4000-8000-000000000000", "replace": True},
)
def import_grid_rules(
    conn: Connection,
    table: Literal["classes", "conditions", "dispatch-rules"],
    upload: UploadedFile,
    replace: bool = False,
) -> WrittenRules:
    """导入网格规则 | Import rules of the grid

    从 CSV 导入部件与事件分类、立案条件与时限、派遣规则。 | Classes, conditions with their limits, or rules of dispatch,
    from CSV.

    table: 表 | The table
    upload: 文件；/uploads 给出的编号 | The file; an id that /uploads gave
    replace: 替换；先删去文件中各标准的旧行 | Replace; rows of the file's schemes go first
    returns: 结果 | What was written
    """
    with upload.path.open("rb") as file:
        rows: list[dict[str, Any]] = read_rules(table, file.read(MOST_BYTES + 1))
    written, removed = write_rules(conn, table, rows, replace=replace)
    return WrittenRules(table, written, removed)
