"""Which features, in which order, in what form: one query for pages, counts, exports and tiles.

A :class:`FeatureQuery` is a request already checked. Its *shape* (everything but the values) is compiled to SQL once
and kept; a request then only binds its values.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

from layers.catalogue import Layer
from layers.cql2 import Columns, compile_filter
from layers.crs import CRS84, Crs, coincident, meets
from layers.tables import COLUMN_TYPES, feature_table, history_table, quoted

_DIALECT = PGDialect_psycopg2(paramstyle="pyformat")  # type: ignore[no-untyped-call]


#: Longest filter [characters of JSON] whose statement is kept.
_KEPT_FILTER = 2000


class CursorError(ValueError):
    """A page cursor is not one that this server gave for this query."""


@dataclass(frozen=True, slots=True)
class Box:
    """A bounding box in (east, north) order of ``srid``; west > east crosses the antimeridian.

    ``far``: it reaches beyond what can be transformed to the layer's CRS, so the features are transformed to its own.
    """

    west: float
    south: float
    east: float
    north: float
    srid: int = 4326
    far: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed CQL2 filter: its CQL2-JSON text, the CRS of its geometry literals, and the SRID in which it measures."""

    json: str
    crs: Crs = CRS84
    measured_in: int | None = None


@dataclass(frozen=True, slots=True)
class SortKey:
    """One field of an ordering; nulls come last in both directions."""

    name: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class FeatureQuery:
    """A checked request for features of one layer. Field names must be the layer's.

    ``time`` filters on the layer's time field (inclusive, open ends None); ``as_of`` reads the state at that instant;
    ``after`` holds the sort values and id of the last feature seen; ``properties`` None means all.
    """

    limit: int = 10
    offset: int = 0
    after: tuple[Any, ...] | None = None
    box: Box | None = None
    time: tuple[datetime | None, datetime | None] | None = None
    as_of: datetime | None = None
    equals: tuple[tuple[str, Any], ...] = ()
    filter: Filter | None = None
    sort: tuple[SortKey, ...] = ()
    properties: tuple[str, ...] | None = None
    geometry: bool = True
    crs: Crs = CRS84

    @property
    def restricted(self) -> bool:
        """Whether the query asks for less than the whole present layer."""
        return any((self.box, self.time, self.as_of, self.equals, self.filter))

    def shape(self) -> "FeatureQuery":
        """The query without its values: queries of one shape share one SQL text."""
        return replace(
            self,
            limit=0,
            offset=0,
            after=None if self.after is None else tuple(None if v is None else 0 for v in self.after),
            box=self.box and replace(self.box, west=float(self.box.west > self.box.east), south=0, east=0, north=0),
            time=self.time and (self.time[0] and datetime.min, self.time[1] and datetime.min),
            as_of=self.as_of and datetime.min,
            equals=tuple((name, None) for name, _ in self.equals),
        )

    def values(self) -> dict[str, Any]:
        """The values to bind into the SQL of this query's shape."""
        values: dict[str, Any] = {"limit": self.limit + 1, "offset": self.offset}
        if self.box:
            values |= dict(west=self.box.west, south=self.box.south, east=self.box.east, north=self.box.north)
        if self.time:
            values |= dict(begin=self.time[0], end=self.time[1])
        if self.as_of:
            values["as_of"] = self.as_of
        values |= {f"equals_{i}": value for i, (_, value) in enumerate(self.equals)}
        values |= {f"after_{i}": value for i, value in enumerate(self.after or ())}
        return values


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL for psycopg2 with named placeholders, and the values that belong to its shape (filter literals)."""

    sql: str
    constants: Mapping[str, Any]

    def bind(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """All values of one execution."""
        return {**self.constants, **values}


def page_statement(layer: Layer, query: FeatureQuery) -> Statement:
    """Rows (feature as GeoJSON text, its place in the order), one more than the limit.

    The place is the id, or with ``sort`` the sort values and the id as JSON text.
    """
    return _kept(_page, layer, _placed(layer, query).shape())


def count_statement(layer: Layer, query: FeatureQuery) -> Statement:
    """One row: how many features the query matches, regardless of paging."""
    return _kept(_count, layer, replace(_placed(layer, query).shape(), after=None))


def rows(layer: Layer, query: FeatureQuery) -> Select[Any]:
    """A SELECT of id, the asked fields and ``geom`` in the query's CRS (east, north), with values bound.

    In the query's order, without paging: what exports read.
    """
    query = _placed(layer, query)
    t = _source(layer, query.as_of is not None)
    names = query.properties if query.properties is not None else tuple(f.name for f in layer.fields)
    geometry = _transformed(t.c.geom, layer, query.crs) if query.geometry else null()
    statement = select(t.c.id, *(t.c[name] for name in names), geometry.label("geom"))
    statement = statement.where(_where(layer, t, query)).order_by(*_order(t, query.sort))
    return statement.params(**query.values())


def selection(layer: Layer, query: FeatureQuery) -> tuple[FromClause, ColumnElement[bool]]:
    """The rows that a query asks for, as a source and a condition on it: what tiles draw."""
    query = _placed(layer, query)
    source = _source(layer, query.as_of is not None)
    return source, _where(layer, source, query)


def compiled(statement: Select[*tuple[Any, ...]]) -> Statement:
    """A SELECT as text for psycopg2; what it names by ``bindparam`` is bound with each execution."""
    return _compiled(statement)


def feature_statement(layer: Layer, crs: Crs, as_of: bool) -> Statement:
    """One row (feature as GeoJSON text, revision) for ``id``, and ``as_of`` when asked for a past state."""
    t = _source(layer, as_of)
    wanted = cast(bindparam("id"), t.c.id.type)
    return _compiled(select(feature_text(layer, t, FeatureQuery(crs=crs)), t.c.revision).where(t.c.id == wanted))


feature_statement = lru_cache(maxsize=4096)(feature_statement)


@lru_cache(maxsize=4096)
def features_statement(layer: Layer, crs: Crs) -> Statement:
    """Rows (id, feature as GeoJSON text) of those ``ids`` that there are."""
    t = _source(layer, False)
    wanted = t.c.id == func.any(cast(bindparam("ids"), ARRAY(BigInteger)))
    return _compiled(select(t.c.id, feature_text(layer, t, FeatureQuery(crs=crs))).where(wanted))


def wide_integers_statement(layer: Layer) -> Statement:
    """One row: for each integer field whether a value of it needs more than 32 bits (null for an empty layer)."""
    t = feature_table(layer)
    fields = [t.c[f.name] for f in layer.fields if f.type == "integer"]
    narrow = (field.between(literal_column("-2147483648"), literal_column("2147483647")) for field in fields)
    return _compiled(select(*(func.bool_or(not_(each)) for each in narrow)))


def _kept(compiled: Any, layer: Layer, shape: FeatureQuery) -> Statement:
    """The statement from the cache, except for a long filter: thousands of those would be a gigabyte."""
    long = shape.filter is not None and len(shape.filter.json) > _KEPT_FILTER
    statement: Statement = (compiled.__wrapped__ if long else compiled)(layer, shape)
    return statement


@lru_cache(maxsize=4096)
def _page(layer: Layer, shape: FeatureQuery) -> Statement:
    t = _source(layer, shape.as_of is not None)
    keys = (cast(t.c[key.name], Text) for key in shape.sort)
    place = cast(func.json_build_array(*keys, t.c.id), Text) if shape.sort else t.c.id
    statement = (
        select(feature_text(layer, t, shape).label("feature"), place.label("place"))
        .where(_where(layer, t, shape))
        .order_by(*_order(t, shape.sort))
        .limit(bindparam("limit"))
        .offset(bindparam("offset"))
    )
    return _compiled(statement)


@lru_cache(maxsize=4096)
def _count(layer: Layer, shape: FeatureQuery) -> Statement:
    t = _source(layer, shape.as_of is not None)
    return _compiled(select(func.count()).select_from(t).where(_where(layer, t, shape)))


def _compiled(statement: Select[*tuple[Any, ...]]) -> Statement:
    compiled = statement.compile(dialect=_DIALECT)
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    return Statement(compiled.string, constants)


def _source(layer: Layer, past: bool) -> FromClause:
    """The rows to read from: the present table, or the layer's rows that were valid at ``as_of``."""
    present = feature_table(layer)
    if not past:
        return present.alias("t")
    history = history_table(layer)
    names = [column.name for column in present.columns]
    instant = cast(bindparam("as_of"), TIMESTAMP(timezone=True))
    return union_all(
        select(present).where(present.c.valid_from <= instant),
        select(*(history.c[n] for n in names)).where(history.c.valid_from <= instant, history.c.valid_to > instant),
    ).alias("t")


def _where(layer: Layer, t: FromClause, query: FeatureQuery) -> ColumnElement[bool]:
    conditions: list[ColumnElement[bool]] = []
    if query.box:
        conditions.append(_in_box(layer, t, query.box))
    if query.time:
        conditions += _in_time(layer, t, query.time)
    for i, (name, _) in enumerate(query.equals):
        conditions.append(_equals(layer, t, name, f"equals_{i}"))
    if query.filter:
        crs = query.filter.crs
        columns = filter_columns(layer, t, query.filter.measured_in)
        conditions.append(compile_filter(orjson.loads(query.filter.json), columns, crs.srid, crs.axis_swapped))
    if query.after is not None:
        conditions.append(_after(t, query))
    return and_(true(), *conditions)


def filter_columns(layer: Layer, t: FromClause, measured_in: int | None) -> Columns:
    """What a CQL2 filter on this layer may name."""
    properties = {f.name: (t.c[f.name], f.type) for f in layer.fields}
    return Columns({"id": (t.c.id, "integer"), **properties}, {"geom": (t.c.geom, layer.srid)}, measured_in)


def _placed(layer: Layer, query: FeatureQuery) -> FeatureQuery:
    """The query with its box marked where it is too far-reaching to be transformed to the layer's CRS."""
    box = query.box
    if box is None or coincident(box.srid, layer.srid):
        return query
    west, east = (-180.0, 180.0) if box.west > box.east else (box.west, box.east)
    far = not meets(box.srid, (west, box.south, east, box.north), layer.srid)
    return replace(query, box=replace(box, far=far))


def _in_box(layer: Layer, t: FromClause, box: Box) -> ColumnElement[bool]:
    west, south, east, north = (cast(bindparam(name), Double) for name in ("west", "south", "east", "north"))
    if box.west > box.east:
        return or_(
            _intersects(layer, t, (west, south, literal_column("180.0"), north), box),
            _intersects(layer, t, (literal_column("-180.0"), south, east, north), box),
        )
    return _intersects(layer, t, (west, south, east, north), box)


def _intersects(layer: Layer, t: FromClause, corners: tuple[Any, ...], box: Box) -> ColumnElement[bool]:
    if coincident(box.srid, layer.srid):
        return _touches(layer, t, func.ST_MakeEnvelope(*corners, layer.srid, type_=t.c.geom.type))
    envelope = func.ST_MakeEnvelope(*corners, box.srid)
    if box.far:
        return func.ST_Intersects(func.ST_Transform(t.c.geom, box.srid), envelope)
    # A box edge is straight in its own CRS only: give it vertices before it is transformed.
    west, south, east, north = corners
    step = func.greatest(east - west, north - south, literal_column("1e-9::float8")) / 16
    transformed = func.ST_Transform(func.ST_Segmentize(envelope, step), layer.srid, type_=t.c.geom.type)
    return _touches(layer, t, transformed)


def _touches(layer: Layer, t: FromClause, area: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the feature meets an area. Below row-level security an index serves operators only that leak nothing,
    as ``&&`` does; ST_Intersects implies it elsewhere."""
    met: ColumnElement[bool] = func.ST_Intersects(t.c.geom, area)
    return met if layer.visibility == "public" else and_(t.c.geom.op("&&", is_comparison=True)(area), met)


def _in_time(
    layer: Layer, t: FromClause, time: tuple[datetime | None, datetime | None]
) -> list[ColumnElement[bool]]:
    assert layer.time_field
    column = t.c[layer.time_field]
    instant = COLUMN_TYPES["date-time"]
    conditions = []
    if time[0]:
        conditions.append(column >= cast(cast(bindparam("begin"), instant), column.type))
    if time[1]:
        conditions.append(column <= cast(cast(bindparam("end"), instant), column.type))
    return conditions


def _equals(layer: Layer, t: FromClause, name: str, parameter: str) -> ColumnElement[bool]:
    column = t.c[name]
    field = layer.field(name)
    if field and field.type == "string-array":
        return cast(bindparam(parameter), Text) == func.any(column)
    return column == cast(bindparam(parameter), column.type)


def _order(t: FromClause, sort: tuple[SortKey, ...]) -> list[ColumnElement[Any]]:
    keys = [(t.c[k.name].desc() if k.descending else t.c[k.name].asc()).nulls_last() for k in sort]
    return [*keys, t.c.id.asc()]


def _after(t: FromClause, query: FeatureQuery) -> ColumnElement[bool]:
    """Rows behind the last one seen, in an ordering where nulls are last and the id decides ties."""
    assert query.after is not None
    alternatives: list[ColumnElement[bool]] = []
    equal: list[ColumnElement[bool]] = []
    for i, (key, value) in enumerate(zip((*query.sort, SortKey("id")), query.after, strict=True)):
        column = t.c[key.name]
        if value is None:
            equal.append(column.is_(None))
            continue
        last = cast(cast(bindparam(f"after_{i}"), BigInteger if key.name == "id" else Text), column.type)
        behind = column < last if key.descending else column > last
        behind = behind if key.name == "id" else or_(behind, column.is_(None))
        alternatives.append(and_(*equal, behind))
        equal.append(column == last)
    return or_(*alternatives)


def _transformed(column: ColumnElement[Any], layer: Layer, crs: Crs) -> ColumnElement[Any]:
    return column if crs.coincides_with(layer.srid) else func.ST_Transform(column, crs.srid)


def feature_text(layer: Layer, t: FromClause, query: FeatureQuery) -> ColumnElement[str]:
    """The feature as GeoJSON text, written by PostgreSQL: no row is parsed or built in Python."""
    names = query.properties if query.properties is not None else tuple(f.name for f in layer.fields)
    columns = ", ".join(_property(layer, name) for name in names)
    # No field can have the alias's name: a column would be meant before the whole row.
    properties = f'(SELECT row_to_json("P") FROM (SELECT {columns}) AS "P")::text' if names else "'{}'"
    geometry: ColumnElement[Any] = literal_column("'null'")
    if query.geometry:
        shape = _transformed(t.c.geom, layer, query.crs)
        shape = func.ST_FlipCoordinates(shape) if query.crs.axis_swapped else shape
        geometry = func.coalesce(func.ST_AsGeoJSON(shape, query.crs.decimals, 0), literal_column("'null'"))
    return func.concat(
        literal_column("""'{"type":"Feature","id":'"""),
        t.c.id,
        literal_column("""',"geometry":'"""),
        geometry,
        literal_column("""',"properties":'"""),
        literal_column(properties),
        literal_column("'}'"),
    )


def _property(layer: Layer, name: str) -> str:
    """The column of a property. A whole value of a number is written 3.0: QGIS before 3.44 and GDAL take the type of a
    field from the first features, and lose the decimals of the others where those were written 3."""
    column = quoted("t", name)
    field = layer.field(name)
    if field is None or field.type != "number":
        return column
    whole = f"{column} = trunc({column}) AND abs({column}) < 1e15"
    return f"CASE WHEN {whole} THEN ({column}::text || '.0')::json ELSE to_json({column}) END AS {column[2:]}"


def encode_cursor(sort: tuple[SortKey, ...], place: int | bytes) -> str:
    """The opaque cursor behind the feature at that place of the order (:func:`page_statement`)."""
    keys = place if isinstance(place, bytes) else b"[%d]" % place
    return base64.urlsafe_b64encode(_sort_mark(sort) + keys).rstrip(b"=").decode()


def decode_cursor(cursor: str, sort: tuple[SortKey, ...]) -> tuple[Any, ...]:
    """The sort values and id in a cursor. Raises :class:`CursorError` for one of another ordering or none of ours."""
    try:
        data = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        keys = orjson.loads(data[4:])
    except (ValueError, binascii.Error):
        raise CursorError("the cursor is damaged; start again from the first page") from None
    if data[:4] != _sort_mark(sort) or not isinstance(keys, list) or len(keys) != len(sort) + 1:
        raise CursorError("the cursor belongs to another sortby; start again from the first page")
    texts = all(k is None or (isinstance(k, str) and "\0" not in k) for k in keys[:-1])
    if not texts or type(keys[-1]) is not int or not -(2**63) <= keys[-1] < 2**63:
        raise CursorError("the cursor is damaged; start again from the first page")
    return tuple(keys)


@lru_cache(maxsize=1024)
def _sort_mark(sort: tuple[SortKey, ...]) -> bytes:
    return hashlib.blake2s(repr(sort).encode(), digest_size=4).digest()
