"""Processes that judge a scheme: its indices, and its heights against surfaces."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field
from sqlalchemy import Connection

from layers.catalogue import Text
from layers.processing import process
from layers.raster.store import RasterStore
from layers.terrain.geojson import Area
from planning.errors import PlanningError
from planning.indices.heights import Clearance
from planning.indices.model import Index, Limits, Neighbour
from planning.options import PlanningOptions

if TYPE_CHECKING:
    from planning.survey.zones import Zone

_Id = Annotated[str, Field(min_length=1, max_length=60)]
_Number = Annotated[str, Field(min_length=1, max_length=100)]
_SITE = {
    "type": "Polygon",
    "coordinates": [[[114.9, 30.4], [114.902, 30.4], [114.902, 30.402], [114.9, 30.402], [114.9, 30.4]]],
}
_HOUSE = {
    "type": "Polygon",
    "coordinates": [
        [[114.9005, 30.4005], [114.9010, 30.4005], [114.9010, 30.4010], [114.9005, 30.4010], [114.9005, 30.4005]]
    ],
}


@dataclass(frozen=True, slots=True)
class GivenBuilding:
    """A building of the scheme: footprint in degrees, storeys, height above ground [m]; the floor area that counts
    [m²], where it is not footprint times storeys; the ground's elevation [m], where it is not that of the terrain."""

    footprint: Area
    height: Annotated[float, Field(gt=0, le=2000)]
    floors: Annotated[int, Field(ge=1, le=500)] = 1
    floor_area: Annotated[float, Field(ge=0, le=10_000_000)] | None = None
    ground: Annotated[float, Field(ge=-500, le=9000)] | None = None


_Buildings = Annotated[tuple[GivenBuilding, ...], Field(min_length=1, max_length=2000)]


@dataclass(frozen=True, slots=True)
class SideAnswer:
    """A side of the site [m] and what lies beyond it."""

    number: int
    length: float
    neighbour: Neighbour


@dataclass(frozen=True, slots=True)
class Indices:
    """Every index with its formula, inputs, limit and verdict; the plot whose limits hold; the sides of the site."""

    passes: bool
    plot: str | None
    limits: Limits
    indices: tuple[Index, ...]
    sides: tuple[SideAnswer, ...]
    remarks: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Heights:
    """Every building under every surface, the worst first; ``passes`` where none is too high."""

    passes: bool
    clearances: tuple[Clearance, ...]
    remarks: tuple[Text, ...]


@process(
    keywords=("指标核算 indices", "容积率 FAR", "建筑密度", "绿地率", "退让 setback"),
    example={"geometry": _SITE, "buildings": [{"footprint": _HOUSE, "floors": 6, "height": 18}], "parking": 50},
)
def index_check(
    conn: Connection,
    options: PlanningOptions,
    buildings: _Buildings,
    redline: _Number | None = None,
    geometry: Area | None = None,
    green: Area | None = None,
    parking: Annotated[int, Field(ge=0, le=1_000_000)] = 0,
    limits: Limits | None = None,
    on: date | None = None,
) -> Indices:
    """指标核算 | Check indices

    方案的容积率、建筑密度、绿地率、限高、逐边退让与停车，对照控规：公式、输入、限值与结论。 | Floor area ratio,
    density, green, height, setback of every side and parking of a scheme against the control plan: formula, inputs,
    limit, verdict.

    buildings: 建筑；轮廓、层数、高度与可有的计容面积 | Buildings; footprint, storeys, height, perhaps the floor area
    redline: 红线编号；与 geometry 二选一 | Number of the red line; or give the site as geometry
    geometry: 用地范围；GeoJSON，经度和纬度 [°] | Site; GeoJSON, longitude and latitude [°]
    green: 绿地范围；GeoJSON | Green; GeoJSON
    parking: 停车位数 | Parking spaces
    limits: 限值；缺省取自控规 | Limits; by default those of the control plan
    on: 规划所依日期；缺省为今天 | Day whose plan holds; today by default
    returns: 各项指标 | The indices
    """
    import shapely

    from planning.check.inputs import subject_of
    from planning.check.pieces import Tolerance
    from planning.indices.model import Building, indices
    from planning.indices.neighbours import limits_of, sides_of

    asked: dict[str, Any] = {
        "scheme": "",
        "land_code": "",
        "on": on or options.today(),
        "as_of": None,
        "tolerance": Tolerance(),
    }
    subject, _ = subject_of(conn, redline, geometry, None, asked)
    plot = None
    if limits is None:
        limits, plot = limits_of(conn, subject)
    found = [Building(_in(b.footprint, subject.zone), b.floors, b.height, b.floor_area) for b in buildings]
    planted = _in(green, subject.zone) if green else shapely.Polygon()
    sides = sides_of(conn, subject)
    results = indices(subject.shape, found, planted, parking, sides, limits)
    remarks = [] if any(r.limit is not None for r in results if r.name != "outside") else [
        Text("该用地没有已批准的控规指标，只给出数值", "no approved control plan has limits here; values only")
    ]  # fmt: skip
    return Indices(
        all(r.verdict != "fail" for r in results), plot, limits, tuple(results),
        tuple(SideAnswer(s.number, round(float(s.line.length), 2), s.neighbour) for s in sides), tuple(remarks),
    )  # fmt: skip


@process(
    keywords=("限高 height limits", "机场净空 airport surface", "视线走廊 view corridor"),
    example={"buildings": [{"footprint": _HOUSE, "height": 80, "ground": 25}]},
)
def height_check(
    conn: Connection,
    store: RasterStore,
    options: PlanningOptions,
    buildings: _Buildings,
    on: date | None = None,
    dem: _Id = "dem",
) -> Heights:
    """限高核查 | Check heights

    建筑顶高程对照机场净空面与视线走廊的限制高程（控制区图层）。 | Tops of buildings against airport surfaces and view
    corridors (layer control-zones).

    buildings: 建筑；轮廓、高度与可有的地面高程 | Buildings; footprint, height, perhaps the ground's elevation
    on: 规划所依日期；缺省为今天 | Day whose plan holds; today by default
    dem: 高程图层的编号；未给地面高程时 | Elevation; id of the coverage, where no ground is given
    returns: 核查结果 | The clearances
    """
    from planning.drawn import zone_of
    from planning.indices.heights import clearances
    from planning.indices.surfaces import ground_under, surfaces_over

    zone = zone_of(_degrees(buildings[0].footprint), "buildings")
    footprints = [_in(b.footprint, zone) for b in buildings]
    surfaces = surfaces_over(conn, footprints, zone, on or options.today())
    if not surfaces:
        return Heights(True, (), (Text("这里没有限制面", "no surface limits heights here"),))
    tops = []
    for number, (building, footprint) in enumerate(zip(buildings, footprints, strict=True), 1):
        ground = building.ground if building.ground is not None else ground_under(conn, store, dem, footprint, zone)
        if ground is None:
            raise PlanningError(
                f"第 {number} 栋建筑没有地面高程，高程图层 {dem} 在此也没有数据；请给出 ground",
                f"building {number}: elevation {dem!r} knows no ground there; give its 'ground'",
            )
        tops.append((footprint, ground, building.height))
    found = clearances(tops, surfaces)
    return Heights(all(not c.exceeds for c in found), tuple(found), ())


def _in(area: Area, zone: "Zone") -> Any:
    """A drawn area in the plane of a zone."""
    import shapely

    from layers.crs import transformer

    return shapely.transform(_degrees(area), transformer(4490, zone.srid).transform, interleaved=False)


def _degrees(area: Area) -> Any:
    import orjson
    import shapely

    from planning.survey.reasons import why_no_area

    shape = shapely.from_geojson(orjson.dumps({"type": area.type, "coordinates": area.coordinates}))
    if not shape.is_valid or not shape.area:
        why = why_no_area(shape)
        raise PlanningError(f"建筑或绿地轮廓不是有效的面：{why.zh}", f"a footprint or green is no valid area: {why.en}")
    return shape
