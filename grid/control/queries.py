"""The SQL of control: what of a shape lies in the features of a layer."""

from collections.abc import Sequence
from dataclasses import dataclass

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, text

from layers.catalogue import Layer
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
