"""The lines of a boundary-point file as records: sections, parcel lines, point lines, each judged by itself."""

import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from planning.boundary.model import Findings

_HEADER, _PARCELS = "属性描述", "地块坐标"
_SECTION = re.compile(r"[\[［【](.+?)[\]］】]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?")
#: Fields of a parcel line before its ``@``.
PARCEL_FIELDS = ("界址点数", "地块面积", "地块编号", "地块名称", "面", "图幅号", "地块用途", "地类编码")
#: Most parcels and points that are read of one file.
MAX_PARCELS, MAX_POINTS = 5000, 100_000


@dataclass(frozen=True, slots=True)
class PointRecord:
    """One point line; ``decimals`` is how many digits its coarser ordinate has after the point."""

    line: int
    name: str
    ring: int
    x: float
    y: float
    decimals: int


@dataclass(slots=True)
class ParcelRecord:
    """One parcel line with the points below it. ``broken``: a line of it could not be read."""

    line: int
    values: tuple[str, ...]
    points: list[PointRecord] = field(default_factory=list)
    broken: bool = False


def split_sections(lines: list[str], findings: Findings) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """The numbered lines of [属性描述] and of [地块坐标] that are not blank."""
    sections: dict[str, list[tuple[int, str]]] = {}
    current: list[tuple[int, str]] | None = None
    for number, line in enumerate((line.strip(" \t\u3000") for line in lines), 1):
        found = _SECTION.fullmatch(line)
        if found:
            name = found[1].strip()
            if name in sections:
                findings.error(number, "section-twice", f"[{name}] 重复出现", f"[{name}] stands twice")
            elif name not in (_HEADER, _PARCELS):
                findings.warn(
                    number,
                    "section-unknown",
                    f"不认识的段 [{name[:40]}]，未读取",
                    f"section [{name[:40]}] is not known and was not read",
                )
            current = sections.setdefault(name, [])
        elif line and current is not None:
            current.append((number, line))
        elif line:
            findings.error(
                number,
                "before-section",
                f"[属性描述] 之前有内容 {line[:40]!r}",
                f"{line[:40]!r} stands before [属性描述]",
            )
    for name, english in ((_HEADER, "the header"), (_PARCELS, "the parcels")):
        if name not in sections:
            findings.error(
                0,
                "section-missing",
                f"缺少 [{name}]；这不是界址点坐标文件，或被截断",
                f"[{name}], {english}, is missing: no boundary-point file, or a part of one",
            )
    return sections.get(_HEADER, []), sections.get(_PARCELS, [])


def read_records(lines: list[tuple[int, str]], findings: Findings) -> list[ParcelRecord]:
    """The parcels in the order of the file, each with its points."""
    parcels: list[ParcelRecord] = []
    points = 0
    for number, line, items in _split(lines):
        if items[-1] == "@" or len(items) > 5:
            if len(parcels) == MAX_PARCELS:
                findings.error(number, "too-many", f"超过 {MAX_PARCELS} 个地块", f"more than {MAX_PARCELS} parcels")
                break
            parcels.append(_parcel(number, items, findings))
            continue
        if points == MAX_POINTS:
            findings.error(number, "too-many", f"超过 {MAX_POINTS} 个界址点", f"more than {MAX_POINTS} points")
            break
        points += 1
        point = _point(number, line, items, findings)
        if not parcels:
            findings.error(
                number,
                "point-before-parcel",
                "界址点之前没有以 @ 结尾的地块行",
                "a point stands before the first parcel line, which ends in @",
            )
            parcels.append(ParcelRecord(number, ("",) * len(PARCEL_FIELDS), broken=True))
        if point is None:
            parcels[-1].broken = True
        else:
            parcels[-1].points.append(point)
    return parcels


def plain_number(text: str) -> float | None:
    """The number that a text says, full-width digits too; None for anything else."""
    text = unicodedata.normalize("NFKC", text).strip()
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    return value if math.isfinite(value) else None


def _split(lines: list[tuple[int, str]]) -> Iterator[tuple[int, str, list[str]]]:
    for number, line in lines:
        plain = line.replace("，", ",").replace("＠", "@").replace("﹐", ",").replace("､", ",")
        items = [item.strip(" \t\u3000") for item in plain.split(",")]
        if items[-1].endswith("@") and items[-1] != "@":
            items[-1:] = [items[-1].removesuffix("@").strip(), "@"]
        yield number, line, items


def _parcel(number: int, items: list[str], findings: Findings) -> ParcelRecord:
    wanted = len(PARCEL_FIELDS)
    if items[-1] != "@":
        findings.error(number, "no-at-sign", "地块行应以 @ 结尾", "a parcel line must end in @")
        return ParcelRecord(number, ("",) * wanted, broken=True)
    values = items[:-1]
    if len(values) != wanted:
        many = ("；名称或用途中可能有逗号", "; a name may hold a comma") if len(values) > wanted else ("", "")
        findings.error(
            number,
            "parcel-fields",
            f"地块行在 @ 之前应有 {wanted} 项，有 {len(values)} 项{many[0]}",
            f"a parcel line has {wanted} fields before @, this one {len(values)}{many[1]}",
        )
        return ParcelRecord(number, ("",) * wanted, broken=True)
    return ParcelRecord(number, tuple(values))


def _point(number: int, line: str, items: list[str], findings: Findings) -> PointRecord | None:
    if len(items) != 4:
        findings.error(
            number,
            "point-fields",
            f"界址点行应为“点号,圈号,X,Y”四项，不是 {line[:60]!r}",
            f"a point line is 'name,ring,X,Y', not {line[:60]!r}",
        )
        return None
    name, ring, *ordinates = items
    if not name:
        findings.error(number, "point-name", "界址点没有点号", "the point has no name")
        return None
    ring = unicodedata.normalize("NFKC", ring)
    if not ring.isdecimal() or not 1 <= int(ring) <= 10_000:
        findings.error(
            number,
            "ring-number",
            f"地块圈号应为 1、2、3…，不是 {ring[:20]!r}",
            f"the ring number must be 1, 2, 3 …, not {ring[:20]!r}",
        )
        return None
    values = [plain_number(text) for text in ordinates]
    for axis, text, value in zip("XY", ordinates, values, strict=True):
        if value is None:
            zh, en = ("缺失", "is missing") if not text else (f"不是数：{text[:30]!r}", f"is no number: {text[:30]!r}")
            findings.error(number, "not-a-number", f"{axis} 坐标{zh}", f"{axis} {en}")
            return None
    x, y = (value for value in values if value is not None)
    return PointRecord(number, name[:40], int(ring), x, y, min(map(_decimals, ordinates)))


def _decimals(text: str) -> int:
    return len(unicodedata.normalize("NFKC", text).partition(".")[2])
