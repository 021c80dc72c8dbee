"""15 000 real names of Chinese places (GeoNames): what is found against slow, plain ways to find it."""

import json
import random
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pypinyin import lazy_pinyin
from sqlalchemy import Connection, text

from layers.database import Database
from layers.gazetteer.geocoding import geocode
from layers.gazetteer.model import Point
from layers.gazetteer.reverse import reverse_geocode
from layers.registry import load_layers

_FILE = Path(__file__).parents[4] / "shared" / "data" / "08_gazetteer" / "geonames_cn_places_500.gpkg.zip"
pytestmark = pytest.mark.skipif(not _FILE.exists(), reason=f"{_FILE} is not here")


def _is_han(name: str) -> bool:
    return all("\u4e00" <= letter <= "\u9fff" for letter in name)


@pytest.fixture(scope="module")
def china(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Connection, list[str]]]:
    """A connection with the places as rows of the layer places, and their Chinese names; rolled back afterwards."""
    folder = tmp_path_factory.mktemp("geonames")
    zipfile.ZipFile(_FILE).extractall(folder)
    rows = sqlite3.connect(next(folder.glob("*.gpkg"))).execute(
        "SELECT name, alternatenames, longitude, latitude FROM places"
    )
    places = []
    for english, others, lon, lat in rows:
        chinese = [name for name in json.loads(others or "[]") if len(name) > 1 and _is_han(name)]
        if chinese:
            places.append({"name": max(chinese, key=len), "en": english, "x": lon, "y": lat})
    with database.engine.connect() as conn:
        for table in ("places", "addresses", "pois", "admin_areas"):
            conn.execute(text(f"DELETE FROM city.{table}"))
        conn.execute(
            text("""
            INSERT INTO city.places (geom, name, name_en)
            SELECT ST_SetSRID(ST_MakePoint(x, y), 4490), name, en
            FROM jsonb_to_recordset(CAST(:places AS jsonb)) AS p (name text, en text, x float8, y float8)"""),
            {"places": json.dumps(places)},
        )
        conn.execute(text("ANALYZE city.places, citymap.names, citymap.name_terms"))
        yield conn, [place["name"] for place in places]
        conn.rollback()


def _distance(one: str, other: str) -> int:
    """The least number of characters changed, added or left out, or neighbours exchanged, as the textbook has it."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        rows.append([i])
        for j, b in enumerate(other, 1):
            least = min(rows[i - 1][j] + 1, rows[i][j - 1] + 1, rows[i - 1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                least = min(least, rows[i - 2][j - 2] + 1)
            rows[i].append(least)
    return rows[-1][-1]


def _mistaken(name: str, draw: random.Random) -> str:
    at = draw.randrange(len(name) - 1)
    return draw.choice([
        name[:at] + draw.choice("的一是了我不人在他有") + name[at + 1 :],
        name[:at] + name[at + 1 :],
        name[:at] + draw.choice("的一是了我不人在他有") + name[at:],
        name[:at] + name[at + 1] + name[at] + name[at + 2 :],
    ])  # fmt: skip


def test_a_name_with_one_mistake_gives_a_name_no_farther_than_the_nearest(china: tuple[Connection, list[str]]) -> None:
    conn, names = china
    layers, draw = load_layers(conn), random.Random(11)
    different = sorted(set(names))
    checked = 0
    for name in draw.sample([name for name in different if len(name) >= 4], 60):
        query = _mistaken(name, draw)
        if query in different:
            continue
        distances = {other: _distance(query, other) for other in different if abs(len(other) - len(query)) <= 2}
        least = min(distances.values())
        found = geocode(conn, layers, query, 10)
        assert found, query
        assert min(_distance(query, answer.name or "") for answer in found) <= least, (query, name)
        if sum(distance == least for distance in distances.values()) <= 3:
            assert name in [answer.name for answer in found], (query, name, [(a.name, a.score) for a in found])
        checked += 1
    assert checked > 50


def test_every_name_that_has_the_query_in_it_is_found(china: tuple[Connection, list[str]]) -> None:
    conn, names = china
    layers, draw = load_layers(conn), random.Random(12)
    checked = 0
    for name in draw.sample(names, 150):
        length = draw.randint(2, len(name))
        start = draw.randint(0, len(name) - length)
        query = name[start : start + length]
        expected = sorted(other for other in names if query in other)
        if len(expected) > 40:
            continue
        found = [answer.name or "" for answer in geocode(conn, layers, query, 50)]
        assert [name for name in sorted(found) if query in name] == expected, query
        # what has the query in it comes before what is only like it
        assert [query in name for name in found] == sorted((query in name for name in found), reverse=True), query
        checked += 1
    assert checked > 100


def test_pinyin_as_another_library_writes_it_finds_the_name(china: tuple[Connection, list[str]]) -> None:
    conn, names = china
    layers, draw = load_layers(conn), random.Random(13)
    sample = draw.sample(sorted(set(names)), 150)
    missed = []
    for name in sample:
        typed = "".join(lazy_pinyin(name)).replace("ü", "v")
        if name not in [answer.name for answer in geocode(conn, layers, typed, 50)]:
            missed.append((name, typed))
    # characters of two readings, of which place names have the rarer: pypinyin and we differ on some
    assert len(missed) <= 4, missed


def test_pinyin_agrees_with_pypinyin_on_almost_all_names(china: tuple[Connection, list[str]]) -> None:
    conn, names = china
    different = sorted(set(names))
    rows = conn.execute(text("SELECT text, pinyin FROM citymap.spelled(CAST(:names AS text[]))"), {"names": different})
    ours = {row[0]: row[1] for row in rows}
    theirs = {
        name: "".join(lazy_pinyin(name)).replace("ü", "u").replace("lv", "lu").replace("nv", "nu") for name in different
    }
    differing = {name: (ours[name], theirs[name]) for name in different if ours[name] != theirs[name]}
    assert len(differing) / len(different) < 0.02, dict(list(differing.items())[:30])


def test_the_nearest_by_index_are_the_nearest_of_all(china: tuple[Connection, list[str]]) -> None:
    conn, _ = china
    layers, draw = load_layers(conn), random.Random(14)
    plain = text("""
        SELECT id FROM (SELECT id, ST_Distance(geom::geography, ST_SetSRID(ST_MakePoint(:x, :y), 4490)::geography) AS d
                        FROM city.places OFFSET 0) AS s
        WHERE d <= 5000 ORDER BY d, id LIMIT 7""")
    sites = conn.execute(text("SELECT ST_X(geom), ST_Y(geom) FROM city.places ORDER BY id")).all()
    found_some = 0
    for x, y in draw.sample([tuple(site) for site in sites], 60):
        point = Point(x + draw.uniform(-0.03, 0.03), y + draw.uniform(-0.03, 0.03))
        expected = [row[0] for row in conn.execute(plain, {"x": point.lon, "y": point.lat})]
        assert [near.id for near in reverse_geocode(conn, layers, point, 5000, 7).nearest] == expected
        found_some += len(expected) > 1
    assert found_some > 10
