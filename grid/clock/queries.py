"""The SQL of the clock: the city's time line as the database keeps it."""

from functools import lru_cache

from sqlalchemy import Connection, text

from grid.clock.model import WorkingTime

_PERIODS = text(
    "SELECT extract(epoch FROM begins)::bigint, extract(epoch FROM ends)::bigint FROM grid.working_time ORDER BY begins"
)


def city_line(conn: Connection) -> WorkingTime:
    """The city's time line, by which deadlines are worked out in SQL too. It is read once for each calendar."""
    digest: str = conn.exec_driver_sql("SELECT digest FROM grid.options").scalar_one()
    known = _kept(digest)
    if not known:
        known.append(WorkingTime([(row[0], row[1]) for row in conn.execute(_PERIODS)]))
    return known[0]


@lru_cache(maxsize=4)
def _kept(_digest: str) -> list[WorkingTime]:
    """A place for the time line of a calendar."""
    return []
