"""What a tile takes in place of a layer's features: pieces of untouched cells, and the features of touched ones."""

import math
from collections.abc import Mapping
from typing import Any

from sqlalchemy import BindParameter, FromClause, bindparam, column, text

from layers.catalogue import CGCS2000, DATA_SCHEMA, Layer
from layers.database import Reader
from layers.tables import feature_table, quoted
from tiles.generalised.bands import (
    CELL,
    Band,
    Box,
    cells_meeting,
    class_name,
    count_meeting,
    may_be_generalised,
)
from tiles.generalised.queries import standing_for

#: Touched cells in a tile above which all of it is drawn from the features.
_MOST_TOUCHED = 64
#: Column that tells how many points one stands for, as MapLibre's own clusters call it.
POINT_COUNT = "point_count"


def touched_cells(reader: Reader, layer: Layer, box: Box) -> Mapping[str, Any] | None:
    """Which cells of a box [degrees] are to be drawn from the features, as :func:`source` binds it; None for all."""
    if not may_be_generalised(layer):
        return None
    stands = standing_for(reader, layer.id)
    if stands is None or stands.boxes is None:
        return None
    met = [touched for touched in stands.boxes if _meet(touched, box)]
    if sum(map(count_meeting, met)) > _MOST_TOUCHED:
        return None
    cells = sorted(cells_meeting(met))
    # A piece reaches at most one cell beyond its own, unless it is wide.
    west, south, east, north = (math.floor(side / CELL) for side in box)
    sides = {"west": west - 1, "south": south - 1, "east": east, "north": north}
    return {"x": [cell.x for cell in cells], "y": [cell.y for cell in cells], **sides}


def _meet(one: Box, other: Box) -> bool:
    return one[0] <= other[2] and one[2] >= other[0] and one[1] <= other[3] and one[3] >= other[1]


def source(layer: Layer, band: Band, n: int, searched: str) -> FromClause:
    """Rows with the columns of the layer's features, and ``point_count``.

    Binds ``<name>_<n>`` of :func:`touched_cells`, ``least_degrees``, and the box: ``west<searched>`` and so on.
    """
    t = feature_table(layer)
    fields = [f.name for f in layer.fields]
    own = ", ".join(f"t.{quoted(name)}" for name in fields)
    named = {layer.title_field: "g.name", class_name(layer): "g.class"}
    either = ", ".join(
        f"coalesce(t.{quoted(name)}, {named[name]}) AS {quoted(name)}" if name in named else f"t.{quoted(name)}"
        for name in fields
    )
    table = quoted(DATA_SCHEMA, layer.table)
    sides = ", ".join(f"cast(:{side}{searched} AS float8)" for side in ("west", "south", "east", "north"))
    of_band = f"FROM citymap.generalised WHERE layer = :layer_{n} AND band = {band.number}"
    touched = f"unnest(cast(:x_{n} AS int[]), cast(:y_{n} AS int[])) AS c (x, y)"
    here = f"cx BETWEEN :west_{n} AND :east_{n} AND cy BETWEEN :south_{n} AND :north_{n}"
    statement = f"""
        SELECT t.id, ST_SetSRID(g.geom, {layer.srid:d}) AS geom, {either}, g.point_count
        FROM (SELECT * {of_band} AND NOT wide AND {here} UNION ALL SELECT * {of_band} AND wide) AS g
        LEFT JOIN {table} AS t ON t.id = g.feature
        WHERE g.geom && ST_MakeEnvelope({sides}, {CGCS2000}) AND (g.feature IS NULL OR t.id IS NOT NULL)
          AND (g.cx, g.cy) NOT IN (SELECT c.x, c.y FROM {touched})
        UNION ALL
        SELECT t.id, t.geom, {own}, NULL FROM {touched} JOIN {table} AS t ON {_belongs(layer)}
        WHERE t.geom && ST_MakeEnvelope({sides}, {layer.srid:d})"""
    columns = [column("id", t.c.id.type), column("geom", t.c.geom.type), *(column(f, t.c[f].type) for f in fields)]
    named_layer: BindParameter[str] = bindparam(f"layer_{n}", layer.id)
    return text(statement).bindparams(named_layer).columns(*columns, column(POINT_COUNT)).subquery(f"G{n}")


def _belongs(layer: Layer) -> str:
    """Whether feature t is drawn with touched cell c: lines with all that they meet, others with their corner's."""
    sides = f"c.x * {CELL}, c.y * {CELL}, (c.x + 1) * {CELL}, (c.y + 1) * {CELL}"
    meets = f"t.geom && ST_MakeEnvelope({sides}, {layer.srid:d})"
    if layer.geometry_type in ("LineString", "MultiLineString"):
        return meets
    corner = f"floor(ST_XMin(t.geom) / {CELL}) = c.x AND floor(ST_YMin(t.geom) / {CELL}) = c.y"
    if layer.geometry_type in ("Point", "MultiPoint"):
        return f"{meets} AND {corner}"
    size = "ST_XMax(t.geom) - ST_XMin(t.geom) + ST_YMax(t.geom) - ST_YMin(t.geom)"
    return f"{meets} AND {corner} AND {size} > cast(:least_degrees AS float8)"
