"""A notice with everything that belongs to it, and the ground of a plan that is put before the public."""

from datetime import date
from typing import TYPE_CHECKING, Any

import orjson
import shapely
from sqlalchemy import Connection, text

from layers.registry import find_layer
from layers.terrain.geojson import Area
from planning.errors import PlanningError
from planning.publicity.drawings import drawings_of
from planning.publicity.reading import Notice
from planning.publicity.summary import published, summarise

if TYPE_CHECKING:
    from planning.publicity.processes import NoticeDetails


def details(conn: Connection, notice: Notice, today: date) -> "NoticeDetails":
    """The notice as the public sees it."""
    from planning.publicity.processes import NoticeDetails

    buildings = conn.execute(
        text("SELECT count(*) FROM city.notice_buildings WHERE notice = :notice"), {"notice": notice.number}
    ).scalar_one()
    return NoticeDetails(
        notice.id, notice.number, notice.title, notice.kind, notice.text, notice.begins, notice.ends,
        notice.state(today), notice.contact, notice.summary, f"/notices/{notice.id}",
        drawings_of(conn, notice.number), int(buildings),
        summarise(conn, notice.number, "published_comments"), published(conn, notice.number),
    )  # fmt: skip


def ground_of(conn: Connection, plan: str, version: str, geometry: Area | None) -> Any:
    """The ground (shapely MultiPolygon [°]) as it was drawn, or of the plots of a plan's version.

    Raises :class:`PlanningError` for neither, both, or a version without plots.
    """
    if bool(plan and version) == (geometry is not None):
        raise PlanningError("请给出 plan 与 version，或 geometry", "give 'plan' with 'version', or 'geometry'")
    if geometry is not None:
        shape = shapely.from_geojson(orjson.dumps({"type": geometry.type, "coordinates": geometry.coordinates}))
        if not shape.is_valid or not shape.area:
            reason = shapely.is_valid_reason(shape)
            raise PlanningError(f"geometry 不是有效的面：{reason}", f"input 'geometry' is no valid area: {reason}")
        return shapely.multipolygons(shapely.get_parts(shape))
    find_layer(conn, "control-plan")
    found = conn.execute(
        text("""SELECT ST_AsBinary(ST_Multi(ST_Union(geom))) FROM city.control_plan
                WHERE plan = :plan AND version = :version"""),
        {"plan": plan, "version": version},
    ).scalar()
    if found is None:
        raise PlanningError(f"{plan} 没有版本 {version}", f"plan {plan!r} has no version {version!r}")
    return shapely.from_wkb(bytes(found))
