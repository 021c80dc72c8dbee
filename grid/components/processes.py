"""Processes on components: give codes, check them, inspect one, tell its inspections."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import Connection

from grid.cells.codes import component_code, parse_component
from grid.components import queries
from grid.components.queries import Inspection
from grid.errors import GridError
from grid.inputs import Digits, LongWords, Name, Position
from grid.options import GridOptions
from layers.catalogue import Text
from layers.processing import process
from layers.registry import find_layer

State = Literal["sound", "damaged", "missing", "abandoned", "removed"]
#: Components numbered at once, and checked at once, and faults that one answer holds.
_MOST, _MOST_CHECKED, _MOST_FAULTS = 100_000, 500_000, 2000


@dataclass(frozen=True, slots=True)
class Numbered:
    """How many components got a code, and the first and last code by division and class."""

    given: int
    ranges: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ComponentFault:
    """What is wrong with a component."""

    id: int
    code: str | None
    text: Text


@dataclass(frozen=True, slots=True)
class CheckedComponents:
    """How many components were looked at, and what is wrong with them."""

    checked: int
    wrong: int
    faults: tuple[ComponentFault, ...]


@dataclass(frozen=True, slots=True)
class Inspected:
    """An inspection as it is kept; ``metres`` is how far from the component it was made."""

    component: str
    state_before: str | None
    state: str
    metres: float | None


@process(edits=True, keywords=("部件 component", "编码 code"), example={"scheme": "GB/T 30428.2-2013"})
def number_components(conn: Connection, options: GridOptions, scheme: Name) -> Numbered:
    """部件编码 | Give components codes

    给没有标识码的部件按区划、类别顺序编码；已用过的号不再用。 | Components without a code get the next of their
    division and class;
    no code is given twice.

    scheme: 分类标准 | Scheme
    returns: 编码范围 | What was given
    """
    find_layer(conn, "components")
    widths = _widths(options, scheme)
    waiting = queries.without_code(conn, scheme, _MOST)
    given: list[tuple[int, str]] = []
    ranges = []
    for (division, class_code), group in groupby(waiting, key=_division_and_class):
        prefix = f"{division}{class_code}"
        highest = queries.highest_code(conn, prefix, sum(widths))
        first = parse_component(highest, widths).sequence + 1 if highest else 1
        codes = [(one["id"], component_code(division, class_code, first + n, widths)) for n, one in enumerate(group)]
        given += codes
        ranges.append((codes[0][1], codes[-1][1]))
    if given:
        queries.give_codes(conn, given)
    return Numbered(len(given), tuple(ranges))


@process(keywords=("部件 component", "检查 check"), example={"area": "429701"})
def check_components(conn: Connection, options: GridOptions, area: Digits) -> CheckedComponents:
    """检查部件 | Check components

    检查标识码的位数、类别、区划与唯一，以及所在单元网格。 | Width, class, division and uniqueness of
    codes, and the unit grid cell.

    area: 区划代码 | Division code
    returns: 检查结果 | What was found
    """
    find_layer(conn, "components")
    rows = queries.components_in(conn, area, _MOST_CHECKED)
    faults = [ComponentFault(row["id"], row["code"], said) for row in rows for said in _faults(row, options)]
    return CheckedComponents(len(rows), len({fault.id for fault in faults}), tuple(faults[:_MOST_FAULTS]))


@process(
    edits=True,
    keywords=("部件 component", "巡检 inspection"),
    example={"component": "4297010101000001", "state": "damaged", "note": "井盖破损"},
)
def inspect_component(
    conn: Connection,
    component: Name,
    state: State,
    note: LongWords | None = None,
    position: Position | None = None,
) -> Inspected:
    """巡检部件 | Inspect a component

    记录一次巡检及其发现的状态。 | Enters an inspection and the state that it found.

    component: 部件标识码 | Code of the component
    state: 状态 | The state
    note: 说明 | What was seen
    position: 巡检人位置；经度、纬度 [°] | Where the inspector stands; longitude, latitude [°]
    returns: 巡检 | The inspection
    """
    find_layer(conn, "components")
    found = queries.inspect(conn, component, state, note, position)
    if found is None:
        raise GridError(f"没有部件 {component}", f"there is no component {component!r}")
    return Inspected(component, found[0], state, round(found[1], 1) if found[1] is not None else None)


@process(keywords=("部件 component", "巡检 inspection"), example={"component": "4297010101000001"})
def component_inspections(conn: Connection, component: Name) -> tuple[Inspection, ...]:
    """部件巡检记录 | Inspections of a component

    部件的每次巡检，最近的在前。 | Every inspection of a component, the latest first.

    component: 部件标识码 | Code of the component
    returns: 巡检 | The inspections
    """
    find_layer(conn, "components")
    return queries.inspections_of(conn, component)


def _widths(options: GridOptions, scheme: str) -> tuple[int, int, int, int]:
    widths = dict(options.component_widths).get(scheme)
    if widths is None:
        known = ", ".join(name for name, _ in options.component_widths)
        raise GridError(
            f"标准 {scheme} 没有编码规则；有 {known}", f"scheme {scheme!r} has no code widths; known: {known}"
        )
    return widths


def _division_and_class(row: Mapping[str, Any]) -> tuple[str, str]:
    return (row["area_code"] or "")[:6], row["class_code"] or ""


def _faults(row: Mapping[str, Any], options: GridOptions) -> Iterator[Text]:
    if not row["code"]:
        yield Text("没有标识码", "it has no code")
        return
    if row["times"] > 1:
        yield Text("标识码重复", "its code is not its alone")
    if not row["known"]:
        yield Text("类别不在分类标准中", f"class {row['class_code']!r} is not in scheme {row['scheme']!r}")
    if row["grid"] is None:
        yield Text("不在任何单元网格内", "it lies in no unit grid cell")
    try:
        code = parse_component(row["code"], _widths(options, row["scheme"] or ""))
    except GridError as error:
        yield error.text
        return
    if code.class_code != row["class_code"]:
        yield Text("标识码与类别不符", f"its code says class {code.class_code}")
    if not (row["area_code"] or "").startswith(code.division):
        yield Text("标识码与区划不符", f"its code says division {code.division}")
