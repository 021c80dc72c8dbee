"""The SQL of the work of social grids."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from grid.social.messages import KnownClass


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
