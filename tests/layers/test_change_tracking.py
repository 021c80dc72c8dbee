"""History, dirty boxes and row counts follow every edit, by whatever road it comes."""

import select

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from layers.database import Database
from layers.registry import load_layers, row_count

POINT = "ST_SetSRID(ST_MakePoint({}, {}), 4490)"


def insert_place(conn: Connection, key: str, x: float = 114.9, y: float = 30.4) -> int:
    statement = f"INSERT INTO city.places (geom, name, source_id) VALUES ({POINT.format(x, y)}, :key, :key) RETURNING id"
    return int(conn.execute(text(statement), {"key": key}).scalar_one())


def test_update_keeps_the_state_before_it_with_who_and_until_when(conn: Connection) -> None:
    conn.execute(text("SELECT set_config('citymap.actor', '李四', true)"))
    feature = insert_place(conn, "a")
    conn.execute(text("UPDATE city.places SET name = 'b' WHERE id = :id"), {"id": feature})
    past = conn.execute(text("SELECT name, revision, operation, ended_by, valid_to FROM history.places WHERE id = :id"),
                        {"id": feature}).one()
    now = conn.execute(text("SELECT name, revision, actor, valid_from FROM city.places WHERE id = :id"), {"id": feature}).one()
    assert past[:4] == ("a", 1, "update", "李四")
    assert now[:3] == ("b", 2, "李四")
    assert past.valid_to == now.valid_from


def test_delete_keeps_the_last_state(conn: Connection) -> None:
    feature = insert_place(conn, "a")
    conn.execute(text("DELETE FROM city.places WHERE id = :id"), {"id": feature})
    assert conn.execute(text("SELECT name, operation FROM history.places WHERE id = :id"), {"id": feature}).one() == ("a", "delete")


def test_a_move_marks_the_old_and_the_new_place_dirty(conn: Connection) -> None:
    feature = insert_place(conn, "a", 114.9, 30.4)
    conn.execute(text("DELETE FROM citymap.dirty"))
    conn.execute(text(f"UPDATE city.places SET geom = {POINT.format(115.1, 30.6)} WHERE id = :id"), {"id": feature})
    boxes = conn.execute(text("SELECT layer, west, south, east, north FROM citymap.dirty ORDER BY west")).all()
    assert boxes == [("places", 114.9, 30.4, 114.9, 30.4), ("places", 115.1, 30.6, 115.1, 30.6)]


def test_dirty_boxes_of_a_bulk_load_are_few_and_cover_every_row(conn: Connection) -> None:
    conn.execute(text("DELETE FROM citymap.dirty"))
    conn.execute(text("""
        INSERT INTO city.places (geom, name)
        SELECT ST_SetSRID(ST_MakePoint(114.8 + 0.2 * (i % 100) / 100, 30.3 + 0.2 * (i / 100) / 50), 4490), 'p'
        FROM generate_series(0, 4999) AS i"""))
    assert 1 < int(conn.execute(text("SELECT count(*) FROM citymap.dirty")).scalar_one()) < 200
    uncovered = conn.execute(text("""
        SELECT count(*) FROM city.places WHERE NOT EXISTS (
            SELECT FROM citymap.dirty WHERE ST_X(geom) BETWEEN west AND east AND ST_Y(geom) BETWEEN south AND north)""")).scalar_one()
    assert uncovered == 0


def test_row_count_follows_inserts_and_deletes_and_survives_folding(conn: Connection) -> None:
    before = row_count(conn, "places")
    ids = [insert_place(conn, key) for key in "abc"]
    conn.execute(text("DELETE FROM city.places WHERE id = :id"), {"id": ids[0]})
    conn.execute(text("SELECT citymap.fold_row_deltas(2)"))
    assert row_count(conn, "places") == before + 2
    assert conn.execute(text("SELECT count(*) FROM citymap.row_deltas WHERE layer = 'places'")).scalar_one() <= 1


def test_an_insert_cannot_choose_its_revision_time_or_author(conn: Connection) -> None:
    conn.execute(text("SELECT set_config('citymap.actor', '李四', true)"))
    conn.execute(text("INSERT INTO city.places (name, source_id, revision, valid_from, actor) VALUES ('x', 'f', 77, '1990-01-01', 'evil')"))
    found = conn.execute(text("SELECT revision, valid_from = now(), actor FROM city.places WHERE source_id = 'f'")).one()
    assert found == (1, True, "李四")


def test_tidying_drops_old_dirty_boxes_only(conn: Connection) -> None:
    insert_place(conn, "a")
    conn.execute(text("UPDATE citymap.dirty SET at = now() - interval '8 days'"))
    insert_place(conn, "b", 115.0)
    conn.execute(text("SELECT citymap.tidy()"))
    assert conn.execute(text("SELECT west FROM citymap.dirty")).scalars().all() == [115.0]


def test_a_catalogue_row_that_is_no_layer_is_left_out(conn: Connection) -> None:
    conn.execute(text("UPDATE citymap.layers SET fields = '[{\"name\": \"id\"}]' WHERE id = 'pois'"))
    layers = load_layers(conn)
    assert "pois" not in layers and "places" in layers


def test_the_catalogue_extent_grows_with_the_data(conn: Connection) -> None:
    insert_place(conn, "a", 114.9, 30.4)
    insert_place(conn, "b", 115.2, 30.1)
    extent = load_layers(conn)["places"].extent
    assert extent is not None and extent[0] <= 114.9 and extent[1] <= 30.1 and extent[2] >= 115.2 and extent[3] >= 30.4


def test_truncate_is_refused_because_it_would_lose_history(conn: Connection) -> None:
    with pytest.raises(DBAPIError, match="would lose the history"):
        conn.execute(text("TRUNCATE city.places"))


def test_states_of_a_row_stay_in_order_when_an_older_transaction_writes_later(database: Database) -> None:
    with database.transaction() as setup:
        feature = insert_place(setup, "order")
    try:
        with database.transaction() as older:
            older.execute(text("SELECT now()"))
            with database.transaction() as newer:
                newer.execute(text("UPDATE city.places SET name = 'newer' WHERE id = :id"), {"id": feature})
            older.execute(text("UPDATE city.places SET name = 'older' WHERE id = :id"), {"id": feature})
        with database.transaction() as conn:
            spans = conn.execute(text("SELECT valid_from, valid_to FROM history.places WHERE id = :id ORDER BY revision"),
                                 {"id": feature}).all()
            last = conn.execute(text("SELECT valid_from FROM city.places WHERE id = :id"), {"id": feature}).scalar_one()
        assert [b.valid_from for b in spans[1:]] + [last] == [a.valid_to for a in spans]
        assert all(a.valid_from < a.valid_to for a in spans)
    finally:
        with database.transaction() as conn:
            conn.execute(text("DELETE FROM city.places WHERE id = :id"), {"id": feature})


def test_an_edit_within_the_extent_wakes_no_reader_of_the_catalogue(database: Database) -> None:
    with database.transaction() as conn:
        kept = [insert_place(conn, "wide a", 114.0, 30.0), insert_place(conn, "wide b", 115.0, 31.0)]
        east = conn.execute(text("SELECT extent[3] FROM citymap.layers WHERE id = 'places'")).scalar_one()
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as ear:
        ear.exec_driver_sql("LISTEN citymap_catalogue")
        ear.exec_driver_sql("LISTEN citymap_dirty")
        heard = ear.connection.driver_connection
        assert heard is not None
        told = []
        for x in (114.5, east + 0.01):
            with database.transaction() as conn:
                kept.append(insert_place(conn, f"wide {x}", x, 30.5))
            # Of a transaction the edit is told last, after what it did to the catalogue.
            while "citymap_dirty" not in {note.channel for note in heard.notifies}:
                assert select.select([heard], [], [], 60)[0]
                heard.poll()
            told.append({note.channel for note in heard.notifies})
            heard.notifies.clear()
    with database.transaction() as conn:
        conn.execute(text("DELETE FROM city.places WHERE id = ANY (:ids)"), {"ids": kept})
    assert told == [{"citymap_dirty"}, {"citymap_dirty", "citymap_catalogue"}]
