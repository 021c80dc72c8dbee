"""The SQL of hot spots: grids with their cases, and the layer as it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

_LOCK = 0x686F_7473  # "hots": one keeper at a time
_COUNTS = text("""
    SELECT g.code, coalesce(n.cases, 0) FROM city.grid_cells g
    LEFT JOIN (SELECT social_grid, count(*) AS cases FROM city.cases
               WHERE reported_at >= CAST(:at AS timestamptz) - :days * interval '1 day' AND duplicate_of IS NULL
               GROUP BY social_grid) n ON n.social_grid = g.code
    WHERE g.kind IN ('grid', 'special') AND g.status IS DISTINCT FROM 'retired' ORDER BY g.code""")
_KEPT = text("SELECT grid, cases, days FROM city.case_hot_spots ORDER BY grid")
_CHANGED = text("""
    SELECT EXISTS (SELECT FROM city.grid_cells g JOIN city.case_hot_spots h ON h.grid = g.code
                   WHERE (h.name, h.area_code) IS DISTINCT FROM (coalesce(g.name, g.code), g.parent)
                      OR h.geom::bytea <> g.geom::bytea)""")
_SHAPES = text("""
    SELECT code, ST_AsBinary(ST_Transform(geom, CAST(:srid AS int)))
    FROM city.grid_cells WHERE code = ANY (:codes) ORDER BY code""")
_WRITE = text("""
    INSERT INTO city.case_hot_spots (geom, grid, name, area_code, cases, days, density, z, p, class, computed_at)
    SELECT g.geom, g.code, coalesce(g.name, g.code), g.parent, n.cases, n.days, n.density, n.z, n.p, n.class, :at
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS n (grid text, cases int, days int, density float8, z float8,
                                                        p float8, class text)
    JOIN city.grid_cells g ON g.code = n.grid
    ON CONFLICT (grid) DO UPDATE SET geom = excluded.geom, name = excluded.name, area_code = excluded.area_code,
        cases = excluded.cases, days = excluded.days, density = excluded.density, z = excluded.z, p = excluded.p,
        class = excluded.class, computed_at = excluded.computed_at
    WHERE (case_hot_spots.name, case_hot_spots.area_code, case_hot_spots.cases, case_hot_spots.days,
           case_hot_spots.density, case_hot_spots.z, case_hot_spots.class, case_hot_spots.geom::bytea)
        IS DISTINCT FROM (excluded.name, excluded.area_code, excluded.cases, excluded.days, excluded.density,
                          excluded.z, excluded.class, excluded.geom::bytea)""")
_DROP = text("DELETE FROM city.case_hot_spots WHERE NOT grid = ANY (:codes)")


@dataclass(frozen=True, slots=True)
class GridShape:
    """A grid: its outline in the projected system as WKB."""

    code: str
    wkb: bytes


def has_layer(conn: Connection) -> bool:
    """Whether there is the layer of hot spots and that of cases."""
    known = "SELECT count(*) FROM citymap.layers WHERE id IN ('case-hot-spots', 'cases', 'grid-cells')"
    return conn.exec_driver_sql(known).scalar() == 3


def my_turn(conn: Connection) -> bool:
    """Whether nobody else works the layer out; then nobody will until the transaction ends."""
    return bool(conn.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _LOCK}).scalar())


def counted(conn: Connection, at: datetime, days: int) -> list[tuple[str, int]]:
    """The cases of each grid in so many days before an instant, repeated reports once."""
    return [(row[0], row[1]) for row in conn.execute(_COUNTS, {"at": at, "days": days})]


def is_current(conn: Connection, counts: Sequence[tuple[str, int]], days: int) -> bool:
    """Whether the layer says so already, of the grids as they are."""
    kept = [tuple(row) for row in conn.execute(_KEPT)]
    return kept == [(*one, days) for one in counts] and not conn.execute(_CHANGED).scalar()


def shapes_of(conn: Connection, codes: Sequence[str], srid: int) -> list[GridShape]:
    """The outlines of grids, by code."""
    rows = conn.execute(_SHAPES, {"codes": list(codes), "srid": srid})
    return [GridShape(row[0], bytes(row[1])) for row in rows]


def keep(conn: Connection, rows: Sequence[dict[str, Any]], at: datetime) -> int:
    """Write the layer; only grids of which something differs change. Returns how many."""
    gone = conn.execute(_DROP, {"codes": [row["grid"] for row in rows]}).rowcount
    if not rows:
        return gone
    return gone + conn.execute(_WRITE, {"rows": orjson.dumps(list(rows)).decode(), "at": at}).rowcount
