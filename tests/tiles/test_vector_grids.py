"""Tiles of every grid hold what PostGIS has, where independent readers put it: seams, antimeridian, poles, other CRS."""

import subprocess
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import orjson
import pytest
from sqlalchemy import Connection, text

from layers.base_layers import BUILDINGS, PLACES
from layers.catalogue import Field, Layer, Text
from layers.cql2 import parse
from layers.database import Reader
from layers.query import FeatureQuery, Filter
from layers.registry import create_layer
from tiles.matrix_sets import MatrixSet, standard_sets
from tiles.vector import TileQuery, render_tile

GRIDS = standard_sets()
EXTENT = 4096
PLOTS = Layer(
    "plots4547",
    Text("地块", "Plots"),
    Text("", ""),
    "Polygon",
    (Field("name", "string", Text("名称", "Name")),),
    srid=4547,
)
MERCATOR_PLOTS = Layer(
    "plots3857",
    Text("地块", "Plots"),
    Text("", ""),
    "Polygon",
    (Field("name", "string", Text("名称", "Name")),),
    srid=3857,
)
AREAS = Layer("lands", Text("陆地", "Lands"), Text("", ""), "Polygon", (Field("name", "string", Text("名称", "Name")),))


def drawn(
    conn: Connection, layer: Layer, grid: MatrixSet, z: int, y: int, x: int, query: FeatureQuery | None = None
) -> list[Any]:
    body = raw(conn, layer, grid, z, y, x, query)
    return mapbox_vector_tile.decode(body, default_options={"y_coord_down": True}).get(layer.id, {"features": []})[
        "features"
    ]


def raw(
    conn: Connection, layer: Layer, grid: MatrixSet, z: int, y: int, x: int, query: FeatureQuery | None = None
) -> bytes:
    reader = Reader(conn.connection.driver_connection)  # type: ignore[arg-type]
    return render_tile(reader, TileQuery((layer,), (query or FeatureQuery(),)), grid, z, y, x).body


def place(conn: Connection, lon: float, lat: float, name: str) -> None:
    conn.execute(
        text("INSERT INTO city.places (geom, name) VALUES (ST_SetSRID(ST_MakePoint(:x, :y), 4490), :n)"),
        {"x": lon, "y": lat, "n": name},
    )


@pytest.mark.parametrize("name", ["CGCS2000Quad", "WorldCRS84Quad"])
@pytest.mark.parametrize("z", [0, 5, 13, 18, 23])
def test_points_lie_where_degrees_put_them(conn: Connection, name: str, z: int) -> None:
    lon, lat = 114.90123456, 30.40213579
    place(conn, lon, lat, "点")
    across, down = (lon + 180) / 180 * 2**z, (90 - lat) / 180 * 2**z
    [feature] = drawn(conn, PLACES, GRIDS[name], z, int(down), int(across))
    assert feature["geometry"]["coordinates"] == pytest.approx([across % 1 * EXTENT, down % 1 * EXTENT], abs=1)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=GRIDS)
@pytest.mark.parametrize("layer", [PLOTS, MERCATOR_PLOTS, AREAS], ids=lambda layer: layer.id)
@pytest.mark.parametrize("z", [9, 14])
def test_a_tile_equals_postgis_asked_by_hand(conn: Connection, grid: MatrixSet, layer: Layer, z: int) -> None:
    create_layer(conn, layer)
    conn.execute(
        text(f"""
        INSERT INTO city.{layer.table} (geom, name)
        SELECT ST_Transform(ST_MakeEnvelope(114.8 + i * 4e-3, 30.3 + j * 4e-3, 114.803 + i * 4e-3, 30.303 + j * 4e-3, 4490), {layer.srid}), i || '/' || j
        FROM generate_series(0, 39) AS i, generate_series(0, 39) AS j""")
    )
    met = grid.covering(grid.from_degrees((114.88, 30.38, 114.88, 30.38)), z)
    assert met
    box = grid.box(z, met[1], met[0])
    by_hand = conn.execute(text("""
        SELECT id, name FROM (
            SELECT id, name, ST_AsMVTGeom(ST_Transform(geom, :srid), ST_MakeEnvelope(:w, :s, :e, :n, :srid)::box2d, 4096, 64) AS g
            FROM city.""" + layer.table + ") t WHERE g IS NOT NULL"), dict(zip("wsen", box, strict=True)) | {"srid": grid.srid}).all()  # fmt: skip
    found = drawn(conn, layer, grid, z, met[1], met[0])
    large = {f["id"]: f["properties"]["name"] for f in found}
    assert large == {row.id: row.name for row in by_hand} != {}


def test_neighbours_meet_without_a_seam(conn: Connection) -> None:
    conn.execute(text("INSERT INTO city.places (geom, name) VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), 'x')"))
    for grid in GRIDS.values():
        for z in (3, 11, 19):
            met = grid.covering(grid.from_degrees((114.9, 30.4, 114.9, 30.4)), z)
            assert met
            here, right, below = (
                grid.box(z, met[1], met[0]),
                grid.box(z, met[1], met[0] + 1),
                grid.box(z, met[1] + 1, met[0]),
            )
            assert here[2] == right[0] and here[1] == below[3]


def test_the_antimeridian_and_the_poles_belong_to_the_outermost_tiles(conn: Connection) -> None:
    for lon, lat, name in ((-180, 0, "西"), (180, 0, "东"), (179.99, 60, "东北"), (10, 90, "北极"), (10, -90, "南极")):
        place(conn, lon, lat, name)
    for grid in ("CGCS2000Quad", "WorldCRS84Quad"):
        west = {f["properties"]["name"] for y in (0, 1) for f in drawn(conn, PLACES, GRIDS[grid], 1, y, 0)}
        east = {f["properties"]["name"] for y in (0, 1) for f in drawn(conn, PLACES, GRIDS[grid], 1, y, 3)}
        assert west == {"西"} and east == {"东", "东北"}
        assert "北极" in {f["properties"]["name"] for f in drawn(conn, PLACES, GRIDS[grid], 4, 0, 16)}
        assert "南极" in {f["properties"]["name"] for f in drawn(conn, PLACES, GRIDS[grid], 4, 15, 16)}


def test_land_that_reaches_a_pole_is_drawn_in_mercator(conn: Connection) -> None:
    create_layer(conn, AREAS)
    conn.execute(
        text(
            "INSERT INTO city.lands (geom, name) VALUES (ST_MakeEnvelope(-180, -90, 180, -60, 4490), '南极洲'), (ST_MakeEnvelope(100, 20, 120, 40, 4490), '陆')"
        )
    )
    found = {f["properties"]["name"]: f for f in drawn(conn, AREAS, GRIDS["WebMercatorQuad"], 0, 0, 0)}
    assert set(found) == {"南极洲", "陆"}
    lowest = max(y for ring in found["南极洲"]["geometry"]["coordinates"] for _, y in ring)
    assert lowest >= EXTENT


def test_gdal_reads_the_tile_where_the_feature_is(conn: Connection, tmp_path: Path) -> None:
    create_layer(conn, AREAS)
    conn.execute(
        text(
            "INSERT INTO city.lands (geom, name) VALUES (ST_MakeEnvelope(114.881, 30.381, 114.889, 30.389, 4490), '块')"
        )
    )
    z = 12
    met = GRIDS["WebMercatorQuad"].covering(
        GRIDS["WebMercatorQuad"].from_degrees((114.885, 30.385, 114.885, 30.385)), z
    )
    assert met
    file = tmp_path / str(z) / str(met[0]) / f"{met[1]}.pbf"
    file.parent.mkdir(parents=True)
    file.write_bytes(raw(conn, AREAS, GRIDS["WebMercatorQuad"], z, met[1], met[0]))
    out = subprocess.run(
        ["ogrinfo", "-al", "-q", "-oo", f"X={met[0]}", "-oo", f"Y={met[1]}", "-oo", f"Z={z}", f"MVT:{file}"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "name (String) = 块" in out
    wkt = next(line for line in out.splitlines() if "POLYGON" in line)
    corner = conn.execute(
        text("SELECT ST_XMin(g), ST_YMin(g) FROM (SELECT ST_Transform(ST_GeomFromText(:w, 3857), 4490) g) t"),
        {"w": wkt.strip()},
    ).one()
    assert tuple(corner) == pytest.approx((114.881, 30.381), abs=5e-5)


def test_a_filter_draws_what_a_page_of_the_same_filter_has(conn: Connection) -> None:
    for i in range(20):
        place(conn, 114.9 + i * 1e-4, 30.4, f"点{i:02}")
    json = orjson.dumps(parse("name >= '点05' AND name < '点09'", "cql2-text")).decode()
    met = GRIDS["CGCS2000Quad"].covering((114.9, 30.4, 114.9, 30.4), 8)
    assert met
    found = drawn(conn, PLACES, GRIDS["CGCS2000Quad"], 8, met[1], met[0], FeatureQuery(filter=Filter(json)))
    assert {f["properties"]["name"] for f in found} == {"点05", "点06", "点07", "点08"}
    assert BUILDINGS.id not in found
