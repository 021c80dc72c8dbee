"""Reads 勘测定界界址点坐标 TXT: every contradiction becomes a finding that names its line."""

from collections import Counter
from itertools import chain

import numpy as np
import shapely

from planning.boundary.decoding import decoded, lines_of
from planning.boundary.header import read_header, settle_zone
from planning.boundary.model import BoundaryFile, Findings, Header, in_order
from planning.boundary.ordinates import Axes, settle_axes
from planning.boundary.outlines import check_outline, tidy_ring
from planning.boundary.records import ParcelRecord, PointRecord, plain_number, read_records, split_sections
from planning.survey.areas import MU, areas_of, zone_shares
from planning.survey.parcel import BoundaryPoint, Parcel, Ring
from planning.survey.zones import Zone

#: Errors that leave no parcel of the file usable.
OF_HEADER = frozenset(
    ("header-line", "header-twice", "system", "unit", "projection", "width", "zone-number", "zone-range")
    + ("section-twice", "before-section", "too-many")
)
#: Least overlap of two parcels of a file that is told [m²].
_OVERLAP = 0.01
#: Pairs of neighbours that are looked at, and overlaps after which no more are looked for.
_PAIRS, _TOLD = 20_000, 20


def read_boundary_points(content: bytes | str) -> BoundaryFile:
    """Read a file, or its text. Raises :class:`PlanningError` where it is no text at all."""
    text, encoding = decoded(content) if isinstance(content, bytes) else (content, None)
    findings = Findings()
    header_lines, parcel_lines = split_sections(lines_of(text), findings)
    header, at = read_header(header_lines, findings)
    if any(finding.code == "section-missing" for finding in findings.found):
        return BoundaryFile(header, (), in_order(findings.found), encoding)
    zone, width = settle_zone(header, at, findings)
    records = read_records(parcel_lines, findings)
    if not records:
        findings.error(0, "no-parcels", "[地块坐标] 中没有地块", "[地块坐标] has no parcel")
    return parcels_of(header, at, records, zone, width, findings, encoding)


def parcels_of(
    header: Header,
    at: dict[str, int],
    records: list[ParcelRecord],
    zone: Zone | None,
    width: int,
    findings: Findings,
    encoding: str | None = None,
) -> BoundaryFile:
    """Make parcels of records. ``zone`` and ``width`` are those of the header, ``at`` the lines of its members."""
    of_header = any(finding.code in OF_HEADER for finding in findings.found if finding.severity == "error")
    for record in records:
        if not record.points and not record.broken:
            findings.error(record.line, "no-points", "地块没有界址点", "the parcel has no points")
    every = chain.from_iterable(record.points for record in records)
    axes = settle_axes(every, zone, width, at.get("zone", 0), findings)
    found = [_parcel(record, axes, header, findings) for record in records] if axes else []
    parcels = tuple(parcel for parcel in found if parcel is not None)
    _check_together(parcels, findings)
    usable = () if of_header else parcels
    prefixed = axes.prefixed if axes else True
    return BoundaryFile(header, usable, in_order(findings.found), encoding, prefixed)


def _parcel(record: ParcelRecord, axes: Axes, header: Header, findings: Findings) -> Parcel | None:
    before = findings.errors
    count, area, number, name, kind, sheet, use, code = record.values
    if record.broken or not record.points:
        return None
    if kind and kind != "面":
        findings.error(
            record.line, "kind", f"图形类型应为“面”，不是 {kind!r}", f"the kind must be 面 (area), not {kind!r}"
        )
    rings = _rings(record, axes, findings)
    _check_count(record, count, rings, findings)
    _check_precision(record, header, findings)
    if findings.errors > before:
        return None
    stated = plain_number(area)
    if area and stated is None:
        findings.warn(
            record.line, "area-format", f"地块面积 {area[:30]!r} 不是数", f"the area {area[:30]!r} is no number"
        )
    parcel = Parcel(tuple(rings), axes.zone, number, name, kind or "面", sheet, use, code, stated, record.line)
    if not check_outline(parcel, findings):
        return None
    _check_area(parcel, area, findings)
    return parcel if _check_zone(parcel, findings) else None


def _rings(record: ParcelRecord, axes: Axes, findings: Findings) -> list[Ring]:
    grouped: list[tuple[int, list[PointRecord]]] = []
    for point in record.points:
        if not grouped or grouped[-1][0] != point.ring:
            _check_ring_number(point, [number for number, _ in grouped], findings)
            grouped.append((point.ring, []))
        grouped[-1][1].append(point)
    tidied = [
        tidy_ring([BoundaryPoint(p.name, p.x, axes.east(p.y), p.line) for p in points], findings)
        for _, points in grouped
    ]
    return [ring for ring in tidied if ring is not None]


def _check_ring_number(point: PointRecord, before: list[int], findings: Findings) -> None:
    expected = len(before) + 1
    if point.ring in before:
        findings.error(point.line, "ring-order", f"圈号 {point.ring} 的点不连续", f"ring {point.ring} is interrupted")
    elif point.ring != expected:
        findings.error(
            point.line,
            "ring-order",
            f"圈号应为 {expected}，不是 {point.ring}",
            f"the ring number should be {expected}, not {point.ring}",
        )


def _check_count(record: ParcelRecord, text: str, rings: list[Ring], findings: Findings) -> None:
    """The stated count may count closing points, repeated points, or neither."""
    stated = plain_number(text)
    if not text:
        findings.warn(record.line, "count-missing", "没有给出界址点数", "no count of points is stated")
    elif stated is None or stated != int(stated):
        findings.error(
            record.line, "count", f"界址点数 {text[:20]!r} 不是整数", f"the count {text[:20]!r} is no whole number"
        )
    elif not sum(map(len, rings)) <= stated <= max(len(record.points), sum(len(ring) + 1 for ring in rings)):
        present = sum(map(len, rings))
        findings.error(
            record.line,
            "count",
            f"界址点数为 {int(stated)}，而下面有 {present} 个点：可能缺行或多行",
            f"{int(stated)} points are stated, but {present} follow: lines may be missing",
        )


def _check_precision(record: ParcelRecord, header: Header, findings: Findings) -> None:
    wanted = len(header.precision.partition(".")[2].rstrip("0"))
    coarse = [point for point in record.points if point.decimals < wanted]
    if coarse:
        decimals, count = coarse[0].decimals, len(coarse)
        findings.warn(
            coarse[0].line,
            "precision",
            f"坐标只有 {decimals} 位小数（共 {count} 点），精度应为 {header.precision} 米",
            f"coordinates have {decimals} decimals ({count} points); 精度 is {header.precision} m",
        )


def _check_area(parcel: Parcel, text: str, findings: Findings) -> None:
    stated, plane = parcel.stated_area, areas_of(parcel).plane
    if not stated:
        return
    rounding = 0.5 * 10.0 ** -len(text.partition(".")[2])
    units = (("公顷", "ha", 10_000.0), ("平方米", "m²", 1.0), ("亩", "mu", MU))
    near = [unit for unit in units if abs(plane - stated * unit[2]) <= max(rounding * unit[2], 1e-4 * plane)]
    if not near:
        hectares, off = f"{plane / 10_000:.4f}", f"{plane / 10_000 - stated:+.4f}"
        findings.warn(
            parcel.line,
            "area",
            f"地块面积为 {text} 公顷，按坐标为 {hectares} 公顷（{plane:.2f} 平方米），相差 {off} 公顷",
            f"the stated area is {text} ha, the coordinates make {hectares} ha ({plane:.2f} m²), {off} ha",
        )
    elif near[0][1] != "ha":
        (zh, en, _), hectares = near[0], f"{plane / 10_000:.4f}"
        findings.warn(
            parcel.line,
            "area-unit",
            f"地块面积 {text} 似为{zh}，规定用公顷；按坐标为 {hectares} 公顷",
            f"the stated area {text} seems to be in {en}; required are hectares: {hectares}",
        )


def _check_zone(parcel: Parcel, findings: Findings) -> bool:
    """Whether the parcel lies in its zone, or beside it; a neighbour of the border is told."""
    longitude = float(parcel.degrees.centroid.x)
    away = abs(longitude - parcel.zone.meridian)
    half = parcel.zone.width / 2
    where, meridian = f"{longitude:.4f}°E", parcel.zone.meridian
    if away > 2 * half:
        findings.error(
            parcel.line,
            "far-from-zone",
            f"地块在 {where}，距中央经线 {meridian}° 有 {away:.2f}°，带号或坐标有误",
            f"the parcel lies at {where}, {away:.2f}° from the central meridian {meridian}°",
        )
        return False
    shares = zone_shares(parcel)
    if away > half and len(shares) == 1:
        findings.warn(
            parcel.line,
            "out-of-zone",
            f"地块在 {where}，属于相邻的带，不在带号 {parcel.zone.number} 内",
            f"the parcel lies at {where}, in a neighbour of zone {parcel.zone.number}",
        )
    if parcel.zone.width == 3 and len(shares) > 1:
        parts = "，".join(f"{share.zone} 带 {share.share:.1%}" for share in shares)
        parts_en = ", ".join(f"zone {share.zone} {share.share:.1%}" for share in shares)
        findings.warn(
            parcel.line,
            "two-zones",
            f"地块跨 3° 带（{parts}），坐标与平面面积按 {parcel.zone.number} 带",
            f"the parcel crosses zones ({parts_en}); plane values are those of {parcel.zone.number}",
        )
    return True


def _check_together(parcels: tuple[Parcel, ...], findings: Findings) -> None:
    numbers = Counter(parcel.number for parcel in parcels if parcel.number)
    for parcel in parcels:
        if numbers[parcel.number] > 1:
            findings.warn(
                parcel.line,
                "number-twice",
                f"地块编号 {parcel.number} 重复",
                f"the number {parcel.number} is not unique",
            )
    _check_overlaps(parcels, findings)


def _check_overlaps(parcels: tuple[Parcel, ...], findings: Findings) -> None:
    """Tell parcels of the file that overlap; no more than a hostile file could make it spend time on."""
    shapes = np.array([parcel.polygon for parcel in parcels], dtype=object)
    tree, left, told = shapely.STRtree(shapes), _PAIRS, 0
    for b, shape in enumerate(shapes):
        near = np.sort(tree.query(shape, predicate="intersects"))
        near = near[near < b][:left]
        left -= len(near)
        areas = shapely.area(shapely.intersection(shapes[near], shape))
        for a, area in zip(near.tolist(), areas.tolist(), strict=True):
            if area <= _OVERLAP:
                continue
            told += 1
            findings.warn(
                parcels[b].line,
                "parcels-overlap",
                f"与第 {parcels[a].line} 行的地块重叠 {area:.2f} 平方米",
                f"it overlaps the parcel of line {parcels[a].line} by {area:.2f} m²",
            )
        if told >= _TOLD or not left:
            return
