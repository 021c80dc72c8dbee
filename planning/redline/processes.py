"""Processes that take red lines through their life."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import Connection

from layers.access import Principal
from layers.processing import process
from layers.raster.store import RasterStore
from layers.terrain.geojson import Area
from planning.boundary.answers import GivenParcel
from planning.check.answers import Checked
from planning.errors import PlanningError
from planning.options import PlanningOptions
from planning.publicity.writing import Publicity
from planning.redline.answers import RedLineAnswer
from planning.survey.parcel import Parcel

_Number = Annotated[str, Field(min_length=1, max_length=100)]
_Text = Annotated[str, Field(max_length=20_000)]
_Name = Annotated[str, Field(min_length=1, max_length=200)]
_Revision = Annotated[int, Field(ge=1)]
_Parcels = Annotated[tuple[GivenParcel, ...], Field(min_length=1, max_length=100)]
#: Steps that advance-redline takes; to approve is allocate-redline's, to replace change-redline's.
_Step = Literal[
    "examine", "set-conditions", "publicise", "permit-land", "permit-works", "verify", "archive",
    "return", "resubmit", "withdraw", "revoke", "expire",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Allocated:
    """A red line whose ground was given out, and the check that this rests on."""

    redline: RedLineAnswer
    check: int
    result: Checked


@process(
    edits=True,
    keywords=("用地红线 red line", "申请 application"),
    example={
        "name": "示范学校",
        "applicant": "市教育局",
        "land_code": "080403",
        "geometry": {
            "type": "Polygon",
            "coordinates": [[[114.9, 30.4], [114.902, 30.4], [114.902, 30.402], [114.9, 30.4]]],
        },
    },
)
def apply_redline(
    conn: Connection,
    store: RasterStore,
    principal: Principal,
    options: PlanningOptions,
    name: _Name,
    land_code: Annotated[str, Field(min_length=1, max_length=20)],
    parcels: _Parcels | None = None,
    geometry: Area | None = None,
    applicant: Annotated[str, Field(max_length=200)] = "",
    scheme: Annotated[str, Field(min_length=1, max_length=20)] = "2023",
    supply: Literal["allocation", "grant"] = "allocation",
    adjusts: Annotated[tuple[_Number, ...], Field(max_length=20)] = (),
    opinion: _Text = "",
) -> RedLineAnswer:
    """申请用地红线 | Apply for a red line

    登记一条用地红线（状态“申请”），界址点按测量坐标原样保存。 | Enters a red line, applied for; its boundary
    points are kept as they were surveyed.

    name: 项目名称 | Project
    land_code: 用地代码 | Land code
    parcels: 界址点；import-boundary-points 的结果 | Boundary points; as import-boundary-points gives them
    geometry: 图上绘制的面；GeoJSON，经度和纬度 [°] | Area drawn on the map; GeoJSON, longitude and latitude [°]
    applicant: 申请单位 | Applicant
    scheme: 用地分类；2023 或 2011 | Scheme of the land code; 2023 or 2011
    supply: 供地方式；划拨或出让 | Supply; by allocation or by grant
    adjusts: 调整；批准后替代这些红线 | Adjusts; red lines that it replaces when it is approved
    opinion: 意见 | Opinion
    returns: 用地红线 | The red line
    """
    from planning.plan.land_codes import LandCode, load_land_codes
    from planning.redline.history import redline_answer
    from planning.redline.life import Desk, apply

    if (parcels is None) == (geometry is None):
        raise PlanningError("请给出 parcels 或 geometry 之一", "give either input 'parcels' or input 'geometry'")
    if load_land_codes(conn).name(LandCode(scheme, land_code)) is None:
        raise PlanningError(
            f"用地分类 {scheme} 没有代码 {land_code}", f"scheme {scheme!r} has no land code {land_code!r}"
        )
    facts = {
        "name": name, "applicant": applicant, "supply": supply, "scheme": scheme, "land_code": land_code,
        **({"parents": list(adjusts)} if adjusts else {}),
    }  # fmt: skip
    found = [given.parcel() for given in parcels] if parcels else _drawn(geometry)
    line = apply(Desk(conn, store, principal, options), found, facts, opinion)
    return redline_answer(conn, line.number)


@process(
    edits=True,
    keywords=("用地红线 red line", "办理 procedure"),
    example={"redline": "红字第420700202600001号", "step": "examine"},
)
def advance_redline(
    conn: Connection,
    store: RasterStore,
    principal: Principal,
    options: PlanningOptions,
    redline: _Number,
    step: _Step,
    opinion: _Text = "",
    conditions: _Text = "",
    publicity: Publicity | None = None,
    revision: _Revision | None = None,
) -> RedLineAnswer:
    """办理用地红线 | Advance a red line

    走一步：预审、规划条件、公示、许可、核实、归档、退回、撤回、撤销、到期；每步按角色，记日期、签署与审计。批准用
    allocate-redline。 | Takes one step, by the role that may: examine, conditions, publicity, permits, verify, archive,
    return, withdraw, revoke, expire. Each is dated, signed and audited. To approve, use allocate-redline.

    redline: 红线编号 | Number of the red line
    step: 步骤 | Step
    opinion: 意见；退回、撤回与撤销必填 | Opinion; needed to return, withdraw or revoke
    conditions: 规划条件；set-conditions 时 | Conditions; with set-conditions
    publicity: 公示；publicise 时的标题、内容与起止日期 | Publicity; title, text and period, with publicise
    revision: 所见修订号；已被他人办理则拒绝 | Revision that you have seen; refused if somebody was faster
    returns: 用地红线 | The red line
    """
    from planning.redline.history import redline_answer
    from planning.redline.life import Desk, advance

    given = {"conditions": conditions.strip(), "publicity": publicity}
    advance(Desk(conn, store, principal, options), redline, step, opinion, given, revision)
    return redline_answer(conn, redline)


@process(
    edits=True,
    keywords=("用地红线 red line", "划拨 allocation", "批准 approval"),
    example={"redline": "红字第420700202600001号"},
)
def allocate_redline(
    conn: Connection,
    store: RasterStore,
    principal: Principal,
    options: PlanningOptions,
    redline: _Number,
    opinion: _Text = "",
    revision: _Revision | None = None,
) -> Allocated:
    """批准用地红线 | Allocate a red line

    公示期满后批准红线，划出土地。当即重新检查，有未消除的冲突则拒绝；两人不能同时批准相互重叠的红线。 | Approves a red
    line after its publicity: the ground is given out. It is checked anew in the same moment and refused where a
    blocking conflict is open; two officers cannot approve overlapping lines at once.

    redline: 红线编号 | Number of the red line
    opinion: 意见 | Opinion
    revision: 所见修订号；已被他人办理则拒绝 | Revision that you have seen; refused if somebody was faster
    returns: 用地红线与所依检查 | The red line and the check that it rests on
    """
    from planning.redline.history import redline_answer
    from planning.redline.life import Desk, allocate

    kept, result = allocate(Desk(conn, store, principal, options), redline, opinion, revision)
    return Allocated(redline_answer(conn, redline), kept, result)


@process(
    edits=True,
    keywords=("用地红线 red line", "变更 change", "分割 split", "合并 merge"),
    example={"change": "merge", "redlines": ["红字第420700202600001号", "红字第420700202600002号"]},
)
def change_redline(
    conn: Connection,
    store: RasterStore,
    principal: Principal,
    options: PlanningOptions,
    change: Literal["split", "merge"],
    redlines: Annotated[tuple[_Number, ...], Field(min_length=1, max_length=50)],
    parcels: _Parcels | None = None,
    opinion: _Text = "",
) -> tuple[RedLineAnswer, ...]:
    """变更用地红线 | Change red lines

    分割或合并已批准的红线；总范围不变，新红线承接原状态，互相记录来源。要改变范围，用 apply-redline 的 adjusts。 |
    Splits or merges red lines that are approved. The ground stays the same; the new lines keep the old state, with
    lineage. To take other ground, apply for a line that adjusts them.

    change: 变更；分割或合并 | Change; split or merge
    redlines: 红线编号；分割一条，合并两条以上 | Numbers; one to split, two or more to merge
    parcels: 界址点；分割后的各部分，或合并后的边界（可省） | Points; of the parts, or of the outline (may be left out)
    opinion: 意见 | Opinion
    returns: 新的用地红线 | The new red lines
    """
    from planning.redline.changing import merge, split
    from planning.redline.history import redline_answer
    from planning.redline.life import Desk

    desk = Desk(conn, store, principal, options)
    parts: list[Parcel] = [given.parcel() for given in parcels or ()]
    if change == "split" and len(redlines) != 1:
        raise PlanningError("一次只能分割一条红线", "one red line is split at a time")
    made = split(desk, redlines[0], parts, opinion) if change == "split" else [merge(desk, redlines, parts, opinion)]
    return tuple(redline_answer(conn, line.number) for line in made)


@process(keywords=("用地红线 red line", "办理过程 history"), example={"redline": "红字第420700202600001号"})
def redline_history(conn: Connection, redline: _Number) -> RedLineAnswer:
    """红线办理过程 | History of a red line

    红线的各步骤（日期、签署、文号、意见）、可走的下一步、变更来源与去向；并验证步骤未被改动。 | The steps of a red line
    with dates, signatures, documents and opinions; what may come next; its lineage; and whether no step was altered.

    redline: 红线编号 | Number of the red line
    returns: 用地红线 | The red line
    """
    from planning.redline.history import redline_answer

    return redline_answer(conn, redline)


def _drawn(geometry: Area | None) -> list[Parcel]:
    import shapely

    from planning.drawn import drawn
    from planning.survey.parcel import parcel_of

    assert geometry is not None
    zone, shape = drawn(geometry)
    return [parcel_of(part, zone) for part in shapely.get_parts(shape)]
