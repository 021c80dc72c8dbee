"""Checks of a parcel's rings: repeated points, spikes, sides that cross, holes outside."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import shapely

from planning.boundary.model import Findings
from planning.survey.parcel import BoundaryPoint, Floats, Parcel, Ring
from planning.survey.reasons import why_no_area

#: Points nearer than this are one point [m]; nearer than the second, a slip of the surveyor's hand.
SAME, NEAR = 0.0005, 0.01
#: An angle sharper than this is a spike [°].
SPIKE = 1.0
#: Crossings that are told of one ring, and sides that are looked at together.
_TOLD, _AT_ONCE = 5, 16
#: Most rings of one parcel.
MAX_RINGS = 500


def tidy_ring(points: list[BoundaryPoint], findings: Findings) -> Ring | None:
    """The ring without its closing point and without repetitions; None for fewer than three points."""
    ring = _opened(points, findings)
    kept: list[BoundaryPoint] = []
    for point in ring:
        if kept and _distance(kept[-1], point) < SAME:
            findings.warn(
                point.line,
                "duplicate-point",
                f"{point.name} 与第 {kept[-1].line} 行的 {kept[-1].name} 重合，已略去",
                f"{point.name} repeats {kept[-1].name} of line {kept[-1].line}; left out",
            )
            continue
        kept.append(point)
    _check_names(kept, findings)
    if len(kept) < 3:
        line = points[0].line
        findings.error(
            line,
            "too-few-points",
            f"一圈至少要有 3 个不同的界址点，只有 {len(kept)} 个",
            f"a ring needs three different points, this one has {len(kept)}",
        )
        return None
    for one, other in zip(kept, kept[1:] + kept[:1], strict=True):
        if _distance(one, other) < NEAR:
            findings.warn(
                other.line,
                "near-points",
                f"{other.name} 与 {one.name}（第 {one.line} 行）相距不到 1 厘米",
                f"{other.name} is less than 1 cm from {one.name} (line {one.line})",
            )
    return tuple(kept)


def check_outline(parcel: Parcel, findings: Findings) -> bool:
    """Whether the rings make an area; every reason why not is told with its lines."""
    before = findings.errors
    if len(parcel.rings) > MAX_RINGS:
        findings.error(
            parcel.line, "too-many", f"地块超过 {MAX_RINGS} 圈", f"the parcel has more than {MAX_RINGS} rings"
        )
        return False
    for ring in parcel.rings:
        _check_sides(ring, findings)
        _check_spikes(ring, findings)
    if findings.errors == before:
        _check_holes(parcel, findings)
    if findings.errors == before and not parcel.polygon.is_valid:
        why = why_no_area(parcel.polygon)
        findings.error(parcel.line, "invalid", f"地块边界不构成面：{why.zh}", f"the rings make no area: {why.en}")
    return findings.errors == before


def _opened(points: list[BoundaryPoint], findings: Findings) -> list[BoundaryPoint]:
    first, last = points[0], points[-1]
    if len(points) > 1 and _distance(first, last) < SAME:
        return points[:-1]
    if len(points) > 1 and first.name == last.name:
        away = f"{_distance(first, last):.3f}"
        findings.error(
            last.line,
            "closing-point",
            f"闭合点 {last.name} 与第 {first.line} 行的同名点相差 {away} 米",
            f"the closing point {last.name} lies {away} m from that of line {first.line}",
        )
        return points[:-1]
    return points


def _check_names(ring: list[BoundaryPoint], findings: Findings) -> None:
    seen: dict[str, BoundaryPoint] = {}
    for point in ring:
        if point.name in seen:
            findings.error(
                point.line,
                "name-twice",
                f"点号 {point.name} 已在第 {seen[point.name].line} 行用过",
                f"the point {point.name} stands in line {seen[point.name].line} already",
            )
        seen[point.name] = point
    for one, other in zip(ring, ring[1:], strict=False):
        numbers = [int(digits) if (digits := point.name.lstrip("Jj")).isdecimal() else None for point in (one, other)]
        if None not in numbers and numbers[1] != (numbers[0] or 0) + 1:
            findings.warn(
                other.line,
                "name-gap",
                f"点号不连续：{one.name} 之后是 {other.name}",
                f"names are not in sequence: {other.name} follows {one.name}",
            )


def _check_sides(ring: Ring, findings: Findings) -> None:
    """Tell pairs of sides that meet elsewhere than at the point they share."""
    places = Parcel.positions(ring)
    sides = np.asarray(shapely.linestrings(np.stack([places, np.roll(places, -1, axis=0)], axis=1)))
    count = len(ring)
    for a, b in islice(_crossings(sides), _TOLD):
        meeting = shapely.intersection(sides[a], sides[b])
        x, y = shapely.get_coordinates(meeting)[0]
        names = [f"{ring[i].name}-{ring[(i + 1) % count].name}" for i in (a, b)]
        line, other = ring[b].line, ring[a].line
        findings.error(
            line,
            "self-crossing",
            f"边 {names[1]} 与第 {other} 行起的边 {names[0]} 相交（X={y:.3f}, Y={x:.3f}）",
            f"side {names[1]} meets side {names[0]} that begins in line {other} (X={y:.3f}, Y={x:.3f})",
        )


def _crossings(sides: Any) -> Iterator[tuple[int, int]]:
    """Pairs of sides that meet and are no neighbours, found a few sides at a time: a hostile ring has millions."""
    tree, count = shapely.STRtree(sides), len(sides)
    for first in range(0, count, _AT_ONCE):
        pairs = tree.query(sides[first : first + _AT_ONCE], predicate="intersects").T
        apart = pairs[:, 1] - (pairs[:, 0] + first)
        found = pairs[(apart > 1) & (apart < count - 1)]
        for a, b in found[np.lexsort((found[:, 1], found[:, 0]))][:_TOLD].tolist():
            yield a + first, b


def _check_spikes(ring: Ring, findings: Findings) -> None:
    for point, angle in zip(ring, _angles(Parcel.positions(ring)), strict=True):
        if angle < 1e-3:
            findings.error(
                point.line, "spike", f"{point.name} 处边界原路折回", f"the boundary turns back at {point.name}"
            )
        elif angle < SPIKE:
            findings.warn(
                point.line,
                "spike",
                f"{point.name} 处夹角只有 {angle:.2f}°，疑为尖刺",
                f"the angle at {point.name} is only {angle:.2f}°: perhaps a spike",
            )


def _angles(places: Floats) -> Iterator[float]:
    """The angle between the two sides at each point [°], 0 to 180."""
    back, ahead = np.roll(places, 1, axis=0) - places, np.roll(places, -1, axis=0) - places
    cross = back[:, 0] * ahead[:, 1] - back[:, 1] * ahead[:, 0]
    dot = (back * ahead).sum(axis=1)
    yield from np.degrees(np.abs(np.arctan2(cross, dot))).tolist()


def _check_holes(parcel: Parcel, findings: Findings) -> None:
    outer, *holes = (shapely.Polygon(parcel.positions(ring)) for ring in parcel.rings)
    for hole, ring in zip(holes, parcel.rings[1:], strict=True):
        if not shapely.covers(outer, hole):
            outside = round(shapely.area(shapely.difference(hole, outer)), 2)
            findings.error(
                ring[0].line,
                "hole-outside",
                f"内圈不在外圈之内（超出 {outside} 平方米）",
                f"the hole does not lie within the outline ({outside} m² outside)",
            )
    shapes = np.array(holes, dtype=object)
    for place, ring in enumerate(parcel.rings[2:], 1):
        clash = shapes[:place][shapely.area(shapely.intersection(shapes[:place], shapes[place])) > 0]
        if len(clash):
            first = parcel.rings[1 + holes.index(clash[0])]
            findings.error(
                ring[0].line,
                "holes-overlap",
                f"内圈与第 {first[0].line} 行起的内圈重叠",
                f"the hole overlaps the one that begins in line {first[0].line}",
            )


def _distance(one: BoundaryPoint, other: BoundaryPoint) -> float:
    return float(np.hypot(one.north - other.north, one.east - other.east))
