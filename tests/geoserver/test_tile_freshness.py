"""Editors and readers at once, by API and SQL, over two servers with one store: no tile is stale after a second."""

import os
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest
import requests
from sqlalchemy import text

from layers.catalogue import Field, Layer, Text
from layers.database import Database, Reader
from layers.registry import create_layer
from tests.conftest import drop_database, make_database, serve
from tiles.matrix_sets import standard_sets
from tiles.vector import TileQuery, render_tile

BEACONS = Layer(
    "beacons", Text("信标", "Beacons"), Text("", ""), "Point",
    (Field("name", "string", Text("名称", "Name")), Field("value", "integer", Text("值", "Value"))),
)  # fmt: skip
GRIDS = standard_sets()
WEST, SOUTH, STEP, SIDE = 114.88, 30.38, 0.004, 10
#: The issue of tiles asks for a minute: CITYMAP_FRESH_SECONDS=60.
SECONDS = int(os.environ.get("CITYMAP_FRESH_SECONDS", "10"))
#: A reader may see what is this old, and no older.
LATEST = 1.0


@dataclass
class Ledger:
    """When each beacon's values were committed: (time, value), newest last."""

    committed: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def enter(self, name: str, value: int) -> None:
        with self.lock:
            self.committed.setdefault(name, []).append((time.monotonic(), value))

    def least(self, name: str, when: float) -> int:
        """The value that was committed at that time."""
        with self.lock:
            return max((v for at, v in self.committed.get(name, ()) if at <= when), default=0)


@pytest.fixture(scope="module")
def servers(
    postgres_url: str, template_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Database, list[str]]]:
    name = f"citymap_fresh_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=8)
    with database.transaction() as conn:
        create_layer(conn, BEACONS)
        conn.execute(
            text("""
            INSERT INTO city.beacons (geom, name, value)
            SELECT ST_SetSRID(ST_MakePoint(:w + i * :d, :s + j * :d), 4490), i || '/' || j, 0
            FROM generate_series(0, :n) i, generate_series(0, :n) j"""),
            {"w": WEST, "s": SOUTH, "d": STEP, "n": SIDE - 1},
        )
    more = {"ACCESS__ANONYMOUS_EDIT": "true", "TILES__DIRECTORY": str(tmp_path_factory.mktemp("store"))}
    with serve(url, **more) as one, serve(url, **more) as other:
        yield database, [one, other]
    database.close()
    drop_database(postgres_url, name)


def tiles() -> list[str]:
    """The tiles of all grids over the beacons, zooms 8 to 14."""
    found = []
    for grid in GRIDS.values():
        box = grid.from_degrees((WEST, SOUTH, WEST + STEP * SIDE, SOUTH + STEP * SIDE))
        for z in (8, 11, 13, 14):
            met = grid.covering(box, z)
            assert met
            found += [f"{grid.id}/{z}/{y}/{x}" for x in range(met[0], met[2] + 1) for y in range(met[1], met[3] + 1)]
    return found


def decoded(body: bytes) -> dict[str, int]:
    layer = mapbox_vector_tile.decode(body).get("beacons", {"features": []})
    return {f["properties"]["name"]: f["properties"]["value"] for f in layer["features"]}


def test_no_tile_is_stale_after_a_second_while_many_edit_and_read(servers: tuple[Database, list[str]]) -> None:
    database, urls = servers
    ledger, stale, failed, counts = Ledger(), [], [], {"reads": 0, "edits": 0, "not modified": 0}
    until = time.monotonic() + SECONDS
    ids = {row.name: row.id for row in database.engine.connect().execute(text("SELECT id, name FROM city.beacons"))}

    def edit(n: int) -> None:
        chance, value = random.Random(n), 0
        mine = [name for name in ids if int(name.split("/")[0]) % 3 == n]
        while time.monotonic() < until:
            name = chance.choice(mine)
            value += 1
            if n == 0:
                address = f"{urls[value % 2]}/collections/beacons/items/{ids[name]}"
                answer = requests.patch(
                    address,
                    json={"properties": {"value": value}},
                    headers={"Content-Type": "application/merge-patch+json"},
                    timeout=30,
                )
                if answer.status_code not in (200, 204):
                    failed.append(answer.text)
            else:
                with database.transaction() as conn:
                    conn.execute(text("UPDATE city.beacons SET value = :v WHERE name = :n"), {"v": value, "n": name})
                    if n == 2:
                        time.sleep(chance.random() * 0.2)  # transactions overlap, and commit in another order
            ledger.enter(name, value)
            counts["edits"] += 1
            time.sleep(0.03)

    def read(n: int) -> None:
        chance, addresses, tags = random.Random(100 + n), tiles(), {}
        session = requests.Session()
        while time.monotonic() < until:
            address = f"{chance.choice(urls)}/collections/beacons/tiles/{chance.choice(addresses)}"
            tag, known = tags.get(address, (None, {}))
            asked = time.monotonic()
            answer = session.get(address, headers={"If-None-Match": tag} if tag else {}, timeout=30)
            if answer.status_code == 304:
                counts["not modified"] += 1
                found = known
            else:
                found = decoded(answer.content)
                tags[address] = (answer.headers["ETag"], found)
            counts["reads"] += 1
            for name, value in found.items():
                if value < ledger.least(name, asked - LATEST):
                    stale.append((address, name, value, ledger.least(name, asked - LATEST)))

    threads = [threading.Thread(target=edit, args=(n,)) for n in range(3)]
    threads += [threading.Thread(target=read, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(counts)
    assert not stale and not failed
    assert counts["edits"] > 20 and counts["reads"] > 100
    time.sleep(LATEST)
    for url in urls:
        for place in tiles():
            assert served(url, place) == fresh(database, place), (url, place)


def served(url: str, place: str) -> Any:
    return features(requests.get(f"{url}/collections/beacons/tiles/{place}", timeout=30).content)


def fresh(database: Database, place: str) -> Any:
    """The tile as PostGIS draws it now, past every cache."""
    grid, z, y, x = place.split("/")
    with database.engine.connect() as conn:
        reader = Reader(conn.connection.driver_connection)  # type: ignore[arg-type]
        tile = render_tile(reader, TileQuery.whole(BEACONS), GRIDS[grid], int(z), int(y), int(x))
    return features(tile.body)


def features(body: bytes) -> list[Any]:
    """By id: a tile promises no order, and edits elsewhere may turn over the index's."""
    found = mapbox_vector_tile.decode(body).get("beacons", {"features": []})["features"]
    return sorted(found, key=lambda feature: int(feature["id"]))


def test_a_server_that_starts_later_serves_nothing_from_before(
    servers: tuple[Database, list[str]], postgres_url: str, tmp_path: Path
) -> None:
    database, _ = servers
    url = database.url
    place = "WebMercatorQuad/13/" + "/".join(tiles_of_13())
    with serve(url, TILES__DIRECTORY=str(tmp_path)) as first:
        before = served(first, place)
        requests.get(f"{first}/collections/beacons/tiles/{place}", timeout=30)
    assert list(tmp_path.glob("*/*/WebMercatorQuad/13/*/*"))
    with database.transaction() as conn:
        conn.execute(text("UPDATE city.beacons SET value = value + 1000"))
    with serve(url, TILES__DIRECTORY=str(tmp_path)) as second:
        assert served(second, place) == fresh(database, place) != before


def tiles_of_13() -> tuple[str, str]:
    met = GRIDS["WebMercatorQuad"].covering(GRIDS["WebMercatorQuad"].from_degrees((WEST, SOUTH, WEST, SOUTH)), 13)
    assert met
    return str(met[1]), str(met[0])
