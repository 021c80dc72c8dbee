"""The SQL of evaluation: one pass over the cases of a period, each count a FILTER of its aggregate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    String,
    and_,
    case,
    column,
    func,
    literal,
    select,
    table,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, aggregate_order_by

from grid.evaluation.model import DIGITS, DOERS, STEPS, Period
from layers.catalogue import Layer
from layers.cql2 import compile_filter, parse
from layers.query import filter_columns
from layers.registry import load_layers
from layers.tables import feature_table

_STEPS = table("steps", column("id"), column("case_id"), column("act"), column("actor"), column("role"), schema="grid")
_DOER = {"person": "actor", "post": "role"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is counted: conditions in CQL2 by name, groups, the time of ``basis``, and at most so many groups."""

    counts: Mapping[str, str]
    by: tuple[str, ...]
    basis: str
    begin: datetime
    end: datetime
    periods: tuple[Period, ...]
    condition: str | None
    most: int


@dataclass(frozen=True, slots=True)
class Group:
    """The keys of a group, its counts, and of groups by doers the ids of the first cases of each count.

    A period's key is its number among the periods asked for, from 1.
    """

    keys: tuple[Any, ...]
    counts: tuple[int, ...]
    ids: tuple[list[int] | None, ...] = ()


def counted(conn: Connection, layer: Layer, asked: Asked) -> list[Group]:
    """The counts of each group, by key; one more group than asked for where there are more."""
    cases = feature_table(layer).alias("t")
    keys = [_key(cases, one, asked) for one in asked.by]
    counts = [func.count().filter(_condition(layer, cases, one)) for one in asked.counts.values()]
    query = select(*keys, *counts).where(_chosen(layer, cases, asked))
    n = len(keys)
    # The planner takes each time of day for a period of its own, and would sort every case on disk.
    conn.exec_driver_sql("SET LOCAL enable_sort = off")
    rows = conn.execute(_grouped(query, n, asked.most)).all()
    conn.exec_driver_sql("SET LOCAL enable_sort = on")
    return sorted((Group(tuple(row[:n]), tuple(row[n:])) for row in rows), key=_order)


def _order(group: Group) -> tuple[tuple[bool, Any], ...]:
    """By key; those without come last."""
    return tuple((key is None, "" if key is None else key) for key in group.keys)


def counted_by_doers(conn: Connection, layer: Layer, asked: Asked, acts: Mapping[str, str], listed: int) -> list[Group]:
    """The same by who did, or in which role, the last step of each count's act, with ``listed`` + 1 ids of cases.

    A case on which nobody did that act yet counts for nobody (None).
    """
    cases = feature_table(layer).alias("t")
    flags = [_condition(layer, cases, one).label(f"c{n}") for n, one in enumerate(asked.counts.values())]
    others = [_key(cases, one, asked).label(one) for one in asked.by if one not in DOERS]
    chosen = select(cases.c.id, *flags, *others).where(_chosen(layer, cases, asked)).cte("chosen")
    act = func.unnest(literal(sorted(set(acts.values())), ARRAY(String))).table_valued("act").alias("act")
    done = (
        select(_STEPS.c.actor, _STEPS.c.role)
        .where(_STEPS.c.case_id == chosen.c.id, _STEPS.c.act == act.c.act)
        .order_by(_STEPS.c.id.desc()).limit(1).correlate(chosen, act).lateral("done")
    )  # fmt: skip
    keys = [done.c[_DOER[one]] if one in DOERS else chosen.c[one] for one in asked.by]
    holds = [and_(act.c.act == acts[name], chosen.c[f"c{n}"]) for n, name in enumerate(asked.counts)]
    ids = [func.array_agg(aggregate_order_by(chosen.c.id, chosen.c.id)).filter(one) for one in holds]
    query = select(*keys, *(func.count().filter(one) for one in holds), *(_first(one, listed + 1) for one in ids))
    query = query.select_from(chosen.join(act, true()).outerjoin(done, true()))
    n, m = len(keys), len(keys) + len(holds)
    rows = conn.execute(_grouped(query, n, asked.most))
    return sorted((Group(tuple(row[:n]), tuple(row[n:m]), tuple(row[m:])) for row in rows), key=_order)


def area_names(conn: Connection, codes: Sequence[str]) -> dict[str, str]:
    """The names of division codes, as the principal may see them."""
    if not codes or "admin-areas" not in load_layers(conn, ("admin-areas",)):
        return {}
    found = conn.execute(
        text("SELECT code, name FROM city.admin_areas WHERE code = ANY (:codes) AND name IS NOT NULL"),
        {"codes": list(codes)},
    )
    return dict(tuple(row) for row in found)


def department_names(conn: Connection) -> dict[str, str]:
    """The names of all departments, by id."""
    return {row.id: row.zh for row in conn.execute(text("SELECT id, zh FROM grid.department_names()"))}


def _grouped(query: Select[Any], keys: int, most: int) -> Select[Any]:
    if keys == 0:
        return query
    numbers = [text(str(n + 1)) for n in range(keys)]
    return query.group_by(*numbers).limit(most + 1)


def _first(ids: ColumnElement[Any], most: int) -> ColumnElement[Any]:
    return func.trim_array(ids, func.greatest(func.cardinality(ids) - most, 0))


def _chosen(layer: Layer, cases: FromClause, asked: Asked) -> ColumnElement[bool]:
    at = cases.c[f"{asked.basis}_at"]
    within = and_(at >= asked.begin, at < asked.end)
    return and_(within, _condition(layer, cases, asked.condition)) if asked.condition else within


def _condition(layer: Layer, cases: FromClause, condition: str) -> ColumnElement[bool]:
    return compile_filter(parse(condition, "cql2-text"), filter_columns(layer, cases, None), layer.srid, False)


def _key(cases: FromClause, by: str, asked: Asked) -> ColumnElement[Any]:
    if by in DIGITS:
        area = cases.c.area_code
        return case((func.char_length(area) >= DIGITS[by], func.left(area, DIGITS[by])))
    if by == "grid":
        return func.coalesce(cases.c.social_grid, cases.c.grid)
    if by in STEPS:
        begins = literal([one.begin for one in asked.periods], ARRAY(TIMESTAMP(timezone=True)))
        return func.width_bucket(cases.c[f"{asked.basis}_at"], begins)
    return cases.c[by]
