"""What a table of another system's cases says, by a mapping of its columns. No I/O but the text itself.

``columns`` name, for a field of a case, the column it is in; ``a|b`` is the first of them that is not empty.
``states``, ``channels`` and ``classes`` say what the other system's words mean here.
"""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from grid.domains import CASE_STATES, CHANNELS
from grid.errors import GridError
from grid.model import FINAL

TEXTS = ("source_id", "class", "class_name", "description", "place", "department", "reporter_name", "reporter_phone")
TIMES = (
    "reported_at", "accepted_at", "filed_at", "dispatched_at", "handled_at", "checked_at", "closed_at", "due",
)  # fmt: skip
FIELDS = (*TEXTS, *TIMES, "lon", "lat", "status", "channel", "satisfaction")
REQUIRED = ("source_id", "reported_at", "lon", "lat")
_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Mapped:
    """How a table is read. Times without an offset are in ``zone``; ``time_formats`` are tried in turn, none: ISO 8601.

    ``due_is_day``: what is due at midnight is due by the end of that day.
    """

    source: str
    columns: Mapping[str, str]
    zone: ZoneInfo
    time_formats: tuple[str, ...] = ()
    states: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, str] = field(default_factory=dict)
    due_is_day: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: its number, and the case it tells of or what is wrong; neither where it has no position."""

    number: int
    case: Mapping[str, Any] | None = None
    wrong: str | None = None


def check_mapping(mapped: Mapped, header: Iterable[str]) -> None:
    """Raise :class:`GridError` for what the mapping names and the table or a case does not have."""
    names = set(header)
    if unknown := [one for one in mapped.columns if one not in FIELDS]:
        raise GridError(
            f"案卷没有字段 {unknown[0][:40]}", f"a case has no field {unknown[0][:40]!r}; it has {', '.join(FIELDS)}"
        )
    if missing := [one for one in REQUIRED if one not in mapped.columns]:
        raise GridError(f"columns 缺少 {missing[0]}", f"columns: say which column holds {', '.join(missing)}")
    asked = [name for one in mapped.columns.values() for name in one.split("|")]
    if absent := [name for name in asked if name not in names]:
        raise GridError(
            f"表中没有列 {absent[0][:60]}",
            f"the table has no column {absent[0][:60]!r}; it has {', '.join(sorted(names))[:600]}",
        )
    for word, meant, known in (("states", mapped.states, CASE_STATES), ("channels", mapped.channels, CHANNELS)):
        if wrong := [one for one in meant.values() if one not in known]:
            raise GridError(
                f"{word}：没有 {wrong[0][:40]}", f"{word}: there is no {wrong[0][:40]!r}; there are {', '.join(known)}"
            )


def read_lines(stream: Iterable[str], mapped: Mapped, most: int) -> Iterator[Line]:
    """Each line of a CSV table. Raises :class:`GridError` for what is no such table or has more lines than ``most``."""
    rows = csv.DictReader(stream, strict=True)
    try:
        check_mapping(mapped, rows.fieldnames or ())
        for n, row in enumerate(rows):
            if n >= most:
                raise GridError(
                    f"超过 {most} 行，请分成几个文件", f"more than {most} lines: send them in several files"
                )
            yield read_line(row, mapped, rows.line_num)
    except csv.Error as error:
        raise GridError(f"第 {rows.line_num} 行不是 CSV：{error}", f"line {rows.line_num} is no CSV: {error}") from None


def read_line(row: Mapping[str, Any], mapped: Mapped, number: int) -> Line:
    """What a line says."""
    texts = {name: _first(row, column) for name, column in mapped.columns.items()}
    if not (texts["lon"] and texts["lat"]):
        return Line(number)
    try:
        return Line(number, _case(texts, mapped))
    except ValueError as error:
        return Line(number, wrong=str(error))


def _case(texts: Mapping[str, str], mapped: Mapped) -> dict[str, Any]:
    if not texts["source_id"]:
        raise ValueError("source_id is empty")
    case: dict[str, Any] = {name: texts[name][:_LONGEST] or None for name in TEXTS if name in texts}
    case |= {name: _instant(name, texts[name], mapped) for name in TIMES if name in texts}
    case["lon"], case["lat"] = _degrees("lon", texts["lon"]), _degrees("lat", texts["lat"])
    if case["reported_at"] is None:
        raise ValueError("reported_at is empty")
    if case.get("class"):
        case["class_name"] = case.get("class_name") or case["class"]
        case["class"] = mapped.classes.get(case["class"], case["class"])
    if texts.get("satisfaction"):
        case["satisfaction"] = _stars(texts["satisfaction"])
    case["state"] = _state(texts.get("status", ""), case, mapped)
    case["channel"] = mapped.channels.get(texts.get("channel", ""), "import")
    return _timed(case)


def _state(status: str, case: dict[str, Any], mapped: Mapped) -> str:
    """The state, and no end where it is not over."""
    if not status:
        return "closed" if case.get("closed_at") else "reported"
    state = mapped.states.get(status)
    if state is None:
        raise ValueError(f"status {status[:40]!r} is not among states")
    if state in FINAL and not case.get("closed_at"):
        raise ValueError(f"status {status[:40]!r} means {state}, but closed_at is empty")
    if state not in FINAL:
        case["closed_at"] = None
    return state


def _timed(case: dict[str, Any]) -> dict[str, Any]:
    """The limit from the time it was due, round the clock; a case that is over used what passed."""
    due, begin = case.pop("due", None), case.get("dispatched_at") or case["reported_at"]
    if due is None or due <= begin:
        return case
    end = case.get("handled_at") or case.get("closed_at")
    used = max(0, math.ceil((end - begin).total_seconds())) if end else None
    limit = math.floor((due - begin).total_seconds())
    return {**case, "limit_unit": "urgent-hours", "limit_seconds": limit, "limit_amount": round(limit / 3600, 4),
            "used_seconds": used, "deadline": None if end else due}  # fmt: skip


def _first(row: Mapping[str, Any], column: str) -> str:
    return next((text for name in column.split("|") if (text := (row.get(name) or "").strip())), "")


def _instant(name: str, text: str, mapped: Mapped) -> datetime | None:
    if not text:
        return None
    found = _parsed(name, text, mapped.time_formats)
    local = found if found.tzinfo else found.replace(tzinfo=mapped.zone)
    if name == "due" and mapped.due_is_day and found.time() == time():
        local = (found + timedelta(days=1)).replace(tzinfo=local.tzinfo)
    if not 1900 < local.year < 2200:
        raise ValueError(f"{name} {text[:40]!r} lies outside 1900 to 2200")
    return local.astimezone(UTC)


def _parsed(name: str, text: str, formats: tuple[str, ...]) -> datetime:
    for one in formats:
        try:
            return datetime.strptime(text, one)
        except ValueError:
            continue
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{name} {text[:40]!r} is no time; give time_formats such as '%m/%d/%Y %I:%M:%S %p'") from None


def _degrees(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError(f"{name} {text[:40]!r} is no number")
    return value


def _stars(text: str) -> int:
    if text not in ("1", "2", "3", "4", "5"):
        raise ValueError(f"satisfaction {text[:40]!r} is not 1 to 5")
    return int(text)
