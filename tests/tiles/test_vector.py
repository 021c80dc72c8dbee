"""Vector tiles hold what PostGIS has, where it is; read back by an independent decoder."""

import math
from typing import Any

import mapbox_vector_tile
import pytest
from sqlalchemy import Connection, text

from layers.base_layers import BUILDINGS, PLACES
from layers.database import Reader
from tiles.matrix_sets import NoSuchTile, standard_sets
from tiles.vector import TileQuery, render_tile

EXTENT = 4096


MERCATOR = standard_sets()["WebMercatorQuad"]


def rendered(conn: Connection, layers: tuple[Any, ...], z: int, y: int, x: int) -> bytes:
    reader = Reader(conn.connection.driver_connection)  # type: ignore[arg-type]
    return render_tile(reader, TileQuery.whole(*layers), MERCATOR, z, y, x).body


def decoded(conn: Connection, layers: tuple[Any, ...], z: int, y: int, x: int) -> Any:
    tile = rendered(conn, layers, z, y, x)
    return mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True})


def address(lon: float, lat: float, z: int) -> tuple[float, float]:
    """Fractional tile column and row by the web mercator formula."""
    across = (lon + 180) / 360 * 2**z
    down = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z
    return across, down


def add_places(conn: Connection, points: list[tuple[float, float]]) -> None:
    for i, (lon, lat) in enumerate(points):
        conn.execute(
            text("INSERT INTO city.places (geom, name, population) VALUES (ST_SetSRID(ST_MakePoint(:x, :y), 4490), :n, :p)"),
            {"x": lon, "y": lat, "n": f"地名{i}", "p": i},
        )


@pytest.mark.parametrize("z", [0, 8, 14, 18])
def test_points_lie_where_the_mercator_formula_puts_them(conn: Connection, z: int) -> None:
    points = [(114.9012, 30.4021), (114.9013, 30.4019), (114.90125, 30.40205)]
    add_places(conn, points)
    across, down = address(*points[0], z)
    x, y = int(across), int(down)
    features = decoded(conn, (PLACES,), z, y, x)["places"]["features"]
    drawn = {f["properties"]["name"]: f["geometry"]["coordinates"] for f in features}
    for i, point in enumerate(points):
        column, row = address(*point, z)
        expected = ((column - x) * EXTENT, (row - y) * EXTENT)
        if all(0 <= v < EXTENT for v in expected):
            assert drawn[f"地名{i}"] == pytest.approx(expected, abs=1.0)


def test_a_tile_has_exactly_the_features_that_meet_it(conn: Connection) -> None:
    conn.execute(text("""
        INSERT INTO city.buildings (geom, name)
        SELECT ST_Multi(ST_MakeEnvelope(114.9 + i * 4e-4, 30.4 + j * 4e-4, 114.9003 + i * 4e-4, 30.4003 + j * 4e-4, 4490)), i || '/' || j
        FROM generate_series(0, 29) AS i, generate_series(0, 29) AS j"""))
    z = 15
    across, down = address(114.906, 30.406, z)
    x, y = int(across), int(down)
    margin = 64 / EXTENT
    expected = conn.execute(
        text("SELECT id FROM city.buildings WHERE ST_Intersects(geom, ST_Transform(ST_TileEnvelope(:z, :x, :y, margin => :m), 4490))"),
        {"z": z, "x": x, "y": y, "m": margin},
    ).scalars()
    assert {f["id"] for f in decoded(conn, (BUILDINGS,), z, y, x)["buildings"]["features"]} == set(expected) != set()


def test_several_layers_share_a_tile_under_their_own_names(conn: Connection) -> None:
    add_places(conn, [(114.9, 30.4)])
    conn.execute(text("INSERT INTO city.buildings (geom, use) VALUES (ST_Multi(ST_MakeEnvelope(114.9, 30.4, 114.901, 30.401, 4490)), 'school')"))
    across, down = address(114.9, 30.4, 14)
    tile = decoded(conn, (PLACES, BUILDINGS), 14, int(down), int(across))
    assert set(tile) == {"places", "buildings"}
    assert tile["buildings"]["features"][0]["properties"]["use"] == "school"


def test_an_empty_place_is_an_empty_tile(conn: Connection) -> None:
    assert rendered(conn, (PLACES,), 14, 0, 0) == b""


@pytest.mark.parametrize(("z", "y", "x"), [(0, 0, 1), (3, 8, 0), (25, 0, 0), (-1, 0, 0)])
def test_an_address_outside_the_matrix_set_is_no_tile(conn: Connection, z: int, y: int, x: int) -> None:
    with pytest.raises(NoSuchTile):
        rendered(conn, (PLACES,), z, y, x)


def test_a_feature_at_the_pole_does_not_break_the_tiles_of_the_others(conn: Connection) -> None:
    add_places(conn, [(114.9, 30.4), (114.9, 90.0), (114.9, -90.0)])
    names = {f["properties"]["name"] for f in decoded(conn, (PLACES,), 0, 0, 0)["places"]["features"]}
    assert "地名0" in names
