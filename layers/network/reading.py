"""What the network reads from PostGIS: road edges and turn restrictions."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from layers.catalogue import CGCS2000, DATA_SCHEMA, Layer
from layers.crs import coincident
from layers.following import Box
from layers.network.edges import Edges, edges_of
from layers.network.turns import Restriction
from layers.tables import quoted

ROADS = "roads"
RESTRICTIONS = "turn-restrictions"
_ROAD_FIELDS = ("name", "name_en", "class", "oneway", "maxspeed", "source_id")
_RESTRICTION_FIELDS = ("kind", "from_road", "to_road")


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
