"""SQL of derived layers. Identifiers come from the catalogue; values are bound."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import shapely
from psycopg2.extras import execute_values
from sqlalchemy import Connection, text

from layers.catalogue import CGCS2000, DATA_SCHEMA, Layer
from layers.tables import quoted

type Box = tuple[float, float, float, float]


class Footprint(NamedTuple):
    """A footprint: its shape [CGCS2000 degrees, 2D], from when the feature is so, and whether nothing but the surface
    tells how high it is."""

    id: int
    shape: Any
    valid_from: datetime
    height_unknown: bool


def footprints_in(
    conn: Connection, derived: Layer, source: Layer, box: Box, *, anew: bool, most: int
) -> list[Footprint]:
    """The footprints that meet a box [degrees]: all of them, or those of which nothing is known yet."""
    unknown = " AND ".join(f"coalesce({quoted(f)}, 0) <= 0" for f in ("height", "floors") if source.field(f)) or "true"
    statement = text(f"""
        SELECT b.id, ST_AsBinary(ST_Force2D(ST_Transform(b.geom, {CGCS2000}))), b.valid_from, {unknown}
        FROM {quoted(DATA_SCHEMA, source.table)} b
        WHERE b.geom && ST_Transform(ST_MakeEnvelope(:west, :south, :east, :north, {CGCS2000}), {source.srid:d})
          AND NOT ST_IsEmpty(b.geom)
          AND (:anew OR NOT EXISTS (
              SELECT FROM citymap.ground g WHERE g.layer = :layer AND g.id = b.id AND g.valid_from = b.valid_from))
        LIMIT :most""")
    values = {"layer": derived.id, "anew": anew, "most": most, **_sides(box)}
    rows = conn.execute(statement, values).all()
    return [Footprint(row[0], shapely.from_wkb(bytes(row[1])), row[2], row[3]) for row in rows]


def store_ground(conn: Connection, derived: Layer, rows: Sequence[tuple[Any, ...]]) -> None:
    """Keep (id, valid_from, ground, lowest, surface) of footprints."""
    cursor = conn.connection.cursor()
    execute_values(
        cursor,
        "INSERT INTO citymap.ground (layer, id, valid_from, ground, lowest, surface) VALUES %s"
        " ON CONFLICT (layer, id, valid_from) DO UPDATE"
        " SET ground = excluded.ground, lowest = excluded.lowest, surface = excluded.surface",
        [(derived.id, *row) for row in rows],
        page_size=1000,
    )


def tell_worked_out(conn: Connection, derived: Layer, box: Box) -> None:
    """Tiles that show the layer in a box [degrees] are to be drawn anew."""
    statement = text("SELECT citymap.worked_out(:layer, :west, :south, :east, :north)")
    conn.execute(statement, {"layer": derived.id, **_sides(box)})


def replace_contours(
    conn: Connection, derived: Layer, cell: str, box: Box, lines: Sequence[tuple[float, bool, bytes]]
) -> None:
    """Put contours (height [m], whether an index contour, WKB in degrees) of a cell in the place of its old ones."""
    table = quoted(DATA_SCHEMA, derived.table)
    conn.execute(
        text(f"""DELETE FROM {table} WHERE cell = :cell
                 AND geom && ST_MakeEnvelope(:west, :south, :east, :north, {CGCS2000})"""),
        {"cell": cell, **_sides(box)},
    )
    cursor = conn.connection.cursor()
    execute_values(
        cursor,
        f"INSERT INTO {table} (elevation, index, cell, geom) VALUES %s",
        [(height, index, cell, line) for height, index, line in lines],
        template=f"(%s, %s, %s, ST_GeomFromWKB(%s, {CGCS2000}))",
        page_size=500,
    )


def _sides(box: Box) -> dict[str, float]:
    return dict(zip(("west", "south", "east", "north"), box, strict=True))
