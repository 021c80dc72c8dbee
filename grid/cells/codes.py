"""Codes of divisions, unit grid cells and components: what their digits mean. No I/O.

Source: domain facts §1. 单元网格 15 digits = 6 行政区划 + 3 街道 + 3 社区 + 3 sequence; 部件 = division, major, minor
and sequence, in widths that its scheme gives.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from grid.errors import GridError

#: Digits of a community's code, of a unit grid cell's, and of the sequence between them.
COMMUNITY_DIGITS, CELL_DIGITS, SEQUENCE_DIGITS = 12, 15, 3


@dataclass(frozen=True, slots=True)
class CellCode:
    """A unit grid cell's code taken apart."""

    division: str
    street: str
    community: str
    sequence: int


@dataclass(frozen=True, slots=True)
class ComponentCode:
    """A component's code taken apart; ``class_code`` is major and minor."""

    division: str
    major: str
    minor: str
    sequence: int

    @property
    def class_code(self) -> str:
        """The code of the class."""
        return self.major + self.minor


def parse_cell(code: str) -> CellCode:
    """The parts of a unit grid cell's code. Raises :class:`GridError` saying what is wrong."""
    if len(code) != CELL_DIGITS or not (code.isascii() and code.isdigit()):
        raise GridError(f"单元网格编码 {code[:40]} 应为 15 位数字", f"unit grid code {code[:40]!r} must have 15 digits")
    if code[12:] == "000":
        raise GridError(
            f"单元网格编码 {code} 的顺序码从 001 起", f"unit grid code {code}: its sequence begins with 001"
        )
    return CellCode(code[:6], code[6:9], code[9:12], int(code[12:]))


def cell_code(community: str, sequence: int) -> str:
    """The code of a cell. Raises :class:`GridError` for more than 999 in a community."""
    if len(community) != COMMUNITY_DIGITS or not community.isdigit():
        raise GridError(
            f"社区代码 {community[:40]} 应为 12 位数字", f"community code {community[:40]!r} must have 12 digits"
        )
    if not 1 <= sequence < 10**SEQUENCE_DIGITS:
        raise GridError(
            f"社区 {community} 的单元网格超过 999 个", f"community {community} would have more than 999 cells"
        )
    return f"{community}{sequence:03d}"


def next_sequence(codes: Iterable[str], prefix: str, digits: int = SEQUENCE_DIGITS) -> int:
    """The first sequence after all that were ever used with a prefix: a code is never given twice."""
    sequence = re.compile(f"{re.escape(prefix)}([0-9]{{{digits}}})")
    used = [int(found[1]) for found in map(sequence.fullmatch, codes) if found]
    return max(used, default=0) + 1


def parse_component(code: str, widths: tuple[int, int, int, int]) -> ComponentCode:
    """The parts of a component's code. Raises :class:`GridError` saying what is wrong."""
    if len(code) != sum(widths) or not (code.isascii() and code.isdigit()):
        raise GridError(
            f"部件标识码 {code[:40]} 应为 {sum(widths)} 位数字",
            f"component code {code[:40]!r} must have {sum(widths)} digits",
        )
    division, major, minor, _ = widths
    ends = division, division + major, division + major + minor
    return ComponentCode(code[: ends[0]], code[ends[0] : ends[1]], code[ends[1] : ends[2]], int(code[ends[2] :]))


def component_code(division: str, class_code: str, sequence: int, widths: tuple[int, int, int, int]) -> str:
    """The code of a component. Raises :class:`GridError` for parts of other widths."""
    for part, width, zh, en in (
        (division, widths[0], "行政区划", "division"),
        (class_code, widths[1] + widths[2], "类别", "class"),
    ):
        if len(part) != width or not part.isdigit():
            raise GridError(
                f"{zh}代码 {part[:40]} 应为 {width} 位", f"{en} code {part[:40]!r} must have {width} digits"
            )
    if not 0 < sequence < 10 ** widths[3]:
        raise GridError("顺序码已用尽", f"sequence {sequence} does not fit {widths[3]} digits")
    return f"{division}{class_code}{sequence:0{widths[3]}d}"
