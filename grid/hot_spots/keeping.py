"""Keeps the layer of hot spots current: worked out anew whenever a grid's number of cases, or a grid, has changed.

Gi* compares each grid and its neighbours with the whole city, so one case may change every grid; only grids of which
something differs are written, so that maps elsewhere stay as they are.
"""

from datetime import datetime
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection

from grid.hot_spots.queries import counted, has_layer, is_current, keep, my_turn, shapes_of
from layers.access import Grant, Principal

#: Who works the layer out: it sees all cases, and history names it.
KEEPER = Principal(
    "citymap hot spots",
    grants=(
        Grant("*", frozenset({"read"}), "core"),
        Grant("case-hot-spots", frozenset({"read", "create", "update", "delete"}), "core"),
    ),
    via="clock",
)


def refresh(conn: Connection, days: int, srid: int, at: datetime) -> int:
    """Bring the layer up to an instant, counting the cases of so many days before it; returns how many grids changed.

    ``srid`` is the city's projected system, in which densities are measured.
    """
    if not has_layer(conn) or not my_turn(conn):
        return 0
    counts = counted(conn, at, days)
    if is_current(conn, counts, days):
        return 0
    return keep(conn, _rows(conn, counts, days, srid), at)


def _rows(conn: Connection, counts: list[tuple[str, int]], days: int, srid: int) -> list[dict[str, Any]]:
    from layers.analysis.errors import AnalysisError
    from layers.analysis.hot_spots import heat, touching  # scipy and h3 take a while, which a quiet worker need not

    found = {one.code: one for one in shapes_of(conn, [code for code, _ in counts], srid)}
    numbers = [(code, number) for code, number in counts if code in found]
    shapes = shapely.from_wkb([found[code].wkb for code, _ in numbers])
    cells = touching([code for code, _ in numbers], np.asarray(shapes, dtype=object))
    cases = np.array([number for _, number in numbers], np.int64)
    try:
        told = heat(cells, cases, corrected=True)
        z, p, classes = told.z.tolist(), told.p.tolist(), list(told.classes)
    except AnalysisError:  # fewer than three grids, or as many cases in each: nothing stands out
        z, p, classes = [0.0] * len(numbers), [1.0] * len(numbers), ["none"] * len(numbers)
    return [
        {
            "grid": code, "cases": number, "days": days, "density": round(number / (shape.area / 1e6), 3),
            "z": round(z[n], 4), "p": float(f"{p[n]:.4g}"), "class": classes[n],
        }
        for n, ((code, number), shape) in enumerate(zip(numbers, shapes, strict=True))
    ]  # fmt: skip
