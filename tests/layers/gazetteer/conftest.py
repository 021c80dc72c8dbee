"""A gazetteer whose every name the tests know: two districts of a city, with the same road in both."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, text

from layers.gazetteer.geocoding import geocode
from layers.gazetteer.model import Answer
from layers.registry import load_layers

type Find = Callable[..., list[Answer]]

#: west, south, east, north
_AREAS = [
    ("鄂州市", "Ezhou City", "4207", "city", (114.5, 30.0, 115.1, 30.6)),
    ("鄂城区", "Echeng District", "420704", "district", (114.8, 30.0, 115.1, 30.6)),
    ("华容区", "Huarong District", "420703", "district", (114.5, 30.0, 114.8, 30.6)),
    ("凤凰街道", "Fenghuang Subdistrict", "420704001", "street", (114.85, 30.35, 114.95, 30.45)),
    ("凤凰社区", "Fenghuang Community", "420704001001", "community", (114.88, 30.38, 114.92, 30.42)),
]
_ADDRESSES = [
    ("武昌大道12号", "武昌大道", "12号", None, 114.900, 30.400),
    ("武昌大道12号3栋", "武昌大道", "12号", "江南小区", 114.901, 30.400),
    ("武昌大道14号", "武昌大道", "14号", None, 114.902, 30.400),
    ("武昌大道120号", "武昌大道", "120号", None, 114.903, 30.400),
    ("武昌大道12号", "武昌大道", "12号", None, 114.700, 30.400),
    ("鹤庆路358弄81号", "鹤庆路", "358弄81号", None, 114.904, 30.401),
    ("鄂州市鄂城区文苑路7-1号", None, None, None, 114.905, 30.402),
    ("滨湖东路8号", "滨湖东路", "8号", "莲花山庄", 114.906, 30.403),
    ("古城路66号", "古城路", "66号", None, 114.907, 30.404),
    ("12 Renmin West Road", "Renmin West Road", "12", None, 114.908, 30.405),
]
_POIS = [
    ("鄂州市中心医院", "Ezhou Central Hospital", "文星路9号", 114.910, 30.410),
    ("鄂州市第一中学", "Ezhou No. 1 Middle School", None, 114.911, 30.411),
    ("鄂州市第三小学", None, None, 114.912, 30.412),
    ("中国银行", "Bank of China", "武昌大道100号", 114.913, 30.413),
    ("中国银行", "Bank of China", None, 114.710, 30.410),
    ("鄂州市人民政府", "Ezhou Municipal Government", None, 114.890, 30.390),
    ("长江大酒店", "Yangtze Hotel", None, 114.891, 30.391),
    ("KFC（凤凰店）", None, None, 114.892, 30.392),
    ("鄂州武术学校", None, None, 114.893, 30.393),
]
_PLACES = [
    ("鄂州", "Ezhou", "city", 114.89, 30.39),
    ("梁子湖", "Liangzi Lake", "natural", 114.6, 30.2),
    ("樊口", "Fankou", "town", 114.83, 30.42),
    ("西山", "Xi Mountain", "natural", 114.87, 30.41),
    ("三山湖", "Sanshan Lake", "natural", 114.75, 30.25),
]


@pytest.fixture
def gazetteer(conn: Connection) -> Connection:
    """The connection of a test, with the names above in its layers; rolled back afterwards."""
    for table in ("admin_areas", "addresses", "pois", "places"):
        conn.execute(text(f"DELETE FROM city.{table}"))
    for name, english, code, level, box in _AREAS:
        conn.execute(
            text("""
            INSERT INTO city.admin_areas (geom, name, name_en, code, level)
            VALUES (ST_Multi(ST_MakeEnvelope(:w, :s, :e, :n, 4490)), :name, :en, :code, :level)"""),
            dict(zip("wsen", box, strict=True)) | {"name": name, "en": english, "code": code, "level": level},
        )
    for address, road, number, place, lon, lat in _ADDRESSES:
        conn.execute(
            text("""
            INSERT INTO city.addresses (geom, address, road, number, place)
            VALUES (ST_SetSRID(ST_MakePoint(:x, :y), 4490), :address, :road, :number, :place)"""),
            {"x": lon, "y": lat, "address": address, "road": road, "number": number, "place": place},
        )
    for name, english, address, lon, lat in _POIS:
        conn.execute(
            text("""
            INSERT INTO city.pois (geom, name, name_en, address)
            VALUES (ST_SetSRID(ST_MakePoint(:x, :y), 4490), :name, :en, :address)"""),
            {"x": lon, "y": lat, "name": name, "en": english, "address": address},
        )
    for name, english, kind, lon, lat in _PLACES:
        conn.execute(
            text("""
            INSERT INTO city.places (geom, name, name_en, kind)
            VALUES (ST_SetSRID(ST_MakePoint(:x, :y), 4490), :name, :en, :kind)"""),
            {"x": lon, "y": lat, "name": name, "en": english, "kind": kind},
        )
    return conn


@pytest.fixture
def find(gazetteer: Connection) -> Find:
    """Geocode over the names above."""
    layers = load_layers(gazetteer)
    return lambda query, *more, **options: geocode(gazetteer, layers, query, *more, **options)
