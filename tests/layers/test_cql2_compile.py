"""Filters on a small table in PostGIS: types, NULL, text, time, arrays, geometry, arithmetic, and no way around them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from geoalchemy2 import Geometry
from sqlalchemy import Column, Connection, MetaData, Table, column, func, select, text
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

from layers.catalogue import FieldType
from layers.cql2 import CONFORMANCE_CLASSES, FUNCTIONS, Columns, Cql2Error, compile_filter, describe_functions, parse
from layers.database import Database
from layers.tables import COLUMN_TYPES

KINDS: dict[str, FieldType] = {
    "id": "integer", "name": "string", "ascii": "string", "n": "integer", "x": "number", "ok": "boolean", "day": "date",
    "at": "date-time", "until": "date-time", "tags": "string-array", "%odd name": "string",
}  # fmt: skip
ROWS: list[tuple[Any, ...]] = [
    # id, name, ascii, n, x, ok, day, at, until, tags, odd, WKT
    (1, "Straße", "Strasse", 2, 2.5, True, "2024-05-01", "2024-05-01T00:00Z", "2024-05-03T12:00Z", ["a", "b"], "o",
     "POLYGON((114 30,115 30,115 31,114 31,114 30))"),
    (2, "100%_\\x", "zebra", 9007199254740993, 1e308, False, "2024-05-02", "2024-05-01T23:59:59.5Z", None, ["b"], None,
     "POINT(114.5 30.5)"),
    (3, "鄂州 Ezhou", "Zebra", -7, -7.5, None, "2024-05-03", "2024-05-02T00:00Z", "2024-05-02T00:00Z", [], "",
     "LINESTRING(179 0,180 0)"),
    (4, None, None, None, None, None, None, None, None, None, None, None),
]  # fmt: skip
#: The storage CRS's (EPSG:4547) own coordinates near 114.9 E 30.4 N.
EAST, NORTH = 586_466.0, 3_365_000.0


class Layer:
    """The table, and a way to ask it."""

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        fields = [Column(name, COLUMN_TYPES[kind]) for name, kind in KINDS.items()]
        geom = Column("geom", Geometry("GEOMETRY", 4490, spatial_index=False))
        self.table = Table("cql2_layer", MetaData(), *fields, geom, prefixes=["TEMPORARY"])
        self.table.create(conn)
        for row in ROWS:
            shape = func.ST_GeomFromText(row[-1], 4490)
            conn.execute(self.table.insert().values({**dict(zip(KINDS, row, strict=False)), "geom": shape}))
        properties = {name: (self.table.c[name], kind) for name, kind in KINDS.items()}
        self.columns = Columns(properties, {"geom": (self.table.c.geom, 4490)})

    def ids(self, cql: str | dict[str, Any], srid: int = 4326, swapped: bool = False) -> list[int]:
        expression = parse(cql, "cql2-text" if isinstance(cql, str) else "cql2-json")
        condition = compile_filter(expression, self.columns, srid, swapped)
        return list(self.conn.execute(select(self.table.c.id).where(condition).order_by(self.table.c.id)).scalars())


@pytest.fixture(scope="module")
def layer(database: Database) -> Iterator[Layer]:
    with database.engine.connect() as conn:
        transaction = conn.begin()
        yield Layer(conn)
        transaction.rollback()


@pytest.mark.parametrize(
    ("cql", "ids"),
    [
        # numbers: nothing is rounded on either side
        ("n = 2", [1]), ("n = 2.0", [1]), ("n = 2.5", []), ("n > 1.5", [1, 2]), ("n < -6.5", [3]), ("n <> 2.5", [1, 2, 3]),
        ("n = 9007199254740993", [2]), ("n = 9007199254740992", []), ("n > 9007199254740992", [2]),
        ("n < 99999999999999999999", [1, 2, 3]), ("n > -99999999999999999999", [1, 2, 3]), ("n IN (2, 2.5)", [1]),
        ("n IN (9007199254740993, -7)", [2, 3]), ("x IN (2.5, 3)", [1]), ("x = 2.5", [1]), ("n = x", []), ("n < x", [1, 2]),
        ("n BETWEEN -7 AND 2", [1, 3]), ("n NOT BETWEEN -7.5 AND 2.5", [2]), ("2 = n", [1]), ("1 = 1", [1, 2, 3, 4]),
        # NULL is unknown, and stays unknown under NOT
        ("NOT n = 2", [2, 3]), ("NOT (n = 2 AND ok = TRUE)", [2, 3]), ("n IS NULL", [4]), ("NOT n IS NULL", [1, 2, 3]),
        ("ok = FALSE OR ok = TRUE", [1, 2]), ("ok", [1]), ("NOT ok", [2]), ("ok <> TRUE", [2]), ("ok IN (TRUE)", [1]),
        ("(n = 2) = ok", [1, 2]), ("(n = 2) IS NULL", [4]), ("n + 1 IS NULL", [4]), ("geom IS NULL", [4]),
        ("tags IS NULL", [4]), ("NOT name LIKE 'S%'", [2, 3]), ("n NOT IN (2)", [2, 3]), ("TRUE", [1, 2, 3, 4]), ("FALSE", []),
        # text compares by code point
        ("ascii < 'a'", [1, 3]), ("ascii > 'Zebra'", [2]), ("ascii BETWEEN 'S' AND 'Zz'", [1, 3]), ("name = ascii", []),
        ("name > 'z'", [3]), ("name IN ('Straße', 'x')", [1]), ('"%odd name" = \'o\'', [1]), ("name = 'straße'", []),
        ("'a' < 'b'", [1, 2, 3, 4]), ("upper(ascii) = 'ZEBRA'", [2, 3]), ("char_length(name) = 6", [1]),
        ("lower(name) = '鄂州 ezhou'", [3]),
        # patterns
        (r"name LIKE '100\%%'", [2]), (r"name LIKE '%\_%'", [2]), (r"name LIKE '%\\x'", [2]), ("name LIKE '____'", []),
        ("name LIKE '鄂_ %'", [3]), ("name LIKE 'straße'", []), ("name LIKE ''", []), ("name LIKE '%'", [1, 2, 3]),
        (r"CASEI(name) LIKE CASEI('100\%\_%')", [2]), ("CASEI(name) LIKE CASEI('STRASS_')", [1]),
        ("ACCENTI(name) LIKE ACCENTI('100％_\\\\x')", [2]), ("ACCENTI(name) LIKE ACCENTI('1％')", []),
        ("ACCENTI(name) LIKE ACCENTI('＿＿＿＿＿＿')", []), ("CASEI(name) LIKE ACCENTI(CASEI('STRA%'))", [1]),
        ("name LIKE CASEI('STRA%')", []), ("CASEI(name) = CASEI('STRASSE')", [1]), ("ACCENTI(name) = 'Strasse'", [1]),
        # arithmetic
        ("n + 1 = 3", [1]), ("n * n = 4", [1]), ("n % 2 = -1", [3]), ("n div 2 = -3", [3]), ("n / 2 = -3.5", [3]),
        ("n - 1 = 9007199254740992", [2]), ("-n = 7", [3]), ("2 ^ n = 4", [1]), ("n ^ 2 = 49", [3]), ("x * 2 = 5", [1]),
        ("x % 2 = -1.5", [3]), ("x div 2 = -3", [3]), ("abs(x) = 7.5", [3]), ("1 + 2 * 3 = 7", [1, 2, 3, 4]),
        ("(1 + 2) * 3 = 9", [1, 2, 3, 4]), ("7 / 2 = 3.5", [1, 2, 3, 4]), ("10 - 2 - 3 = 5", [1, 2, 3, 4]),
        # without a finite result arithmetic is unknown, not an error
        ("n / 0 = 1", []), ("n % 0 = 1", []), ("n div 0 IS NULL", [1, 2, 3, 4]), ("x / 0 IS NULL", [1, 2, 3, 4]),
        ("x * 10 > 1", [1]), ("x * x * x > 0", [1]), ("x + x > 0", [1]), ("n ^ 0.5 > 0", [1, 2]), ("0 ^ n = 0", [1, 2]),
        ("10 ^ n > 0", [1, 3]), ("9 ^ 9 ^ 9 ^ 9 > n", []), ("n * n * n * n * n * n * n * n > x", [1, 3]),
        ("1e-200 * 1e-200 = 0", []), ("x - 1e308 < 0", [1]), (" * ".join(["n"] * 25) + " > x", [1]),
    ],
)  # fmt: skip
def test_scalar_filter_selects(layer: Layer, cql: str, ids: list[int]) -> None:
    assert layer.ids(cql) == ids


@pytest.mark.parametrize(
    ("cql", "ids"),
    [
        ("day = DATE('2024-05-01')", [1]), ("day > DATE('2024-05-01')", [2, 3]), ("day = '2024-05-01'", [1]),
        ("day IN (DATE('2024-05-01'), DATE('2024-05-03'))", [1, 3]), ("at = TIMESTAMP('2024-05-02T00:00:00Z')", [3]),
        ("at = '2024-05-02T08:00:00+08:00'", [3]), ("at < until", [1]), ("at BETWEEN '2024-05-01T12:00:00Z' AND now()", [2, 3]),
        # a date beside a timestamp is the whole day
        ("at = DATE('2024-05-01')", [1, 2]), ("at <> DATE('2024-05-01')", [3]), ("at > DATE('2024-05-01')", [3]),
        ("at >= DATE('2024-05-01')", [1, 2, 3]), ("at <= DATE('2024-05-01')", [1, 2]), ("at < DATE('2024-05-02')", [1, 2]),
        ("DATE('2024-05-02') > at", [1, 2]), ("day = at", [1]), ("day > at", [2, 3]), ("day = TIMESTAMP('2024-05-02T09:00:00Z')", [2]),
        ("T_EQUALS(at, DATE('2024-05-01'))", [1, 2]), ("T_EQUALS(day, DATE('2024-05-01'))", [1]),
        ("T_AFTER(at, DATE('2024-05-01'))", [3]), ("T_BEFORE(at, DATE('2024-05-02'))", [1, 2]),
        ("T_INTERSECTS(at, DATE('2024-05-01'))", [1, 2]), ("T_DISJOINT(at, DATE('2024-05-01'))", [3]),
        ("T_DURING(at, INTERVAL('2024-04-30', '2024-05-01'))", [1, 2]),
        ("T_INTERSECTS(at, INTERVAL('2024-05-01', '2024-05-01'))", [1, 2]),
        ("T_INTERSECTS(day, INTERVAL('2024-05-02', '..'))", [2, 3]), ("T_INTERSECTS(day, INTERVAL('..', '..'))", [1, 2, 3]),
        ("T_DURING(day, INTERVAL('2024-05-01', '2024-05-03'))", [2]),
        # intervals of two columns; one with an unknown end is unknown where the end matters
        ("T_INTERSECTS(INTERVAL(at, until), TIMESTAMP('2024-05-02T00:00:00Z'))", [1, 3]),
        ("T_AFTER(INTERVAL(at, until), DATE('2024-04-30'))", [1, 2, 3]),
        ("T_BEFORE(INTERVAL(at, until), INTERVAL('2024-05-03T00:00:00Z', '..'))", [3]),
        ("T_CONTAINS(INTERVAL(at, until), INTERVAL('2024-05-02T00:00:00Z', '2024-05-03T00:00:00Z'))", [1]),
        ("T_STARTS(INTERVAL(at, until), INTERVAL('2024-05-01T00:00:00Z', '..'))", [1]),
        ("T_STARTEDBY(INTERVAL(at, until), INTERVAL('2024-05-01T00:00:00Z', '2024-05-02T00:00:00Z'))", [1]),
        ("T_FINISHEDBY(INTERVAL('..', '2024-05-02T00:00:00Z'), INTERVAL(at, until))", [3]),
        ("T_FINISHES(INTERVAL(at, until), INTERVAL('..', '2024-05-02T00:00:00Z'))", [3]),
        ("T_MEETS(INTERVAL('..', '2024-05-01T00:00:00Z'), INTERVAL(at, until))", [1]),
        ("T_METBY(INTERVAL('2024-05-03T12:00:00Z', '..'), INTERVAL(at, until))", [1]),
        ("T_OVERLAPS(INTERVAL(at, until), INTERVAL('2024-05-02T00:00:00Z', '..'))", [1]),
        ("T_OVERLAPPEDBY(INTERVAL(at, until), INTERVAL('..', '2024-05-02T00:00:00Z'))", [1]),
        ("T_EQUALS(INTERVAL(at, until), INTERVAL('2024-05-02T00:00:00Z', '2024-05-02T00:00:00Z'))", [3]),
        ("T_AFTER(now(), at)", [1, 2, 3]),
    ],
)  # fmt: skip
def test_temporal_filter_selects(layer: Layer, cql: str, ids: list[int]) -> None:
    assert layer.ids(cql) == ids


@pytest.mark.parametrize(
    ("cql", "ids"),
    [
        ("A_CONTAINS(tags, ('a'))", [1]), ("A_CONTAINS(tags, ('b', 'b'))", [1, 2]), ("A_EQUALS(tags, ('b', 'a'))", [1]),
        ("A_CONTAINEDBY(tags, ('b', 'c'))", [2, 3]), ("A_OVERLAPS(tags, ('b', 'c'))", [1, 2]), ("A_EQUALS(tags, ())", [3]),
        ("A_CONTAINS(('a', 'b', 'c'), tags)", [1, 2, 3]), ("A_CONTAINS(tags, tags)", [1, 2, 3]),
        ("A_EQUALS((1, 2.0), (2, 1))", [1, 2, 3, 4]), ("A_OVERLAPS((n, 5), (2, 3))", [1]),
        ("A_OVERLAPS((DATE('2024-05-01')), (day, day))", [1]), ("NOT A_CONTAINS(tags, ('a'))", [2, 3]),
    ],
)  # fmt: skip
def test_array_filter_selects(layer: Layer, cql: str, ids: list[int]) -> None:
    assert layer.ids(cql) == ids


@pytest.mark.parametrize(
    ("cql", "ids"),
    [
        ("S_INTERSECTS(geom, BBOX(114.4, 30.4, 114.6, 30.6))", [1, 2]), ("S_INTERSECTS(geometry, POINT(114.1 30.1))", [1]),
        ("S_CONTAINS(geom, BBOX(114.4, 30.4, 114.6, 30.6))", [1]), ("S_WITHIN(geom, BBOX(114, 30, 115, 31))", [1, 2]),
        ("S_WITHIN(geom, BBOX(114, 30, 0, 115, 31, 99))", [1, 2]), ("S_DISJOINT(geom, BBOX(100, 0, 170, 60))", [3]),
        ("S_INTERSECTS(geom, BBOX(179.5, -1, -179.5, 1))", [3]), ("S_INTERSECTS(geom, BBOX(114.5, 30.5, 114.5, 30.5))", [1, 2]),
        ("S_EQUALS(geom, POINT(114.5 30.5))", [2]), ("S_TOUCHES(geom, POINT(115 30.5))", [1]),
        ("S_CROSSES(geom, LINESTRING(113 30.2, 116 30.2))", [1]), ("S_OVERLAPS(geom, BBOX(114.5, 30, 116, 32))", [1]),
        ("S_WITHIN(POINT(114.5 30.5), geom)", [1, 2]), ("S_INTERSECTS(geom, geom)", [1, 2, 3]),
        ("S_INTERSECTS(POINT(1 1), BBOX(0, 0, 2, 2))", [1, 2, 3, 4]),
        # an invalid (bow-tie) polygon is repaired, a collection merged
        ("S_INTERSECTS(geom, POLYGON((114 30, 115 31, 115 30, 114 31, 114 30)))", [1, 2]),
        ("S_WITHIN(geom, GEOMETRYCOLLECTION(POLYGON((113 29, 114.5 29, 114.5 32, 113 32, 113 29)), "
         "POLYGON((114.5 29, 116 29, 116 32, 114.5 32, 114.5 29))))", [1, 2]),
        ("S_EQUALS(geom, GEOMETRYCOLLECTION(POINT(114.5 30.5), LINESTRING(0 0, 1 1)))", []),
        ("area(geom) > 10000000000", [1]), ("length(geom) BETWEEN 111000 AND 112000", [3]), ("area(geom) = 0", [2, 3]),
    ],
)  # fmt: skip
def test_spatial_filter_selects(layer: Layer, cql: str, ids: list[int]) -> None:
    assert layer.ids(cql) == ids


def test_literals_are_read_in_the_filter_crs_and_its_axis_order(layer: Layer) -> None:
    assert layer.ids("S_INTERSECTS(geom, POINT(30.1 114.1))", 4490, swapped=True) == [1]
    assert layer.ids("S_INTERSECTS(geom, BBOX(30.4, 114.4, 30.6, 114.6))", 4326, swapped=True) == [1, 2]
    assert layer.ids("S_INTERSECTS(geom, BBOX(-1, 179.5, 1, -179.5))", 4326, swapped=True) == [3]
    assert layer.ids("S_INTERSECTS(geom, POINT(12702000 3514000))", 3857) == [1]
    x, y = layer.conn.execute(text("SELECT ST_X(p), ST_Y(p) FROM ST_Transform('SRID=4490;POINT(114.5 30.5)', 4547) p")).one()
    near = f"S_WITHIN(geom, BBOX({y - 1}, {x - 1}, {y + 1}, {x + 1}))"
    assert layer.ids(near, 4547, swapped=True) == [2]


def test_areas_are_measured_in_the_projected_crs_of_the_city(layer: Layer) -> None:
    geometry = layer.table.c.geom
    columns = replace(layer.columns, measured_in=4547)
    planar = layer.conn.execute(select(func.ST_Area(func.ST_Transform(geometry, 4547))).where(layer.table.c.id == 1)).scalar_one()
    ellipsoidal = layer.conn.execute(text("SELECT ST_Area(geom::geography) FROM cql2_layer WHERE id = 1")).scalar_one()
    assert planar != ellipsoidal
    for measured, by in ((planar, columns), (ellipsoidal, layer.columns)):
        condition = compile_filter(parse(f"area(geom) = {measured!r}", "cql2-text"), by, 4326, False)
        assert layer.conn.execute(select(layer.table.c.id).where(condition)).scalars().all() == [1]


@pytest.mark.parametrize(
    ("cql", "message"),
    [
        ("name = 5", "property 'name' \\(string\\) cannot be compared with 5 \\(integer\\)"), ("n = 'x'", "cannot be compared"),
        ("n = '2'", "cannot be compared"), ("ok = 1", "cannot be compared"), ("at > 5", "cannot be compared"),
        ("at > 'yesterday'", "write it like"), ("day = '2024-13-01'", "write it like"), ("name = at", "cannot be compared"),
        ("at = TIMESTAMP('2024-05-01')", "not a timestamp"), ("day = DATE('2024-05-01T00:00:00Z')", "not a date"),
        ("T_AFTER(at, TIMESTAMP('0001-01-01T00:00:00+14:00'))", "not a timestamp"), ("n = NULL", "IS NULL"),
        ("n = TIMESTAMP('2024-02-30T00:00:00Z')", "not a timestamp"), ("DATE(day) = day", "takes a text"),
        ("T_AFTER(at, INTERVAL('2024-05-02', '2024-05-01'))", "exchange its bounds"), ("T_AFTER(n, at)", "t_after needs"),
        ("at = INTERVAL('2024-05-02', '..')", "use the s_, t_ or a_ functions"), ("INTERVAL(n, '..') = at", "INTERVAL needs"),
        ("geom = POINT(1 1)", "use the s_, t_ or a_"), ("tags = 'a'", "use the s_, t_ or a_"), ("S_WITHIN(n, geom)", "geometries"),
        ("A_CONTAINS(tags, (1))", "arrays of one type"), ("A_CONTAINS(tags, ('a', 1))", "arrays of one type"),
        ("A_CONTAINS(name, ('a'))", "needs two arrays"), ("A_CONTAINS(tags, ('a', ('b', 'c')))", "may hold"),
        ("name LIKE ascii", "needs a pattern"), ("n LIKE 'x'", "LIKE needs string"),
        (f"name LIKE '{'%a' * 20}'", "shorten"), (f"name LIKE '{'a' * 2000}'", "shorten"), ("name + 1 = 2", "needs integer or number"),
        ("CASEI(n) = 'x'", "CASEI needs string"), ("n", "condition is needed"), ("name AND ok", "condition is needed"),
        ("secret = 1", "no queryable property 'secret'"), ('"n; DROP TABLE x" = 1', "no queryable property"),
        ("pg_sleep(10) = 1", "there is no function 'pg_sleep'"), ("s_relate(geom, geom, 'T')", "there is no function"),
        ("upper(name, name) = 'x'", "takes 1 arguments"), ("area(n) > 1", "needs a geometry"), ("upper(n) = 'X'", "needs string"),
        ("S_INTERSECTS(geom, LINESTRING(1 1))", "needs 2"), ("S_INTERSECTS(geom, POLYGON((0 0, 1 1)))", "needs 4"),
        ("S_INTERSECTS(geom, POLYGON((0 0, 1 0, 1 1, 0 1)))", "not closed"), ("S_INTERSECTS(geom, LINESTRING EMPTY)", "near 'EMPTY"),
        ("S_INTERSECTS(geom, BBOX(1, 2, 3))", "four numbers"), ("S_INTERSECTS(geom, BBOX(1, 5, 3, 2))", "south"),
        ("S_INTERSECTS(geom, POINT(1e10 1))", "beyond"), ("S_INTERSECTS(geom, GEOMETRYCOLLECTION EMPTY)", "near 'EMPTY"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_a_reason(layer: Layer, cql: str, message: str) -> None:
    pytest.raises(Cql2Error, layer.ids, cql).match(message)


@pytest.mark.parametrize(
    "expression",
    [
        {"op": "=", "args": [{"property": "n"}]}, {"op": "in", "args": [{"property": "n"}, 1]}, {"op": "and", "args": []},
        {"op": "in", "args": [{"property": "n"}, []]}, {"op": "not", "args": [1]}, {"op": "between", "args": [1, [2, 3]]},
        {"op": "s_within", "args": [{"property": "geom"}, {"type": "Point", "coordinates": [1]}]},
        {"op": "s_within", "args": [{"property": "geom"}, {"type": "Circle", "coordinates": [1, 2]}]},
        {"op": "s_within", "args": [{"property": "geom"}, {"bbox": "x"}]}, {"op": "casei", "args": []},
        {"op": "t_after", "args": [{"property": "at"}, {"interval": ["2024-01-01"]}]}, {"nonsense": 1},
        {"op": "like", "args": [{"property": "name"}, {"op": "casei", "args": []}]},
        {"op": "like", "args": [{"property": "name"}, "a\\"]}, {"op": "isNull", "args": [{"property": "geom"}, 1]},
        {"op": "s_within", "args": [{"property": "geom"}, {"type": "LineString", "coordinates": []}]},
        {"op": "s_within", "args": [{"property": "geom"}, {"type": "GeometryCollection", "geometries": []}]},
        {"op": "=", "args": [{"property": ["n"]}, 1]}, {"op": "=", "args": [{"property": {"a": 1}}, 1]},
    ],
    ids=str,
)  # fmt: skip
def test_malformed_json_expressions_are_refused_by_parser_or_compiler(layer: Layer, expression: dict[str, Any]) -> None:
    pytest.raises(Cql2Error, layer.ids, expression)
    pytest.raises(Cql2Error, compile_filter, expression, layer.columns, 4326, False)


def test_coordinates_outside_a_crs_are_refused(layer: Layer) -> None:
    for cql, srid in (("S_WITHIN(geom, POINT(5e8 5e8))", 4547), ("S_WITHIN(geom, BBOX(1, 2, 3e8, 4e8))", 4547)):
        pytest.raises(Cql2Error, layer.ids, cql, srid).match("domain")
    pytest.raises(Cql2Error, layer.ids, "S_WITHIN(geom, BBOX(600000, 1, 400000, 2))", 4547).match("west")


def test_unknown_and_hidden_properties_look_the_same(layer: Layer) -> None:
    """A field a person may not see is not among the columns: nothing tells it from one that does not exist."""
    hidden = Columns({k: v for k, v in layer.columns.properties.items() if k != "name"}, layer.columns.geometry)
    messages = []
    for name in ("name", "nope"):
        with pytest.raises(Cql2Error) as error:
            compile_filter({"op": "isNull", "args": [{"property": name}]}, hidden, 4326, False)
        messages.append(str(error.value).replace(name, "?"))
    assert messages[0] == messages[1]


ATTACKS = ["'; DROP TABLE cql2_layer; --", "' OR '1'='1", "\\'; SELECT pg_sleep(9); --", "%(x)s %s :x {x} $1", "$$;$$", "x\u2019"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_values_are_bound_never_written_into_sql(layer: Layer, attack: str) -> None:
    name = {"property": "name"}
    for expression in (
        {"op": "=", "args": [name, attack]}, {"op": "in", "args": [name, [attack, "y"]]}, {"op": "like", "args": [name, attack]},
        {"op": "=", "args": [{"op": "casei", "args": [name]}, {"op": "casei", "args": [attack]}]},
        {"op": "like", "args": [name, {"op": "accenti", "args": [attack]}]},
        {"op": "a_overlaps", "args": [{"property": "tags"}, [attack]]},
    ):  # fmt: skip
        assert layer.ids(expression) == []
        compiled = compile_filter(expression, layer.columns, 4326, False).compile(dialect=PGDialect_psycopg2())
        assert "DROP" not in str(compiled) and "pg_sleep" not in str(compiled)
    refused = (
        {"op": "=", "args": [{"property": attack}, 1]}, {"op": attack, "args": [name]},
        {"op": "=", "args": [{"property": "day"}, {"date": attack}]},
        {"op": "t_after", "args": [{"property": "at"}, {"interval": [attack, ".."]}]},
        {"op": "s_within", "args": [{"property": "geom"}, {"type": attack, "coordinates": [1, 2]}]},
    )  # fmt: skip
    for expression in refused:
        pytest.raises(Cql2Error, layer.ids, expression)
    assert layer.conn.execute(select(func.count()).select_from(layer.table)).scalar_one() == len(ROWS)


def test_every_literal_is_a_parameter() -> None:
    columns = Columns({"n": (column("n"), "integer"), "s": (column("s"), "string"), "t": (column("t"), "date-time")},
                      {"geom": (column("geom"), 4490)})
    cql = ("n = 4711 AND s LIKE 'lit%' AND n + 4712 > 4713.5 AND t > TIMESTAMP('2024-04-14T00:00:00Z') AND "
           "n IN (4714, 4715) AND S_WITHIN(geom, POINT(4.716 47.17)) AND s = 'lit'")
    compiled = compile_filter(parse(cql, "cql2-text"), columns, 4326, False).compile(dialect=PGDialect_psycopg2())
    assert not any(value in str(compiled) for value in ("471", "lit", "2024", "14T"))
    assert all(value is not None for value in compiled.params.values())


def test_spatial_text_and_time_filters_use_the_columns_indexes(conn: Connection) -> None:
    conn.execute(text("CREATE TABLE cql2_big (id bigint, n bigint, at timestamptz, geom geometry(Point, 4490))"))
    conn.execute(text(
        "INSERT INTO cql2_big SELECT i, i, timestamptz '2020-01-01Z' + i * interval '1 hour', "
        "ST_SetSRID(ST_MakePoint(114 + i % 100 / 100.0, 30 + i / 10000.0), 4490) FROM generate_series(1, 10000) i"
    ))  # fmt: skip
    for index in ("USING gist (geom)", "(n)", "(at)"):
        conn.execute(text(f"CREATE INDEX ON cql2_big {index}"))
    conn.execute(text("ANALYZE cql2_big"))
    big = Table("cql2_big", MetaData(), Column("n"), Column("at"), Column("geom"))
    columns = Columns({"n": (big.c.n, "integer"), "at": (big.c.at, "date-time")}, {"geom": (big.c.geom, 4490)})
    for cql, srid in (
        ("S_INTERSECTS(geom, BBOX(114.5, 30.5, 114.51, 30.51))", 4326),
        ("S_WITHIN(geom, BBOX(12740000, 3560000, 12741000, 3561000))", 3857),
        ("n = 77", 4326), ("n IN (7, 8)", 4326), ("at = DATE('2020-03-01')", 4326),
        ("T_INTERSECTS(at, INTERVAL('2020-03-01', '2020-03-02'))", 4326),
    ):  # fmt: skip
        statement = select(big.c.n).where(compile_filter(parse(cql, "cql2-text"), columns, srid, False))
        compiled = statement.compile(dialect=PGDialect_psycopg2())
        plan = conn.exec_driver_sql(f"EXPLAIN {compiled}", dict(compiled.params)).scalars().all()
        assert any("Index Cond" in line for line in plan), (cql, plan)


def test_case_folding_is_unicodes_and_accents_are_ignored_in_any_normal_form(conn: Connection) -> None:
    folding = [chr(c) for c in range(0x1F000) if not 0xD800 <= c < 0xE000 and chr(c).casefold() != chr(c)]
    statement = text(
        "SELECT x FROM unnest(cast(:x AS text[]), cast(:y AS text[])) AS u(x, y) "
        "WHERE citymap.cql2_casei(x) <> citymap.cql2_casei(y)"
    )
    assert conn.execute(statement, {"x": folding, "y": [c.casefold() for c in folding]}).all() == []
    accents = text("SELECT DISTINCT citymap.cql2_accenti(x) FROM unnest(cast(:x AS text[])) AS u(x)")
    assert conn.execute(accents, {"x": ["Chișinău", "Chis\u0326ina\u0306u", "Chisinau"]}).scalars().all() == ["Chisinau"]
    assert conn.execute(accents, {"x": ["鄂州한국"]}).scalars().all() == ["鄂州한국"]


def test_published_functions_are_the_ones_that_can_be_called(layer: Layer) -> None:
    calls = {"string": {"property": "name"}, "number": {"property": "x"}, "geometry": {"property": "geom"}}
    for function in FUNCTIONS:
        arguments = [calls[a["type"][0]] for a in function["args"]]
        layer.ids({"op": "isNull", "args": [{"op": function["name"], "args": arguments}]})
    assert [f["name"] for f in describe_functions("zh-CN")] == [f["name"] for f in FUNCTIONS]
    assert describe_functions("zh-CN")[0]["description"] != FUNCTIONS[0]["description"]
    assert all(uri.startswith("http://www.opengis.net/spec/cql2/1.0/conf/") for uri in CONFORMANCE_CLASSES)


def test_the_deepest_filter_allowed_compiles_below_a_servers_call_stack(layer: Layer) -> None:
    expression: dict[str, Any] = {"property": "n"}
    for _ in range(30):
        expression = {"op": "+", "args": [expression, 1]}

    def below(levels: int) -> list[int]:
        return below(levels - 1) if levels else layer.ids({"op": "=", "args": [expression, 32]})

    assert below(150) == [1]
