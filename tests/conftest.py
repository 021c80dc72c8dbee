"""Session-wide fixtures: one PostgreSQL, one migrated database; every test's transaction is rolled back."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import uvicorn
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from geoserver.config import load
from geoserver.migrations import migrate
from layers.database import Database, psycopg2_url

ROOT = Path(__file__).parent.parent
#: The system's Node, else the one that `make test` fetched.
NODE = shutil.which("node") or shutil.which(ROOT / "var" / "node" / "bin" / "node")

#: The files that take longest, which begin first, so that no process is left with one of them at the end.
LONGEST = (
    "security/test_fuzzing.py", "geoserver/test_map_browser.py", "geoserver/test_jobs.py", "security/test_routes.py",
    "geoserver/identity/test_people_browser.py", "geoserver/test_up.py", "geoserver/test_pages_browser.py",
    "security/test_scanners.py", "geoserver/identity/test_oidc.py", "security/test_representations.py",
    "geoserver/test_cesium.py", "geoserver/test_scene_browser.py",
    "layers/terrain/test_contours.py", "tracking/test_faults.py",
    "layers/raster/test_real_data.py", "geoserver/test_tile_freshness.py", "geoserver/test_links.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files begin first (``--no-loadscope-reorder`` keeps that)."""
    place = {ROOT / "tests" / name: n for n, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server with PostGIS: ``CITYMAP_TEST_DATABASE_URL``, else a private cluster of the tests' own."""
    if url := os.environ.get("CITYMAP_TEST_DATABASE_URL"):
        yield url
        return
    from geoserver.cluster import Cluster

    with Cluster(ROOT / "var" / "test-postgres", durable=False) as url:
        yield url


def make_database(postgres_url: str, name: str, template: str | None = None) -> str:
    """A fresh database on that server; returns its URL."""
    engine = create_engine(psycopg2_url(postgres_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
        # As nothing here is ever flushed, copying files costs half of copying pages (before PostgreSQL 15 there is no other way).
        version = conn.dialect.server_version_info or (0,)
        copied = (f' TEMPLATE "{template}"' + " STRATEGY FILE_COPY" * (version >= (15,))) if template else ""
        conn.execute(text(f'CREATE DATABASE "{name}"{copied}'))
    engine.dispose()
    return make_url(postgres_url).set(database=name).render_as_string(hide_password=False)


def drop_database(postgres_url: str, name: str) -> None:
    """Drop a database made by :func:`make_database`."""
    engine = create_engine(psycopg2_url(postgres_url), isolation_level="AUTOCOMMIT")
    with engine.connect() as conn:
        conn.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    engine.dispose()


@pytest.fixture(scope="session")
def template_name(postgres_url: str) -> Iterator[str]:
    """A migrated database that others are cloned from; nothing stays connected to it."""
    name = f"citymap_template_{os.getpid()}"
    migrate(make_database(postgres_url, name))
    yield name
    drop_database(postgres_url, name)


@pytest.fixture(scope="session")
def database(postgres_url: str, template_name: str) -> Iterator[Database]:
    """The migrated database that the tests share. Only rolled-back transactions write to it."""
    name = f"citymap_test_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=5)
    yield database
    database.close()
    drop_database(postgres_url, name)


@pytest.fixture
def conn(database: Database) -> Iterator[Connection]:
    """A connection whose transaction is rolled back after the test."""
    with database.engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        if transaction.is_active:
            transaction.rollback()


@pytest.fixture(scope="session")
def city_database(postgres_url: str, template_name: str) -> Iterator[str]:
    """The URL of a database with a small sample city; tests that edit it put things back."""
    from geoserver.sample import make_sample_city

    name = f"citymap_city_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=2, statement_timeout=600)
    make_sample_city(database, 2000, 1)
    database.close()
    yield url
    drop_database(postgres_url, name)


@pytest.fixture(scope="session")
def live_city(city_database: str) -> Iterator[str]:
    """The base URL of a running server with a small sample city, open to anonymous edits."""
    with serve(city_database, ACCESS__ANONYMOUS_EDIT="true") as url:
        yield url


@contextmanager
def serve(database_url: str, **overrides: str) -> Iterator[str]:
    """The real server on a free port, in a thread; ``overrides`` are environment names without the prefix."""
    from geoserver.app import make_app
    from geoserver.serving import uvicorn_options

    listening = socket.socket()  # handed over: a port that was only looked for could be another's by then
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    environ = {"CITYMAP__SERVER__BIND__PORT": str(port), "CITYMAP__SERVER__LIMITS__RATE": "null"}
    environ["CITYMAP__TILES__DIRECTORY"] = str(ROOT / "var" / "test-tiles")
    settings = load(environ=environ | {f"CITYMAP__{k}": v for k, v in overrides.items()})
    app = make_app(settings, database_url)
    server = uvicorn.Server(uvicorn.Config(app, **uvicorn_options(settings) | {"log_level": "warning"}))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{port}"
    for _ in range(200):
        if server.started:
            break
        time.sleep(0.05)
    requests.get(f"{url}/ready", timeout=10).raise_for_status()
    try:
        yield url
    finally:
        server.should_exit = True
        thread.join(20)
