"""Processes on grid cells: build and check the unit grid, split and merge cells, follow an old code."""

from dataclasses import dataclass
from typing import Annotated, Any

import shapely
import shapely.ops
from pydantic import Field
from shapely.geometry import mapping, shape
from sqlalchemy import Connection

from grid.cells import queries
from grid.cells.checking import Finding, check_cells
from grid.cells.codes import COMMUNITY_DIGITS, cell_code, next_sequence
from grid.cells.division import MOST_CELLS, Scale, divide, in_reading_order
from grid.errors import GridError
from grid.options import GridOptions
from layers.catalogue import Text
from layers.processing import CityCrs, Job, process
from layers.registry import find_layer, load_layers

Code = Annotated[str, Field(pattern=r"^[0-9]{4,18}$")]
#: Layers along which cells are divided, and which of their features.
_DIVIDERS = {
    "roads": "class NOT IN ('footway', 'cycleway', 'track') OR class IS NULL",
    "water": "true",
    "waterways": "true",
}
#: Findings that one answer holds.
_MOST_FINDINGS = 2000


@dataclass(frozen=True, slots=True)
class BuiltCell:
    """A unit grid cell; area in the city's projected system [m²]."""

    code: str
    area: float


@dataclass(frozen=True, slots=True)
class BuiltGrid:
    """The unit grid of a community, and the codes that it replaces."""

    community: str
    cells: tuple[BuiltCell, ...]
    retired: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CheckedGrid:
    """What is wrong with a grid: ``features`` are the offending pieces as GeoJSON features (CGCS2000, lon lat)."""

    communities: int
    cells: int
    faults: dict[str, int]
    complete: bool
    features: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class ChangedCells:
    """Codes that were made, and those that they follow."""

    made: tuple[str, ...]
    retired: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CurrentCell:
    """A cell in use."""

    code: str
    name: str | None


@process(edits=True, keywords=("单元网格 unit grid",), example={"community": "429701001001"})
def build_unit_grid(
    conn: Connection, job: Job, city: CityCrs, options: GridOptions, community: Code, replace: bool = False
) -> BuiltGrid:
    """划分单元网格 | Build the unit grid

    沿道路、水系把社区划为约一万平方米的单元网格，自西向东、自北向南编号。 | Divides a community along roads and
    water into cells near 10 000 m², numbered from west to east and north to south.

    community: 社区代码；12 位 | Code of the community; 12 digits
    replace: 替换；已有的网格停用，新编码接续 | Replace; cells there are retire, codes go on after theirs
    returns: 单元网格 | The cells
    """
    layers = load_layers(conn)
    _require_layers(conn, "grid-cells", "admin-areas")
    found = queries.areas(conn, community, COMMUNITY_DIGITS).get(community)
    if found is None:
        raise GridError(f"没有社区 {community}", f"layer 'admin-areas' has no community {community}")
    queries.lock_cells(conn, community)
    former = queries.current_cells(conn, community)
    if former and not replace:
        raise GridError(
            f"社区 {community} 已有 {len(former)} 个单元网格；以 replace 替换",
            f"community {community} has {len(former)} cells already; 'replace' retires them",
        )
    if Scale.at(found.centroid.y).area(found) > MOST_CELLS * options.cell_area:
        raise GridError(f"社区 {community} 太大", f"community {community} is too large for {MOST_CELLS} cells")
    job.progress(10, Text("正在划分", "Dividing"))
    lines = [
        line for name, where in _DIVIDERS.items() if name in layers
        for line in queries.dividing_lines(conn, layers[name], found, where)
    ]  # fmt: skip
    cells = [cell for part in shapely.get_parts(found) for cell in divide(part, lines, options.cell_area)]
    first = next_sequence(queries.used_codes(conn, community), community)
    made, shapes = [], []
    for n, index in enumerate(in_reading_order(cells, options.cell_area)):
        code = cell_code(community, first + n)
        made.append(BuiltCell(code, queries.add_cell(conn, cells[index], code, "unit", community, city.projected)))
        shapes.append(cells[index])
    tree = shapely.STRtree(shapes)
    for cell in former:
        over = [n for n in tree.query(cell.shape).tolist() if shapely.intersection(cell.shape, shapes[n]).area > 0]
        queries.retire_cell(conn, cell.code, sorted(made[n].code for n in over))
    return BuiltGrid(community, tuple(made), tuple(cell.code for cell in former))


@process(keywords=("单元网格 unit grid", "检查 check"), example={"area": "429701001"})
def check_unit_grid(conn: Connection, options: GridOptions, area: Code) -> CheckedGrid:
    """检查单元网格 | Check the unit grid

    检查全覆盖、无缝隙、无重叠、不跨社区与街道、编码正确且唯一；返回有问题的部分。 | Full coverage, no gap, no
    overlap, nothing across a community's or street's edge, codes right and unique; offending pieces are returned.

    area: 区划代码；检查其下所有社区 | Division code; all communities below it are checked
    returns: 检查结果 | What was found
    """
    _require_layers(conn, "grid-cells", "admin-areas")
    communities = queries.areas(conn, area, COMMUNITY_DIGITS)
    if not communities:
        raise GridError(f"区划 {area} 下没有社区", f"layer 'admin-areas' has no community below {area}")
    streets = queries.areas(conn, area[:9], 9)
    cells = queries.current_cells(conn, area)
    found = check_cells(cells, communities, streets, options.cell_area)
    faults: dict[str, int] = {}
    for one in found:
        faults[one.fault] = faults.get(one.fault, 0) + 1
    shown = tuple(_feature(one) for one in found[:_MOST_FINDINGS])
    return CheckedGrid(len(communities), len(cells), faults, not faults.keys() - {"size"}, shown)


@process(
    edits=True,
    keywords=("网格 grid", "拆分 split"),
    example={"cell": "429701001001001", "line": {"type": "LineString", "coordinates": [[114.9, 30.4], [114.91, 30.4]]}},
)
def split_grid_cell(conn: Connection, city: CityCrs, cell: Code, line: dict[str, Any]) -> ChangedCells:
    """拆分网格 | Split a grid cell

    沿线拆分网格；旧编码停用并指向新编码。 | Splits a cell along a line; its code retires and leads to the new ones.

    cell: 网格编码 | Code of the cell
    line: 线；GeoJSON LineString | The line; a GeoJSON LineString
    returns: 新旧编码 | Codes
    """
    _require_layers(conn, "grid-cells")
    (former,) = _in_use(conn, (cell,))
    try:
        cut = shape(line)
        pieces = shapely.get_parts(shapely.ops.split(_polygon(former), cut)).tolist()
    except (ValueError, TypeError, KeyError, AttributeError, shapely.GEOSException):
        raise GridError("line 不是 GeoJSON LineString", "input 'line' is no GeoJSON LineString") from None
    if len(pieces) < 2:
        raise GridError(f"该线没有穿过网格 {cell}", f"the line does not run through cell {cell}")
    return _follow(conn, city, [former], pieces)


@process(edits=True, keywords=("网格 grid", "合并 merge"), example={"cells": ["429701001001001", "429701001001002"]})
def merge_grid_cells(
    conn: Connection, city: CityCrs, cells: Annotated[tuple[Code, ...], Field(min_length=2, max_length=50)]
) -> ChangedCells:
    """合并网格 | Merge grid cells

    合并相邻网格；旧编码停用并指向新编码。 | Merges neighbouring cells; their codes retire and lead to the new one.

    cells: 网格编码 | Codes of the cells
    returns: 新旧编码 | Codes
    """
    _require_layers(conn, "grid-cells")
    former = _in_use(conn, cells)
    if len({(one["parent"], one["kind"]) for one in former}) != 1:
        raise GridError("只能合并同一社区的同类网格", "only cells of one kind and community are merged")
    joined = shapely.union_all([_polygon(one) for one in former])
    if joined.geom_type != "Polygon":
        raise GridError("这些网格不相邻", "these cells do not lie side by side")
    return _follow(conn, city, former, [joined])


@process(keywords=("网格 grid", "编码 code"), example={"cell": "429701001001001"})
def current_grid_cells(conn: Connection, cell: Code) -> tuple[CurrentCell, ...]:
    """现行网格 | Cells in use

    一个编码（包括已停用的）现在对应的网格。 | The cells in use that a code leads to, also one that has retired.

    cell: 网格编码 | Code of the cell
    returns: 现行网格 | Cells in use
    """
    _require_layers(conn, "grid-cells")
    found = queries.successors_of(conn, cell)
    if found is None:
        raise GridError(f"没有网格 {cell}", f"there is no grid cell {cell}")
    return tuple(CurrentCell(code, name) for code, _, name in found)


def _require_layers(conn: Connection, *names: str) -> None:
    for name in names:
        find_layer(conn, name)


def _in_use(conn: Connection, codes: tuple[str, ...]) -> list[dict[str, Any]]:
    found = queries.cells_named(conn, codes)
    for code in codes:
        if not any(one["code"] == code and one["status"] != "retired" for one in found):
            raise GridError(f"没有在用的网格 {code}", f"there is no grid cell {code} in use that you may change")
    queries.lock_cells(conn, str(found[0]["parent"]))
    return found


def _polygon(cell: dict[str, Any]) -> Any:
    parts = shapely.get_parts(shapely.from_wkb(bytes(cell["wkb"])))
    if len(parts) != 1:
        raise GridError(f"网格 {cell['code']} 由多块组成", f"cell {cell['code']} has several parts")
    return parts[0]


def _follow(conn: Connection, city: CityCrs, former: list[dict[str, Any]], shapes: list[Any]) -> ChangedCells:
    """Cells that follow others: new codes in reading order, the old ones retired."""
    parent, kind = former[0]["parent"], former[0]["kind"]
    digits = len(former[0]["code"]) - len(parent)
    first = next_sequence(queries.used_codes(conn, parent), parent, digits)
    made = []
    for n, index in enumerate(in_reading_order(shapes, 10_000.0)):
        code = f"{parent}{first + n:0{digits}d}"
        queries.add_cell(conn, shapes[index], code, kind, parent, city.projected, former)
        made.append(code)
    for one in former:
        queries.retire_cell(conn, one["code"], made)
    return ChangedCells(tuple(made), tuple(one["code"] for one in former))


def _feature(found: Finding) -> dict[str, Any]:
    properties = {"fault": found.fault, "codes": list(found.codes), "area": round(found.area, 3),
                  "zh": found.text.zh, "en": found.text.en}  # fmt: skip
    return {"type": "Feature", "geometry": mapping(found.shape), "properties": properties}
