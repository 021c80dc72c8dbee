"""The process that looks for sites."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection

from layers.processing import process
from layers.terrain.geojson import Area
from planning.errors import PlanningError
from planning.options import PlanningOptions
from planning.siting.model import Candidate, Criterion, Limit

_Id = Annotated[str, Field(min_length=1, max_length=60)]
_Code = Annotated[str, Field(min_length=1, max_length=20)]
_SquareMetres = Annotated[float, Field(ge=0, le=1e9)]


@dataclass(frozen=True, slots=True)
class Selection:
    """The best candidates; how many there were, and how many each limit left out (one may fail several)."""

    candidates: tuple[Candidate, ...]
    considered: int
    kept: int
    excluded: tuple[int, ...]


@process(
    keywords=("选址 site selection", "多因子评价 criteria"),
    example={
        "land_codes": ["0804"],
        "min_area": 5000,
        "limits": [{"layer": "water", "distance": 50, "rule": "beyond"}],
        "criteria": [{"layer": "roads", "field": "class", "value": "secondary", "best": 50, "worst": 800, "weight": 2}],
    },
)
def site_selection(
    conn: Connection,
    options: PlanningOptions,
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1, max_length=20)],
    limits: Annotated[tuple[Limit, ...], Field(max_length=20)] = (),
    candidates: _Id = "control-plan",
    land_codes: Annotated[tuple[_Code, ...], Field(max_length=50)] = (),
    min_area: _SquareMetres = 0.0,
    max_area: _SquareMetres = 1e9,
    within: Area | None = None,
    on: date | None = None,
    count: Annotated[int, Field(ge=1, le=200)] = 20,
) -> Selection:
    """选址 | Site selection

    在候选地块中按硬性条件筛选，再按加权距离因子打分排序，给出理由。 | Of candidate areas those that keep hard limits,
    ranked by weighted distances, with the reasons.

    criteria: 因子；到某图层最近要素的距离，最好与最差值 [m] 及权重 | Criteria; distance to the nearest feature of a
     layer, the best and the worst [m], and the weight
    limits: 硬性条件；某图层在多少米之内或之外 | Limits; a layer within or beyond so many metres
    candidates: 候选图层的编号；面图层 | Candidates; id of a layer of areas
    land_codes: 用地代码；以此开头者 | Land codes; those that begin so
    min_area: 最小面积 [m²] | Least area [m²]
    max_area: 最大面积 [m²] | Greatest area [m²]
    within: 范围；GeoJSON，经度和纬度 [°] | Ground; GeoJSON, longitude and latitude [°]
    on: 规划所依日期；缺省为今天 | Day whose plan holds; today by default
    count: 返回个数 | How many are answered
    returns: 排序的候选地块与理由 | Ranked candidates with reasons
    """
    import shapely

    from planning.boundary.answers import as_geojson
    from planning.siting import queries
    from planning.siting.model import reason

    wishes: tuple[Limit | Criterion, ...] = (*limits, *criteria)
    layers = queries.usable(conn, {candidates, *(wish.layer for wish in wishes)})
    of, day = layers[candidates], on or options.today()
    if not of.geometry_type.endswith("Polygon"):
        raise PlanningError(f"图层 {candidates} 不是面图层", f"layer {candidates!r} is no layer of areas")
    ground = None
    if within is not None:
        ground = shapely.to_wkb(_degrees(within))
    found = queries.candidates(conn, of, land_codes, (min_area, max_area), ground, day)
    ids = [row.id for row in found]
    nearest = [queries.distances(conn, of, ids, wish, layers[wish.layer], day) for wish in wishes]
    failed = [{i for i in ids if not limit.holds(near.get(i))} for limit, near in zip(limits, nearest, strict=False)]
    kept = [row for row in found if not any(row.id in out for out in failed)]
    total = sum(criterion.weight for criterion in criteria)
    scored = []
    for row in kept:
        reasons = tuple(reason(c, near.get(row.id)) for c, near in zip(criteria, nearest[len(limits) :], strict=True))
        scored.append((sum(r.score * r.weight for r in reasons) / total, reasons, row))
    scored.sort(key=lambda item: (-item[0], item[2].id))
    answers = (
        Candidate(
            rank, row.id, row.name, row.land_code, round(row.area, 2), round(score, 4), reasons,
            as_geojson(shapely.from_wkb(bytes(row.shape))),
        )
        for rank, (score, reasons, row) in enumerate(scored[:count], 1)
    )  # fmt: skip
    return Selection(tuple(answers), len(found), len(kept), tuple(map(len, failed)))


def _degrees(area: Area) -> Any:
    import orjson
    import shapely

    return shapely.from_geojson(orjson.dumps({"type": area.type, "coordinates": area.coordinates}))
