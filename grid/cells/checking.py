"""Proves a grid: full coverage, no gap, no overlap, nothing across a border, right codes. No I/O.

Pieces are in degrees; areas by the local length of a degree, within 0.01 % of the projected ones.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from grid.cells.codes import parse_cell
from grid.cells.division import Scale
from grid.errors import GridError
from layers.catalogue import Text

#: Pieces below this area [m²] are rounding, not gaps.
TOLERANCE = 0.01
Fault = Literal["gap", "overlap", "outside", "street", "code", "parent", "duplicate", "shape", "size"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A unit grid cell as it is stored."""

    code: str
    parent: str | None
    shape: BaseGeometry


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with a grid: where (degrees), which cells, how large [m²]."""

    fault: Fault
    codes: tuple[str, ...]
    text: Text
    shape: BaseGeometry
    area: float


def check_cells(
    cells: Sequence[Cell], communities: Mapping[str, BaseGeometry], streets: Mapping[str, BaseGeometry], wished: float
) -> list[Finding]:
    """Everything wrong with the cells of some communities, shapes by division code."""
    found = [*_codes(cells, communities), *_shapes(cells, wished)]
    sound = [cell for cell in cells if cell.shape.is_valid]
    found += _overlaps(sound)
    for code, community in communities.items():
        found += _coverage(code, community, [cell for cell in sound if cell.parent == code])
    for code, street in streets.items():
        inside = [cell for cell in sound if cell.parent is not None and cell.parent.startswith(code)]
        found += _beyond("street", street, inside, Text(f"越出街道 {code}", f"crosses the edge of street {code}"))
    return found


def _codes(cells: Sequence[Cell], communities: Mapping[str, BaseGeometry]) -> Iterator[Finding]:
    times = Counter(cell.code for cell in cells)
    for code in sorted(code for code, number in times.items() if number > 1):
        same = [cell for cell in cells if cell.code == code]
        text = Text(f"编码 {code} 重复 {len(same)} 次", f"code {code} is given {len(same)} times")
        yield Finding("duplicate", (code,), text, shapely.union_all([cell.shape for cell in same]), 0.0)
    for cell in cells:
        try:
            parse_cell(cell.code)
        except GridError as error:
            yield Finding("code", (cell.code,), error.text, cell.shape, 0.0)
        if cell.parent not in communities or not cell.code.startswith(cell.parent or "-"):
            text = Text(
                f"所属社区 {cell.parent} 与编码不符或不存在",
                f"community {cell.parent} is not that of the code, or unknown",
            )
            yield Finding("parent", (cell.code,), text, cell.shape, 0.0)


def _shapes(cells: Sequence[Cell], wished: float) -> Iterator[Finding]:
    for cell in cells:
        area = _area(cell.shape)
        if not cell.shape.is_valid or len(shapely.get_parts(cell.shape)) != 1:
            why = shapely.is_valid_reason(cell.shape)
            text = Text("不是一个闭合多边形", f"is not one closed polygon ({why})")
            yield Finding("shape", (cell.code,), text, cell.shape, area)
        elif not wished / 10 <= area <= wished * 10:
            text = Text(f"面积 {area:.0f} m² 远离 {wished:.0f} m²", f"its {area:.0f} m² are far from {wished:.0f} m²")
            yield Finding("size", (cell.code,), text, cell.shape, area)


def _overlaps(cells: Sequence[Cell]) -> Iterator[Finding]:
    shapes = np.array([cell.shape for cell in cells], dtype=object)
    pairs = shapely.STRtree(shapes).query(shapes, predicate="intersects").T.tolist()
    for a, b in sorted((a, b) for a, b in pairs if a < b):
        piece = _surface(shapely.intersection(shapes[a], shapes[b]))
        if (area := _area(piece)) > TOLERANCE:
            codes = (cells[a].code, cells[b].code)
            yield Finding("overlap", codes, Text(f"重叠 {area:.2f} m²", f"they overlap by {area:.2f} m²"), piece, area)


def _coverage(code: str, community: BaseGeometry, cells: Sequence[Cell]) -> Iterator[Finding]:
    covered = shapely.union_all([cell.shape for cell in cells])
    for piece in shapely.get_parts(_surface(shapely.difference(community, covered))):
        if (area := _area(piece)) > TOLERANCE:
            text = Text(f"社区 {code} 有 {area:.2f} m² 未覆盖", f"{area:.2f} m² of community {code} are in no cell")
            yield Finding("gap", (), text, piece, area)
    yield from _beyond("outside", community, cells, Text(f"越出社区 {code}", f"crosses the edge of community {code}"))


def _beyond(fault: Fault, border: BaseGeometry, cells: Sequence[Cell], text: Text) -> Iterator[Finding]:
    for cell in cells:
        piece = _surface(shapely.difference(cell.shape, border))
        if (area := _area(piece)) > TOLERANCE:
            yield Finding(fault, (cell.code,), text, piece, area)


def _surface(shape: BaseGeometry) -> BaseGeometry:
    """What of a shape has an area."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.union_all(parts) if parts else shapely.Polygon()


def _area(shape: BaseGeometry) -> float:
    return 0.0 if shape.is_empty else Scale.at(float(shape.centroid.y)).area(shape)
