"""The gazetteer's SQL beside its lookups: what a query may mean, and what is told of features.

Features, areas and cells are read from the layers' own tables, so the caller's policies decide which there are.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text

from layers.catalogue import CGCS2000, DATA_SCHEMA, Layer
from layers.gazetteer.model import Area, GridCell, NearFeature, Point
from layers.gazetteer.reading import Piece
from layers.tables import quoted

_ENGLISH_WORD = re.compile("[A-Za-z]{3}")

_PIECES = """
    SELECT -n, key, parts[1], parts[2], parts[3]
    FROM unnest(CAST(:pieces AS text[])) WITH ORDINALITY AS p (piece, n),
         LATERAL (SELECT left(citymap.name_key(piece), 100) AS key) AS k,
         LATERAL (SELECT citymap.address_parts(key) AS parts) AS a"""


def understand(
    conn: Connection, layers: Mapping[str, Layer], query: str, texts: Sequence[str]
) -> tuple[list[Piece], list[Area]]:
    """The keys of texts, taken apart as addresses, and the areas whose names begin somewhere in the query.

    The ``name`` of an area has its keys in both languages, a line each.
    """
    statement, values = _PIECES, dict[str, Any]({"pieces": list(texts)})
    if areas := layers.get("admin-areas"):
        english, where = column_of(areas, "name_en"), ["strpos(:query, left(name, 2)) > 0"]
        values |= {"query": query}
        if areas.field("name_en") and _ENGLISH_WORD.search(query):
            where.append(f"strpos(:small, lower({english})) > 0")
            values |= {"small": query.lower()}
        statement += f"""
            UNION ALL (SELECT id, concat_ws(chr(10), citymap.name_key(name), citymap.name_key({english})),
                {column_of(areas, "level")}, {column_of(areas, "code")}, NULL
            FROM {table_of(areas)} WHERE {" OR ".join(where)} LIMIT 300)"""
    rows = conn.execute(text(statement), values).all()
    found = sorted((row for row in rows if row[0] < 0), reverse=True)
    return [Piece(*row[1:]) for row in found], [Area(*row[:4]) for row in rows if row[0] > 0]


def sounds(conn: Connection, stems: Sequence[str]) -> dict[str, tuple[str, list[str]]]:
    """The pinyin of Chinese stems, and the tokens of their syllables."""
    found = conn.execute(
        text("""
        SELECT text, pinyin, ARRAY(SELECT x FROM unnest(tsvector_to_array(tokens)) AS x WHERE starts_with(x, '~'))
        FROM citymap.spelled(CAST(:stems AS text[]))"""),
        {"stems": list(dict.fromkeys(stems))},
    )
    return {row[0]: (row[1], row[2]) for row in found}


def table_of(layer: Layer) -> str:
    """The table of a layer as SQL names it."""
    return quoted(DATA_SCHEMA, layer.table)


def column_of(layer: Layer, name: str) -> str:
    """The column of a field, or NULL where the layer has none of that name."""
    return quoted(name) if layer.field(name) else "NULL::text"


def read_features(
    conn: Connection, layers: Mapping[str, Layer], wanted: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], tuple[str | None, Point]]:
    """Title and a point on each feature, by layer and id."""
    branches, values = [], dict[str, Any]()
    for n, name in enumerate(sorted({layer for layer, _ in wanted})):
        layer = layers[name]
        title = quoted(layer.title_field) if layer.title_field else "NULL::text"
        values |= {f"layer{n}": name, f"ids{n}": [feature for layer_id, feature in wanted if layer_id == name]}
        branches.append(f"""
            SELECT CAST(:layer{n} AS text), id, {title}, ST_X(p), ST_Y(p)
            FROM {table_of(layer)}, ST_Transform(ST_PointOnSurface(geom), {CGCS2000}) AS p
            WHERE id = ANY (:ids{n}) AND NOT ST_IsEmpty(p)""")
    found = conn.execute(text(" UNION ALL ".join(branches)), values) if branches else ()
    return {(row[0], row[1]): (row[2], Point(round(row[3], 9), round(row[4], 9))) for row in found}


def surroundings(
    conn: Connection, layers: Mapping[str, Layer], points: Sequence[Point]
) -> list[tuple[tuple[Area, ...], GridCell | None]]:
    """The areas from the largest, and the unit grid cell, that each point lies in, as the caller may see them."""
    areas = _areas_at(conn, layers["admin-areas"], points) if "admin-areas" in layers and points else [()] * len(points)
    cells = _grid_at(conn, layers["grid-cells"], points) if "grid-cells" in layers and points else [None] * len(points)
    return list(zip(areas, cells, strict=True))


def _areas_at(conn: Connection, layer: Layer, points: Sequence[Point]) -> list[tuple[Area, ...]]:
    """The areas that each point lies in, from the largest."""
    found = _lying_in(conn, layer, points, f"a.name, {column_of(layer, 'level')}, {column_of(layer, 'code')}")
    return [tuple(Area(*row) for row in rows) for rows in found]


def _grid_at(conn: Connection, layer: Layer, points: Sequence[Point]) -> list[GridCell | None]:
    """The unit grid cell that each point lies in."""
    name = layer.title_field or layer.key_field
    found = _lying_in(conn, layer, points, quoted(name) if name else "NULL::text")
    # cells do not overlap: where they touch, the smaller comes last
    return [GridCell(*rows[-1]) if rows else None for rows in found]


def _lying_in(conn: Connection, layer: Layer, points: Sequence[Point], columns: str) -> list[list[Any]]:
    found = conn.execute(
        text(f"""
        SELECT p.n, a.id, {columns}
        FROM unnest(CAST(:lon AS float8[]), CAST(:lat AS float8[])) WITH ORDINALITY AS p (lon, lat, n)
        JOIN {table_of(layer)} a
            ON ST_Intersects(a.geom, ST_Transform(ST_SetSRID(ST_MakePoint(p.lon, p.lat), {CGCS2000}), {layer.srid:d}))
        ORDER BY p.n, ST_Area(a.geom) DESC, a.id"""),
        {"lon": [p.lon for p in points], "lat": [p.lat for p in points]},
    )
    rows: list[list[Any]] = [[] for _ in points]
    for n, *values in found:
        rows[n - 1].append(values)
    return rows


def nearest(conn: Connection, layer: Layer, point: Point, radius: float, limit: int) -> list[NearFeature]:
    """The features of a layer within ``radius`` [m] of a point, the nearest first.

    The index orders by degrees, which are shorter from west to east; so the farthest of its first ones bounds the box
    in which the nearest in metres are looked for.
    """
    title = quoted(layer.title_field) if layer.title_field else "NULL::text"
    metres = f"ST_Distance(ST_Transform(f.geom, {CGCS2000})::geography, o.point::geography)"
    found = conn.execute(
        text(f"""
            WITH o AS (SELECT ST_SetSRID(ST_MakePoint(:lon, :lat), {CGCS2000}) AS point),
            first AS (
                SELECT {metres} AS distance FROM o, LATERAL (
                    SELECT geom FROM {table_of(layer)} WHERE NOT ST_IsEmpty(geom)
                    ORDER BY geom <-> ST_Transform(o.point, {layer.srid:d}) LIMIT :limit) AS f
            ),
            bound AS (
                SELECT CASE WHEN count(*) < :limit THEN :radius ELSE least(:radius, max(distance)) END AS metres
                FROM first
            ),
            box AS (
                SELECT ST_Transform(ST_MakeEnvelope(:lon - w, :lat - h, :lon + w, :lat + h, {CGCS2000}),
                                    {layer.srid:d}) AS shape
                FROM bound, LATERAL (SELECT metres / 110000 AS h) AS high,
                    LATERAL (SELECT h / greatest(cos(radians(:lat)), 0.01) AS w) AS wide
            ),
            near AS (
                SELECT f.id, {title} AS name, {metres} AS distance,
                       ST_Transform(ST_PointOnSurface(f.geom), {CGCS2000}) AS at
                FROM o, box, {table_of(layer)} f WHERE f.geom && box.shape
            )
            SELECT id, name, distance, ST_X(at), ST_Y(at) FROM near WHERE distance <= :radius AND NOT ST_IsEmpty(at)
            ORDER BY distance, id LIMIT :limit"""),
        {"lon": point.lon, "lat": point.lat, "radius": radius, "limit": limit},
    )
    return [
        NearFeature(layer.id, row[0], row[1], round(row[2], 2), Point(round(row[3], 9), round(row[4], 9)))
        for row in found
    ]
