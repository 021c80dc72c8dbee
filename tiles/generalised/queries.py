"""SQL of generalised layers. Identifiers come from the catalogue; values are bound."""

from collections.abc import Mapping, Sequence
from csv import QUOTE_NOTNULL, writer
from io import StringIO
from typing import NamedTuple

import numpy as np
import shapely
from sqlalchemy import Connection, text

from layers.catalogue import CGCS2000, DATA_SCHEMA, Layer
from layers.database import Reader
from layers.tables import quoted
from tiles.generalised.bands import CELL, Box, Cell, Piece, class_name
from tiles.generalised.shapes import Features, wide

#: Dirty boxes read at once; where there are more, features are drawn as they are until they are worked out.
MOST_BOXES = 2000


class Standing(NamedTuple):
    """As of which snapshot the pieces of a layer are, and what was touched since; ``boxes`` is None for too much."""

    snapshot: str
    boxes: list[Box] | None


_TOUCHED = f"""
    SELECT g.snapshot::text, d.west, d.south, d.east, d.north
    FROM citymap.generalised_layers AS g
    LEFT JOIN LATERAL (
        SELECT d.west, d.south, d.east, d.north FROM citymap.dirty AS d
        WHERE d.layer = g.layer AND d.tx >= pg_snapshot_xmin(g.snapshot)
          AND NOT pg_visible_in_snapshot(d.tx, g.snapshot)
          AND d.east - d.west < 360
        LIMIT {MOST_BOXES + 1}
    ) AS d ON true
    WHERE g.layer = """


def standing(conn: Connection, layer_id: str) -> Standing | None:
    """How a layer's pieces stand to its data; None where it has none."""
    return _standing(conn.execute(text(_TOUCHED + ":layer"), {"layer": layer_id}).all())


def standing_for(reader: Reader, layer_id: str) -> Standing | None:
    """The same, on a request's connection."""
    return _standing(reader.fetch(_TOUCHED + "%(layer)s", {"layer": layer_id}))


def _standing(rows: Sequence[Sequence[object]]) -> Standing | None:
    if not rows:
        return None
    boxes: list[Box] = [tuple(row[1:5]) for row in rows if row[1] is not None]  # type: ignore[misc]
    return Standing(str(rows[0][0]), boxes if len(boxes) <= MOST_BOXES else None)


def turn(conn: Connection, layer_id: str) -> bool:
    """Whether nobody else works on the layer or changes its rights now; then nobody will until the transaction ends."""
    statement = text("SELECT pg_try_advisory_xact_lock(hashtextextended('citymap generalised ' || :layer, 0))")
    return bool(conn.execute(statement, {"layer": layer_id}).scalar_one())


def now(conn: Connection) -> str:
    """The snapshot of the statement."""
    return str(conn.execute(text("SELECT pg_current_snapshot()::text")).scalar_one())


def table_size(conn: Connection, layer: Layer) -> int:
    """Bytes of the layer's table, without its indexes."""
    statement = text("SELECT pg_relation_size(cast(:table AS regclass))")
    return int(conn.execute(statement, {"table": quoted(DATA_SCHEMA, layer.table)}).scalar_one())


def occupied(conn: Connection, layer: Layer) -> set[Cell]:
    """The cells that hold the south-west corner of a feature, or that a wider one reaches."""
    statement = text(f"""
        SELECT DISTINCT x, y FROM {quoted(DATA_SCHEMA, layer.table)} AS t,
            generate_series(floor(ST_XMin(t.geom) / {CELL})::int, floor(ST_XMax(t.geom) / {CELL})::int) AS x,
            generate_series(floor(ST_YMin(t.geom) / {CELL})::int, floor(ST_YMax(t.geom) / {CELL})::int) AS y
        WHERE NOT ST_IsEmpty(t.geom)""")
    return {Cell(x, y) for x, y in conn.execute(statement)}


def features_in(conn: Connection, layer: Layer, cell: Cell) -> Features:
    """The features whose boxes meet a cell."""
    class_, title = (quoted(f) if f else "NULL" for f in (class_name(layer), layer.title_field))
    west, south, east, north = cell.box
    statement = text(f"""
        SELECT t.id, ST_AsBinary(ST_Force2D(t.geom)), {class_}, {title}
        FROM {quoted(DATA_SCHEMA, layer.table)} AS t
        WHERE t.geom && ST_MakeEnvelope(:west, :south, :east, :north, {layer.srid:d}) AND NOT ST_IsEmpty(t.geom)""")
    rows = conn.execute(statement, {"west": west, "south": south, "east": east, "north": north}).all()
    shapes = shapely.from_wkb([bytes(row[1]) for row in rows]) if rows else np.array([], dtype=object)
    return Features([row[0] for row in rows], shapes, [row[2] for row in rows], [row[3] for row in rows])


def replace_pieces(conn: Connection, layer: Layer, made: Mapping[Cell, Sequence[Piece]]) -> None:
    """Put the pieces of cells in the place of those that they have."""
    conn.execute(_DELETE, {"layer": layer.id, "x": [cell.x for cell in made], "y": [cell.y for cell in made]})
    file = StringIO()
    rows = writer(file, quoting=QUOTE_NOTNULL)
    for cell, pieces in made.items():
        shapes = np.array([p.shape for p in pieces], dtype=object)
        texts = shapely.to_wkb(shapely.set_srid(shapes, CGCS2000), hex=True, include_srid=True)
        for p, is_wide, geometry in zip(pieces, wide(shapes), texts, strict=True):
            rows.writerow(
                (layer.id, *cell, p.band, bool(is_wide), p.feature, p.class_, p.name, p.point_count, geometry)
            )
    file.seek(0)
    conn.connection.cursor().copy_expert(_COPY, file)


_DELETE = text("""
    DELETE FROM citymap.generalised AS g USING unnest(cast(:x AS int[]), cast(:y AS int[])) AS c (x, y)
    WHERE g.layer = :layer AND g.cx = c.x AND g.cy = c.y""")
#: An empty value is NULL, an empty text is quoted.
_COPY = (
    "COPY citymap.generalised (layer, cx, cy, band, wide, feature, class, name, point_count, geom)"
    " FROM STDIN (FORMAT csv)"
)


def note_standing(conn: Connection, layer_id: str, snapshot: str) -> None:
    """All pieces of a layer show the data as of a snapshot, or later."""
    statement = text("""
        INSERT INTO citymap.generalised_layers (layer, snapshot) VALUES (:layer, cast(:snapshot AS pg_snapshot))
        ON CONFLICT (layer) DO UPDATE SET snapshot = excluded.snapshot, at = now()""")
    conn.execute(statement, {"layer": layer_id, "snapshot": snapshot})


def outdated(conn: Connection, layer_id: str, days: float) -> bool:
    """Whether the pieces are from before what the log of dirty boxes is sure to hold."""
    statement = text(
        "SELECT at < now() - make_interval(secs => :s) FROM citymap.generalised_layers WHERE layer = :layer"
    )
    return bool(conn.execute(statement, {"layer": layer_id, "s": days * 86400}).scalar())


def forget(conn: Connection, layer_id: str) -> None:
    """Leave the layer without pieces."""
    for table in ("generalised_layers", "generalised"):
        conn.execute(text(f"DELETE FROM citymap.{table} WHERE layer = :layer"), {"layer": layer_id})
