"""Unit grids: built exactly, checked against PostGIS, split and merged with codes that still lead somewhere."""

import random
from typing import Any

import pytest
import shapely
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Connection, text

from grid.cells.checking import Cell, check_cells
from grid.cells.codes import cell_code, component_code, next_sequence, parse_cell, parse_component
from grid.cells.division import Scale, divide, in_reading_order
from grid.cells.processes import build_unit_grid, check_unit_grid, current_grid_cells, merge_grid_cells, split_grid_cell
from grid.errors import GridError
from grid.options import GridOptions
from layers.access import Grant, Principal
from layers.features import RowDenied
from layers.processing import CityCrs
from tests.grid.conftest import COMMUNITY
from tests.grid.people import act_as, principal_of

CITY = CityCrs(4547, frozenset({4490}))
PLANNER = Principal("planner", grants=(Grant("*", frozenset({"read", "create", "update"}), "internal"),))


class Silent:
    def progress(self, percent: float, message: Any = None) -> None: ...

    def cancelled(self) -> bool:
        return False


def built(conn: Connection, options: GridOptions, **more: Any) -> Any:
    act_as(conn, PLANNER)
    return build_unit_grid(conn, Silent(), CITY, options, COMMUNITY, **more)


@pytest.fixture
def options() -> GridOptions:
    """Larger cells, so that a community has tens."""
    return GridOptions(cell_area=100_000.0)


def some_lines(seed: int) -> list[BaseGeometry]:
    """Roads through and into the square, some of which end inside."""
    dice = random.Random(seed)
    return [shapely.LineString([(114.895 + 0.03 * dice.random(), 30.395 + 0.03 * dice.random()) for _ in range(dice.choice([2, 3, 5]))])
            for _ in range(dice.randrange(12))]  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_cells_cover_the_community_exactly_and_share_their_vertices(seed: int) -> None:
    community = (
        shapely.Point(114.91, 30.41).buffer(0.006, quad_segs=5).difference(shapely.Point(114.912, 30.41).buffer(0.001))
    )
    cells = divide(community, some_lines(seed), 40_000)
    assert shapely.coverage_is_valid(cells)
    scale = Scale.at(30.41)
    assert scale.area(shapely.union_all(cells).symmetric_difference(community)) < 1e-6
    assert sum(map(scale.area, cells)) == pytest.approx(scale.area(community), rel=1e-12)
    areas = [scale.area(cell) for cell in cells]
    assert max(areas) <= 1.8 * 40_000 + 0.4 * 40_000 and sorted(areas)[len(areas) // 10] >= 0.4 * 40_000


def test_cells_follow_the_roads(ground: Connection, options: GridOptions) -> None:
    built(ground, options)
    crossing = ground.execute(text("SELECT count(*) FROM city.grid_cells c, city.roads r WHERE c.kind = 'unit' AND c.parent = :p"
                                   " AND ST_Length(ST_Intersection(r.geom, ST_Buffer(c.geom, -1e-7))) > 0"), {"p": COMMUNITY}).scalar()  # fmt: skip
    assert crossing == 0


def test_a_built_grid_is_complete_by_its_check_and_by_postgis(ground: Connection, options: GridOptions) -> None:
    made = built(ground, options)
    assert len(made.cells) > 20
    checked = check_unit_grid(ground, options, COMMUNITY)
    assert (checked.complete, checked.faults, checked.cells) == (True, {}, len(made.cells))
    gap, overlap = ground.execute(
        text("SELECT ST_Area(ST_Difference(a.geom, ST_Union(c.geom))::geography), sum(ST_Area(c.geom)) - ST_Area(ST_Union(c.geom))"
             " FROM city.grid_cells c, city.admin_areas a WHERE a.code = :p AND c.parent = :p AND c.kind = 'unit' GROUP BY a.geom"),
        {"p": COMMUNITY},
    ).one()  # fmt: skip
    assert gap < 0.01 and abs(overlap) < 1e-15
    area = ground.execute(
        text("SELECT ST_Area(ST_Transform(geom, 4547)) FROM city.grid_cells WHERE code = :c"), {"c": made.cells[0].code}
    )
    assert made.cells[0].area == pytest.approx(area.scalar(), abs=0.06)


def test_cells_are_numbered_row_by_row_from_the_north_west() -> None:
    squares = [
        shapely.box(114.9 + x * 0.001, 30.4 + y * 0.0009, 114.9 + (x + 1) * 0.001, 30.4 + (y + 1) * 0.0009)
        for x in range(4)
        for y in range(3)
    ]
    random.Random(1).shuffle(squares)
    order = [squares[n].bounds[:2] for n in in_reading_order(squares, 10_000)]
    assert order == sorted(order, key=lambda corner: (-corner[1], corner[0]))


def shaped(cells: list[Cell], n: int, shape: BaseGeometry) -> list[Cell]:
    return [*cells[:n], Cell(cells[n].code, cells[n].parent, shape), *cells[n + 1 :]]


def faulty() -> dict[str, tuple[list[Cell], set[str]]]:
    squares = [shapely.box(114.9 + x * 0.001, 30.4, 114.901 + x * 0.001, 30.401) for x in range(3)]
    good = [Cell(cell_code(COMMUNITY, n + 1), COMMUNITY, square) for n, square in enumerate(squares)]
    bow = shapely.Polygon([(114.9, 30.4), (114.901, 30.401), (114.901, 30.4), (114.9, 30.401)])
    return {
        "nothing": (good, set()),
        "one cell missing": (good[:2], {"gap"}),
        "one moved east": (shaped(good, 1, translate(squares[1], 0.0001)), {"gap", "overlap"}),
        "one beyond the border": (shaped(good, 2, shapely.box(114.902, 30.4, 114.9035, 30.401)), {"outside", "street"}),
        "a short code": ([Cell("123", COMMUNITY, squares[0]), *good[1:]], {"code", "parent"}),
        "a code twice": ([Cell(good[1].code, COMMUNITY, squares[0]), *good[1:]], {"duplicate"}),
        "another's code": ([Cell("429701001009001", COMMUNITY, squares[0]), *good[1:]], {"parent"}),
        "a bow tie": (shaped(good, 0, bow), {"shape", "gap"}),
        "a speck": ([*good, Cell(cell_code(COMMUNITY, 9), COMMUNITY, shapely.box(114.9, 30.4, 114.90001, 30.40001))], {"overlap", "size"}),
    }  # fmt: skip


@pytest.mark.parametrize("kind", faulty())
def test_a_check_finds_each_fault_and_shows_where(kind: str) -> None:
    cells, expected = faulty()[kind]
    community = shapely.box(114.9, 30.4, 114.903, 30.401)
    found = check_cells(cells, {COMMUNITY: community}, {COMMUNITY[:9]: community}, 10_000)
    assert {one.fault for one in found} == expected
    assert all(not one.shape.is_empty for one in found)


def test_a_gap_is_shown_in_its_place_and_size() -> None:
    cells, _ = faulty()["one cell missing"]
    community = shapely.box(114.9, 30.4, 114.903, 30.401)
    (gap,) = check_cells(cells, {COMMUNITY: community}, {}, 10_000)
    assert gap.shape.equals(shapely.box(114.902, 30.4, 114.903, 30.401))
    assert gap.area == pytest.approx(10_660, rel=0.01)


def test_a_split_cell_leads_to_its_parts_and_a_merge_to_the_whole(ground: Connection, options: GridOptions) -> None:
    made = built(ground, options).cells
    act_as(ground, PLANNER)
    ground.execute(text("UPDATE city.grid_cells SET worker_name = '李四' WHERE code = :c"), {"c": made[0].code})
    box = ground.execute(text("SELECT ST_XMin(geom), ST_XMax(geom), ST_Y(ST_Centroid(geom)) FROM city.grid_cells WHERE code = :c"),
                         {"c": made[0].code}).one()  # fmt: skip
    line = {"type": "LineString", "coordinates": [[box[0] - 0.001, box[2]], [box[1] + 0.001, box[2]]]}
    split = split_grid_cell(ground, CITY, made[0].code, line)
    assert split.retired == (made[0].code,) and len(split.made) == 2
    assert [int(code[12:]) for code in split.made] == [len(made) + 1, len(made) + 2]
    assert {c.code for c in current_grid_cells(ground, made[0].code)} == set(split.made)
    merged = merge_grid_cells(ground, CITY, split.made)
    assert [c.code for c in current_grid_cells(ground, made[0].code)] == list(merged.made)
    assert check_unit_grid(ground, options, COMMUNITY).complete
    assert (
        ground.execute(text("SELECT worker_name FROM city.grid_cells WHERE code = :c"), {"c": merged.made[0]}).scalar()
        == "李四"
    )
    with pytest.raises(GridError, match="in use"):
        merge_grid_cells(ground, CITY, split.made)


def test_a_grid_that_is_there_is_replaced_only_on_demand_and_leads_on(ground: Connection, options: GridOptions) -> None:
    first = built(ground, options)
    with pytest.raises(GridError, match="cells already"):
        built(ground, options)
    second = built(ground, options, replace=True)
    assert not {c.code for c in first.cells} & {c.code for c in second.cells}
    assert {c.code for c in current_grid_cells(ground, first.cells[3].code)} == {second.cells[3].code}
    assert check_unit_grid(ground, options, COMMUNITY).complete


def test_a_code_is_never_given_twice_even_after_its_cell_is_deleted(ground: Connection, options: GridOptions) -> None:
    made = built(ground, options).cells
    ground.exec_driver_sql("RESET ROLE")
    ground.execute(text("DELETE FROM city.grid_cells WHERE code = :c"), {"c": made[-1].code})
    act_as(ground, PLANNER)
    merged = merge_grid_cells(ground, CITY, _neighbours(ground))
    assert int(merged.made[0][12:]) == len(made) + 1


def _neighbours(conn: Connection) -> tuple[str, str]:
    row = conn.execute(text("SELECT a.code, b.code FROM city.grid_cells a, city.grid_cells b WHERE a.kind = 'unit' AND b.kind = 'unit'"
                            " AND a.code < b.code AND ST_Length(ST_Intersection(a.geom, b.geom)) > 0 LIMIT 1")).one()  # fmt: skip
    return row[0], row[1]


def test_who_may_not_make_cells_makes_none(ground: Connection, options: GridOptions) -> None:
    act_as(ground, principal_of("worker", "grid-worker", area=COMMUNITY))
    with pytest.raises(RowDenied):
        build_unit_grid(ground, Silent(), CITY, options, COMMUNITY)


def test_codes_are_taken_apart_and_put_together() -> None:
    assert parse_cell("429701001001007").sequence == 7
    assert next_sequence(["429701001001007", "42970100100199", "429701001002050"], "429701001001") == 8
    old = parse_component("3205080101000001", (6, 2, 2, 6))
    assert (old.division, old.class_code, old.sequence) == ("320508", "0101", 1)
    assert component_code("320508", "0101", 1, (6, 2, 2, 6)) == "3205080101000001"
    assert len(component_code("320508", "01001", 1, (6, 2, 3, 6))) == 17
    for wrong in ("42970100100100", "429701001001000", "42970100100100a"):
        with pytest.raises(GridError):
            parse_cell(wrong)
    with pytest.raises(GridError, match="more than 999"):
        cell_code(COMMUNITY, 1000)
