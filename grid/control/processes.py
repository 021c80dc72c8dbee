"""Processes of control: the three-zone check of a place, suspected construction against permits."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import shapely
from pydantic import Field
from shapely.geometry import shape as read_shape
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection

from grid.control.queries import Overlap, area_of, enter_illegal_building, overlaps
from grid.errors import GridError
from grid.inputs import Name
from grid.options import GridOptions
from grid.reporting.queries import enter_report
from layers.processing import CityCrs, process
from layers.registry import find_layer

#: 三区控制, from the strictest (domain facts §3).
ZONES = ("strict-protection", "controlled-use", "guided-development")
#: States of a red line that permit building, and what is in force today.
PERMITS = ("works-permit", "verified", "archived")
_PERMITTED_NOW = "f.expires_on IS NULL OR f.expires_on >= current_date OR f.status IN ('verified', 'archived')"
_ZONE_NOW = "f.status = 'approved'"
#: Shares of a patch within permits from which it counts as permitted, and below which as suspected.
_PERMITTED, _SUSPECTED = 0.95, 0.05
_MOST_VERTICES = 20_000
#: Characters of a patch's outline that a case's description keeps.
_OUTLINE = 1500


@dataclass(frozen=True, slots=True)
class ZoneCheck:
    """What zones a place lies in; ``strictest`` decides, ``uncovered`` lies in none [m²]."""

    area: float
    zones: tuple[Overlap, ...]
    strictest: str | None
    uncovered: float


@dataclass(frozen=True, slots=True)
class Suspect:
    """A patch of the image against permits: ``share`` is the part within them; ``case`` what was reported of it."""

    patch: int
    area: float
    share: float
    verdict: Literal["permitted", "partly", "suspected"]
    permits: tuple[Overlap, ...]
    position: tuple[float, float]
    case: str | None = None
    attached_to: str | None = None


Patches = Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=500)]


@process(
    keywords=("三区控制 zones", "环境保护 environment"),
    example={
        "area": {"type": "Polygon", "coordinates": [[[114.9, 30.4], [114.91, 30.4], [114.91, 30.41], [114.9, 30.4]]]}
    },
)
def zone_check(conn: Connection, city: CityCrs, area: dict[str, Any]) -> ZoneCheck:
    """三区核查 | Check the three zones

    项目用地落在严格保护区、控制性保护利用区、引导性开发建设区的面积；以最严格的为准。 | How much of a site lies
    in the zones of strict protection, controlled use and guided development; the strictest decides.

    area: 用地范围；GeoJSON，经度、纬度 | The site; GeoJSON, longitude and latitude
    returns: 核查结果 | What was found
    """
    zones = find_layer(conn, "control-zones")
    site = _surface(area, "area")
    whole = area_of(conn, site, city.projected)
    found, covered = overlaps(conn, zones, "kind", "name", ZONES, _ZONE_NOW, site, city.projected)
    kinds = {one.kind for one in found}
    strictest = next((kind for kind in ZONES if kind in kinds), None)
    return ZoneCheck(round(whole, 2), tuple(found), strictest, round(max(0.0, whole - covered), 2))


@process(
    keywords=("违章建筑 illegal construction", "疑似图斑 suspected patches"),
    example={
        "patches": [
            {"type": "Polygon", "coordinates": [[[114.9, 30.4], [114.901, 30.4], [114.9, 30.401], [114.9, 30.4]]]}
        ]
    },
)
def construction_suspects(conn: Connection, city: CityCrs, patches: Patches) -> tuple[Suspect, ...]:
    """疑似违建核对 | Suspected construction

    变化图斑与建设工程许可范围比较，许可之外的为疑似违建。 | Patches of change are compared with permitted red lines;
    what lies outside them is suspected.

    patches: 图斑；GeoJSON 几何或要素，经度、纬度 | Patches; GeoJSON geometries or features, longitude and latitude
    returns: 各图斑 | Patch by patch
    """
    return tuple(one for one, _ in _compared(conn, city, patches))


@process(
    edits=True,
    keywords=("违章建筑 illegal construction", "案卷 case"),
    example={
        "patches": [
            {"type": "Polygon", "coordinates": [[[114.9, 30.4], [114.901, 30.4], [114.9, 30.401], [114.9, 30.4]]]}
        ]
    },
)
def report_suspects(
    conn: Connection, city: CityCrs, options: GridOptions, patches: Patches, class_code: Name = "0101"
) -> tuple[Suspect, ...]:
    """疑似违建立卷 | Report suspected construction

    许可之外的图斑逐一上报为案卷并记入违法建设台账，附面积、许可比例与轮廓；已有的并入。 | Each patch outside permits
    becomes a case and an illegal building, with its area, share and outline as evidence, or joins what is there.

    patches: 图斑；GeoJSON 几何或要素，经度、纬度 | Patches; GeoJSON geometries or features, longitude and latitude
    class_code: 事件类别代码；缺省为私搭乱建 | Code of the event class; by default unpermitted building
    returns: 各图斑与案卷 | Patch by patch, with cases
    """
    return tuple(_reported(conn, options, one, shape, class_code) for one, shape in _compared(conn, city, patches))


def _compared(conn: Connection, city: CityCrs, patches: Patches) -> list[tuple[Suspect, BaseGeometry]]:
    redlines = find_layer(conn, "redlines")
    found = []
    for n, patch in enumerate(patches):
        shape = _surface(patch.get("geometry", patch) if isinstance(patch, dict) else patch, f"patches[{n}]")
        whole = area_of(conn, shape, city.projected)
        permits, covered = overlaps(conn, redlines, "status", "name", PERMITS, _PERMITTED_NOW, shape, city.projected)
        share = min(1.0, covered / whole)
        verdict: Literal["permitted", "partly", "suspected"] = (
            "permitted" if share >= _PERMITTED else "partly" if share > _SUSPECTED else "suspected"
        )
        inner = shape.representative_point()
        at = (round(inner.x, 9), round(inner.y, 9))
        found.append((Suspect(n, round(whole, 2), round(share, 4), verdict, tuple(permits), at), shape))
    return found


def _reported(conn: Connection, options: GridOptions, one: Suspect, shape: BaseGeometry, class_code: str) -> Suspect:
    if one.verdict == "permitted":
        return one
    outline = shapely.to_wkt(shape, rounding_precision=6)[:_OUTLINE]
    words = f"疑似违建 {one.area:.0f} m²，许可范围内 {100 * one.share:.0f} %；图斑 {outline}"
    became = enter_report(
        conn,
        {
            "lon": one.position[0], "lat": one.position[1], "kind": "event", "scheme": options.reports.event_scheme,
            "class": class_code, "description": words, "accuracy": None, "channel": "video", "reporter_name": None,
            "reporter_phone": None,
        },
        separate=False,
    )  # fmt: skip
    met = ", ".join(permit.name or "" for permit in one.permits)[:500]
    enter_illegal_building(
        conn, shape, became["duplicate_of"] or became["code"], became["place"], one.area, one.share, met
    )
    facts = (one.patch, one.area, one.share, one.verdict, one.permits, one.position)
    return Suspect(*facts, case=became["code"], attached_to=became["duplicate_of"])


def _surface(document: Any, name: str) -> BaseGeometry:
    """A valid polygon of a client's. Raises :class:`GridError` naming the input."""
    try:
        shape = shapely.force_2d(read_shape(document))
    except Exception:  # shapely raises many types for malformed GeoJSON; all mean the same to a client
        raise GridError(f"{name} 不是 GeoJSON 几何", f"input {name!r} is no GeoJSON geometry") from None
    west, south, east, north = shape.bounds if not shape.is_empty else (1e9, 0, 0, 0)
    if shape.geom_type not in ("Polygon", "MultiPolygon") or not (
        west >= -180 and east <= 180 and south >= -90 and north <= 90
    ):
        raise GridError(f"{name} 应为经纬度的面", f"input {name!r} must be a polygon in longitude and latitude")
    if shapely.get_num_coordinates(shape) > _MOST_VERTICES or not shape.is_valid or shape.area == 0:
        raise GridError(
            f"{name} 无效或顶点过多", f"input {name!r} is not valid, or has more than {_MOST_VERTICES} vertices"
        )
    return shape
