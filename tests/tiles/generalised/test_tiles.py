"""Coarse tiles are drawn from pieces, and are never older than the data."""

from collections.abc import Iterator
from typing import Any

import mapbox_vector_tile
import orjson
import pytest
from sqlalchemy import Connection, create_engine, text

from layers.catalogue import Layer
from layers.database import Database, psycopg2_url
from layers.query import FeatureQuery, Filter
from layers.registry import load_layers
from tests.conftest import drop_database, make_database
from tiles.generalised import keeping
from tiles.generalised.keeping import bring_up
from tiles.matrix_sets import standard_sets
from tiles.rendered import Rendered
from tiles.vector import TileQuery, render_tile

WEB = standard_sets()["WebMercatorQuad"]
SQUARE = "ST_Multi(ST_MakeEnvelope({x}, {y}, {x} + {side}, {y} + {side}, 4490))"


@pytest.fixture(scope="module")
def place(postgres_url: str, template_name: str) -> Iterator[str]:
    """A database of 900 houses in rows, 40 of them works, two roads and 300 points."""
    name = "citymap_generalised_" + template_name.rsplit("_", 1)[1]
    url = make_database(postgres_url, name, template_name)
    engine = create_engine(psycopg2_url(url))
    with engine.begin() as conn:
        conn.execute(
            text("""
            INSERT INTO city.buildings (geom, use)
            SELECT ST_Multi(ST_MakeEnvelope(x, y, x + 0.0004, y + 0.0004, 4490)), CASE WHEN n % 23 = 0 THEN 'industrial' ELSE 'residential' END
            FROM generate_series(0, 899) AS n, LATERAL (SELECT 114.9 + n % 30 * 0.0007 AS x, 30.4 + n / 30 * 0.0007 AS y) AS p""")
        )
        conn.execute(
            text("""
            INSERT INTO city.roads (geom, name, class)
            SELECT ST_SetSRID(ST_MakeLine(ST_MakePoint(114.9 + n * 0.001, 30.41), ST_MakePoint(114.901 + n * 0.001, 30.41)), 4490),
                   '长江大道', 'primary' FROM generate_series(0, 60) AS n""")
        )
        conn.execute(
            text("""
            INSERT INTO city.pois (geom, name)
            SELECT ST_SetSRID(ST_MakePoint(114.9 + n % 20 * 0.002, 30.4 + n / 20 * 0.002), 4490), '店' || n FROM generate_series(0, 299) AS n""")
        )
    engine.dispose()
    yield url
    drop_database(postgres_url, name)


@pytest.fixture
def database(place: str) -> Iterator[Database]:
    """It, as the server's role sees it."""
    found = Database(place, pool_size=4)
    yield found
    with found.engine.begin() as conn:
        conn.execute(text("DELETE FROM citymap.generalised_layers; DELETE FROM citymap.generalised"))
    found.close()


def tile(
    database: Database, layer: str | Layer, z: int, query: FeatureQuery | None = None
) -> tuple[list[Any], Rendered]:
    """The features of the tile at 114.905° E 30.405° N."""
    with database.engine.connect() as conn:
        found = load_layers(conn)[layer] if isinstance(layer, str) else layer
    y, x = {12: (1684, 3355), 11: (842, 1677), 9: (210, 419)}[z]
    with database.reading() as reader:
        asked = TileQuery((found,), (query or FeatureQuery(),))
        rendered = render_tile(reader, asked, WEB, z, y, x)
    decoded = mapbox_vector_tile.decode(rendered.body, default_options={"y_coord_down": True}) if rendered.body else {}
    return decoded.get(found.id, {}).get("features", []), rendered


def test_houses_are_merged_by_use_and_lose_nothing_of_their_ground(database: Database) -> None:
    plain, before = tile(database, "buildings", 12)
    bring_up(database, large=0)
    merged, rendered = tile(database, "buildings", 12)
    assert len(merged) < 10 and not rendered.passing
    assert {f["properties"]["use"] for f in merged} == {"residential", "industrial"}
    assert len(plain) == 900 and len(rendered.body) * 5 < len(before.body)


def test_what_is_merged_keeps_the_field_that_it_is_coloured_by(database: Database) -> None:
    with database.engine.begin() as conn:
        conn.execute(
            text(
                "INSERT INTO city.land_use (geom, code) SELECT geom, CASE use WHEN 'industrial' THEN '1001' ELSE '0701' END FROM city.buildings"
            )
        )
    bring_up(database, large=0)
    assert {f["properties"].get("code") for f in tile(database, "land-use", 12)[0]} == {"0701", "1001"}
    with database.engine.begin() as conn:
        recoloured = 'UPDATE citymap.layers SET style = \'[{"type": "fill", "paint": {"fill-color": ["get", "kind"]}}]\' WHERE id = \'land-use\''
        conn.execute(text(recoloured))
        assert conn.execute(text("SELECT count(*) FROM citymap.generalised WHERE layer = 'land-use'")).scalar_one() == 0
        conn.execute(text("UPDATE citymap.layers SET style = '[]' WHERE id = 'land-use'; DELETE FROM city.land_use"))


def test_roads_are_joined_and_keep_their_name(database: Database) -> None:
    bring_up(database, large=0)
    roads, _ = tile(database, "roads", 12)
    assert len(roads) <= 3  # one for each cell
    assert {(f["properties"]["class"], f["properties"]["name"]) for f in roads} == {("primary", "长江大道")}


def test_points_are_clustered_with_their_count(database: Database) -> None:
    bring_up(database, large=0)
    points, _ = tile(database, "pois", 9)
    counted = sum(f["properties"].get("point_count", 1) for f in points)
    assert counted == 300 and len(points) < 60


def test_an_edit_shows_at_once_and_is_merged_afterwards(database: Database) -> None:
    bring_up(database, large=0)
    before, _ = tile(database, "pois", 11)
    with database.engine.begin() as conn:
        conn.execute(
            text(
                "INSERT INTO city.pois (geom, name) VALUES (ST_SetSRID(ST_MakePoint(114.9051, 30.4051), 4490), '新店')"
            )
        )
    shown, rendered = tile(database, "pois", 11)
    assert rendered.passing and "新店" in {f["properties"].get("name") for f in shown}
    bring_up(database, large=0)
    after, rendered = tile(database, "pois", 11)
    assert not rendered.passing
    assert sum(f["properties"].get("point_count", 1) for f in after) == 301
    assert len(after) <= len(before) + 1
    with database.engine.begin() as conn:
        conn.execute(text("DELETE FROM city.pois WHERE name = '新店'"))
    bring_up(database, large=0)
    assert sum(f["properties"].get("point_count", 1) for f in tile(database, "pois", 11)[0]) == 300


def test_what_commits_while_pieces_are_worked_out_is_not_lost(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    work_out = keeping.work_out
    late = database.engine.connect()
    edit = late.begin()
    late.execute(
        text("INSERT INTO city.pois (geom, name) VALUES (ST_SetSRID(ST_MakePoint(114.9051, 30.4051), 4490), '迟店')")
    )

    def slow(conn: Connection, layer: Layer, cells: Any) -> None:
        work_out(conn, layer, cells)
        # a server that another test left running works on its own database, in this process
        if edit.is_active and layer.id == "pois" and conn.engine is database.engine:
            edit.commit()  # after the cell was read

    monkeypatch.setattr(keeping, "work_out", slow)
    bring_up(database, large=0)
    late.close()
    shown, rendered = tile(database, "pois", 11)
    assert rendered.passing and "迟店" in {f["properties"].get("name") for f in shown}
    bring_up(database, large=0)
    assert sum(f["properties"].get("point_count", 1) for f in tile(database, "pois", 11)[0]) == 301
    with database.engine.begin() as conn:
        conn.execute(text("DELETE FROM city.pois WHERE name = '迟店'"))


def test_a_house_moved_from_one_cell_to_another_is_drawn_once(database: Database) -> None:
    side = 0.006
    with database.engine.begin() as conn:
        conn.execute(
            text(
                f"INSERT INTO city.buildings (geom, name, use) VALUES ({SQUARE.format(x=114.94, y=30.41, side=side)}, '大厦', 'office')"
            )
        )
    bring_up(database, large=0)
    named = lambda: [f for f in tile(database, "buildings", 11)[0] if f["properties"].get("name") == "大厦"]  # noqa: E731
    assert len(named()) == 1
    with database.engine.begin() as conn:
        conn.execute(
            text(f"UPDATE city.buildings SET geom = {SQUARE.format(x=114.86, y=30.44, side=side)} WHERE name = '大厦'")
        )
    moved = named()
    assert len(moved) == 1
    bring_up(database, large=0)
    assert [f["id"] for f in named()] == [moved[0]["id"]]
    with database.engine.begin() as conn:
        conn.execute(text("DELETE FROM city.buildings WHERE name = '大厦'"))
    assert named() == []


def test_a_layer_that_is_no_longer_public_has_no_pieces(database: Database) -> None:
    bring_up(database, large=0)
    held = text("SELECT count(*) FROM citymap.generalised WHERE layer = 'pois'")
    with database.engine.begin() as conn:
        assert conn.execute(held).scalar_one() > 0
        conn.execute(text("UPDATE citymap.layers SET visibility = 'internal' WHERE id = 'pois'"))
        assert conn.execute(held).scalar_one() == 0
    bring_up(database, large=0)
    with database.engine.begin() as conn:
        assert conn.execute(held).scalar_one() == 0
        conn.execute(text("UPDATE citymap.layers SET visibility = 'public' WHERE id = 'pois'"))


def test_what_is_filtered_is_drawn_from_the_features(database: Database) -> None:
    bring_up(database, large=0)
    query = FeatureQuery(filter=Filter(orjson.dumps({"op": "=", "args": [{"property": "name"}, "店7"]}).decode()))
    points, _ = tile(database, "pois", 9, query)
    assert [f["properties"]["name"] for f in points] == ["店7"]


def test_small_layers_have_no_pieces(database: Database) -> None:
    bring_up(database)
    with database.engine.connect() as conn:
        assert conn.execute(text("SELECT count(*) FROM citymap.generalised_layers")).scalar_one() == 0
