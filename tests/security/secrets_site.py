"""The server over a city of secrets: layers of every visibility, hidden fields, rows of two districts, every role."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from uuid import UUID

import requests
from argon2 import PasswordHasher
from sqlalchemy import Connection, text

from layers.catalogue import Field, Layer, Text
from layers.database import Database
from layers.registry import create_layer
from tests.conftest import make_database, serve
from tests.security.rules import BELOW, EAST, FIELDS, LAYERS, OWNERS, PEOPLE, ROWS, WEST, Person, Secrets

PASSWORD = "correct horse battery 9!"
#: South-west corners of the two districts' squares, each 0.04° wide; row 5 lies outside both.
CORNERS = {EAST: (114.86, 30.36), WEST: (114.80, 30.30)}
OUTSIDE = (114.95, 30.45)
#: Fields that are no texts: name, type, visibility.
TYPED: tuple[tuple[str, Any, Any], ...] = (
    ("size", "integer", "public"),
    ("secret_size", "integer", "core"),
    ("secret_time", "date-time", "core"),
    ("secret_flag", "boolean", "core"),
)
#: Job and upload of each owner, by number.
JOBS = {number: UUID(int=0xA0000000000040008000000000000000 + number) for number in OWNERS}
UPLOADS = {number: UUID(int=0xB0000000000040008000000000000000 + number) for number in OWNERS}


def both(words: str) -> Text:
    return Text(words, words)


def layer_of(found: Secrets) -> Layer:
    """The catalogue's entry of a layer of secrets; its time field and its key are hidden."""
    roles = {"name": "title", "key_core": "key"}
    fields = [
        Field(name, "string", both(name), visibility=level, role=roles.get(name)) for name, level in FIELDS.items()
    ]  # type: ignore[arg-type]
    fields += [Field(name, kind, both(name), visibility=level) for name, kind, level in TYPED]
    if found.area:
        fields.append(Field("area_code", "string", both("area_code"), role="area"))
    if found.department:
        fields.append(Field("unit", "string", both("unit"), role="department"))
    style = (
        {"id": "dots", "type": "circle", "paint": {"circle-radius": ["case", ["==", ["get", "note_core"], "x"], 2, 3]}},
    )
    return Layer(
        found.id, both(found.id), both("for tests"), "Point", tuple(fields), visibility=found.visibility,  # type: ignore[arg-type]
        time_field="secret_time", style=style, keywords=(),
    )  # fmt: skip


def place(row: int) -> tuple[float, float]:
    """Longitude and latitude of a row [°]: on the ground of its district."""
    west, south = CORNERS.get(ROWS[row].ground, OUTSIDE)
    return west + 0.004 * row, south + 0.004 * row


def fill(conn: Connection) -> None:
    """Layers, rows and accounts; ids of rows are the keys of :data:`ROWS`."""
    for code, (west, south) in CORNERS.items():
        conn.execute(
            text("INSERT INTO city.admin_areas (geom, code) VALUES"
                 " (ST_Multi(ST_MakeEnvelope(:w, :s, :w + 0.04, :s + 0.04, 4490)), :code)"),
            {"w": west, "s": south, "code": code},
        )  # fmt: skip
    # Those of the city that have the same ids go: these rows have no life cycle, and say themselves where they belong.
    conn.execute(text("DELETE FROM citymap.layers WHERE id = ANY (:ids)"), {"ids": list(LAYERS)})
    for found in LAYERS.values():
        create_layer(conn, layer_of(found))
        for row in ROWS:
            _insert(conn, found, row)
        conn.execute(text(f"SELECT setval(pg_get_serial_sequence('city.{found.id}', 'id'), 1000)"))
    _people(conn)


def _insert(conn: Connection, layer: Secrets, row: int) -> None:
    values: dict[str, Any] = {name: f"SECRET-{layer.id}-{row}-{name}" for name in FIELDS}
    values |= {
        "size": row,
        "secret_size": 7_000_000 + row,
        "secret_time": f"2019-03-0{row}T00:00:00Z",
        "secret_flag": row % 2 == 0,
    }
    if layer.area:
        values["area_code"] = ROWS[row].area
    if layer.department:
        values["unit"] = ROWS[row].department
    x, y = place(row)
    columns = ", ".join(values)
    conn.execute(
        text(f"INSERT INTO city.{layer.id} (id, geom, {columns}) VALUES (:id, ST_SetSRID(ST_MakePoint(:x, :y), 4490),"
             f" {', '.join(f':{name}' for name in values)})"),
        {"id": row, "x": x, "y": y, **values},
    )  # fmt: skip


def _people(conn: Connection) -> None:
    for department in BELOW:
        parent = "roads" if department == "roads-east" else None
        conn.execute(
            text("INSERT INTO access.departments (id, parent, zh, en) VALUES (:id, :parent, :id, :id)"),
            {"id": department, "parent": parent},
        )
    for role, within in (("area-guard", "area"), ("unit-guard", "department")):
        conn.execute(text("INSERT INTO access.roles (id, zh, en) VALUES (:r, :r, :r)"), {"r": role})
        conn.execute(
            text("INSERT INTO access.permissions SELECT :r, 'collection', '*', action, 'core', :w"
                 " FROM unnest(ARRAY['read', 'create', 'update', 'delete']) AS action"),
            {"r": role, "w": within},
        )  # fmt: skip
    # One cheap hash for all: what the tests ask is who may see what, not how costly a password is.
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    for person in PEOPLE.values():
        if person.account is None:
            continue
        conn.execute(
            text("INSERT INTO access.accounts (name, hash) VALUES (:n, :h)"), {"n": person.account, "h": cheap}
        )
        for role in person.roles:
            conn.execute(
                text("INSERT INTO access.memberships (account, role, department, area) VALUES (:a, :r, :d, :area)"),
                {"a": person.account, "r": role, "d": person.department, "area": person.area},
            )
    for number, owner in OWNERS.items():
        conn.execute(
            text("INSERT INTO citymap.jobs (id, process, status, progress, inputs, result, actor, response, started, finished)"
                 " VALUES (:id, 'import-layer', 'successful', 100, CAST(:inputs AS jsonb), CAST(:result AS jsonb), :owner,"
                 " 'raw', now(), now())"),
            {"id": JOBS[number], "inputs": f'{{"title": "SECRET-job-{number}-name"}}',
             "result": f'{{"file": "SECRET-job-{number}-code"}}', "owner": owner},
        )  # fmt: skip
        conn.execute(
            text(
                "INSERT INTO citymap.uploads (id, name, bytes, actor, expires)"
                " VALUES (:id, :name, 3, :owner, now() + interval '1 day')"
            ),
            {"id": UPLOADS[number], "name": f"SECRET-upload-{number}-name.csv", "owner": owner},
        )


def _line() -> requests.Session:
    """A kept connection, which remembers nobody: no cookies, no credentials and proxies of the environment."""
    line = requests.Session()
    line.trust_env = False
    line.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return line


@dataclass(frozen=True)
class SecretsSite:
    """The running server, and its database as its owner sees it."""

    url: str
    database: Database
    settings: dict[str, str]
    #: Before every row was changed once, so that the histories hold what the layers hold.
    past: str
    _line: requests.Session = field(default_factory=lambda: _line())

    def call(self, person: Person | str, method: str, path: str, **more: Any) -> requests.Response:
        """A request as a person, by HTTP Basic."""
        who = PEOPLE[person] if isinstance(person, str) else person
        auth = (who.account, PASSWORD) if who.account else None
        url = path if path.startswith("http") else self.url + path
        return self._line.request(method, url, auth=auth, timeout=60, **more)

    def get(
        self, person: Person | str, path: str, headers: dict[str, str] | None = None, **params: Any
    ) -> requests.Response:
        return self.call(person, "GET", path, params=params, headers=headers)

    def sql(self, statement: str, **values: Any) -> list[Any]:
        """Whatever the owner of the database may do."""
        with self.database.transaction() as conn:
            result = conn.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []


def lay_archives(folder: Path) -> Path:
    """An archive of everybody, and one for those who may read internal layers: one tile at the top of the world."""
    for name in ("open-map", "internal/inner-map"):
        path = folder / f"{name}.mbtiles"
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("CREATE TABLE metadata (name text, value text)")
            file.execute("CREATE TABLE tiles (zoom_level int, tile_column int, tile_row int, tile_data blob)")
            file.execute("INSERT INTO metadata VALUES ('name', ?), ('format', 'png')", (path.stem,))
            file.execute("INSERT INTO tiles VALUES (0, 0, 0, 'picture')")
    return folder


@contextmanager
def secrets_site(
    postgres_url: str, template: str, name: str, directory: Path, *, small: bool = False
) -> Iterator[SecretsSite]:
    """A site of its own; ``small`` leaves out the base layers that hold nothing, so that documents are short."""
    from tests.conftest import drop_database

    url = make_database(postgres_url, name, template)
    database = Database(url, pool_size=2)
    with database.transaction() as conn:
        fill(conn)
        if small:
            keep = [*LAYERS, "admin-areas"]
            conn.execute(text("DELETE FROM citymap.layers WHERE NOT id = ANY (:keep)"), {"keep": keep})
    with database.transaction() as conn:
        past = conn.execute(
            text("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
        ).scalar_one()
    with database.transaction() as conn:
        for layer in LAYERS:
            conn.execute(text(f"UPDATE city.{layer} SET size = size"))
    settings = {
        "SERVER__UPLOADS__DIRECTORY": str(directory / "uploads"), "SERVER__JOBS__DIRECTORY": str(directory / "jobs"),
        "SERVER__JOBS__PER_ACCOUNT": "10000", "SERVER__UPLOADS__PER_ACCOUNT": "10000",
        "TILES__ARCHIVES": str(lay_archives(directory / "archives")),
    }  # fmt: skip
    with serve(url, **settings) as base:
        until = time.monotonic() + 20
        while not requests.get(f"{base}/archives", timeout=10).json()["archives"] and time.monotonic() < until:
            time.sleep(0.1)
        yield SecretsSite(base, database, settings, past)
    database.close()
    drop_database(postgres_url, name)
