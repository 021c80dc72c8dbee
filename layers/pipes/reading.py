"""What the pipe network reads from PostGIS: pipes and their nodes."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, text

from layers.catalogue import CGCS2000, DATA_SCHEMA, Layer
from layers.crs import coincident
from layers.following import Box
from layers.pipes.records import Records, records_of
from layers.tables import quoted

PIPES, NODES = "pipelines", "pipe-nodes"
_PIPE_NUMBERS = (
    *("diameter", "width", "height", "start_invert", "end_invert", "start_depth", "end_depth", "flow", "year_built"),
)
_PIPE_TEXTS = ("source_id", "kind", "from_node", "to_node", "material", "status", "road", "name", "pressure", "laying")
_NODE_NUMBERS = ("ground", "bottom", "customers", "demand")
_NODE_TEXTS = ("source_id", "kind", "fitting", "closed", "status", "name")


def read_pipes(conn: Connection, layer: Layer, boxes: Sequence[Box] | None = None) -> Records:
    """The pipes, or those that meet one of the boxes (west, south, east, north) [°]; abandoned ones too."""
    return _read(conn, layer, _PIPE_NUMBERS, _PIPE_TEXTS, boxes)


def read_nodes(conn: Connection, layer: Layer, boxes: Sequence[Box] | None = None) -> Records:
    """The nodes, or those in one of the boxes."""
    return _read(conn, layer, _NODE_NUMBERS, _NODE_TEXTS, boxes)


def _read(
    conn: Connection, layer: Layer, numbers: Sequence[str], texts: Sequence[str], boxes: Sequence[Box] | None
) -> Records:
    geometry = "geom" if coincident(layer.srid, CGCS2000) else f"ST_Transform(geom, {CGCS2000:d})"
    where, values = "", {}
    if boxes is not None:
        srid = layer.srid if geometry == "geom" else CGCS2000
        meets = (f"{geometry} && ST_MakeEnvelope(:w{i}, :s{i}, :e{i}, :n{i}, {srid:d})" for i in range(len(boxes)))
        where = f" AND ({' OR '.join(meets)})"
        values = {f"{side}{i}": value for i, box in enumerate(boxes) for side, value in zip("wsen", box, strict=True)}
    columns = (quoted(n) if layer.field(n) else f"NULL AS {quoted(n)}" for n in (*numbers, *texts))
    statement = (
        f"SELECT id, ST_AsBinary(ST_Force2D({geometry})), {', '.join(columns)}"
        f" FROM {quoted(DATA_SCHEMA, layer.table)} WHERE NOT ST_IsEmpty(geom){where} ORDER BY id"
    )
    rows: Any = conn.execute(text(statement), values).all()
    return records_of(rows, numbers, texts)
