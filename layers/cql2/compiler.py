"""A CQL2-JSON expression to one SQLAlchemy condition with bound parameters.

Names come from :class:`Columns`, operators and functions from the tables of this package; everything else of a filter
is a bound value. Unknown (NULL) behaves as in SQL: a feature passes only where the filter is true.
"""

from collections.abc import Callable
from typing import Any, Literal

from sqlalchemy import ColumnElement, Text, and_, false, not_, or_, true

from layers.cql2.comparison import (
    ARITHMETIC,
    ARRAY_PREDICATES,
    COMPARISONS,
    FOLDS,
    arithmetic,
    array_predicate,
    between,
    compare,
    like,
    one_of,
)
from layers.cql2.errors import Cql2Error, excerpt
from layers.cql2.functions import call
from layers.cql2.operands import Array, Columns, Geometry, Interval, Scalar, Value, column, literal, need
from layers.cql2.parsing import Expression
from layers.cql2.spatial import SPATIAL_PREDICATES, box_literal, geometry_literal, geometry_sql, spatial_predicate
from layers.cql2.temporal import TEMPORAL_PREDICATES, instant, interval, temporal_predicate


def compile_filter(
    expression: Expression, columns: Columns, filter_srid: int, axis_swapped: bool
) -> ColumnElement[bool]:
    """The condition that a parsed filter means.

    Geometry literals are in EPSG ``filter_srid``, north before east if ``axis_swapped``. Raises :class:`Cql2Error` for
    unknown names, values of the wrong type, and malformed literals.
    """
    return _Compiler(columns, filter_srid, axis_swapped).condition(expression)


class _Compiler:
    def __init__(self, columns: Columns, srid: int, axis_swapped: bool) -> None:
        self._columns = columns
        self._srid = srid
        self._axis_swapped = axis_swapped

    def condition(self, node: Any) -> ColumnElement[bool]:
        """A node where a truth value is wanted."""
        if isinstance(node, bool):
            return true() if node else false()
        value = self.value(node)
        if isinstance(value, Scalar) and value.kind == "boolean":
            return value.sql
        raise Cql2Error(f"{value.described} stands where a condition is needed; compare it with something")

    def value(self, node: Any) -> Value:
        """A node where any value is wanted."""
        if node is None:
            raise Cql2Error("NULL is not a value; write IS NULL")
        if isinstance(node, bool | str | int | float):
            return literal(node)
        if isinstance(node, list):
            return self._array(node)
        if not isinstance(node, dict):
            raise Cql2Error(f"{excerpt(node)} is not a CQL2 expression")
        if "op" in node:
            return self._operation(node)
        for key, read in self._literals.items():
            if key in node:
                return read(self, node[key])
        if "type" in node:
            return geometry_literal(node, self._srid, self._axis_swapped)
        raise Cql2Error(f"an object with {excerpt(', '.join(node))} is not a CQL2 expression; see the CQL2 JSON schema")

    def _operation(self, node: dict[str, Any]) -> Value:
        name, args = node["op"], node.get("args", [])
        if not isinstance(name, str) or not isinstance(args, list):
            raise Cql2Error("an operation needs a name in 'op' and a list in 'args'")
        op = name.lower()
        if op in _PREDICATES:
            return Scalar("boolean", _PREDICATES[op](self, op, args), f"the result of {op}")
        if op in ARITHMETIC:
            return arithmetic(op, *self._two(op, args))
        if op in FOLDS:
            text = need(self.value(_arguments(op, args, 1)[0]), "string", what=op.upper())
            return Scalar("string", FOLDS[op](text.sql, type_=Text()), f"{op}({text.label})")
        return call(name, [self.value(a) for a in args], self._columns)

    def _two(self, op: str, args: list[Any]) -> tuple[Value, Value]:
        first, second = (self.value(a) for a in _arguments(op, args, 2))
        return first, second

    def _property(self, name: Any) -> Value:
        columns = self._columns
        if not isinstance(name, str):
            raise Cql2Error("'property' needs a name")
        if name in columns.properties:
            return column(name, *columns.properties[name])
        geometry = "geom" if name == "geometry" and name not in columns.geometry else name
        if geometry in columns.geometry:
            sql, srid = columns.geometry[geometry]
            return Geometry(srid, f"property {excerpt(name)}", sql=sql)
        raise Cql2Error(f"there is no queryable property {excerpt(name)}; see the collection's queryables")

    def _array(self, nodes: list[Any]) -> Array:
        elements = [self.value(n) for n in nodes]
        scalars = tuple(e for e in elements if isinstance(e, Scalar))
        if len(scalars) != len(elements):
            raise Cql2Error("an array may hold texts, numbers, booleans, dates and timestamps only")
        return Array("a list", elements=scalars)

    def _instant(self, kind: Literal["date", "timestamp"], node: Any) -> Scalar:
        if not isinstance(node, str):
            raise Cql2Error(f"{kind.upper()} takes a text such as '2024-05-01', not a property or function")
        return instant(node, kind)

    def _interval(self, nodes: Any) -> Interval:
        if not isinstance(nodes, list) or len(nodes) != 2:
            raise Cql2Error("INTERVAL takes two bounds; write '..' for an open one")
        start, end = (self._bound(n) for n in nodes)
        return interval(start, end)

    def _bound(self, node: Any) -> Scalar | None:
        if node == "..":
            return None
        if isinstance(node, str):
            return instant(node)
        return need(self.value(node), "date", "timestamp", what="INTERVAL")

    def _comparison(self, op: str, args: list[Any]) -> ColumnElement[bool]:
        return compare(COMPARISONS[op], *self._two(op, args))

    def _all(self, op: str, args: list[Any]) -> ColumnElement[bool]:
        if not args:
            raise Cql2Error(f"{op.upper()} needs at least one condition")
        conditions = [self.condition(a) for a in args]
        return and_(*conditions) if op == "and" else or_(*conditions)

    def _not(self, op: str, args: list[Any]) -> ColumnElement[bool]:
        return not_(self.condition(_arguments(op, args, 1)[0]))

    def _is_null(self, op: str, args: list[Any]) -> ColumnElement[bool]:
        value = self.value(_arguments(op, args, 1)[0])
        match value:
            case Scalar():
                return value.sql.is_(None)
            case Geometry():
                return geometry_sql(value, value.srid).is_(None)
            case Array(column=sql) if sql is not None:
                return sql.is_(None)
            case _:
                return false()

    def _between(self, op: str, args: list[Any]) -> ColumnElement[bool]:
        value, low, high = (self.value(a) for a in _arguments(op, args, 3))
        return between(value, low, high)

    def _in(self, op: str, args: list[Any]) -> ColumnElement[bool]:
        value, choices = _arguments(op, args, 2)
        if not isinstance(choices, list):
            raise Cql2Error("IN needs a list of values in parentheses")
        return one_of(self.value(value), [self.value(c) for c in choices])

    def _like(self, op: str, args: list[Any]) -> ColumnElement[bool]:
        value, pattern = _arguments(op, args, 2)
        folds: list[str] = []
        while isinstance(pattern, dict) and str(pattern.get("op")).lower() in FOLDS:
            folds.insert(0, pattern["op"].lower())
            pattern = _arguments(folds[0], pattern.get("args"), 1)[0]
        if not isinstance(pattern, str):
            raise Cql2Error("LIKE needs a pattern written out as text, such as 'A%'")
        return like(self.value(value), pattern, folds)

    def _related(self, op: str, args: list[Any]) -> ColumnElement[bool]:
        first, second = self._two(op, args)
        if op in SPATIAL_PREDICATES:
            return spatial_predicate(op, first, second)
        return (temporal_predicate if op in TEMPORAL_PREDICATES else array_predicate)(op, first, second)

    _literals: dict[str, Callable[["_Compiler", Any], Value]] = {
        "property": _property,
        "date": lambda self, node: self._instant("date", node),
        "timestamp": lambda self, node: self._instant("timestamp", node),
        "interval": _interval,
        "bbox": lambda self, node: box_literal(node, self._srid, self._axis_swapped),
    }


def _arguments(op: str, args: Any, count: int) -> list[Any]:
    if not isinstance(args, list) or len(args) != count:
        given = len(args) if isinstance(args, list) else "none"
        raise Cql2Error(f"{op} takes {count} arguments, not {given}")
    return args


_PREDICATES: dict[str, Callable[[_Compiler, str, list[Any]], ColumnElement[bool]]] = {
    "and": _Compiler._all,
    "or": _Compiler._all,
    "not": _Compiler._not,
    "isnull": _Compiler._is_null,
    "between": _Compiler._between,
    "in": _Compiler._in,
    "like": _Compiler._like,
    **dict.fromkeys(COMPARISONS, _Compiler._comparison),
    **dict.fromkeys(SPATIAL_PREDICATES | TEMPORAL_PREDICATES | ARRAY_PREDICATES, _Compiler._related),
}
