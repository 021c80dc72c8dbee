"""Tables of rules as CSV files: classes, conditions with their limits, rules of dispatch. No I/O.

UTF-8 with a header line; the columns are those of the table. Every mistake names its line.
"""

import csv
import io
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from grid.errors import GridError

type Table = Literal["classes", "conditions", "dispatch-rules"]
#: Lines and bytes that are read at most.
MOST_LINES, MOST_BYTES = 100_000, 20_000_000


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file: whether a line must have it, and how its text is read."""

    name: str
    required: bool = False
    read: Callable[[str], Any] = str


def _kind(text: str) -> str:
    return _one_of(text, ("event", "component"))


def _any_kind(text: str) -> str:
    return _one_of(text, ("", "event", "component"))


def _unit(text: str) -> str:
    return _one_of(text, ("work-hours", "work-days", "urgent-hours"))


def _one_of(text: str, known: tuple[str, ...]) -> str:
    if text not in known:
        raise ValueError(f"is none of {', '.join(filter(None, known))}")
    return text


def _amount(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and 0 < value <= 10_000):
        raise ValueError("is no length between 0 and 10000")
    return value


def _digits(text: str) -> str:
    if text and not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError("is no code of up to 18 digits")
    return text


def _whole(text: str) -> int:
    return int(text or "100")


#: The columns of each table's file.
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "classes": (
        Column("scheme", True), Column("kind", True, _kind), Column("code", True, _digits), Column("major", True),
        Column("major_name"), Column("name", True), Column("provenance"),
    ),
    "conditions": (
        Column("scheme", True), Column("kind", True, _kind), Column("class"), Column("condition", True),
        Column("area_type"), Column("amount", True, _amount), Column("unit", True, _unit), Column("filing"),
        Column("closing"), Column("responsible"), Column("legal_basis"), Column("collecting"),
    ),
    "dispatch-rules": (
        Column("scheme"), Column("kind", False, _any_kind), Column("class"), Column("area", False, _digits),
        Column("department", True), Column("rank", False, _whole), Column("note"),
    ),
}  # fmt: skip


def read_rules(table: Table, content: bytes) -> list[dict[str, Any]]:
    """The rows of a file. Raises :class:`GridError` naming the first lines that are wrong."""
    if len(content) > MOST_BYTES:
        raise GridError("文件太大", f"the file is larger than {MOST_BYTES // 1_000_000} MB")
    try:
        lines = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        columns = _checked_header(table, list(lines.fieldnames or ()))
        rows: list[dict[str, Any]] = []
        wrong: list[str] = []
        for row in lines:
            if len(rows) >= MOST_LINES:
                raise GridError("行数太多", f"the file has more than {MOST_LINES} lines")
            values, mistakes = _read(row, columns)
            rows.append(values)
            wrong += [f"line {lines.line_num}, {mistake}" for mistake in mistakes]
    except UnicodeDecodeError:
        raise GridError("文件不是 UTF-8 编码", "the file is not UTF-8") from None
    except csv.Error as error:
        raise GridError(f"不是 CSV 文件：{error}", f"the file is no CSV: {error}") from None
    if wrong:
        more = f" … ({len(wrong)})" if len(wrong) > 5 else ""
        raise GridError(f"文件有误：{'; '.join(wrong[:5])}{more}", f"{'; '.join(wrong[:5])}{more}")
    return rows


def _checked_header(table: Table, names: list[str]) -> tuple[Column, ...]:
    columns = COLUMNS[table]
    unknown = [name for name in names if name not in {column.name for column in columns}]
    missing = [column.name for column in columns if column.required and column.name not in names]
    if unknown or missing:
        known = ", ".join(column.name for column in columns)
        what = f"unknown {', '.join(unknown[:5])}" if unknown else f"missing {', '.join(missing)}"
        raise GridError(f"表头有误；列为 {known}", f"the header line: {what}; the columns are {known}")
    return columns


def _read(row: Mapping[str | None, Any], columns: tuple[Column, ...]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    mistakes = ["too many values"] if None in row else []
    for column in columns:
        text = (row.get(column.name) or "").strip()
        try:
            if column.required and not text:
                raise ValueError("is empty")
            values[column.name] = column.read(text)
        except ValueError as error:
            mistakes.append(f"{column.name} {text[:40]!r} {error}")
    return values, mistakes
