"""A running server over buildings of many sizes on a slope whose height is known, and who may see which of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import text

from layers.database import Database
from layers.derived.keeping import bring_up
from layers.raster.ingest import ImageOptions, import_images
from layers.raster.registry import load_coverage
from layers.raster.store import RasterStore
from tests.conftest import drop_database, make_database, serve
from tests.layers.derived.conftest import slope_tif
from tests.people import PASSWORD, employ

#: Buildings stand on a lattice; each third row has a courtyard, each fourth two parts.
COLUMNS, ROWS, STEP = 9, 8, 0.0035
WEST, SOUTH = 114.868, 30.372
#: A district whose ground is the western half.
DISTRICT = "420704"
TILESET = "/collections/buildings-3d/3dtiles/tileset.json"
_USES = ("residential", "office", "school", None)


@dataclass(frozen=True)
class Place:
    """The server, its database, and where its images are."""

    url: str
    database: Database
    store: RasterStore

    def get(self, path: str, who: str | None = None, **headers: str) -> requests.Response:
        url = path if path.startswith("http") else self.url + path
        return requests.get(url, headers=headers, timeout=30, auth=(who, PASSWORD) if who else None)

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with self.database.transaction() as conn:
            result = conn.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []


def footprint(column: int, row: int) -> str:
    """WKT of a building; sides of 12 to 170 m."""
    side = 0.0001 + 0.0002 * (column % 9)
    x, y = WEST + STEP * column, SOUTH + STEP * row

    def ring(x: float, y: float, side: float) -> str:
        return f"({x} {y}, {x + side} {y}, {x + side} {y + side}, {x} {y + side}, {x} {y})"

    hole = f", {ring(x + side / 4, y + side / 4, side / 3)}" if row % 3 == 1 else ""
    more = f", ({ring(x + 1.5 * side, y, side / 4)})" if row % 4 == 2 else ""
    return f"MULTIPOLYGON(({ring(x, y, side)}{hole}){more})"


def _build(database: Database) -> None:
    with database.transaction() as conn:
        for column in range(COLUMNS):
            for row in range(ROWS):
                n = column * ROWS + row
                values = {"w": footprint(column, row), "name": f"楼{n}号", "use": _USES[n % 4], "code": f"SECRET-{n}"}
                values |= {"height": None if n % 5 == 0 else 4.0 + 2 * (n % 30), "floors": n % 7 + 1}
                values |= {"low": 3.0 if n % 11 == 0 else None, "year": 1980 + n}
                conn.execute(
                    text("INSERT INTO city.buildings (geom, name, use, height, floors, min_height, year_built, address)"
                         " VALUES (ST_GeomFromText(:w, 4490), :name, :use, :height, :floors, :low, :year, :code)"),
                    values,
                )  # fmt: skip
        middle = WEST + STEP * COLUMNS / 2
        conn.execute(
            text("INSERT INTO city.admin_areas (geom, code) VALUES (ST_Multi(ST_MakeEnvelope(114.8, 30.3, :m, 30.5, 4490)), :c)"),
            {"m": middle, "c": DISTRICT},
        )  # fmt: skip
        conn.execute(
            text("""
            INSERT INTO access.roles (id, zh, en) VALUES ('surveyor', '测绘员', 'Surveyor'), ('ward', '片区', 'Ward');
            INSERT INTO access.permissions (role, kind, resource, action, visibility, within) VALUES
            ('surveyor', 'collection', '*', 'read', 'core', 'everywhere'),
            ('ward', 'collection', '*', 'read', 'internal', 'area')""")
        )
        employ(conn, "sees-all", "surveyor")
        employ(conn, "sees-west", "ward", area=DISTRICT)
        employ(conn, "sees-internal", "leader")


@contextmanager
def three_d_place(postgres_url: str, template: str, name: str, directory: Path) -> Iterator[Place]:
    """Everything worked out before the server starts."""
    url = make_database(postgres_url, name, template)
    database = Database(url, pool_size=3)
    store = RasterStore(directory / "rasters")
    _build(database)
    with database.transaction() as conn:
        dem = load_coverage(conn, "dem")
        import_images(conn, store, dem, slope_tif(directory / "ground.tif"), ImageOptions(), lambda _share, _text: None)
    bring_up(database, store)
    more = {"ACCESS__ANONYMOUS_EDIT": "true", "TILES__DIRECTORY": str(directory / "tiles")}
    with serve(url, RASTERS__DIRECTORY=str(store.directory), **more) as base:
        yield Place(base, database, store)
    database.close()
    drop_database(postgres_url, name)
