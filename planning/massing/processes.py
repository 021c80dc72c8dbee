"""Processes on the massing of schemes: buildings in from city models, and the sun that they take of others."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import Connection

from layers.catalogue import Text
from layers.processing import CityCrs, Job, UploadedFile, process
from layers.raster.store import RasterStore
from layers.terrain.geojson import Latitude, Longitude
from layers.terrain.sun_processes import ProposedBuilding
from planning.massing.impact import Kind, WindowSun
from planning.options import PlanningOptions

_LayerId = Annotated[str, Field(min_length=1, max_length=60)]
_Name = Annotated[str, Field(max_length=100)]


@dataclass(frozen=True, slots=True)
class Position:
    """Where the origin of a model stands [°]."""

    longitude: Longitude
    latitude: Latitude


@dataclass(frozen=True, slots=True)
class GivenWindow:
    """A window: place [°], height above its ground [m], where it faces [° from north], and whose it is."""

    longitude: Longitude
    latitude: Latitude
    facing: Annotated[float, Field(ge=0, le=360)]
    height: Annotated[float, Field(ge=0, le=1000)] = 0.9
    kind: Kind = "dwelling"


@dataclass(frozen=True, slots=True)
class BuildingImpact:
    """Windows of one neighbour by verdict, and the most sun that one of them loses [h]."""

    building: int | None
    windows: int
    passed: int
    failed: int
    worse: int
    below: int
    most_lost: float


@dataclass(frozen=True, slots=True)
class Impact:
    """What a scheme takes of its neighbours' sun; ``passed`` when no window fails or gets worse."""

    passed: bool
    proposed: int
    neighbours: tuple[BuildingImpact, ...]
    windows: tuple[WindowSun, ...]
    warnings: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a model: buildings entered, their ground [m²] and greatest height [m]."""

    scheme: str
    format: str
    buildings: int
    footprint: float
    highest: float
    ids: tuple[int, ...]


@process(
    edits=True,
    keywords=("拟建建筑 proposed buildings", "CityJSON", "IFC", "BIM", "glTF"),
    example={
        "upload": "00000000-0000-0000-0000-000000000000", "scheme": "方案一",
        "position": {"longitude": 114.89, "latitude": 30.395}, "rotation": 15,
    },
)  # fmt: skip
def import_massing(
    conn: Connection,
    city: CityCrs,
    upload: UploadedFile,
    scheme: Annotated[str, Field(min_length=1, max_length=100)],
    redline: _Name = "",
    position: Position | None = None,
    rotation: Annotated[float, Field(ge=-360, le=360)] = 0.0,
    crs: _Name = "",
    replace: bool = True,
) -> Imported:
    """导入方案体量 | Import massing

    读入方案的建筑体量（CityJSON、IFC、glTF），以轮廓与高度存入 scheme-buildings；没有坐标系的模型按 position 安放。 |
    Reads the buildings of a scheme (CityJSON, IFC, glTF) into scheme-buildings, as footprints with heights. A model
    without a CRS is placed by position.

    upload: 上传文件的编号；.json、.ifc、.glb、.gltf | Id of the uploaded file
    scheme: 方案 | Scheme
    redline: 红线编号 | Number of the red line
    position: 模型原点的位置 [°] | Where the model's origin stands [°]
    rotation: 模型相对坐标北的转角，顺时针 [°] | How far the model is turned from grid north, clockwise [°]
    crs: 文件的坐标系；如 EPSG:4547，缺省取文件自己的 | CRS of the file, by default its own
    replace: 替换同方案已有的建筑 | Whether buildings of the same scheme are replaced
    returns: 导入结果 | What was entered
    """
    from planning.massing.entering import enter_model

    at = (position.longitude, position.latitude) if position else None
    return enter_model(conn, city, upload, scheme, redline, at, rotation, crs, replace)


@process(
    keywords=("日照 sunlight", "日照影响 impact", "拟建建筑 proposed buildings"),
    example={"scheme": "方案一", "dem": None, "every": 3},
)
def sunlight_impact(
    conn: Connection,
    job: Job,
    store: RasterStore,
    city: CityCrs,
    options: PlanningOptions,
    scheme: _Name = "",
    redline: _Name = "",
    proposed: Annotated[tuple[ProposedBuilding, ...], Field(max_length=500)] = (),
    left_out: Annotated[tuple[int, ...], Field(max_length=1000)] = (),
    windows: Annotated[tuple[GivenWindow, ...], Field(max_length=2000)] = (),
    neighbours: Annotated[float, Field(ge=10, le=500)] = 100.0,
    every: Annotated[float, Field(ge=1, le=20)] = 4.0,
    year: Annotated[int, Field(ge=1900, le=2100)] = 2001,
    step: Annotated[float, Field(ge=0.5, le=5)] = 5.0,
    buildings: _LayerId = "buildings",
    dem: _LayerId | None = "dem",
    detail: Literal["lost", "all"] = "lost",
) -> Impact:
    """日照影响 | Impact on sunlight

    拟建前后邻近建筑各窗的日照时数，按 config.yml 中的标准（GB 50180-2018 第4.0.9条）逐窗判定；不给窗时，按邻近住宅等的
    南向墙面逐层布置。 | Hours of sun of the neighbours' windows before and after, judged window by window by the
    standards in config.yml (GB 50180-2018 §4.0.9). Without windows, they are set along the walls towards the south of
    dwellings, homes for the old and kindergartens, on each storey.

    scheme: 方案；取其拟建建筑 | Scheme; its proposed buildings
    redline: 红线编号；只取该红线的 | Number of a red line; only its buildings
    proposed: 拟建建筑；代替或附加于方案 | Proposed buildings; in place of a scheme, or with it
    left_out: 拆除的建筑；之后不计 | Buildings to be pulled down; they do not count afterwards
    windows: 窗；缺省自动布置 | Windows; by default set by themselves
    neighbours: 多远的建筑算邻近 [m] | How far away buildings are neighbours [m]
    every: 窗的间距 [m] | Windows stand so far apart [m]
    year: 年份 | Year
    step: 时间间隔；不大于 5 分钟 [min] | Step; at most 5 minutes [min]
    buildings: 建筑图层的编号 | Buildings; id of the layer
    dem: 高程图层；空则按平地 | Elevation; id of the coverage, null for level ground
    detail: 给出受损的窗，或全部 | Which windows are told; those that lose sun, or all
    returns: 各窗与各栋的判定 | Verdicts of windows and buildings
    """
    from planning.massing.neighbours import impact_on, told

    planned = (scheme, redline, proposed, left_out)
    found = impact_on(
        conn, store, city.projected, options.sunlight, planned, windows, (buildings, dem), neighbours, every, year, step
    )
    job.progress(100, Text(f"{len(found)} 个窗", f"{len(found)} windows"))
    return told(found, detail, dem)
