"""The process that writes a red line's report."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import Connection

from layers.processing import CityMaps, FileResult, Workspace, process
from planning.options import PlanningOptions


@process(
    sync=False,
    keywords=("用地红线检查 red-line check", "报告 report", "PDF"),
    example={"redline": "红字第420700202600001号", "format": "pdf"},
)
def redline_report(
    conn: Connection,
    workspace: Workspace,
    maps: CityMaps,
    options: PlanningOptions,
    redline: Annotated[str, Field(min_length=1, max_length=60)] | None = None,
    check: Annotated[int, Field(ge=1)] | None = None,
    format: Literal["pdf", "zip"] = "pdf",
    paper: Literal["A4", "A3"] = "A4",
    language: Literal["zh-CN", "en-US"] = "zh-CN",
) -> FileResult:
    """红线报告 | Red-line report

    检查结果的 PDF：位置图、冲突图与条款、控规指标、现状、办理过程、界址点坐标，附查看最新状态的二维码；
    zip 另含离线网页地图、TXT、DXF、GeoPackage 与 JSON。 | A kept check as a PDF: maps to scale, conflicts by clause,
    plots, present use, course, boundary points, and a code that leads to the present state; the zip also has a page
    with a map that needs no network, TXT, DXF, GeoPackage and JSON.

    redline: 红线编号；取其最近一次检查 | Number of a red line; its newest check is taken
    check: 检查编号；与 redline 二者给一 | Number of a check; give one of redline and check
    format: 文件 | File; the PDF alone, or a zip with the data
    paper: 纸张 | Paper
    language: 语言 | Language
    returns: 报告 | The report
    """
    from planning.report.bundle import write_bundle
    from planning.report.model import report_of
    from planning.report.pages import write_pages

    report = report_of(conn, redline, check, language)
    name = f"redline-report-{report.kept.id}"
    if format == "zip":
        path = write_bundle(report, maps, paper, options.timezone, Path(workspace))
        return FileResult(path, "application/zip", f"{name}.zip")
    path = Path(workspace) / "report.pdf"
    write_pages(report, maps, paper, options.timezone, path)
    return FileResult(path, "application/pdf", f"{name}.pdf")
