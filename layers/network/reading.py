"""What the network reads from PostGIS: road edges, turn restrictions, and what has changed since."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text

from layers.catalogue import CGCS2000, DATA_SCHEMA, Layer
from layers.crs import coincident
from layers.network.edges import Edges, edges_of
from layers.network.turns import Restriction
from layers.tables import quoted

ROADS = "roads"
RESTRICTIONS = "turn-restrictions"
_ROAD_FIELDS = ("name", "name_en", "class", "oneway", "maxspeed", "source_id")
_RESTRICTION_FIELDS = ("kind", "from_road", "to_road")

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Change:
    """A box in which rows of a layer changed, old and new places of them."""

    layer: str
    box: Box


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A moment of the database as a transaction sees it.

    ``seen``: PostgreSQL's snapshot. ``writes``: the transaction has changed something. ``database``: its oid.
    ``scope``: empty where everybody may read the roads, else what decides which of them.
    """

    seen: str
    writes: bool
    database: int
    scope: str


#: What the dirty log has that the earlier snapshot did not see, and always what the transaction itself changed. Not
#: told by ``seq``: of two transactions the later number may be the first to commit. ``tx`` and the snapshot tell
#: exactly. Rows restored from another server, whose transaction numbers are not of this one, are left out.
_LOOK = """
    SELECT now.*, change.* FROM (
        SELECT pg_current_snapshot()::text, pg_current_xact_id_if_assigned() IS NOT NULL,
            (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
            CASE WHEN bool_or(id = %(roads)s AND visibility = 'public') AND bool_and(visibility = 'public') THEN ''
            ELSE concat_ws(' ', current_user, current_setting('citymap.grants', true), max(updated)) END
        FROM citymap.layers WHERE id IN (%(roads)s, %(restrictions)s)
    ) AS now LEFT JOIN (
        SELECT layer, west, south, east, north FROM citymap.dirty
        WHERE layer IN (%(roads)s, %(restrictions)s, %(areas)s) AND tx >= pg_snapshot_xmin(%(seen)s::pg_snapshot)
            AND (NOT pg_visible_in_snapshot(tx, %(seen)s::pg_snapshot) AND tx < pg_snapshot_xmax(pg_current_snapshot())
                 OR tx = pg_current_xact_id_if_assigned())
        LIMIT %(at_most)s
    ) AS change ON true"""


def look(conn: Connection, seen: str | None, at_most: int) -> tuple[Snapshot, list[Change]]:
    """What the connection sees now, and what has changed since an earlier snapshot, in one statement.

    Whatever is read after it is no older. ``at_most`` + 1 changes tell that there are more. Changed areas count for
    those alone whose rights depend on them.
    """
    values = {
        "roads": ROADS,
        "restrictions": RESTRICTIONS,
        "areas": "admin-areas",
        "seen": seen,
        "at_most": at_most + 1,
    }
    # By the driver itself: this comes before every answer, and SQLAlchemy would triple its time.
    cursor = conn.connection.cursor()
    cursor.execute(_LOOK, values)
    rows = cursor.fetchall()
    cursor.close()
    now = Snapshot(*rows[0][:4])
    changes = [Change(row[4], (row[5], row[6], row[7], row[8])) for row in rows if row[4] is not None]
    return now, [change for change in changes if now.scope or change.layer != "admin-areas"]


def read_edges(conn: Connection, layer: Layer, boxes: Sequence[Box] | None = None) -> Edges:
    """The edges of the layer, or those that meet one of the boxes (west, south, east, north) [°]."""
    geometry = _geometry(layer)
    where, values = "", {}
    if boxes is not None:
        srid = layer.srid if geometry == "geom" else CGCS2000
        meets = (f"{geometry} && ST_MakeEnvelope(:w{i}, :s{i}, :e{i}, :n{i}, {srid:d})" for i in range(len(boxes)))
        where = f" AND ({' OR '.join(meets)})"
        values = {f"{side}{i}": value for i, box in enumerate(boxes) for side, value in zip("wsen", box, strict=True)}
    rows: Any = conn.execute(
        text(
            f"SELECT id, ST_AsBinary(ST_Force2D({geometry})), {_columns(layer, _ROAD_FIELDS)}"
            f" FROM {quoted(DATA_SCHEMA, layer.table)} WHERE NOT ST_IsEmpty(geom){where} ORDER BY id"
        ),
        values,
    )
    return edges_of(rows.all())


def read_restrictions(conn: Connection, layers: Mapping[str, Layer]) -> list[Restriction]:
    """Every turn restriction that names its roads."""
    layer = layers.get(RESTRICTIONS)
    if layer is None:
        return []
    point = _geometry(layer)
    rows: Any = conn.execute(
        text(
            f"SELECT {_columns(layer, _RESTRICTION_FIELDS)}, ST_X({point}), ST_Y({point})"
            f" FROM {quoted(DATA_SCHEMA, layer.table)}"
            " WHERE NOT ST_IsEmpty(geom) AND kind IS NOT NULL AND from_road IS NOT NULL AND to_road IS NOT NULL"
            " ORDER BY id"
        )
    )
    return [Restriction(*row) for row in rows]


def _geometry(layer: Layer) -> str:
    """The geometry in CGCS2000 degrees."""
    return "geom" if coincident(layer.srid, CGCS2000) else f"ST_Transform(geom, {CGCS2000:d})"


def _columns(layer: Layer, names: Sequence[str]) -> str:
    """The fields of the layer of these names; NULL for one that it lacks."""
    return ", ".join(quoted(name) if layer.field(name) else f"NULL AS {quoted(name)}" for name in names)
