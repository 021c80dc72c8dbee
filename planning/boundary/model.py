"""What a 勘测定界界址点坐标 boundary-point file says, and what is found to be wrong with it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from layers.catalogue import Text
from planning.survey.parcel import Parcel

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One contradiction. ``line`` is its line in the file, from 1, and 0 for the whole file; ``code`` names its kind.

    An error keeps its parcel, or the whole file, out; a warning does not.
    """

    severity: Severity
    line: int
    code: str
    text: Text


@dataclass(slots=True)
class Findings:
    """Findings while a file is read."""

    found: list[Finding] = field(default_factory=list)

    def error(self, line: int, code: str, zh: str, en: str) -> None:
        """Note what keeps a parcel or the file out."""
        self.found.append(Finding("error", line, code, _at(line, zh, en)))

    def warn(self, line: int, code: str, zh: str, en: str) -> None:
        """Note what an officer should look at."""
        self.found.append(Finding("warning", line, code, _at(line, zh, en)))

    @property
    def errors(self) -> int:
        """How many errors there are."""
        return sum(finding.severity == "error" for finding in self.found)


def _at(line: int, zh: str, en: str) -> Text:
    return Text(f"第 {line} 行：{zh}", f"line {line}: {en}") if line else Text(zh, en)


@dataclass(frozen=True, slots=True)
class Header:
    """[属性描述], in the order of the file. ``zone_width`` is 几度分带 [°], ``zone`` 带号, ``precision`` 精度 [m]."""

    version: str = "1.01版本"
    producer: str = ""
    produced: str = ""
    system: str = "2000国家大地坐标系"
    zone_width: str = "3"
    projection: str = "高斯克吕格"
    unit: str = "米"
    zone: str = ""
    precision: str = "0.001"
    parameters: str = ",,,,,,"


#: The keys of [属性描述] and the members of :class:`Header` that they fill, in the order in which they are written.
HEADER_KEYS: tuple[tuple[str, str], ...] = (
    ("格式版本号", "version"),
    ("数据产生单位", "producer"),
    ("数据产生日期", "produced"),
    ("坐标系", "system"),
    ("几度分带", "zone_width"),
    ("投影类型", "projection"),
    ("计量单位", "unit"),
    ("带号", "zone"),
    ("精度", "precision"),
    ("转换参数", "parameters"),
)


@dataclass(frozen=True, slots=True)
class BoundaryFile:
    """A file read: ``parcels`` are those without an error. ``prefixed``: its eastings carry the zone number."""

    header: Header
    parcels: tuple[Parcel, ...]
    findings: tuple[Finding, ...] = ()
    encoding: str | None = None
    prefixed: bool = True

    @property
    def errors(self) -> tuple[Finding, ...]:
        """What kept parcels or the file out."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    def codes(self) -> set[str]:
        """The kinds of all findings."""
        return {finding.code for finding in self.findings}


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by their lines, those of the whole file first."""
    return tuple(sorted(findings, key=lambda finding: finding.line))
