"""The process that checks a parcel or a red line, and the one that replays a check."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection

from layers.processing import process
from layers.raster.store import RasterStore
from layers.terrain.geojson import Area
from layers.versions.moments import moment_given
from planning.boundary.answers import GivenParcel
from planning.check.answers import Checked
from planning.check.pieces import Tolerance
from planning.check.store import Change
from planning.options import PlanningOptions

_Id = Annotated[str, Field(min_length=1, max_length=60)]
_Version = Annotated[str, Field(min_length=1, max_length=80)]
_Number = Annotated[str, Field(min_length=1, max_length=60)]
_EXAMPLE = {"type": "Polygon", "coordinates": [[[114.9, 30.4], [114.902, 30.4], [114.902, 30.402], [114.9, 30.4]]]}


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """A check: its number, when, and what was found. ``stale``: what changed near the parcel since."""

    check: int
    at: str
    redline: str | None
    result: Checked
    stale: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Replay:
    """A kept check done again on the layers as they were. ``same``: whether it finds the same, to the last digit.

    ``rules_changed``: the rules have no past, so a replay after a change of them may differ.
    """

    check: int
    at: str
    same: bool
    rules_changed: bool
    stale: tuple[Change, ...]
    kept: Checked
    replayed: Checked


@process(
    edits=True,
    keywords=("用地红线检查 red-line check", "三区三线", "城市五线", "控规"),
    example={"geometry": _EXAMPLE, "scheme": "2023", "land_code": "0701"},
)
def check_redline(
    conn: Connection,
    store: RasterStore,
    options: PlanningOptions,
    redline: _Number | None = None,
    geometry: Area | None = None,
    parcel: GivenParcel | None = None,
    scheme: Annotated[str, Field(max_length=20)] = "2023",
    land_code: Annotated[str, Field(max_length=20)] = "",
    on: date | None = None,
    as_of: datetime | _Version | None = None,
    tolerance: Tolerance = Tolerance(),  # noqa: B008 - immutable
    ownership: _Id | None = None,
    dem: _Id | None = "dem",
    access: Annotated[float, Field(gt=0, le=1000)] = 30.0,
    floor_area_per_person: Annotated[float, Field(gt=0, le=1000)] = 40.0,
) -> CheckAnswer:
    """检查用地红线 | Check a red line

    红线与控制线、控制区、控规、其他红线的每处冲突，含条款、版本、面积与占比；以及用地现状、建筑与人口、管线、摄像机、道路、
    权属、坡度。结果连同所见版本一并保存。 | Every collision of a parcel with control lines, zones, the control plan and
    other red lines, by clause and version, with area and share; and its land use, buildings and people, pipelines,
    cameras, roads, ownership, slope. The result is kept with the versions that it saw.

    redline: 红线编号；与 geometry、parcel 三者给一 | Number of a red line; give one of redline, geometry and parcel
    geometry: 图上绘制的面；GeoJSON，经度和纬度 [°] | Area drawn on the map; GeoJSON, longitude and latitude [°]
    parcel: 界址点；import-boundary-points 的结果 | Boundary points; as import-boundary-points gives them
    scheme: 用地分类；2023 或 2011 | Scheme of the land code; 2023 or 2011
    land_code: 用地代码；红线自己的优先 | Land code of the intended use; a red line has its own
    on: 规划所依日期；缺省为今天 | Day whose plan holds; today by default
    as_of: 数据时刻或版本名；缺省为当前 | State of the layers; an instant or a version's name, by default the present
    tolerance: 碎片容差；面积 [m²] 与平均宽度 [m] | Sliver tolerance; area [m²] and mean width [m]
    ownership: 权属图层的编号 | Layer of ownership; its id
    dem: 高程图层的编号；空则不算坡度 | Elevation; id of the coverage, null for no slopes
    access: 道路距离；多近的道路可通达 [m] | Access; how near a road must be [m]
    floor_area_per_person: 人均住宅建筑面积 [m²] | Floor area of homes per person [m²]
    returns: 检查结果 | What was found
    """
    from planning.check.check import check
    from planning.check.inputs import subject_of
    from planning.check.store import keep, kept_check
    from planning.check.subject import Wishes

    asked: dict[str, Any] = {
        "scheme": scheme, "land_code": land_code, "on": on or options.today(), "as_of": moment_given(conn, as_of),
        "tolerance": tolerance,
    }  # fmt: skip
    subject, line = subject_of(conn, redline, geometry, parcel, asked)
    wishes = Wishes(ownership, dem, access, floor_area_per_person)
    result = check(conn, store, subject, wishes)
    kept = kept_check(conn, keep(conn, subject, wishes, line, result))
    return CheckAnswer(kept.id, kept.at.isoformat(), subject.number, result)


@process(keywords=("用地红线检查 red-line check", "复核 replay"), example={"check": 1})
def replay_check(conn: Connection, store: RasterStore, check: Annotated[int, Field(ge=1)]) -> Replay:
    """复核检查 | Replay a check

    按当时的数据重做一次已保存的检查并比较；并说明此后附近有哪些图层变更。 | Does a kept check again on the layers
    as they were and compares; and tells which layers changed near the parcel since.

    check: 检查的编号 | Number of the check
    returns: 复核结果 | The comparison
    """
    from planning.check.check import check as do
    from planning.check.inputs import subject_again, wishes_again
    from planning.check.store import changes_since, digest, kept_check, rules_changed

    kept = kept_check(conn, check)
    again = do(conn, store, subject_again(kept), wishes_again(kept))
    return Replay(
        kept.id,
        kept.at.isoformat(),
        digest(again) == digest(kept.result),
        rules_changed(conn, kept),
        changes_since(conn, kept.id),
        kept.result,
        again,
    )
