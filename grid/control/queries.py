"""The SQL of control: what of a shape lies in the features of a layer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import shapely
from psycopg2.errors import InsufficientPrivilege
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from layers.catalogue import Layer
from layers.features import RowDenied
from layers.tables import quoted


@dataclass(frozen=True, slots=True)
class Overlap:
    """A feature that a shape lies in: its kind or status, its name, and the common area [m²]."""

    kind: str | None
    name: str | None
    area: float


def area_of(conn: Connection, shape: BaseGeometry, srid: int) -> float:
    """The area of a shape (degrees) in a projected system [m²]."""
    found: float = conn.execute(
        text("SELECT ST_Area(ST_Transform(ST_GeomFromWKB(:wkb, 4490), CAST(:srid AS int)))"),
        {"wkb": shapely.to_wkb(shape), "srid": srid},
    ).scalar_one()
    return found


def overlaps(
    conn: Connection,
    layer: Layer,
    kind: str,
    name: str,
    kinds: Sequence[str],
    in_force: str,
    shape: BaseGeometry,
    srid: int,
) -> tuple[list[Overlap], float]:
    """The features of some kinds in which a shape (degrees) lies, the largest first, and the area [m²] that all cover
    together. ``kind`` and ``name`` are fields of the layer, ``in_force`` is a fixed condition."""
    rows = conn.execute(
        text(f"""
            WITH asked AS (SELECT ST_Transform(ST_GeomFromWKB(:wkb, 4490), CAST(:srid AS int)) AS g),
            near AS (
                SELECT f.{quoted(kind)} AS kind, f.{quoted(name)} AS name,
                       ST_Intersection(ST_Transform(f.geom, CAST(:srid AS int)), asked.g) AS piece
                FROM {quoted("city", layer.table)} f, asked
                WHERE f.geom && ST_Transform(ST_GeomFromWKB(:wkb, 4490), {layer.srid:d})
                  AND f.{quoted(kind)} = ANY (:kinds) AND ({in_force})
            )
            SELECT kind, name, ST_Area(piece), (SELECT coalesce(ST_Area(ST_Union(piece)), 0) FROM near)
            FROM near WHERE ST_Area(piece) > 0.01 ORDER BY 3 DESC, 1, 2 LIMIT 500"""),
        {"wkb": shapely.to_wkb(shape), "srid": srid, "kinds": list(kinds)},
    ).all()
    return [Overlap(row[0], row[1], round(row[2], 2)) for row in rows], float(rows[0][3]) if rows else 0.0


_ENTER = text("""
    INSERT INTO city.illegal_buildings (geom, code, name, stage, case_code, source, area, permitted_share, permits)
    SELECT ST_Multi(ST_GeomFromWKB(:wkb, 4490)), 'WJ' || CAST(:case AS text), CAST(:name AS text), 'suspected', :case,
           :source, :area, :share, nullif(CAST(:permits AS text), '')
    WHERE NOT EXISTS (SELECT FROM city.illegal_buildings WHERE case_code = :case)""")


def enter_illegal_building(
    conn: Connection, shape: BaseGeometry, case: str, place: str | None, area: float, share: float, permits: str
) -> None:
    """Enter a suspected patch (degrees) of a case, unless the case has one; area [m²].

    Raises :class:`RowDenied`.
    """
    try:
        conn.execute(
            _ENTER,
            {"wkb": shapely.to_wkb(shape), "case": case, "name": f"疑似违建 {place or case}",
             "source": "change-detection", "area": area, "share": share, "permits": permits},
        )  # fmt: skip
    except ProgrammingError as error:
        if isinstance(error.orig, InsufficientPrivilege):
            raise RowDenied("you may not enter illegal buildings there") from None
        raise


@dataclass(frozen=True, slots=True)
class OverdueBuilding:
    """A temporary building that stands beyond its day; ``position`` is longitude and latitude [°] of a point on it."""

    id: int
    permit: str | None
    name: str | None
    use: str | None
    holder: str | None
    area_code: str | None
    due: date
    days: int
    area: float
    case_code: str | None
    position: tuple[float, float]


_OVERDUE = text("""
    SELECT id, permit, name, use, holder, area_code, due, CAST(:on AS date) - due,
           round(ST_Area(ST_Transform(geom, CAST(:srid AS int)))::numeric, 1)::float8, case_code, ST_X(p), ST_Y(p)
    FROM (SELECT t.*, greatest(t.expires_on, t.extended_to) AS due, ST_PointOnSurface(t.geom) AS p
          FROM city.temporary_buildings t) t
    WHERE due < CAST(:on AS date) AND (removed_on IS NULL OR removed_on > CAST(:on AS date))
      AND starts_with(coalesce(area_code, ''), :area)
    ORDER BY due, id LIMIT :most""")


def overdue_buildings(conn: Connection, on: date, area: str, srid: int, most: int) -> tuple[OverdueBuilding, ...]:
    """Temporary buildings that stand beyond their day, the longest first; areas in a projected system."""
    rows = conn.execute(_OVERDUE, {"on": on, "area": area, "srid": srid, "most": most})
    return tuple(OverdueBuilding(*tuple(row)[:10], (row[10], row[11])) for row in rows)  # type: ignore[call-arg]


def name_case(conn: Connection, building: int, case: str) -> None:
    """The case that follows a temporary building. Raises :class:`RowDenied`."""
    changed = conn.execute(
        text("UPDATE city.temporary_buildings SET case_code = :case WHERE id = :id"), {"case": case, "id": building}
    )
    if changed.rowcount == 0:
        raise RowDenied(f"you may not change temporary building {building}")
