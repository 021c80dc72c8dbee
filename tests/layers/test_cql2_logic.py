"""Random filters on a small table, in PostGIS and in a plain evaluator with three-valued logic."""

import math
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import cql2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Connection, MetaData, Table, select

from layers.catalogue import FieldType
from layers.cql2 import Columns, compile_filter, parse
from layers.database import Database
from layers.tables import COLUMN_TYPES

KINDS: dict[str, FieldType] = {"s": "string", "i": "integer", "x": "number", "b": "boolean", "d": "date", "t": "date-time"}
TEXTS = ["", "a", "A", "ab", "B%", "ß", "城", "_x", "é", "a\\b"]
INTEGERS = [-3, 0, 1, 2, 7, 2**53 + 1]
NUMBERS = [-2.5, 0.0, 0.1, 1.0, 2.0, 7.25]
DATES = [date(2024, 4, 30), date(2024, 5, 1), date(2024, 5, 2)]
TIMES = [datetime(2024, 4, 30, 23, 59, 59, tzinfo=UTC), datetime(2024, 5, 1, tzinfo=UTC), datetime(2024, 5, 1, 12, tzinfo=UTC)]
VALUES: dict[str, list[Any]] = {"s": TEXTS, "i": INTEGERS, "x": NUMBERS, "b": [True, False], "d": DATES, "t": TIMES}
ROWS = [
    {name: None if (row * 7 + k) % 5 == 0 else values[(row * (k + 3) + k) % len(values)] for k, (name, values) in enumerate(VALUES.items())}
    for row in range(40)
]  # fmt: skip


@pytest.fixture(scope="module")
def table(database: Database) -> Iterator[tuple[Connection, Table]]:
    with database.engine.connect() as conn:
        transaction = conn.begin()
        columns = [Column(name, COLUMN_TYPES[kind]) for name, kind in KINDS.items()]
        table = Table("cql2_logic", MetaData(), Column("row", COLUMN_TYPES["integer"]), *columns, prefixes=["TEMPORARY"])
        table.create(conn)
        conn.execute(table.insert(), [{"row": n, **row} for n, row in enumerate(ROWS)])
        yield conn, table
        transaction.rollback()


def written(value: Any) -> Any:
    """A Python value as CQL2 JSON."""
    if isinstance(value, datetime):
        return {"timestamp": value.isoformat().replace("+00:00", "Z")}
    return {"date": value.isoformat()} if isinstance(value, date) else value


def operands(kind: str) -> st.SearchStrategy[Any]:
    """A column or a literal comparable with a column of that kind."""
    family = {"i": "ix", "x": "ix", "d": "dt", "t": "dt"}.get(kind, kind)
    literals = [written(v) for name in family for v in VALUES[name]]
    operand = st.sampled_from([{"property": name} for name in family] + literals)
    if family != "ix":
        return operand
    arithmetic = st.builds(lambda op, a, b: {"op": op, "args": [a, b]}, st.sampled_from("+-*/%"), operand, operand)
    return st.one_of(operand, arithmetic)


def predicates() -> st.SearchStrategy[Any]:
    def of(kind: str) -> st.SearchStrategy[Any]:
        o = operands(kind)
        comparison = st.builds(
            lambda op, a, b: {"op": op, "args": [a, b]}, st.sampled_from(["=", "<>", "<", ">", "<=", ">="]), o, o
        )
        between = st.builds(lambda a, b, c: {"op": "between", "args": [a, b, c]}, o, o, o)
        one_of = st.builds(lambda a, c: {"op": "in", "args": [a, c]}, o, st.lists(o, min_size=1, max_size=4))
        is_null = st.builds(lambda a: {"op": "isNull", "args": [a]}, o)
        pattern = st.text(alphabet="aAb%_Bß城é", max_size=4)
        like = st.builds(lambda p: {"op": "like", "args": [{"property": "s"}, p]}, pattern)
        return st.one_of(comparison, between, one_of, is_null, like if kind == "s" else comparison)

    return st.one_of(*(of(kind) for kind in VALUES))


def trees() -> st.SearchStrategy[Any]:
    def grown(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        several = st.lists(children, min_size=2, max_size=3)
        joined = st.builds(lambda op, parts: {"op": op, "args": parts}, st.sampled_from(["and", "or"]), several)
        return st.one_of(joined, st.builds(lambda part: {"op": "not", "args": [part]}, children))

    return st.recursive(predicates(), grown, max_leaves=6)


def evaluate(node: Any, row: dict[str, Any]) -> Any:
    """The value of a CQL2-JSON node for a row; None is unknown."""
    if not isinstance(node, dict):
        return node
    if "property" in node:
        return row[node["property"]]
    if "date" in node:
        return date.fromisoformat(node["date"])
    if "timestamp" in node:
        return datetime.fromisoformat(node["timestamp"])
    op, args = node["op"], node["args"]
    if op in ("and", "or"):
        values = [evaluate(a, row) for a in args]
        decisive = op == "or"
        return decisive if decisive in values else None if None in values else not decisive
    if op == "between":
        return evaluate({"op": "and", "args": [{"op": ">=", "args": args[:2]}, {"op": "<=", "args": [args[0], args[2]]}]}, row)
    if op == "in":
        return evaluate({"op": "or", "args": [{"op": "=", "args": [args[0], choice]} for choice in args[1]]}, row)
    values = [evaluate(a, row) for a in args]
    if op == "isNull":
        return values[0] is None
    if None in values:
        return None
    return CALCULATE[op](*values)


def order(a: Any, b: Any) -> int:
    """-1, 0 or 1: texts by code point, a date beside a timestamp as its UTC day, doubles as doubles."""
    if isinstance(a, float) or isinstance(b, float):
        a, b = float(a), float(b)
    if isinstance(a, date) and isinstance(a, datetime) != isinstance(b, datetime):
        a, b = (v.date() if isinstance(v, datetime) else v for v in (a, b))
    return int(a > b) - int(a < b)


def matches(value: str, pattern: str) -> bool:
    expression = "".join({"%": ".*", "_": "."}.get(c, re.escape(c)) for c in pattern)
    return re.fullmatch(expression, value, re.DOTALL) is not None


def remainder(a: Any, b: Any) -> Any:
    if b == 0:
        return None
    if isinstance(a, int) and isinstance(b, int):
        return int(math.copysign(abs(a) % abs(b), a))
    return a - b * math.trunc(a / b)


CALCULATE = {
    "not": lambda a: not a,
    "=": lambda a, b: order(a, b) == 0,
    "<>": lambda a, b: order(a, b) != 0,
    "<": lambda a, b: order(a, b) < 0,
    ">": lambda a, b: order(a, b) > 0,
    "<=": lambda a, b: order(a, b) <= 0,
    ">=": lambda a, b: order(a, b) >= 0,
    "like": matches,
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: None if b == 0 else a / b,
    "%": remainder,
}


def selected(table: tuple[Connection, Table], expression: Any) -> list[int]:
    conn, rows = table
    columns = Columns({name: (rows.c[name], kind) for name, kind in KINDS.items()})
    condition = compile_filter(expression, columns, 4326, False)
    return list(conn.execute(select(rows.c.row).where(condition).order_by(rows.c.row)).scalars())


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees())
def test_random_filters_select_what_a_plain_evaluator_selects(table: tuple[Connection, Table], tree: Any) -> None:
    expression = parse(tree, "cql2-json")
    assert selected(table, expression) == [n for n, row in enumerate(ROWS) if evaluate(tree, row) is True]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees())
def test_random_filters_select_the_same_as_text_and_as_json(table: tuple[Connection, Table], tree: Any) -> None:
    converted = cql2.Expr(tree)  # reads every number as a double, for both
    from_json = parse(converted.to_json(), "cql2-json")
    assert selected(table, parse(converted.to_text(), "cql2-text")) == selected(table, from_json)
