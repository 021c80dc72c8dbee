"""The SQL of grid cells: what divides a community, what there is, what becomes of it."""

from collections.abc import Sequence
from typing import Any

import shapely
from psycopg2.errors import InsufficientPrivilege
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from grid.cells.checking import Cell
from layers.catalogue import Layer
from layers.features import RowDenied
from layers.tables import quoted

#: Most lines and cells that are read for one community [features].
MOST = 50_000


def areas(conn: Connection, prefix: str, digits: int) -> dict[str, BaseGeometry]:
    """Administrative areas whose codes have so many digits and begin so, in degrees."""
    rows = conn.execute(
        text("""
            SELECT code, ST_AsBinary(geom) FROM city.admin_areas
            WHERE starts_with(code, :prefix) AND length(code) = :digits AND geom IS NOT NULL ORDER BY code"""),
        {"prefix": prefix, "digits": digits},
    )
    return {row[0]: shapely.from_wkb(bytes(row[1])) for row in rows}


def dividing_lines(conn: Connection, layer: Layer, inside: BaseGeometry, where: str = "true") -> list[BaseGeometry]:
    """The lines and edges of a layer's features that touch a shape, in degrees; ``where`` is a fixed condition."""
    rows = conn.execute(
        text(f"""
            SELECT ST_AsBinary(CASE ST_Dimension(g) WHEN 2 THEN ST_Boundary(g) ELSE g END)
            FROM {quoted("city", layer.table)} f, LATERAL (SELECT ST_Transform(f.geom, 4490) AS g) t
            WHERE f.geom && ST_Transform(ST_GeomFromWKB(:shape, 4490), {layer.srid:d})
              AND ST_Dimension(g) > 0 AND {where}
            LIMIT {MOST}"""),
        {"shape": shapely.to_wkb(inside)},
    )
    return [shapely.from_wkb(bytes(row[0])) for row in rows]


def current_cells(conn: Connection, prefix: str, kinds: Sequence[str] = ("unit",)) -> list[Cell]:
    """The cells in use whose community or code begins so."""
    rows = conn.execute(
        text(f"""
            SELECT coalesce(code, ''), parent, ST_AsBinary(ST_Transform(geom, 4490)) FROM city.grid_cells
            WHERE kind = ANY (:kinds) AND status IS DISTINCT FROM 'retired' AND geom IS NOT NULL
              AND (starts_with(parent, :prefix) OR starts_with(code, :prefix)) ORDER BY code LIMIT {MOST}"""),
        {"prefix": prefix, "kinds": list(kinds)},
    )
    return [Cell(row[0], row[1], _single(shapely.from_wkb(bytes(row[2])))) for row in rows]


def _single(shape: BaseGeometry) -> BaseGeometry:
    parts = shapely.get_parts(shape)
    return parts[0] if len(parts) == 1 else shape


def used_codes(conn: Connection, prefix: str) -> list[str]:
    """Every code that begins so and was ever given, also of cells that are gone."""
    rows = conn.execute(
        text("""
            SELECT code FROM city.grid_cells WHERE starts_with(code, :prefix)
            UNION SELECT code FROM history.grid_cells WHERE starts_with(code, :prefix)"""),
        {"prefix": prefix},
    )
    return [row[0] for row in rows]


def lock_cells(conn: Connection, community: str) -> None:
    """Nobody else gives codes in this community until the transaction ends."""
    conn.execute(text("SELECT pg_advisory_xact_lock(hashtext('grid.cells ' || :community))"), {"community": community})


def cells_named(conn: Connection, codes: Sequence[str]) -> list[dict[str, Any]]:
    """Cells by their codes, with all that a successor takes over."""
    rows = conn.execute(
        text("""
            SELECT code, name, kind, parent, area_type, department, worker, worker_name, phone, services, status,
                   successors, ST_AsBinary(geom) AS wkb
            FROM city.grid_cells WHERE code = ANY (:codes) ORDER BY code FOR NO KEY UPDATE"""),
        {"codes": list(codes)},
    )
    return [dict(row) for row in rows.mappings()]


_ADD = text("""
    INSERT INTO city.grid_cells (geom, code, name, kind, parent, area_type, department, worker, worker_name, phone,
        services, area, status, since, predecessors)
    SELECT ST_Multi(g), :code, :name, :kind, :parent, :area_type, :department, :worker, :worker_name, :phone,
        :services, round(ST_Area(ST_Transform(g, CAST(:srid AS int)))::numeric, 1), 'current', current_date,
        CAST(:predecessors AS text[])
    FROM (SELECT ST_GeomFromWKB(:wkb, 4490) AS g) s
    RETURNING area""")
_TAKEN_OVER = ("area_type", "department", "worker", "worker_name", "phone", "services", "name")


def add_cell(
    conn: Connection,
    shape: BaseGeometry,
    code: str,
    kind: str,
    parent: str,
    srid: int,
    former: Sequence[dict[str, Any]] = (),
) -> float:
    """Enter a cell; what its predecessors agree on it takes over. Returns its area [m²] in the projected system.

    Raises :class:`RowDenied` where the principal may not.
    """  # fmt: skip
    same = {name: {one[name] for one in former} for name in _TAKEN_OVER}
    values = {name: found.pop() if len(found) == 1 else None for name, found in same.items()}
    values |= {"code": code, "kind": kind, "parent": parent, "srid": srid, "wkb": shapely.to_wkb(shape)}
    try:
        area: float = conn.execute(_ADD, {**values, "predecessors": [one["code"] for one in former]}).scalar_one()
    except ProgrammingError as error:
        if isinstance(error.orig, InsufficientPrivilege):
            raise RowDenied("you may not make grid cells there") from None
        raise
    return area


def retire_cell(conn: Connection, code: str, successors: Sequence[str]) -> None:
    """A cell is in use no longer; others follow it. Raises :class:`RowDenied`."""
    changed = conn.execute(
        text("""
            UPDATE city.grid_cells
            SET status = 'retired', until = current_date, successors = CAST(:successors AS text[])
            WHERE code = :code"""),
        {"code": code, "successors": list(successors)},
    )
    if changed.rowcount == 0:
        raise RowDenied(f"you may not change grid cell {code}")


def successors_of(conn: Connection, code: str) -> list[tuple[str, str | None, str | None]] | None:
    """Code, status and name of the cells in use that a code leads to, itself included; None for an unknown code."""
    rows = conn.execute(
        text("""
            WITH RECURSIVE led AS (
                SELECT code, status, name, successors FROM city.grid_cells WHERE code = :code
                UNION
                SELECT c.code, c.status, c.name, c.successors
                FROM led JOIN city.grid_cells c ON c.code = ANY (led.successors)
            )
            SELECT code, status, name FROM led ORDER BY code"""),
        {"code": code},
    ).all()
    return [(row[0], row[1], row[2]) for row in rows if row[1] != "retired"] if rows else None
