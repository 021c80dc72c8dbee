"""Checks of [属性描述]: what the header says of the coordinates must be what this reader can take literally."""

import re
import unicodedata

from planning.boundary.model import HEADER_KEYS, Findings, Header
from planning.survey.zones import ZONES, Zone

_MEMBER = {
    **dict(HEADER_KEYS),
    "分带": "zone_width",
    "投影": "projection",
    "数据生产单位": "producer",
    "数据生产日期": "produced",
}
_CGCS2000 = ("2000国家大地坐标系", "国家2000大地坐标系", "国家2000", "cgcs2000", "2000坐标系")
_OLD = {"80": "西安80", "54": "北京54"}
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


def read_header(lines: list[tuple[int, str]], findings: Findings) -> tuple[Header, dict[str, int]]:
    """The header of numbered lines, and at which line each member stands."""
    values: dict[str, str] = {}
    at: dict[str, int] = {}
    for number, line in lines:
        key, equals, value = line.replace("＝", "=").partition("=")
        member = _MEMBER.get(key.strip())
        if not equals:
            findings.error(
                number,
                "header-line",
                f"[属性描述] 中应为“名称=值”，不是 {line[:40]!r}",
                f"expected 'name=value' in [属性描述], not {line[:40]!r}",
            )
        elif member is None:
            findings.warn(
                number,
                "header-unknown",
                f"不认识的属性 {key.strip()[:40]!r}，未使用",
                f"attribute {key.strip()[:40]!r} is not known and was not used",
            )
        elif member in values:
            findings.error(
                number,
                "header-twice",
                f"属性 {key.strip()} 已在第 {at[member]} 行出现",
                f"attribute {key.strip()} stands in line {at[member]} already",
            )
        else:
            values[member], at[member] = value.strip(), number
    return Header(**{"zone_width": "", "system": "", **values}), at


def settle_zone(header: Header, at: dict[str, int], findings: Findings) -> tuple[Zone | None, int]:
    """The zone that the header names (None where it names none, or a wrong one) and the width of zones [°]."""
    _check_system(header, at, findings)
    _check_units(header, at, findings)
    _check_date(header, at, findings)
    width = _width(header, at, findings)
    text = unicodedata.normalize("NFKC", header.zone)
    if not text:
        return None, width
    if not text.isdecimal():
        findings.error(
            at["zone"],
            "zone-number",
            f"带号应是数字，不是 {header.zone!r}",
            f"the zone number 带号 must be digits, not {header.zone!r}",
        )
        return None, width
    first, last = ZONES[width]
    if not first <= int(text) <= last:
        other = 9 - width
        hint = (f"；{int(text)} 是 {other}° 带的带号", f"; {int(text)} is a zone of {other}°")
        zh, en = hint if ZONES[other][0] <= int(text) <= ZONES[other][1] else ("", "")
        findings.error(
            at["zone"],
            "zone-range",
            f"{width}° 带的带号应为 {first}–{last}，不是 {int(text)}{zh}",
            f"zones of {width}° are {first}–{last}, not {int(text)}{en}",
        )
        return None, width
    return Zone(int(text), 3 if width == 3 else 6), width


def _check_system(header: Header, at: dict[str, int], findings: Findings) -> None:
    text = unicodedata.normalize("NFKC", header.system).replace(" ", "").lower()
    if not text:
        findings.warn(
            at.get("system", 0),
            "system-missing",
            "未说明坐标系，按 2000 国家大地坐标系读取",
            "no 坐标系 is stated; read as CGCS2000",
        )
    elif text not in _CGCS2000:
        old = next((name for digits, name in _OLD.items() if digits in text), None)
        cure = (f"；请先从{old}转换（transform-coordinates）", f"; transform it from {old} first") if old else ("", "")
        findings.error(
            at["system"],
            "system",
            f"坐标系 {header.system!r} 不是 2000国家大地坐标系{cure[0]}",
            f"the system 坐标系 {header.system!r} is not CGCS2000 (2000国家大地坐标系){cure[1]}",
        )


def _check_units(header: Header, at: dict[str, int], findings: Findings) -> None:
    if header.unit not in ("米", "m", "M", "meter", "metre"):
        findings.error(
            at.get("unit", 0),
            "unit",
            f"计量单位应为米，不是 {header.unit!r}",
            f"the unit 计量单位 must be 米 (metre), not {header.unit!r}",
        )
    if not re.fullmatch(r"高斯[-—–]?克[吕里]格(投影)?|高斯投影", header.projection):
        findings.error(
            at.get("projection", 0),
            "projection",
            f"投影类型应为高斯克吕格，不是 {header.projection!r}",
            f"the projection 投影类型 must be 高斯克吕格 (Gauss-Krüger), not {header.projection!r}",
        )
    if header.parameters.replace("，", ",").strip(", 0.\t"):
        findings.warn(
            at["parameters"],
            "parameters",
            "给出了转换参数，坐标按原值读取，未作转换",
            "转换参数 are given; coordinates are read as they stand, nothing was transformed",
        )
    if not re.fullmatch(r"\d+(\.\d+)?", header.precision) or not 0 < float(header.precision) <= 1:
        findings.warn(
            at.get("precision", 0),
            "precision",
            f"精度 {header.precision!r} 不是 0 到 1 米之间的数",
            f"the precision 精度 {header.precision!r} is no number between 0 and 1 m",
        )


def _check_date(header: Header, at: dict[str, int], findings: Findings) -> None:
    found = _DATE.fullmatch(header.produced)
    good = found is not None and 1 <= int(found[2]) <= 12 and 1 <= int(found[3]) <= 31
    if header.produced and not good:
        findings.warn(
            at["produced"],
            "date",
            f"数据产生日期 {header.produced!r} 不是日期，应如 2025-3-1",
            f"数据产生日期 {header.produced!r} is no date such as 2025-3-1",
        )


def _width(header: Header, at: dict[str, int], findings: Findings) -> int:
    text = unicodedata.normalize("NFKC", header.zone_width).removesuffix("度").removesuffix("°")
    if text in ("3", "6"):
        return int(text)
    if not text:
        findings.warn(
            at.get("zone_width", 0),
            "width-missing",
            "未说明几度分带，按 3 度分带读取",
            "no 几度分带 is stated; read as zones of 3°",
        )
    else:
        findings.error(
            at["zone_width"],
            "width",
            f"几度分带应为 3 或 6，不是 {header.zone_width!r}",
            f"几度分带 must be 3 or 6, not {header.zone_width!r}",
        )
    return 3
