"""变更: red lines that are given out, split or merged; the new ones keep the old one's state, and lineage both ways.

An adjustment takes other ground, so it is an application of its own (:func:`planning.redline.life.apply` with parents).
"""

from collections.abc import Sequence
from typing import Any

import shapely

from planning.check.pieces import piece_of
from planning.errors import PlanningConflict, PlanningError
from planning.redline.life import Desk, replace
from planning.redline.reading import RedLine, find_redline
from planning.redline.writing import Signed, give_out_alone, register
from planning.survey.parcel import Parcel, parcel_of

_KEPT = ("name", "applicant", "supply", "scheme", "land_code", "conditions", "applied_on", "approved_on", "expires_on")
_GRID = 0.001


def split(desk: Desk, number: str, parts: Sequence[Parcel], opinion: str) -> list[RedLine]:
    """Split a red line into parts, which are together its ground and do not overlap."""
    role = desk.role(("planning-approver",), "a split")
    give_out_alone(desk.conn)
    line = find_redline(desk.conn, number, lock=True)
    if len(parts) < 2:
        raise PlanningError("分割至少要有两个地块", "a split has two parts at least")
    _require_same_zone(line, [part.zone for part in parts])
    shapes = [part.polygon for part in parts]
    _require_equal(desk, line.shape, shapely.union_all(shapes), "各部分", "the parts")
    overlap = sum(shape.area for shape in shapes) - shapely.union_all(shapes).area
    if overlap > desk.options.tolerance.area:
        raise PlanningConflict(
            f"各部分相互重叠 {overlap:.2f} 平方米", f"the parts overlap each other by {overlap:.2f} m²"
        )
    _replace_all(desk, [line], role, "分割")
    facts = _facts([line]) | {"status": line.status}
    signed = Signed(desk.account, role, opinion)
    return [register(desk.conn, desk.options, [part], facts, signed, "split") for part in parts]


def merge(desk: Desk, numbers: Sequence[str], outline: Sequence[Parcel], opinion: str) -> RedLine:
    """Merge red lines of one state and use. Without an outline it is their union, to a millimetre."""
    role = desk.role(("planning-approver",), "a merger")
    give_out_alone(desk.conn)
    lines = [find_redline(desk.conn, number, lock=True) for number in sorted(set(numbers))]
    if len(lines) < 2:
        raise PlanningError("合并至少要有两条红线", "a merger has two red lines at least")
    for line in lines[1:]:
        _require_same_zone(lines[0], [line.zone])
        for name, zh in (("status", "状态"), ("scheme", "用地分类"), ("land_code", "用地代码"), ("supply", "供地方式")):
            if line.facts[name] != lines[0].facts[name]:
                raise PlanningConflict(
                    f"{line.number} 与 {lines[0].number} 的{zh}不同，不能合并",
                    f"{line.number} and {lines[0].number} differ in {name}; they cannot be merged",
                )
    union = shapely.union_all([line.shape for line in lines], grid_size=_GRID)
    if outline:
        _require_same_zone(lines[0], [part.zone for part in outline])
        _require_equal(
            desk, union, shapely.union_all([part.polygon for part in outline]), "合并后的边界", "the outline"
        )
    parts = list(outline) or [parcel_of(part, lines[0].zone) for part in shapely.get_parts(union)]
    _replace_all(desk, lines, role, "合并")
    facts = _facts(lines) | {"status": lines[0].status}
    return register(desk.conn, desk.options, parts, facts, Signed(desk.account, role, opinion), "merge")


def _replace_all(desk: Desk, lines: Sequence[RedLine], role: str, why: str) -> None:
    for line in lines:
        replace(desk, line, role, why)


def _facts(lines: Sequence[RedLine]) -> dict[str, Any]:
    """What the new red lines take over: of several terms the one that ends first."""
    facts = {name: lines[0].facts[name] for name in _KEPT} | {"parents": [line.number for line in lines]}
    terms = [line.facts["expires_on"] for line in lines if line.facts["expires_on"]]
    return facts | {"expires_on": min(terms, default=None)}


def _require_same_zone(line: RedLine, zones: Sequence[Any]) -> None:
    other = next((zone for zone in zones if zone != line.zone), None)
    if other is not None:
        raise PlanningError(
            f"{line.number} 在 {line.zone.number} 带，不能与 {other.number} 带的地块一起变更",
            f"{line.number} is of zone {line.zone.number}, the parcel of zone {other.number}",
        )


def _require_equal(desk: Desk, ground: Any, other: Any, zh: str, en: str) -> None:
    """Both cover the same ground, slivers aside."""
    for left, right, word in ((ground, other, ("少", "lack")), (other, ground, ("多", "exceed by"))):
        piece = piece_of(shapely.difference(left, right), desk.options.tolerance)
        if piece.area:
            raise PlanningConflict(
                f"{zh}与原红线相比{word[0]} {piece.area:.2f} 平方米；改变范围请用调整（adjust）",
                f"{en} {word[1]} {piece.area:.2f} m² of the red line; to change its ground, adjust it",
            )
