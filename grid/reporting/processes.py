"""Processes on reports: report a case, find what is like it, locate a point in the grid, add photos."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field
from sqlalchemy import Connection

from grid.cases.queries import lock_case, require_cases
from grid.errors import GridError
from grid.inputs import CaseCode, LongWords, Name, Ordinate
from grid.options import GridOptions
from grid.reporting.photos import Photo, read_photo, store_photo
from grid.reporting.position import degrees
from grid.reporting.queries import (
    GridWorker,
    SimilarCase,
    areas_of,
    enter_photos,
    enter_report,
    locate,
    position_of,
    worker_of,
)
from grid.reporting.queries import similar_cases as find_similar
from layers.access import Principal
from layers.processing import CityCrs, UploadedFile, process
from layers.registry import find_layer

Kind = Literal["event", "component"]
Channel = Literal["patrol", "public", "open311", "hotline", "sms", "media", "video", "superior"]
Photos = Annotated[tuple[UploadedFile, ...], Field(max_length=30)]


@dataclass(frozen=True, slots=True)
class AreaName:
    """An administrative area."""

    code: str
    name: str | None
    level: str | None


@dataclass(frozen=True, slots=True)
class Location:
    """Where a point lies: unit grid cell, grid with its worker, areas from the largest, and the place in words."""

    grid: str | None
    social_grid: str | None
    area_code: str | None
    area_type: str | None
    place: str | None
    worker: GridWorker | None
    areas: tuple[AreaName, ...]


@dataclass(frozen=True, slots=True)
class KeptPhoto:
    """A photo as it is kept; ``offset`` is how far from the case it was taken [m], where the picture told."""

    id: UUID
    width: int
    height: int
    offset: float | None
    far: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a report. ``attached_to`` names the case that it adds to, where that was reported already."""

    case: str
    id: int
    revision: int
    state: str
    attached_to: str | None
    title: str | None
    place: str | None
    grid: str | None
    social_grid: str | None
    area_code: str | None
    component: str | None
    component_distance: float | None
    worker: GridWorker | None
    photos: tuple[KeptPhoto, ...]


@process(
    edits=True,
    keywords=("上报 report", "案卷 case"),
    example={"position": [114.9, 30.4], "class_code": "0102", "description": "路口有垃圾", "crs": "GCJ-02"},
)
def report_case(
    conn: Connection,
    options: GridOptions,
    city: CityCrs,
    position: tuple[Ordinate, Ordinate],
    class_code: Name | None = None,
    description: LongWords | None = None,
    kind: Kind = "event",
    scheme: Name | None = None,
    crs: Name | None = None,
    accuracy: Annotated[float, Field(ge=0, le=100_000)] | None = None,
    channel: Channel | None = None,
    reporter_name: Name | None = None,
    reporter_phone: Name | None = None,
    separate: bool = False,
    photos: Photos = (),
) -> Report:
    """上报案卷 | Report a case

    上报一个问题；自动确定网格、区划、位置描述、最近部件，与已有案卷重复的并入。 | Report a problem; its grid,
    area, place in words and nearest component are found, and what is reported already is added to that case.

    position: 位置；东、北或经度、纬度 | Position; east, north or longitude, latitude
    class_code: 类别代码 | Code of the class
    description: 描述 | What is the matter
    kind: 事件或部件 | Event or component
    scheme: 分类标准；缺省为配置的 | Scheme of the class; by default the configured
    crs: 坐标系；如 GCJ-02、EPSG:4547，缺省为 CGCS2000 | System of the position; such as GCJ-02, EPSG:4547
    accuracy: 定位精度 [m] | Accuracy of the position [m]
    channel: 来源渠道 | Channel
    reporter_name: 联系人 | Contact
    reporter_phone: 联系电话 | Contact's phone
    separate: 另立；与已有案卷不是同一问题 | Separate; it is not the problem that was reported already
    photos: 照片；/uploads 给出的编号 | Photos; ids that /uploads gave
    returns: 上报结果 | What became of it
    """
    at = degrees(city, position, crs)
    pictures = _pictures(photos, options)
    became = enter_report(
        conn,
        {
            "lon": at[0], "lat": at[1], "kind": kind, "scheme": scheme, "class": class_code, "description": description,
            "accuracy": accuracy, "channel": channel, "reporter_name": reporter_name, "reporter_phone": reporter_phone,
        },
        separate=separate,
    )  # fmt: skip
    kept = _keep(conn, became["id"], at, pictures, options)
    revision = became["revision"] + (1 if kept else 0)
    return Report(
        became["code"], became["id"], revision, became["state"], became["duplicate_of"], became["title"],
        became["place"], became["grid"], became["social_grid"], became["area_code"], became["component"],
        became["component_distance"], became["worker"], kept,
    )  # fmt: skip


@process(
    keywords=("相似 similar", "重复 duplicate"),
    example={"position": [114.9, 30.4], "class_code": "0102", "metres": 100},
)
def similar_cases(
    conn: Connection,
    options: GridOptions,
    city: CityCrs,
    position: tuple[Ordinate, Ordinate],
    class_code: Name,
    kind: Kind = "event",
    scheme: Name | None = None,
    crs: Name | None = None,
    metres: Annotated[float, Field(gt=0, le=5000)] | None = None,
    hours: Annotated[float, Field(gt=0, le=8760)] | None = None,
) -> tuple[SimilarCase, ...]:
    """相似案卷 | Similar cases

    同类、时空相近、可能是同一问题的案卷。 | Cases of the same class, near in space and time, that may be one
    problem.

    position: 位置；东、北或经度、纬度 | Position; east, north or longitude, latitude
    class_code: 类别代码 | Code of the class
    kind: 事件或部件 | Event or component
    scheme: 分类标准 | Scheme of the class
    crs: 坐标系 | System of the position
    metres: 距离 [m]；缺省为配置的 | Distance [m]; by default the configured
    hours: 时间 [h]；缺省为配置的 | Time [h]; by default the configured
    returns: 案卷；最可能的在前 | Cases; the likeliest first
    """
    require_cases(conn)
    find_layer(conn, "cases")
    reports = options.reports
    named = scheme or (reports.event_scheme if kind == "event" else reports.component_scheme)
    return find_similar(
        conn, degrees(city, position, crs), kind, named, class_code, metres or reports.similar_metres,
        hours or reports.similar_hours,
    )  # fmt: skip


@process(keywords=("网格 grid", "定位 locate"), example={"position": [114.9, 30.4]})
def locate_grid(
    conn: Connection, city: CityCrs, position: tuple[Ordinate, Ordinate], crs: Name | None = None
) -> Location:
    """定位网格 | Locate in the grid

    点所在的单元网格、网格与网格员、区划和位置描述。 | The unit grid cell, grid and worker, areas and place of a point.

    position: 位置；东、北或经度、纬度 | Position; east, north or longitude, latitude
    crs: 坐标系；如 GCJ-02，缺省为 CGCS2000 | System of the position; such as GCJ-02; by default CGCS2000
    returns: 所在 | Where it lies
    """
    found = locate(conn, degrees(city, position, crs))
    areas = tuple(AreaName(*area) for area in areas_of(conn, found["area_code"]))
    worker = worker_of(conn, found["social_grid"] or found["grid"])
    return Location(**found, worker=worker, areas=areas)


@process(edits=True, keywords=("照片 photo",), example={"case": "20261122-000001", "photos": []})
def add_photos(
    conn: Connection, principal: Principal, options: GridOptions, case: CaseCode, photos: Photos
) -> tuple[KeptPhoto, ...]:
    """添加照片 | Add photos

    给案卷添加照片或签字表，其编号可作为 advance-case 的附件。 | Photos of a case, or a signed form; their ids are what
    advance-case takes as attachments.

    case: 案卷编号 | Case number
    photos: 照片；/uploads 给出的编号 | Photos; ids that /uploads gave
    returns: 照片 | The photos
    """
    require_cases(conn)
    held = lock_case(conn, case)
    if not principal.roles_over("advance-case", held.area_code, held.case.department):
        raise GridError("您不处理此案卷", "this case is none of yours")
    return _keep(conn, held.case.id, position_of(conn, held.case.id), _pictures(photos, options), options)


def _pictures(files: tuple[UploadedFile, ...], options: GridOptions) -> list[Photo]:
    if len(files) > options.photos.most:
        raise GridError(f"最多 {options.photos.most} 张照片", f"at most {options.photos.most} photos are taken at once")
    return [read_photo(file.path, file.name, options.photos, options.clock.timezone) for file in files]


def _keep(
    conn: Connection, case_id: int, at: tuple[float, float], pictures: list[Photo], options: GridOptions
) -> tuple[KeptPhoto, ...]:
    measured: list[Any] = [(picture, picture.offset(at)) for picture in pictures]
    for picture in pictures:
        store_photo(options.photos.directory, picture)
    enter_photos(conn, case_id, measured)
    far = options.photos.far_metres
    return tuple(
        KeptPhoto(p.id, p.width, p.height, offset, offset is not None and offset > far) for p, offset in measured
    )
