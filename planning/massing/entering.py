"""Enters the buildings of a model in ``scheme-buildings``."""

from typing import TYPE_CHECKING

import shapely
from sqlalchemy import Connection, text

from layers.crs import transformer
from layers.features import RowDenied
from layers.processing import CityCrs, UploadedFile
from planning.errors import PlanningError
from planning.massing.models import Massing, Placing, read_model
from planning.redline.reading import find_redline

if TYPE_CHECKING:
    from planning.massing.processes import Imported

#: Most buildings of one model.
MOST_BUILDINGS = 500


def enter_model(
    conn: Connection, city: CityCrs, upload: UploadedFile, scheme: str, redline: str,
    position: tuple[float, float] | None, rotation: float, crs: str, replace: bool,
) -> "Imported":  # fmt: skip
    """Read a model and enter its buildings. Raises :class:`PlanningError` for one without, or without a place."""
    from planning.massing.processes import Imported

    if redline:
        find_redline(conn, redline)
    east_north = transformer(4490, city.projected).transform(*position) if position else None
    found, kind = read_model(upload.path, upload.name, Placing(city.projected, east_north, rotation, crs or None))
    if not found:
        raise PlanningError(f"{upload.name} 中没有建筑", f"{upload.name} has no buildings")
    if len(found) > MOST_BUILDINGS:
        raise PlanningError(
            f"{upload.name} 有 {len(found)} 栋建筑，超过 {MOST_BUILDINGS}",
            f"{upload.name} has {len(found)} buildings, more than {MOST_BUILDINGS}",
        )
    if replace:
        conn.execute(
            text("DELETE FROM city.scheme_buildings WHERE scheme = :scheme AND redline IS NOT DISTINCT FROM :redline"),
            {"scheme": scheme, "redline": redline or None},
        )
    ids = [_enter(conn, one, scheme, redline, f"{kind}: {upload.name}"[:200], city.projected) for one in found]
    area = sum(one.footprint.area for one in found)
    return Imported(scheme, kind, len(ids), round(area, 2), round(max(one.height for one in found), 3), tuple(ids))


def _enter(conn: Connection, one: Massing, scheme: str, redline: str, source: str, srid: int) -> int:
    id = conn.execute(
        text("""INSERT INTO city.scheme_buildings (geom, name, use, height, floors, scheme, redline, source, source_id)
                VALUES (ST_Multi(ST_Transform(ST_GeomFromWKB(:shape, CAST(:srid AS int)), 4490)), :name, :use, :height,
                    :floors, :scheme, :redline, :source, :id) RETURNING id"""),
        {
            "shape": shapely.to_wkb(one.footprint), "srid": srid, "name": one.name, "use": one.use,
            "height": round(one.height, 3), "floors": one.floors, "scheme": scheme, "redline": redline or None,
            "source": source, "id": one.id,
        },
    ).scalar()  # fmt: skip
    if id is None:
        raise RowDenied("proposed buildings are not yours to enter")
    return int(id)
