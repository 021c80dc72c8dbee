"""The names of features follow every edit, by whatever road it comes, within the edit's own transaction."""

import io
import time

import pytest
from sqlalchemy import Connection, text

from layers.database import Database
from layers.gazetteer.geocoding import geocode
from layers.registry import create_layer, drop_layer, load_layers
from tests.layers.gazetteer.conftest import Find


def _names(conn: Connection, layer: str = "places") -> list[tuple[str, str, str | None]]:
    return [
        tuple(row)
        for row in conn.execute(
            text("""
        SELECT n.field, t.text, n.number FROM citymap.names n JOIN citymap.name_terms t ON t.id = n.term
        WHERE n.layer = :layer ORDER BY 1, 2, 3"""),
            {"layer": layer},
        )
    ]


def test_an_inserted_a_renamed_and_a_deleted_feature(gazetteer: Connection, find: Find) -> None:
    gazetteer.execute(
        text("""
        INSERT INTO city.places (geom, name) VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), '洋澜湖')""")
    )
    assert find("洋澜湖")[0].score == 1
    assert find("yanglanhu")[0].name == "洋澜湖"
    gazetteer.execute(text("UPDATE city.places SET name = '五四湖' WHERE name = '洋澜湖'"))
    assert find("五四湖")[0].score == 1
    assert find("洋澜湖") == [] or find("洋澜湖")[0].score < 0.7
    gazetteer.execute(text("DELETE FROM city.places WHERE name = '五四湖'"))
    assert "五四湖" not in [answer.name for answer in find("五四湖")]


def test_rows_that_come_by_copy(gazetteer: Connection, find: Find) -> None:
    with gazetteer.connection.cursor() as cursor:
        rows = "".join(f"SRID=4490;POINT(114.9 30.4)\t测试路{n}号\n" for n in range(1, 501))
        cursor.copy_expert("COPY city.addresses (geom, address) FROM STDIN", io.StringIO(rows))
    assert find("测试路377号")[0].name == "测试路377号"


def test_an_edit_of_other_fields_leaves_the_names_alone(gazetteer: Connection) -> None:
    before = gazetteer.execute(text("SELECT array_agg(ctid ORDER BY ctid) FROM citymap.names")).scalar()
    gazetteer.execute(text("UPDATE city.places SET kind = 'other', geom = ST_Translate(geom, 0.001, 0)"))
    assert gazetteer.execute(text("SELECT array_agg(ctid ORDER BY ctid) FROM citymap.names")).scalar() == before
    gazetteer.execute(text("UPDATE city.places SET kind = 'natural', name = name || '村' WHERE name = '樊口'"))
    assert ("name", "樊口村", None) in _names(gazetteer)
    assert ("name", "樊口", None) not in _names(gazetteer)


def test_addresses_are_entered_by_road_and_number_and_by_place(gazetteer: Connection) -> None:
    gazetteer.execute(text("DELETE FROM city.addresses"))
    gazetteer.execute(
        text("""
        INSERT INTO city.addresses (geom, address, road, number, place)
        VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), '鄂州市古城路六十六号2栋', '古城路', '66号', '古楼小区')""")
    )
    assert _names(gazetteer, "addresses") == [
        ("address", "鄂州市古城路", "66"), ("place", "古楼小区", None), ("road", "古城路", "66"),
    ]  # fmt: skip


def test_a_layer_takes_its_names_along_and_another_of_its_id_brings_its_own(gazetteer: Connection) -> None:
    layer = load_layers(gazetteer)["places"]
    drop_layer(gazetteer, "places")
    assert _names(gazetteer) == []
    create_layer(gazetteer, layer)
    gazetteer.execute(
        text("INSERT INTO city.places (geom, name) VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), '早到')")
    )
    gazetteer.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))  # what a commit does
    gazetteer.execute(
        text("INSERT INTO city.places (geom, name) VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), '晚到')")
    )
    assert [text_ for _, text_, _ in _names(gazetteer)] == ["早到", "晚到"]


def test_tidying_removes_texts_that_no_feature_has(gazetteer: Connection, find: Find) -> None:
    count = text("SELECT count(*) FROM citymap.name_terms WHERE text IN ('梁子湖', '西山')")
    gazetteer.execute(text("DELETE FROM city.places WHERE name = '西山'"))
    assert gazetteer.execute(count).scalar() == 2
    gazetteer.execute(text("SELECT citymap.tidy()"))
    assert gazetteer.execute(count).scalar() == 2  # too few to be worth the lock
    gazetteer.execute(text("SELECT citymap.tidy_names(1)"))
    assert gazetteer.execute(count).scalar() == 1
    assert find("梁子湖")[0].score == 1


def test_another_connection_finds_an_edit_as_soon_as_it_is_committed(city_database: str) -> None:
    database = Database(city_database, pool_size=2)
    try:
        with database.engine.connect() as other:
            layers = load_layers(other)
            other.rollback()
            with database.transaction() as conn:
                conn.execute(
                    text("""
                    INSERT INTO city.pois (geom, name) VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), '刚开业书店')""")
                )
                assert geocode(other, layers, "刚开业书店") == []
            started = time.monotonic()
            assert geocode(other, layers, "刚开业书店")[0].score == 1
            assert time.monotonic() - started < 1
            other.rollback()
    finally:
        with database.transaction() as conn:
            conn.execute(text("DELETE FROM city.pois WHERE name = '刚开业书店'"))
        database.close()


def test_two_transactions_that_bring_the_same_new_name_do_not_wait(city_database: str) -> None:
    database = Database(city_database, pool_size=2, statement_timeout=5)
    insert = text("INSERT INTO city.pois (geom, name) VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), '同名新店')")
    try:
        with database.engine.connect() as one, database.engine.connect() as other:
            one.execute(insert)
            other.execute(insert)
            one.commit()
            other.commit()
            assert len(geocode(one, load_layers(one), "同名新店")) == 2
            one.rollback()
    finally:
        with database.transaction() as conn:
            conn.execute(text("DELETE FROM city.pois WHERE name = '同名新店'"))
        database.close()


def test_tidying_waits_for_nobody(city_database: str) -> None:
    database = Database(city_database, pool_size=2, statement_timeout=5)
    try:
        with database.engine.connect() as writer, database.engine.connect() as housekeeper:
            writer.execute(text("""
                INSERT INTO city.pois (geom, name) VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), '未提交的店')"""))
            housekeeper.execute(text("SELECT citymap.tidy_names(0)"))
            housekeeper.rollback()
            writer.rollback()
    finally:
        database.close()


@pytest.mark.parametrize(("name", "key"), [
    ("Zürich (St. Mary's)", "zurichstmarys"), ("Ａ座１２－１", "a座12-1"), ("三环路十二号", "三环路12号"),
    ("一百零三号", "103号"), ("二〇五室", "205室"), ("两千零一号", "2001号"), ("“老街”·口", "老街口"), ("", ""), ("号", "号"),
    ("百百百号" * 40, None), ("一" * 300 + "号", None),
])  # fmt: skip
def test_texts_are_compared_without_what_makes_no_difference(conn: Connection, name: str, key: str | None) -> None:
    made = conn.execute(text("SELECT citymap.name_key(:name)"), {"name": name}).scalar_one()
    assert key is None or made == key
    assert conn.execute(text("SELECT citymap.name_key(:name)"), {"name": made}).scalar_one() == made


@pytest.mark.parametrize("name", ["A", "AB", "甲", "甲乙", "🏥", "!?", " ", "\n", "号", "12", "12号", "甲" * 5000, "a" * 5000,
                                  "12号" * 500, "\u0301", "\u202e", "'\\''", "-", "1-2-3", "百号"])  # fmt: skip
def test_no_name_stands_in_the_way_of_an_edit(gazetteer: Connection, name: str) -> None:
    gazetteer.execute(
        text("""
        INSERT INTO city.addresses (geom, address, road, number, place)
        VALUES (ST_SetSRID(ST_MakePoint(114.9, 30.4), 4490), :name, :name, :name, :name)"""),
        {"name": name},
    )
    gazetteer.execute(text("UPDATE city.places SET name = :name, alias = ARRAY[:name, NULL, '']"), {"name": name})
    assert gazetteer.execute(text("SELECT count(*) FROM city.places WHERE name = :name"), {"name": name}).scalar() == 5
