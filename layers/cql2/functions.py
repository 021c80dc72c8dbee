"""The functions a filter may call besides the standard's own, in one table (OGC 21-065r2, functions)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, Double, cast, func
from sqlalchemy import Text as SqlText
from sqlalchemy.dialects.postgresql import TIMESTAMP

from layers.catalogue import Text
from layers.cql2.comparison import double
from layers.cql2.errors import Cql2Error
from layers.cql2.operands import Columns, Geometry, Kind, Scalar, Value, need
from layers.cql2.spatial import geometry_sql
from layers.crs import epsg

ArgumentType = Literal["string", "number", "geometry"]
Build = Callable[[list[Any], Columns], ColumnElement[Any]]


@dataclass(frozen=True, slots=True)
class Function:
    """A function: its arguments as (title, type), the kind it returns, and the SQL of a call on checked arguments."""

    name: str
    description: Text
    arguments: tuple[tuple[str, ArgumentType], ...]
    returns: Kind
    build: Build


def _measure(planar: Any, geodetic: Any) -> Build:
    """Measure in the city's projected CRS, or the storage CRS if projected, or on the ellipsoid [m, m²]."""

    def build(arguments: list[Geometry], columns: Columns) -> ColumnElement[Any]:
        geometry = arguments[0]
        srid = columns.measured_in or geometry.srid
        sql = geometry_sql(geometry, srid)
        measured: ColumnElement[Any] = planar(sql) if not epsg(srid).geographic else geodetic(func.geography(sql))
        return measured

    return build


_AREA = _measure(func.ST_Area, func.ST_Area)
_LENGTH = _measure(
    lambda g: func.ST_Length(g) + func.ST_Perimeter(g), lambda g: func.ST_Length(g) + func.ST_Perimeter(g)
)

TABLE: tuple[Function, ...] = (
    Function("area", Text("面积(平方米)", "Area in square metres"), (("geometry", "geometry"),), "number", _AREA),
    Function(
        "length",
        Text("线长或面的周长(米)", "Length of a line or perimeter of a polygon in metres"),
        (("geometry", "geometry"),),
        "number",
        _LENGTH,
    ),
    Function(
        "lower", Text("转为小写", "The text in lower case"), (("text", "string"),), "string",
        lambda a, _: func.lower(a[0].sql.collate("und-x-icu"), type_=SqlText()),
    ),
    Function(
        "upper", Text("转为大写", "The text in upper case"), (("text", "string"),), "string",
        lambda a, _: func.upper(a[0].sql.collate("und-x-icu"), type_=SqlText()),
    ),
    Function(
        "char_length", Text("字符数", "Number of characters"), (("text", "string"),), "integer",
        lambda a, _: cast(func.char_length(a[0].sql), BigInteger),
    ),
    Function(
        "abs", Text("绝对值", "Absolute value"), (("number", "number"),), "number",
        lambda a, _: func.abs(double(a[0]), type_=Double()),
    ),
    Function(
        "now", Text("当前时间", "The present time"), (), "timestamp",
        lambda _, __: func.now(type_=TIMESTAMP(timezone=True)),
    ),
)
_BY_NAME = {function.name: function for function in TABLE}
_PUBLISHED = {"timestamp": "datetime", "date": "datetime"}


def call(name: str, arguments: list[Value], columns: Columns) -> Scalar:
    """The value of a function call. Raises :class:`Cql2Error` for an unknown function or wrong arguments."""
    function = _BY_NAME.get(name.lower())
    if function is None:
        raise Cql2Error(f"there is no function {name[:60]!r}; there are {', '.join(sorted(_BY_NAME))}")
    if len(arguments) != len(function.arguments):
        raise Cql2Error(f"{function.name} takes {len(function.arguments)} arguments, not {len(arguments)}")
    for (_, kind), value in zip(function.arguments, arguments, strict=True):
        if kind == "geometry" and not isinstance(value, Geometry):
            raise Cql2Error(f"{function.name} needs a geometry, not {value.described}")
        if kind != "geometry":
            need(value, *(("integer", "number") if kind == "number" else (kind,)), what=function.name)
    return Scalar(function.returns, function.build(arguments, columns), f"{function.name}(…)")


def describe_functions(language: str) -> list[dict[str, Any]]:
    """The ``functions`` member of the ``/functions`` resource, its texts in that language (``zh…`` or ``en…``)."""
    return [
        {
            "name": f.name,
            "description": f.description[language],
            "args": [{"title": title, "type": [kind]} for title, kind in f.arguments],
            "returns": [_PUBLISHED.get(f.returns, f.returns)],
        }
        for f in TABLE
    ]


#: The ``/functions`` resource's list in English; :func:`describe_functions` has the other language.
FUNCTIONS = describe_functions("en")
