"""Which way the ordinates of a file lie: X north with 7 digits, Y east with 8 (zone number first) or 6.

A contradiction is an error that names its line, never a guess.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from planning.boundary.model import Findings
from planning.boundary.records import PointRecord
from planning.survey.zones import PREFIX, ZONES, Zone

#: Northings of China [m]: 3° to 54° N; and eastings without zone number that a 6° zone can have.
_NORTH, _EAST = (300_000.0, 6_100_000.0), (100_000.0, 1_000_000.0)


@dataclass(frozen=True, slots=True)
class Axes:
    """What holds for all points of a file: the zone, and whether eastings carry its number."""

    zone: Zone
    prefixed: bool

    def east(self, y: float) -> float:
        """The easting without zone number [m]; what a file says to 0.1 mm stays so."""
        return round(y - self.zone.number * PREFIX, 6) if self.prefixed else y


def settle_axes(
    points: Iterable[PointRecord], told: Zone | None, width: int, zone_line: int, findings: Findings
) -> Axes | None:
    """The axes of a file by its header and all its points; None where they contradict each other."""
    before = findings.errors
    places = list(points)
    usable = [point for point in places if _check_place(point, findings)]
    if findings.errors > before or not usable:
        return None
    first = usable[0]
    prefixed = first.y >= _EAST[1]
    other = next((point for point in usable if (point.y >= _EAST[1]) != prefixed), None)
    if other is not None:
        has = ("有", "carries") if other.y >= _EAST[1] else ("没有", "lacks")
        findings.error(
            other.line,
            "prefix-mixed",
            f"Y 坐标{has[0]}带号，与第 {first.line} 行不一致",
            f"Y {has[1]} the zone number, unlike line {first.line}",
        )
        return None
    if not prefixed:
        return _by_header(told, findings)
    for point in usable:
        _check_prefix(point, told, zone_line, width, first, findings)
    if findings.errors > before:
        return None
    zone = told or Zone(int(first.y // PREFIX), 3 if width == 3 else 6)
    if told is None:
        findings.warn(
            0,
            "zone-missing",
            f"[属性描述] 未给带号，按 Y 坐标取 {zone.number}",
            f"no zone number (带号) in the header; {zone.number} is taken from Y",
        )
    return Axes(zone, prefixed=True)


def _by_header(told: Zone | None, findings: Findings) -> Axes | None:
    if told is not None:
        return Axes(told, prefixed=False)
    findings.error(
        0,
        "zone-unknown",
        "[属性描述] 没有可用的带号，Y 坐标也不带带号，无法确定位置",
        "neither the header nor Y gives a usable zone number (带号), so the place is unknown",
    )
    return None


def _check_prefix(
    point: PointRecord, told: Zone | None, zone_line: int, width: int, first: PointRecord, findings: Findings
) -> None:
    number, wanted = int(point.y // PREFIX), told.number if told else int(first.y // PREFIX)
    if number == wanted and ZONES[width][0] <= number <= ZONES[width][1]:
        return
    if number == wanted:
        low, high = ZONES[width]
        findings.error(
            point.line,
            "zone-range",
            f"Y 坐标的带号 {number} 不是 {width}° 带（{low}–{high}）的带号",
            f"the zone number {number} of Y is none of {width}° ({low}–{high})",
        )
    elif told:
        findings.error(
            point.line,
            "zone-contradiction",
            f"Y 坐标 {point.y:.3f} 的带号 {number} 与第 {zone_line} 行的带号 {wanted} 矛盾",
            f"the zone number {number} of Y {point.y:.3f} contradicts 带号 {wanted} of line {zone_line}",
        )
    else:
        findings.error(
            point.line,
            "zone-mixed",
            f"Y 坐标的带号 {number} 与第 {first.line} 行的 {wanted} 不一致",
            f"the zone number {number} of Y is not {wanted} as in line {first.line}",
        )


def _check_place(point: PointRecord, findings: Findings) -> bool:
    x, y = point.x, point.y
    north = _NORTH[0] <= x < _NORTH[1]
    east = _EAST[0] <= y < _EAST[1] or 13 * PREFIX <= y < 46 * PREFIX
    if north and east and (x >= PREFIX or y >= PREFIX):
        return True
    shown = f"X={x:.3f}, Y={y:.3f}"
    looks_north = PREFIX <= y < _NORTH[1]
    looks_east = _EAST[0] <= x < _EAST[1] or 13 * PREFIX <= x < 46 * PREFIX
    if looks_north and looks_east:
        findings.error(
            point.line,
            "swapped",
            f"X 与 Y 似乎颠倒（{shown}）：X 是北坐标（7 位），Y 是东坐标（8 位或 6 位）",
            f"X and Y seem to be swapped ({shown}): X is the northing (7 digits), Y the easting",
        )
    elif abs(x) <= 180 and abs(y) <= 180:
        findings.error(
            point.line,
            "degrees",
            f"{shown} 像是经纬度，应为投影坐标（米）",
            f"{shown} look like degrees; projected coordinates [m] are expected",
        )
    elif not north:
        findings.error(
            point.line,
            "north-range",
            f"X（北）坐标 {x:.3f} 不在中国范围内，整数部分应为 7 位",
            f"X (north) {x:.3f} lies outside China; it has 7 digits before the point",
        )
    else:
        findings.error(
            point.line,
            "east-range",
            f"Y（东）坐标 {y:.3f} 的整数部分应为 8 位（含带号）或 6 位",
            f"Y (east) {y:.3f} must have 8 digits (with zone number) or 6 before the point",
        )
    return False
