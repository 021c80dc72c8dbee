"""A migrated database of a test's own, with a layer of wells."""

import uuid
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection

from layers.catalogue import Field, Layer, Text
from layers.database import Database
from layers.registry import create_layer
from tests.conftest import drop_database, make_database

WELLS = Layer(
    id="test-wells",
    title=Text("井", "Wells"),
    description=Text("测试用", "For tests"),
    geometry_type="Point",
    fields=(Field("name", "string", Text("名称", "Name"), role="title"),),
)


@pytest.fixture
def wells(conn: Connection) -> Connection:
    """A connection whose transaction is rolled back, and whose log begins empty but for the layer's own entry."""
    create_layer(conn, WELLS)
    return conn


@pytest.fixture
def log_url(postgres_url: str, template_name: str) -> Iterator[str]:
    name = f"citymap_audit_{uuid.uuid4().hex[:8]}"
    yield make_database(postgres_url, name, template_name)
    drop_database(postgres_url, name)


@pytest.fixture
def log(log_url: str) -> Iterator[Database]:
    """A database that a test may write to, tamper with and drop."""
    database = Database(log_url, pool_size=4, overflow=12)
    with database.transaction() as conn:
        create_layer(conn, WELLS)
    yield database
    database.close()


def add_wells(conn: Connection, *names: str) -> None:
    """One statement, and so one entry, per well."""
    for name in names:
        conn.exec_driver_sql("INSERT INTO city.test_wells (name) VALUES (%s)", (name,))
