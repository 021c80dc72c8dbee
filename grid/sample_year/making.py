"""Makes the sample year where the sample city is: grids, rules, cases with their steps, visits and the like."""

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import Connection

from grid.clock.queries import city_line
from grid.options import GridOptions
from grid.sample_year.beside import fill
from grid.sample_year.ground import lay_grids, write_rules
from grid.sample_year.kinds import kinds
from grid.sample_year.places import spots
from grid.sample_year.writing import write_cases
from grid.sample_year.year import year

#: Cases for each spot where they happen.
_PER_SPOT = 5


def make_sample_year(
    conn: Connection,
    options: GridOptions,
    srid: int,
    cases: int,
    seed: int,
    until: datetime,
    progress: Callable[[str, float], None] | None = None,
) -> dict[str, int]:
    """Grids, rules and about so many cases of the year before ``until``; returns features by layer.

    The layers must be empty. ``srid`` is the projected system of the city. The same city, seed and instant make the
    same year.
    """
    tell, dice = progress or (lambda _part, _share: None), Random(seed)
    tell("grid-cells", 0.0)
    since = (until - timedelta(days=730)).date().isoformat()
    cells = lay_grids(conn, options, srid, since, dice)
    happening = kinds()
    write_rules(conn, happening, options.reports.event_scheme)
    tell("cases", 0.3)
    where = spots(conn, max(50, cases // _PER_SPOT), srid, dice)
    if not where:
        return {"grid-cells": cells}
    told = year(where, happening, cases, until, dice, city_line(conn), options)
    tell("cases", 0.7)
    write_cases(conn, told, where, options)
    tell("cases", 1.0)
    return {"grid-cells": cells, "cases": len(told), **fill(conn, until)}
