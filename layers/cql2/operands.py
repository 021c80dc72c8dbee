"""The values a CQL2 expression is made of, and how one of them is bound.

A literal keeps its Python value until it meets the operand that decides its SQL type: that a number is compared with a
bigint or a double, a text with a timestamp, is known only then. No literal is ever written into SQL.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import BigInteger, Boolean, ColumnElement, Date, DateTime, Double, Numeric, Text, bindparam, cast
from sqlalchemy.types import TypeEngine

from layers.catalogue import FieldType
from layers.cql2.errors import Cql2Error, excerpt

Kind = Literal["string", "integer", "number", "boolean", "date", "timestamp"]

SQL_TYPES: dict[Kind, TypeEngine[Any]] = {
    "string": Text(),
    "integer": BigInteger(),
    "number": Double(),
    "boolean": Boolean(),
    "date": Date(),
    "timestamp": DateTime(timezone=True),
}
_KINDS: dict[FieldType, Kind] = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "date": "date",
    "date-time": "timestamp",
}
NUMERIC = frozenset({"integer", "number"})
TEMPORAL = frozenset({"date", "timestamp"})


@dataclass(frozen=True, slots=True)
class Columns:
    """What a filter may name: property → (column, type), geometry property → (column, storage SRID).

    A lone geometry ``geom`` answers to ``geometry`` too. ``measured_in`` is the projected SRID [m] in which ``area``
    and ``length`` measure; None: the storage CRS if projected, else the ellipsoid.
    """

    properties: Mapping[str, tuple[ColumnElement[Any], FieldType]]
    geometry: Mapping[str, tuple[ColumnElement[Any], int]] = field(default_factory=dict)
    measured_in: int | None = None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. ``literal`` is its Python value if the filter wrote it out."""

    kind: Kind
    sql: ColumnElement[Any]
    label: str
    literal: Any = None

    @property
    def described(self) -> str:
        """For messages: what it is and of which type."""
        return f"{self.label} ({self.kind})"


@dataclass(frozen=True, slots=True)
class Array:
    """A list of texts in a column, or the elements a filter lists."""

    label: str
    column: ColumnElement[Any] | None = None
    elements: tuple[Scalar, ...] = ()

    @property
    def described(self) -> str:
        """For messages: what it is."""
        return f"{self.label} (array)"


@dataclass(frozen=True, slots=True)
class Interval:
    """A period; a bound that is None is open."""

    start: Scalar | None
    end: Scalar | None

    described = "an interval"


@dataclass(frozen=True, slots=True)
class Geometry:
    """A geometry in (east, north) order of ``srid``: a column's ``sql``, or a ``shape`` (shapely) written out.

    The edges of a ``box`` are straight in its own CRS only.
    """

    srid: int
    label: str
    sql: ColumnElement[Any] | None = None
    shape: Any = None
    box: bool = False

    @property
    def described(self) -> str:
        """For messages: what it is."""
        return f"{self.label} (geometry)"


Value = Scalar | Array | Interval | Geometry


def bound(value: Any, sql_type: TypeEngine[Any]) -> ColumnElement[Any]:
    """A parameter, with its type said in the SQL so that every driver and prepared statement agrees."""
    return cast(bindparam("cql", value, unique=True, type_=sql_type), sql_type)


def literal(value: str | float | bool) -> Scalar:
    """A literal of the filter. Numbers without fraction are integers, as far as a double holds them exactly."""
    label = excerpt(value) if isinstance(value, str) else str(value)[:60]
    if isinstance(value, bool):
        return Scalar("boolean", bound(value, SQL_TYPES["boolean"]), label, value)
    if isinstance(value, str):
        return Scalar("string", bound(value, SQL_TYPES["string"]), label, value)
    if isinstance(value, int) or (value.is_integer() and abs(value) <= 2**53):
        return integer(int(value))
    return Scalar("number", bound(value, SQL_TYPES["number"]), label, value)


def integer(value: int) -> Scalar:
    """A whole number of any size; beyond bigint it is numeric."""
    sql_type: TypeEngine[Any] = BigInteger() if -(2**63) <= value < 2**63 else Numeric()
    return Scalar("integer", bound(value, sql_type), str(value), value)


def column(name: str, sql: ColumnElement[Any], kind: FieldType) -> Scalar | Array:
    """A property's column."""
    label = f"property {excerpt(name)}"
    return Array(label, column=sql) if kind == "string-array" else Scalar(_KINDS[kind], sql, label)


def exact(number: Scalar) -> ColumnElement[Any]:
    """A number as PostgreSQL numeric, no digit lost."""
    if number.literal is None:
        return number.sql if isinstance(number.sql.type, Numeric) else cast(number.sql, Numeric)
    return bound(Decimal(number.literal), Numeric())


def need(value: Value, *kinds: str, what: str) -> Scalar:
    """``value`` as a scalar of one of ``kinds``, else an error that says ``what`` asked for it."""
    if isinstance(value, Scalar) and value.kind in kinds:
        return value
    raise Cql2Error(f"{what} needs {' or '.join(kinds)}, not {value.described}")
