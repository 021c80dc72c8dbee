"""The process that writes a month's evaluation."""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import Connection

from grid.evaluation.model import Area
from grid.options import GridOptions
from layers.processing import FileResult, Workspace, process

_MEDIA = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


@process(
    sync=False,
    keywords=("综合评价 evaluation", "月报 monthly report", "XLSX", "PDF"),
    example={"month": "2026-10", "areas": ["street"], "format": "pdf"},
)
def evaluation_report(
    conn: Connection,
    workspace: Workspace,
    options: GridOptions,
    month: Annotated[str, Field(min_length=7, max_length=7)],
    areas: Annotated[tuple[Area, ...], Field(max_length=4)] = ("street", "community"),
    format: Literal["xlsx", "pdf"] = "xlsx",
    language: Literal["zh-CN", "en-US"] = "zh-CN",
) -> FileResult:
    """评价月报 | Monthly evaluation

    一个月上报案卷的全部数量与指标：全市与上月对比、每日、各区域、各部门；Excel 或 PDF。 | All counts and indicators of
    the cases reported in a month: the city against the month before, each day, every area and department; Excel or PDF.

    month: 月份；如 2026-10 | Month; such as 2026-10
    areas: 区域层级 | Levels of areas
    format: 文件 | File
    language: 语言 | Language
    returns: 月报 | The report
    """
    from grid.evaluation.report.month import read_month
    from grid.evaluation.report.pages import write_pages
    from grid.evaluation.report.workbook import write_workbook

    found = read_month(conn, options, month, areas, language)
    path = Path(workspace) / f"evaluation.{format}"
    if format == "xlsx":
        write_workbook(found, path)
    else:
        write_pages(found, f"{found.now.astimezone(ZoneInfo(options.clock.timezone)):%Y-%m-%d %H:%M}", path)
    return FileResult(path, _MEDIA[format], f"evaluation-{found.period.name}.{format}")
