"""Processes on surveys in three dimensions: point clouds in."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Annotated

from pydantic import Field
from sqlalchemy import Connection

from layers.processing import Job, UploadedFile, Workspace, process
from layers.raster.store import RasterStore
from layers.three_d.answers import PointCloudReport

_ShortText = Annotated[str, Field(min_length=1, max_length=200)]


@process(
    edits=True,
    keywords=("点云 point cloud", "数字表面模型 DSM", "数字地面模型 DTM", "导入 import"),
    example={"upload": "00000000-0000-0000-0000-000000000000", "resolution": 0.5, "dry_run": True},
)
def import_point_cloud(
    conn: Connection,
    job: Job,
    store: RasterStore,
    workspace: Workspace,
    upload: UploadedFile,
    resolution: Annotated[float, Field(ge=0.05, le=100)] = 1.0,
    crs: _ShortText | None = None,
    surface: _ShortText = "dsm",
    ground: _ShortText = "dem",
    acquired: date | None = None,
    name: _ShortText | None = None,
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0,
    vertical_datum: _ShortText | None = None,
    dry_run: bool = False,
) -> PointCloudReport:
    """导入点云 | Import a point cloud

    LAS 或 LAZ 点云成为地表模型（每格最高点）与地面高程（地面点均值，建筑与树木之下由周围推算）。 | A LAS or LAZ point
    cloud becomes the surface (the highest point of each cell) and the ground (the mean of ground points, told on below
    buildings and trees by what surrounds them).

    upload: 上传文件的编号 | Id of the uploaded file
    resolution: 格的边长；文件坐标系的单位，通常为 m | Side of a cell; units of the file's CRS, usually m
    crs: 文件的坐标系；如 EPSG:4547，缺省取文件自己的 | CRS of the file; by default its own
    surface: 地表模型图层 | Coverage of the surface; its id
    ground: 地面高程图层 | Coverage of the ground; its id
    acquired: 采集日期 | Date of the survey
    name: 名称；缺省取自文件名 | Name of the images; by default the file's
    priority: 优先级；大者在上 | Priority; the higher lies on top
    vertical_datum: 高程基准；如 1985国家高程基准 | Vertical datum
    dry_run: 试运行；只报告，不改动 | Dry run; report, and change nothing
    returns: 导入报告 | Report
    """
    # GDAL and laspy take a while to load, which a server that only describes this need not spend
    from layers.raster.ingest import ImageOptions
    from layers.three_d.survey import import_survey

    options = ImageOptions(
        acquired=datetime.combine(acquired, time(), UTC) if acquired else None,
        name=name or upload.path.stem,
        priority=priority,
        vertical_datum=vertical_datum,
        dry_run=dry_run,
    )
    found = import_survey(
        conn, store, workspace, upload.path, resolution, crs, (surface, ground), options,
        lambda share, text: job.progress(100 * share, text),
    )  # fmt: skip
    return replace(found, file=upload.name)
