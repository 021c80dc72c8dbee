"""Layers, and values of a field, are in tiles from their zoom on, in every grid."""

import math

import mapbox_vector_tile
import pytest
from sqlalchemy import Connection, text

from layers.base_layers import PLACES, ROADS
from layers.catalogue import CatalogueError, Layer, Zooms
from layers.database import Reader
from layers.derived.layers import BUILDINGS_3D, CONTOURS
from tiles.matrix_sets import standard_sets
from tiles.tilesets import tile_json
from tiles.vector import TileQuery, render_tile

PLACE = (114.9012, 30.4021)


def drawn(conn: Connection, layer: Layer, z: int, grid: str = "WebMercatorQuad", by: str = "name") -> list[str]:
    """The names of what is in the tile at the place, or another field of it."""
    west, south, east, north = _extent(grid)
    x, y = (PLACE if grid != "WebMercatorQuad" else _mercator(*PLACE))
    columns, rows = (2 ** (z + 1), 2**z) if grid != "WebMercatorQuad" else (2**z, 2**z)
    column, row = int((x - west) / (east - west) * columns), int((north - y) / (north - south) * rows)
    reader = Reader(conn.connection.driver_connection)  # type: ignore[arg-type]
    body = render_tile(reader, TileQuery.whole(layer), standard_sets()[grid], z, row, column).body
    return sorted(f["properties"][by] for part in mapbox_vector_tile.decode(body).values() for f in part["features"])


def _extent(grid: str) -> tuple[float, float, float, float]:
    half = math.pi * 6378137
    return (-half, -half, half, half) if grid == "WebMercatorQuad" else (-180, -90, 180, 90)


def _mercator(lon: float, lat: float) -> tuple[float, float]:
    return math.radians(lon) * 6378137, math.asinh(math.tan(math.radians(lat))) * 6378137


@pytest.fixture
def places(conn: Connection) -> None:
    conn.execute(
        text("INSERT INTO city.places (geom, name, kind) SELECT ST_SetSRID(ST_MakePoint(:x, :y), 4490), n, k FROM (VALUES "
             "('城', 'city'), ('村', 'village'), ('某', NULL)) AS v (n, k)"),
        {"x": PLACE[0], "y": PLACE[1]},
    )


@pytest.mark.usefixtures("places")
def test_a_layer_is_drawn_within_its_zooms_in_each_grid(conn: Connection) -> None:
    layer = PLACES.changed(zooms=Zooms(10, 14))
    assert [z for z in range(8, 18) if drawn(conn, layer, z)] == [10, 11, 12, 13, 14]
    # Two tiles at level 0: a level has the scale of the next zoom.
    assert [z for z in range(8, 18) if drawn(conn, layer, z, "CGCS2000Quad")] == [9, 10, 11, 12, 13]
    assert [z for z in range(8, 18) if drawn(conn, PLACES, z)] == list(range(8, 18))


@pytest.mark.usefixtures("places")
def test_values_begin_at_zooms_of_their_own(conn: Connection) -> None:
    layer = PLACES.changed(zooms=Zooms(9, by="kind", begin={"village": 12}))
    assert drawn(conn, layer, 8) == []
    assert drawn(conn, layer, 11) == sorted(["城", "某"])
    assert drawn(conn, layer, 12) == sorted(["城", "某", "村"])


def test_alleys_of_the_base_map_begin_after_avenues(conn: Connection) -> None:
    line = "ST_SetSRID(ST_MakeLine(ST_MakePoint(:x, :y), ST_MakePoint(:x + 0.02, :y)), 4490)"
    conn.execute(
        text(f"INSERT INTO city.roads (geom, name, class) SELECT {line}, n, c FROM (VALUES ('大道', 'trunk'), ('巷', 'residential')) AS v (n, c)"),
        {"x": PLACE[0], "y": PLACE[1]},
    )
    assert drawn(conn, ROADS, 10) == ["大道"]
    assert drawn(conn, ROADS, 13) == ["大道", "巷"]


def test_derived_layers_begin_where_their_styles_draw_them(conn: Connection) -> None:
    line = "ST_SetSRID(ST_MakeLine(ST_MakePoint(:x, :y), ST_MakePoint(:x + 0.02, :y)), 4490)"
    conn.execute(
        text(f"INSERT INTO city.contours (geom, elevation, index, cell) SELECT {line}, e, e = 25, 'c' FROM (VALUES (20), (25)) AS v (e)"),
        {"x": PLACE[0], "y": PLACE[1]},
    )
    assert [drawn(conn, CONTOURS.layer, z, by="elevation") for z in (9, 10, 11, 12)] == [[], [25], [25], [20, 25]]
    square = "ST_Multi(ST_MakeEnvelope(:x, :y, :x + 0.001, :y + 0.001, 4490))"
    conn.execute(text(f"INSERT INTO city.buildings (geom, name, height) VALUES ({square}, '楼', 9)"), {"x": PLACE[0], "y": PLACE[1]})
    assert [drawn(conn, BUILDINGS_3D.layer, z) for z in (13, 14, 15)] == [[], [], ["楼"]]


def test_tilejson_says_so(conn: Connection) -> None:
    grid = standard_sets()["WebMercatorQuad"]
    told = tile_json("", grid, [PLACES.changed(zooms=Zooms(10, 14)), ROADS], "zh-CN")
    assert (told["minzoom"], [(v["id"], v["minzoom"], v["maxzoom"]) for v in told["vector_layers"]]) == (
        0, [("places", 10, 14), ("roads", 0, 22)],
    )  # fmt: skip


@pytest.mark.parametrize(
    "zooms",
    [{"first": 9, "last": 8}, {"last": 40}, {"by": "kind"}, {"begin": {"city": 3}}, {"first": 5, "by": "kind", "begin": {"city": 3}}],
)
def test_zooms_that_contradict_themselves_are_refused(zooms: dict[str, object]) -> None:
    with pytest.raises(CatalogueError):
        Zooms(**zooms)  # type: ignore[arg-type]


def test_a_rule_by_a_field_that_is_hidden_tells_nothing() -> None:
    rule = Zooms(3, by="kind", begin={"village": 12})
    assert rule.among({"name"}) == Zooms(3)
    assert rule.among({"name", "kind"}) == rule
    with pytest.raises(CatalogueError, match="not one of its fields"):
        PLACES.changed(zooms=Zooms(by="secret", begin={"a": 3}))
