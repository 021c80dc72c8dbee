"""The layer of hot spots: the cases of each grid, Gi* as the published formula says, only what differs written."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from pyproj import Transformer
from shapely import from_wkb, transform
from sqlalchemy import Connection, text

from grid.hot_spots.keeping import KEEPER, refresh
from tests.grid.people import act_as, act_as_owner

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
SIDE, SOUTH = 6, 30.45
#: Cases of each grid, row by row: a hot corner in the south-west.
COUNTS = [
    [9, 8, 3, 1, 0, 1],
    [8, 9, 2, 0, 1, 0],
    [3, 2, 1, 0, 0, 1],
    [0, 1, 0, 1, 0, 0],
    [1, 0, 0, 0, 1, 0],
    [0, 0, 1, 0, 0, 0],
]


def code(row: int, column: int) -> str:
    return f"4297010010{row:02d}{column:02d}"


@pytest.fixture
def squares(ground: Connection) -> Connection:
    ground.exec_driver_sql("DELETE FROM city.grid_cells")
    ground.exec_driver_sql("SELECT set_config('citymap.case_act', 'import', true)")
    for row in range(SIDE):
        for column in range(SIDE):
            west, south = 114.9 + column * 0.001, SOUTH + row * 0.001
            ground.execute(
                text("INSERT INTO city.grid_cells (geom, code, name, kind, parent, status) VALUES"
                     " (ST_Multi(ST_MakeEnvelope(:w, :s, :w + 0.001, :s + 0.001, 4490)), :c, :c, 'grid', '429701001001', 'current')"),
                {"w": west, "s": south, "c": code(row, column)},
            )  # fmt: skip
            for n in range(COUNTS[row][column]):
                add(ground, row, column, NOW - timedelta(days=n))
    return ground


def add(conn: Connection, row: int, column: int, at: datetime, **more: Any) -> None:
    values = {"reported_at": at, "social_grid": code(row, column), "area_code": "429701001001", **more}
    names, bound = ", ".join(values), ", ".join(f":{name}" for name in values)
    conn.execute(
        text(f"INSERT INTO city.cases (geom, {names}) VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), {bound})"),
        values,
    )


def kept(conn: Connection) -> dict[str, Any]:
    rows = conn.execute(text("SELECT *, ST_AsBinary(geom) AS wkb FROM city.case_hot_spots ORDER BY grid"))
    return {row.grid: row for row in rows}


def gi_star(counts: list[list[int]]) -> np.ndarray:
    """z by the formula of Ord and Getis (1995), written out cell by cell."""
    x = np.array(counts, float)
    n, mean, spread = x.size, x.mean(), x.std()
    found = np.zeros_like(x)
    for row in range(SIDE):
        for column in range(SIDE):
            near = x[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
            w = near.size
            found[row, column] = (near.sum() - mean * w) / (spread * np.sqrt((n * w - w * w) / (n - 1)))
    return found


def test_each_grid_has_its_cases_density_and_gi_star(squares: Connection) -> None:
    add(squares, 3, 3, NOW - timedelta(days=91))  # too old
    add(squares, 3, 3, NOW, duplicate_of="x")  # the same problem again
    act_as(squares, KEEPER)
    assert refresh(squares, 90, 4547, NOW) == SIDE * SIDE
    found, expected = kept(squares), gi_star(COUNTS)
    for row in range(SIDE):
        for column in range(SIDE):
            one = found[code(row, column)]
            assert one.cases == COUNTS[row][column] and one.z == pytest.approx(expected[row, column], abs=1e-3)
            shape = transform(
                from_wkb(bytes(one.wkb)), Transformer.from_crs(4490, 4547, always_xy=True).transform, interleaved=False
            )
            assert one.density == pytest.approx(one.cases / (shape.area / 1e6), abs=2e-3)
    assert found[code(0, 0)]._mapping["class"] == "hot-99" and found[code(5, 5)]._mapping["class"] == "none"


def test_only_what_differs_is_written_and_nothing_where_nothing_happened(squares: Connection) -> None:
    act_as(squares, KEEPER)
    refresh(squares, 90, 4547, NOW)
    assert refresh(squares, 90, 4547, NOW) == 0
    act_as_owner(squares)
    squares.execute(text("UPDATE city.grid_cells SET phone = '1' WHERE code = :c"), {"c": code(1, 1)})
    assert refresh(squares, 90, 4547, NOW) == 0
    squares.execute(text("UPDATE city.grid_cells SET name = '新名' WHERE code = :c"), {"c": code(1, 1)})
    assert refresh(squares, 90, 4547, NOW) == 1 and kept(squares)[code(1, 1)].name == "新名"
    squares.execute(text("UPDATE city.grid_cells SET status = 'retired' WHERE code = :c"), {"c": code(5, 5)})
    refresh(squares, 90, 4547, NOW)
    assert code(5, 5) not in kept(squares) and len(kept(squares)) == SIDE * SIDE - 1


def test_a_city_without_cases_has_no_hot_spot(squares: Connection) -> None:
    assert refresh(squares, 90, 4547, NOW + timedelta(days=365)) == SIDE * SIDE
    assert {one._mapping["class"] for one in kept(squares).values()} == {"none"}
    assert {one.cases for one in kept(squares).values()} == {0}
