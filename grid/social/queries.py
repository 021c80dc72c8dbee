"""The SQL of the work of social grids."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, text

from grid.social.messages import KnownClass
from grid.social.patrols import LEAST_SHARE, WIDTH, Plan


@dataclass(frozen=True, slots=True)
class GridCoverage:
    """巡查覆盖率 of a grid: households visited of all. ``share`` None where the number of households is not known."""

    grid: str
    name: str | None
    households: int | None
    visited: int
    visits: int
    dangers: int
    open_dangers: int
    share: float | None


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """What became of the requests that residents of a grid made in a period.

    ``waiting`` are not ended yet, ``late`` were or are beyond the time given for them; ``hours`` is the mean time from
    opening to handling [h], ``satisfaction`` the mean of 1 to 5, ``satisfied`` the share of 4 and 5.
    """

    grid: str | None
    name: str | None
    opened: int
    handled: int
    closed: int
    withdrawn: int
    waiting: int
    late: int
    reopened: int
    hours: float | None
    rated: int
    satisfaction: float | None
    satisfied: float | None


_SERVICES = text("""
    SELECT r.grid, max(c.name), count(*), count(r.handled_at), count(*) FILTER (WHERE r.state = 'closed'),
           count(*) FILTER (WHERE r.state = 'withdrawn'), count(*) FILTER (WHERE r.closed_at IS NULL),
           count(*) FILTER (WHERE r.due < coalesce(r.handled_at, r.closed_at, now())), count(r.reopened_at),
           round((avg(extract(epoch FROM r.handled_at - r.opened_at)) / 3600)::numeric, 2)::float8,
           count(r.satisfaction), round(avg(r.satisfaction), 3)::float8,
           round(avg((r.satisfaction >= 4)::int), 4)::float8
    FROM city.service_requests r LEFT JOIN city.grid_cells c ON c.code = r.grid
    WHERE r.opened_at >= :begin AND r.opened_at < :end AND starts_with(coalesce(r.area_code, ''), :area)
    GROUP BY GROUPING SETS ((r.grid), ()) ORDER BY grouping(r.grid) DESC, r.grid LIMIT 20001""")


def service_figures(conn: Connection, area: str, begin: datetime, end: datetime) -> tuple[ServiceFigures, ...]:
    """The figures of all together, then grid by grid; a request outside every grid is of none."""
    rows = conn.execute(_SERVICES, {"area": area, "begin": begin, "end": end})
    return tuple(ServiceFigures(*tuple(row)) for row in rows)


def patrol_plans(conn: Connection, area: str, codes: tuple[str, ...], most: int) -> list[Plan]:
    """The active plans of an area, or those named, by their codes."""
    rows = conn.execute(
        text("""
            SELECT code, name, worker, device, coalesce(grids, '{}'), ST_AsGeoJSON(ST_Transform(geom, 4326)),
                   least(greatest(coalesce(times, 1), 1), 31), coalesce(every, 'week'), least_share, width, begins, ends
            FROM city.patrol_plans
            WHERE active IS NOT FALSE AND starts_with(coalesce(area_code, ''), :area)
              AND (:any OR code = ANY (:codes)) ORDER BY code LIMIT :most"""),
        {"area": area, "any": not codes, "codes": list(codes), "most": most},
    )
    return [_plan(*tuple(row)) for row in rows]


def _plan(
    code: str, name: str | None, worker: str | None, device: str | None, grids: list[str], route: str | None,
    times: int, every: str, share: float | None, width: float | None, begins: date | None, ends: date | None,
) -> Plan:  # fmt: skip
    return Plan(code, name, worker, device, tuple(grids), route, times, every, share or LEAST_SHARE, width or WIDTH,
                begins, ends)  # fmt: skip


def classes_of(conn: Connection, scheme: str) -> list[KnownClass]:
    """The event classes of a scheme."""
    rows = conn.execute(
        text("SELECT kind, code, name FROM grid.classes WHERE scheme = :scheme AND kind = 'event' ORDER BY code"),
        {"scheme": scheme},
    )
    return [KnownClass(*tuple(row)) for row in rows]


def visit_coverage(conn: Connection, area: str, begin: datetime, end: datetime) -> tuple[GridCoverage, ...]:
    """What the visits of a period covered, grid by grid: distinct households, and dangers found and still open."""
    rows = conn.execute(
        text("""
            SELECT c.code, c.name, c.households,
                   count(DISTINCT v.household) FILTER (WHERE v.household <> '' AND v.result IS DISTINCT FROM 'absent'),
                   count(v.id), count(v.id) FILTER (WHERE v.result IN ('danger', 'rectified')),
                   count(v.id) FILTER (WHERE v.result = 'danger' AND v.rectified_at IS NULL)
            FROM city.grid_cells c
            LEFT JOIN city.visits v ON v.grid = c.code AND v.visited_at >= :begin AND v.visited_at < :end
            WHERE c.kind IN ('grid', 'special') AND c.status IS DISTINCT FROM 'retired' AND starts_with(c.parent, :area)
            GROUP BY c.code, c.name, c.households ORDER BY c.code LIMIT 20000"""),
        {"area": area, "begin": begin, "end": end},
    )
    return tuple(_coverage(*tuple(row)) for row in rows)


def _coverage(
    grid: str, name: str | None, households: int | None, visited: int, visits: int, dangers: int, open_dangers: int
) -> GridCoverage:
    share = round(visited / households, 4) if households else None
    return GridCoverage(grid, name, households, visited, visits, dangers, open_dangers, share)
