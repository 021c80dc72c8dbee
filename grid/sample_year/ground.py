"""What the sample year happens on: grids, unit grid cells, workers, departments, limits and rules of dispatch."""

from collections.abc import Sequence
from random import Random

import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, text

from grid.cells import queries as cells
from grid.cells.codes import COMMUNITY_DIGITS, cell_code
from grid.cells.division import divide, in_reading_order
from grid.options import GridOptions
from grid.sample_year.kinds import DEPARTMENTS, Kind
from layers.registry import load_layers

#: Communities at the centre whose unit grid is built; ``build-unit-grid`` builds the others'.
CENTRAL = 30
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
_NAMES = "敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚英华玉萍红玲芬燕"
_DIVIDERS = {"roads": "class NOT IN ('footway', 'cycleway', 'track') OR class IS NULL", "water": "true"}
_SERVICES = "社情民意收集；矛盾纠纷调解；安全隐患排查；便民代办"
_GRIDS = text("""
    INSERT INTO city.grid_cells (geom, code, name, kind, parent, area_type, worker, worker_name, phone, services,
                                 households, area, status, since)
    SELECT a.geom, a.code || '01', a.name || '第一网格', 'grid', a.code,
           CASE WHEN a.population > 1000 THEN '一类区域' ELSE '二类区域' END,
           'w-' || a.code, (CAST(:names AS text[]))[a.n], '0711-6' || lpad(a.n::text, 6, '0'), :services,
           greatest(1, round(a.population / 2.9))::int,
           round(ST_Area(ST_Transform(a.geom, CAST(:srid AS int)))::numeric, 1), 'current', CAST(:since AS date)
    FROM (SELECT *, row_number() OVER (ORDER BY code)::int AS n FROM city.admin_areas WHERE level = 'community') a
    RETURNING code""")
_WORKERS = text("""
    INSERT INTO city.grid_workers (geom, code, name, account, post, phone, grid, area_code, active)
    SELECT ST_PointOnSurface(geom), worker, worker_name, worker, '网格员', phone, code, parent, true
    FROM city.grid_cells WHERE kind = 'grid'""")
_UNITS = text("""
    INSERT INTO city.grid_cells (geom, code, kind, parent, area_type, area, status, since)
    SELECT ST_Multi(ST_GeomFromWKB(u.wkb, 4490)), u.code, 'unit', u.parent, '一类区域',
           round(ST_Area(ST_Transform(ST_GeomFromWKB(u.wkb, 4490), CAST(:srid AS int)))::numeric, 1), 'current',
           CAST(:since AS date)
    FROM unnest(CAST(:codes AS text[]), CAST(:parents AS text[]), CAST(:shapes AS bytea[])) AS u (code, parent, wkb)""")


def lay_grids(conn: Connection, options: GridOptions, srid: int, since: str, dice: Random) -> int:
    """A grid with its worker for each community, and unit cells at the centre; returns how many cells.

    ``srid`` is the projected system that areas are measured in, ``since`` the day from which they are in use.
    """
    communities = cells.areas(conn, "", COMMUNITY_DIGITS)
    names = [dice.choice(_SURNAMES) + "".join(dice.choices(_NAMES, k=dice.randint(1, 2))) for _ in communities]
    grids = conn.execute(_GRIDS, {"names": names, "services": _SERVICES, "srid": srid, "since": since}).rowcount
    conn.execute(_WORKERS)
    middle = shapely.union_all([shapely.centroid(one) for one in communities.values()]).centroid
    central = sorted(communities, key=lambda code: (communities[code].distance(middle), code))[:CENTRAL]
    units = [unit for code in central for unit in _units(conn, code, communities[code], options.cell_area)]
    columns = dict(zip(("codes", "parents", "shapes"), map(list, zip(*units, strict=True)), strict=True))
    if units:
        conn.execute(_UNITS, {**columns, "srid": srid, "since": since})
    return grids + len(units)


def _units(conn: Connection, community: str, shape: BaseGeometry, wished: float) -> list[tuple[str, str, bytes]]:
    layers = load_layers(conn)
    lines = [
        line for name, where in _DIVIDERS.items() for line in cells.dividing_lines(conn, layers[name], shape, where)
    ]  # fmt: skip
    made = [cell for part in shapely.get_parts(shape) for cell in divide(part, lines, wished)]
    return [
        (cell_code(community, n + 1), community, shapely.to_wkb(made[index]))
        for n, index in enumerate(in_reading_order(made, wished))
    ]


def write_rules(conn: Connection, kinds: Sequence[Kind], scheme: str) -> None:
    """The departments, the conditions for filing with their limits, and who gets which class; those there stay."""
    conn.execute(
        text("INSERT INTO access.departments (id, zh, en) VALUES (:id, :zh, :en) ON CONFLICT DO NOTHING"),
        [dict(zip(("id", "zh", "en"), one, strict=True)) for one in DEPARTMENTS],
    )
    values = [
        {"scheme": scheme, "class": one.code, "condition": one.condition, "amount": one.amount, "unit": one.unit,
         "department": one.department}
        for one in kinds
    ]  # fmt: skip
    for statement in (
        "INSERT INTO grid.conditions (scheme, kind, class, condition, amount, unit, closing)"
        " VALUES (:scheme, 'event', :class, :condition, :amount, :unit, '问题消除') ON CONFLICT DO NOTHING",
        "INSERT INTO grid.dispatch_rules (scheme, kind, class, department, note)"
        " VALUES (:scheme, 'event', :class, :department, '示范') ON CONFLICT DO NOTHING",
    ):
        conn.execute(text(statement), values)
