"""A name that the asker may not read is not found, and what is found is as if it did not exist."""

import orjson
import pytest
from sqlalchemy import Connection, text

from layers.gazetteer.geocoding import geocode
from layers.gazetteer.model import Answer, Point
from layers.gazetteer.reverse import reverse_geocode
from layers.registry import load_layers, update_layer

_QUERIES = ("鄂州", "鄂州市中心", "ez", "ezhou", "鄂州市中心医完", "武昌大道12号", "秘密", "酒店", "武昌大道77号")
#: Many, of as many texts, and as good as what may be seen: they would take every place where one cuts off too early.
_HIDE = text("""
    INSERT INTO city.pois (geom, name, name_en, address)
    SELECT ST_SetSRID(ST_MakePoint(114.60, 30.40 + i * 0.00001), 4490),
           (ARRAY['鄂州市中心', '鄂州', '秘密酒店', '鄂州市中心医院'])[1 + i % 4] || chr(20000 + i), 'Ezhou' || i, '武昌大道77号'
    FROM generate_series(1, 2000) AS i""")


def _ask(conn: Connection, grants: str, queries: tuple[str, ...] = _QUERIES) -> list[list[Answer]]:
    """The answers to a principal with these grants."""
    conn.execute(text("SELECT set_config('citymap.grants', :grants, true)"), {"grants": grants})
    conn.execute(text("SET LOCAL ROLE citymap_app"))
    try:
        layers = load_layers(conn)
        return [geocode(conn, layers, query, 10) for query in queries]
    finally:
        conn.execute(text("RESET ROLE"))


def _grants(area: str) -> str:
    return orjson.dumps([
        {"collection": "*", "besides": [], "actions": ["read"], "visibility": "internal", "area": area, "departments": None},
        {"collection": "*", "besides": [], "actions": ["read"], "visibility": "public", "area": "", "departments": None},
    ]).decode()  # fmt: skip


def test_rows_outside_the_area_of_the_asker_change_nothing(gazetteer: Connection) -> None:
    # the district lies to the east, the hidden rows to the west
    update_layer(gazetteer, load_layers(gazetteer)["pois"].changed(visibility="internal"))
    grants = _grants("420704")
    before = _ask(gazetteer, grants)
    assert before[1][0].name == "鄂州市中心医院"
    gazetteer.execute(_HIDE)
    assert _ask(gazetteer, grants) == before
    assert len(_ask(gazetteer, _grants(""), ("秘密",))[0]) == 10


def test_a_layer_that_may_not_be_read_is_as_if_empty(gazetteer: Connection) -> None:
    before = [[a for a in answers if a.layer != "pois"] for answers in _ask(gazetteer, "")]
    gazetteer.execute(_HIDE)
    update_layer(gazetteer, load_layers(gazetteer)["pois"].changed(visibility="sensitive"))
    after = _ask(gazetteer, "")
    assert all(answer.layer != "pois" for answers in after for answer in answers)
    gazetteer.execute(text("DELETE FROM city.pois"))
    assert _ask(gazetteer, "") == after
    assert [a for a in after[0] if a.layer == "places"] == [a for a in before[0] if a.layer == "places"]


@pytest.mark.parametrize("field", ["name_en", "address"])
def test_a_field_that_may_not_be_read_leads_nowhere(gazetteer: Connection, field: str) -> None:
    layer = load_layers(gazetteer)["pois"]
    fields = tuple(
        type(f)(f.name, f.type, f.title, f.unit, f.domain, "sensitive", f.role) if f.name == field else f
        for f in layer.fields
    )
    query = {"name_en": "Ezhou Central Hospital", "address": "文星路9号"}[field]
    assert _ask(gazetteer, "", (query,))[0][0].name == "鄂州市中心医院"
    update_layer(gazetteer, layer.changed(fields=fields))
    assert "pois" not in [answer.layer for answer in _ask(gazetteer, "", (query,))[0]]


def test_what_may_not_be_read_is_not_near_either(gazetteer: Connection) -> None:
    update_layer(gazetteer, load_layers(gazetteer)["pois"].changed(visibility="sensitive"))
    update_layer(gazetteer, load_layers(gazetteer)["admin-areas"].changed(visibility="sensitive"))
    gazetteer.execute(text("SET LOCAL ROLE citymap_app"))
    place = reverse_geocode(gazetteer, load_layers(gazetteer), Point(114.91, 30.41), 2000)
    gazetteer.execute(text("RESET ROLE"))
    assert {near.layer for near in place.nearest} == {"addresses"}
    assert place.areas == ()
