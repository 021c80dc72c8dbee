"""The process of evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy import Connection

from grid.cases.queries import database_now, require_cases
from grid.errors import GridError
from grid.evaluation.model import (
    DIGITS,
    DOERS,
    STEPS,
    Basis,
    By,
    Period,
    between,
    group_filter,
    instant,
    periods,
)
from grid.evaluation.options import EvaluationOptions
from grid.evaluation.queries import Asked, Group, area_names, counted, counted_by_doers, department_names
from grid.options import GridOptions
from layers.catalogue import Text
from layers.processing import process
from layers.registry import find_layer

#: Groups of one evaluation; those that list each number's cases carry long filters.
MOST_GROUPS, MOST_LISTED_GROUPS = 50_000, 2000
#: Cases that the filter of a person's or post's number names; a larger number is listed by a narrower period or group.
MOST_IDS = 200
#: Groups whose keys have names.
_NAMED = frozenset({*DIGITS, "department"})


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of cases, and the CQL2 filter of the collection ``cases`` that lists them."""

    cases: int
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One group: its keys and their names, its numbers, and its indicators [0–1], None where nothing was due."""

    keys: dict[str, str | None]
    names: dict[str, str]
    counts: dict[str, Figure]
    indicators: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Counted:
    """What a count means: a condition of CQL2, and the act whose doer answers for it."""

    title: Text
    condition: str
    act: str


@dataclass(frozen=True, slots=True)
class Divided:
    """What an indicator divides."""

    title: Text
    numerator: str
    denominator: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The groups, and all of them together; ``as_of`` is the instant for which things were due or not."""

    begin: datetime
    end: datetime
    basis: str
    as_of: datetime
    total: Row
    rows: tuple[Row, ...]
    counts: dict[str, Counted]
    indicators: dict[str, Divided]


@process(
    keywords=("综合评价 evaluation", "考核 indicators"),
    example={"begin": "2026-01-01T00:00:00+08:00", "end": "2027-01-01T00:00:00+08:00", "by": ["community", "month"]},
)
def evaluate(
    conn: Connection,
    options: GridOptions,
    begin: datetime,
    end: datetime,
    by: Annotated[tuple[By, ...], Field(max_length=3)] = (),
    basis: Basis = "reported",
    condition: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None,
    filters: bool = True,
) -> Evaluation:
    """综合评价 | Evaluate

    一段时期案卷的各项指标，按区域、部门、岗位、个人和时段；每个数都附查询条件，可查到案卷。 | The indicators of a
    period's cases by area, department, post, person and time; every number comes with the filter that lists its cases.

    begin: 开始时间 | Begin of the period
    end: 结束时间；不含 | End of the period; not in it
    by: 分组；最多三项 | Groups; three at most
    basis: 归期依据；按哪个时间归入时期 | Basis; the time by which a case belongs to the period
    condition: 只统计符合此 CQL2 条件的案卷 | Only cases that fulfil this condition; in CQL2 text
    filters: 附查询条件 | Filters; give the filter of each number
    returns: 评价结果 | The evaluation
    """
    require_cases(conn)
    layer = find_layer(conn, "cases")
    begin, end = _aware(begin, "begin"), _aware(end, "end")
    if begin >= end:
        raise GridError("开始时间应早于结束时间", "begin must lie before end")
    if len(set(by)) < len(by) or sum(one in STEPS for one in by) > 1:
        raise GridError("分组不能重复，时段只能有一种", "name each group once, and one kind of period")
    now, rules = database_now(conn), options.evaluation
    counts = {name: one.condition.replace("now()", instant(now)) for name, one in rules.counts.items()}
    step = next((one for one in by if one in STEPS), None)
    parts = periods(step, begin, end, ZoneInfo(options.clock.timezone)) if step else ()
    most = MOST_LISTED_GROUPS if filters else MOST_GROUPS
    asked = Asked(counts, by, basis, begin, end, parts, condition, most)
    if DOERS.isdisjoint(by):
        groups = counted(conn, layer, asked)
    else:
        acts = {name: one.act for name, one in rules.counts.items()}
        groups = counted_by_doers(conn, layer, asked, acts, MOST_IDS)
    if len(groups) > most:
        raise GridError(
            f"分组超过 {most} 个，请缩小范围或不附查询条件（filters: false）",
            f"more than {most} groups: narrow the period or condition, group by less, or ask for no filters",
        )
    total = replace(asked, by=(), periods=())
    whole = counted(conn, layer, total)[0] if not by or not DOERS.isdisjoint(by) else _together(groups, len(counts))
    names = area_names(conn, _area_codes(by, groups))
    if "department" in by:
        names |= department_names(conn)
    return Evaluation(
        begin, end, basis, now,
        _row(whole, total, rules, {}, filters),
        tuple(_row(one, asked, rules, names, filters) for one in groups),
        {name: Counted(one.title, counts[name], one.act) for name, one in rules.counts.items()},
        {name: Divided(one.title, one.numerator, one.denominator) for name, one in rules.indicators.items()},
    )  # fmt: skip


def _together(groups: list[Group], counts: int) -> Group:
    """All groups as one: each case is in one of them."""
    return Group((), tuple(sum(one.counts[n] for one in groups) for n in range(counts)))


def _aware(at: datetime, name: str) -> datetime:
    if at.tzinfo is None:
        raise GridError(
            f"{name} 缺少时区，例如 2026-11-01T00:00:00+08:00", f"{name} lacks its offset, such as +08:00 or Z"
        )
    return at.astimezone(UTC)


def _area_codes(by: tuple[str, ...], groups: list[Group]) -> list[str]:
    places = [n for n, one in enumerate(by) if one in DIGITS]
    return sorted({one.keys[n] for one in groups for n in places if one.keys[n]})


def _row(group: Group, asked: Asked, rules: EvaluationOptions, names: Mapping[str, str], filters: bool) -> Row:
    numbers = dict(zip(asked.counts, group.counts, strict=True))
    keys = {one: _name(one, key, asked.periods) for one, key in zip(asked.by, group.keys, strict=True)}
    known = {one: names[key] for one, key in keys.items() if one in _NAMED and key is not None and key in names}
    figures = {
        name: Figure(number, _filter(n, group, asked) if filters else None)
        for n, (name, number) in enumerate(numbers.items())
    }
    shares = {name: _share(numbers[one.numerator], numbers[one.denominator]) for name, one in rules.indicators.items()}
    return Row(keys, known, figures, shares)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _name(by: str, key: Any, parts: tuple[Period, ...]) -> str | None:
    return parts[key - 1].name if by in STEPS else None if key is None else str(key)


def _filter(n: int, group: Group, asked: Asked) -> str | None:
    """The filter of a group's count; None where it would name more than :data:`MOST_IDS` cases."""
    if group.ids:
        ids = group.ids[n] or []
        if len(ids) > MOST_IDS:
            return None
        return f"id IN ({', '.join(map(str, ids))})" if ids else "id < 0"
    begin, end, terms = asked.begin, asked.end, []
    for by, key in zip(asked.by, group.keys, strict=True):
        if by in STEPS:
            begin, end = asked.periods[key - 1].begin, asked.periods[key - 1].end
        else:
            terms.append(group_filter(by, key))
    terms.append(f"({list(asked.counts.values())[n]})")
    if asked.condition:
        terms.append(f"({asked.condition})")
    return " AND ".join([between(f"{asked.basis}_at", begin, end), *terms])
