"""Comparisons, IN, LIKE, arithmetic and arrays: what happens when values of some types meet (OGC 21-065r2)."""

import re
from collections.abc import Callable, Sequence
from operator import add, eq, ge, gt, le, lt, mul, ne, sub
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Double,
    Numeric,
    Text,
    and_,
    any_,
    cast,
    func,
    or_,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from layers.cql2.errors import Cql2Error, excerpt
from layers.cql2.operands import NUMERIC, SQL_TYPES, TEMPORAL, Array, Kind, Scalar, Value, bound, exact, need
from layers.cql2.temporal import Comparison, compare_instants, instant

COMPARISONS: dict[str, Comparison] = {"=": eq, "<>": ne, "!=": ne, "<": lt, ">": gt, "<=": le, ">=": ge}
FOLDS = {"casei": func.citymap.cql2_casei, "accenti": func.citymap.cql2_accenti}

#: A pattern of LIKE: its length and how many ``%`` it may have.
MAX_PATTERN = 1_000
MAX_WILDCARDS = 16
_PIECES = re.compile(r"(?P<wildcard>[%_])|(?P<text>(?:[^%_\\]|\\.)+)", re.DOTALL)


def compare(op: Comparison, a: Value, b: Value) -> ColumnElement[bool]:
    """``a op b``. Raises :class:`Cql2Error` if values of these types cannot be compared."""
    if not isinstance(a, Scalar) or not isinstance(b, Scalar):
        raise Cql2Error(f"{a.described} cannot be compared with {b.described}; use the s_, t_ or a_ functions")
    a, b = _dated(a, b), _dated(b, a)
    if {a.kind, b.kind} <= NUMERIC:
        return op(*_same_numbers(a, b))
    if {a.kind, b.kind} <= TEMPORAL:
        return compare_instants(op, a, b)
    if a.kind != b.kind:
        raise Cql2Error(f"{a.described} cannot be compared with {b.described}; write a value of the same type")
    if a.kind == "string" and op not in (eq, ne):
        return op(a.sql.collate("C"), b.sql)  # by code point, whatever the database's locale
    return op(a.sql, b.sql)


def _dated(value: Scalar, other: Scalar) -> Scalar:
    """A text written where a date or timestamp is meant, read as one."""
    if other.kind in TEMPORAL and value.kind == "string" and value.literal is not None:
        return instant(value.literal)
    return value


def _same_numbers(a: Scalar, b: Scalar) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Two numbers in a type that loses nothing of either: a column is left as it is, so that its index serves."""
    if a.kind == b.kind:
        return a.sql, b.sql
    if a.kind == "number":
        second, first = _same_numbers(b, a)
        return first, second
    if b.literal is not None:  # an integer against 1.5: never round it
        return (a.sql if a.literal is None else exact(a)), exact(b)
    return double(a), b.sql


def double(number: Scalar) -> ColumnElement[Any]:
    """A number as double precision."""
    if number.literal is not None:
        return bound(float(number.literal), Double())
    if isinstance(number.sql.type, Numeric) and not isinstance(number.sql.type, Double):
        return func.citymap.cql2_double(number.sql, type_=Double())
    return number.sql if number.kind == "number" else cast(number.sql, Double)


def between(value: Value, low: Value, high: Value) -> ColumnElement[bool]:
    """``low <= value <= high``."""
    return and_(compare(ge, value, low), compare(le, value, high))


def one_of(value: Value, choices: Sequence[Value]) -> ColumnElement[bool]:
    """``value IN (…)``; literals of the column's own type travel as one array."""
    if not choices:
        raise Cql2Error("IN needs at least one value")
    scalars = [c for c in choices if isinstance(c, Scalar)]
    if isinstance(value, Scalar) and len(scalars) == len(choices):
        kinds = {c.kind for c in scalars}
        simple = kinds == {value.kind} and value.kind not in TEMPORAL and all(c.literal is not None for c in scalars)
        sql_type = SQL_TYPES[value.kind]
        if simple and all(isinstance(c.sql.type, type(sql_type)) for c in scalars):
            return value.sql == any_(bound([c.literal for c in scalars], postgresql.ARRAY(sql_type)))
    return or_(*(compare(eq, value, choice) for choice in choices))


def like(value: Value, pattern: str, folds: Sequence[str]) -> ColumnElement[bool]:
    """``value LIKE pattern``, the pattern folded by ``folds`` (innermost first) between its wildcards."""
    text = need(value, "string", what="LIKE")
    if len(pattern) > MAX_PATTERN or pattern.count("%") > MAX_WILDCARDS:
        raise Cql2Error(f"the LIKE pattern exceeds {MAX_PATTERN} characters or {MAX_WILDCARDS} '%'; shorten it")
    pieces = list(_PIECES.finditer(pattern))
    if sum(len(p[0]) for p in pieces) != len(pattern):
        raise Cql2Error(f"the LIKE pattern {excerpt(pattern)} ends with a lone '\\'; write '\\\\' for a backslash")
    if not folds:
        return text.sql.like(bound(pattern, Text()))
    parts: list[Any] = []
    for piece in pieces:
        folded: Any = bound(re.sub(r"\\(.)", r"\1", piece[0], flags=re.DOTALL), Text())
        for fold in folds if piece["text"] else ():
            folded = FOLDS[fold](folded, type_=Text())
        parts.append(func.citymap.cql2_like_literal(folded, type_=Text()) if piece["text"] else folded)
    return text.sql.like(func.concat(*parts, type_=Text()) if parts else bound("", Text()))


def arithmetic(op: str, a: Value, b: Value) -> Scalar:
    """``a op b``: exact for integers, double precision otherwise; without a finite result it is unknown (NULL)."""
    first, second = (need(v, *sorted(NUMERIC), what=f"'{op}'") for v in (a, b))
    label = f"the result of '{op}'"
    if first.kind == second.kind == "integer" and op in _OF_INTEGERS:
        return Scalar("integer", cast(_OF_INTEGERS[op](exact(first), exact(second)), Numeric), label)
    return Scalar("number", cast(_OF_DOUBLES[op](double(first), double(second)), Double), label)


_functions = func.citymap
_OF_INTEGERS: dict[str, Callable[[Any, Any], Any]] = {
    "+": add,
    "-": sub,
    "*": mul,
    "%": lambda a, b: func.mod(a, func.nullif(b, 0)),
    "div": lambda a, b: func.div(a, func.nullif(b, 0)),
}
_OF_DOUBLES: dict[str, Callable[[Any, Any], Any]] = {
    "+": _functions.cql2_add,
    "-": lambda a, b: _functions.cql2_add(a, -b),
    "*": _functions.cql2_multiply,
    "/": _functions.cql2_divide,
    "%": _functions.cql2_remainder,
    "div": lambda a, b: func.trunc(_functions.cql2_divide(a, b)),
    "^": _functions.cql2_power,
}
ARITHMETIC = frozenset(_OF_DOUBLES)


def array_predicate(op: str, a: Value, b: Value) -> ColumnElement[bool]:
    """One of the ``a_…`` predicates; arrays compare as sets."""
    first, second = (_array(op, v) for v in (a, b))
    sql_type = _element_type(op, first, second)
    x, y = (_array_sql(v, sql_type) for v in (first, second))
    contains, contained = x.op("@>", is_comparison=True)(y), x.op("<@", is_comparison=True)(y)
    predicates: dict[str, ColumnElement[bool]] = {
        "a_contains": contains,
        "a_containedby": contained,
        "a_equals": and_(contains, contained),
        "a_overlaps": x.op("&&", is_comparison=True)(y),
    }
    return predicates[op]


ARRAY_PREDICATES = frozenset({"a_equals", "a_contains", "a_containedby", "a_overlaps"})


def _array(op: str, value: Value) -> Array:
    if isinstance(value, Array):
        return value
    if isinstance(value, Scalar) and value.literal is not None:  # in text, ('a') may also be a text in parentheses
        return Array("a list", elements=(value,))
    raise Cql2Error(f"{op} needs two arrays, not {value.described}")


def _element_type(op: str, a: Array, b: Array) -> TypeEngine[Any]:
    """The one SQL type of all elements of both arrays."""
    kinds: set[Kind] = {e.kind for e in (*a.elements, *b.elements)}
    if a.column is not None or b.column is not None:
        kinds.add("string")
    if kinds == NUMERIC or kinds == {"integer"}:
        return Numeric()
    if len(kinds) > 1:
        raise Cql2Error(f"{op} compares arrays of one type, here are {', '.join(sorted(kinds))}; use one of them")
    return SQL_TYPES[kinds.pop()] if kinds else Text()


def _array_sql(array: Array, sql_type: TypeEngine[Any]) -> Any:
    if array.column is not None:
        return array.column
    elements = [exact(e) if isinstance(sql_type, Numeric) else e.sql for e in array.elements]
    return cast(postgresql.array(elements, type_=sql_type), postgresql.ARRAY(sql_type))
