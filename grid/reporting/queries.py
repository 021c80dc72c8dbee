"""The SQL of reports: enter one, find what is like it, keep its photos."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.errors import InsufficientPrivilege, UndefinedColumn, UndefinedTable
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from grid.reporting.photos import MEDIA_TYPE, Photo
from layers.features import RowDenied
from layers.registry import LayerNotFound


@dataclass(frozen=True, slots=True)
class SimilarCase:
    """A case that may be the same problem: how far it lies [m] and how long before or after it was reported [h]."""

    case: str
    id: int
    title: str | None
    state: str
    open: bool
    distance: float
    hours: float


@dataclass(frozen=True, slots=True)
class GridWorker:
    """The grid that a point lies in and who looks after it."""

    code: str
    name: str | None
    worker: str | None
    worker_name: str | None
    phone: str | None


_REPORT = text("""
    INSERT INTO city.cases (geom, kind, scheme, class, description, accuracy, channel, reporter_name, reporter_phone)
    VALUES (ST_SetSRID(ST_MakePoint(:lon, :lat), 4490), :kind, :scheme, :class, :description, :accuracy, :channel,
            :reporter_name, :reporter_phone)
    RETURNING id, code, state, title, place, grid, social_grid, area_code, component, component_distance, duplicate_of,
        revision, (SELECT jsonb_build_array(g.code, g.name, g.worker, g.worker_name, g.phone) FROM city.grid_cells g
                   WHERE g.code = coalesce(cases.social_grid, cases.grid)) AS worker""")


def enter_report(conn: Connection, values: Mapping[str, Any], *, separate: bool) -> Mapping[str, Any]:
    """Enter a report as a case, located and compared by the triggers of the layer; what it became.

    One statement, for it is what a city does most. Raises :class:`RowDenied` where the principal may not report,
    :class:`LayerNotFound` where there is no layer of cases.
    """
    if separate:
        conn.exec_driver_sql("SELECT set_config('citymap.separate', 'yes', true)")
    try:
        row = dict(conn.execute(_REPORT, values).mappings().one())
    except ProgrammingError as error:
        if isinstance(error.orig, InsufficientPrivilege):
            raise RowDenied("the report lies outside the area in which you may report cases") from None
        if isinstance(error.orig, UndefinedTable | UndefinedColumn):
            raise LayerNotFound("there is no layer 'cases' of grid management") from None
        raise
    return {**row, "worker": GridWorker(*row["worker"]) if row["worker"] else None}


def similar_cases(
    conn: Connection,
    position: tuple[float, float],
    kind: str,
    scheme: str,
    class_code: str,
    metres: float,
    hours: float,
) -> tuple[SimilarCase, ...]:
    """Cases that may be the same problem, the likeliest first, as the principal may see them."""
    rows = conn.execute(
        text("""
            SELECT code, id, title, state, open, round(distance::numeric, 1)::float8,
                   round(hours_apart::numeric, 2)::float8
            FROM grid.similar_cases(ST_SetSRID(ST_MakePoint(:lon, :lat), 4490), :kind, :scheme, :class, now(), :metres,
                                    :hours)"""),
        {
            "lon": position[0], "lat": position[1], "kind": kind, "scheme": scheme, "class": class_code,
            "metres": metres, "hours": hours,
        },
    )  # fmt: skip
    return tuple(SimilarCase(*tuple(row)) for row in rows)


def worker_of(conn: Connection, grid: str | None) -> GridWorker | None:
    """Who looks after a grid, by its code."""
    if grid is None:
        return None
    found = conn.execute(
        text("SELECT code, name, worker, worker_name, phone FROM city.grid_cells WHERE code = :code"), {"code": grid}
    ).first()
    return GridWorker(*tuple(found)) if found else None


def enter_photos(conn: Connection, case_id: int, photos: Sequence[tuple[Photo, float | None]]) -> None:
    """Enter photos of a case with their distance from it [m], and count them."""
    for photo, offset in photos:
        conn.execute(
            text("""
                INSERT INTO grid.photos
                    (id, case_id, media_type, bytes, width, height, sha256, taken_at, offset_metres, actor)
                VALUES (:id, :case, :type, :bytes, :width, :height, :sha256, :taken, :metres, citymap.actor())"""),
            {
                "id": photo.id, "case": case_id, "type": MEDIA_TYPE, "bytes": len(photo.jpeg), "width": photo.width,
                "height": photo.height, "sha256": photo.sha256, "taken": photo.taken, "metres": offset,
            },
        )  # fmt: skip
    if photos:
        farthest = max((offset for _, offset in photos if offset is not None), default=None)
        conn.exec_driver_sql("SELECT set_config('citymap.case_act', 'advance', true)")
        conn.execute(
            text("""
                UPDATE city.cases SET photos = photos + :more,
                    photo_offset = greatest(photo_offset, CAST(:metres AS float8)) WHERE id = :id"""),
            {"more": len(photos), "metres": farthest, "id": case_id},
        )
        conn.exec_driver_sql("SELECT set_config('citymap.case_act', '', true)")


_LOCATE = text("""
    SELECT l.grid, l.social_grid, l.area_code, l.area_type, grid.place_at(p.at) AS place
    FROM (SELECT ST_SetSRID(ST_MakePoint(:lon, :lat), 4490) AS at) p, LATERAL grid.locate(p.at) l""")
_AREAS = text("""
    SELECT code, name, level FROM city.admin_areas
    WHERE starts_with(:code, code) AND code <> '' ORDER BY length(code)""")


def locate(conn: Connection, position: tuple[float, float]) -> Mapping[str, Any]:
    """The grid, area and place of a point, as the principal may see the layers."""
    return dict(conn.execute(_LOCATE, {"lon": position[0], "lat": position[1]}).mappings().one())


def areas_of(conn: Connection, code: str | None) -> list[tuple[str, str | None, str | None]]:
    """Code, name and level of the areas that a division code lies in, from the largest."""
    return [tuple(row) for row in conn.execute(_AREAS, {"code": code})] if code else []


def position_of(conn: Connection, case_id: int) -> tuple[float, float]:
    """Longitude and latitude of a case [°]."""
    row = conn.execute(text("SELECT ST_X(geom), ST_Y(geom) FROM city.cases WHERE id = :id"), {"id": case_id}).one()
    return row[0], row[1]
