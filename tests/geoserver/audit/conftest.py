"""A migrated database with a layer of wells, whose log every test finds as it was at first."""

import os
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


#: What tests may change, as it was before: the owner's triggers stand aside for it and stand again after it.
_AS_IT_WAS = """
    SET LOCAL session_replication_role = replica; TRUNCATE city.test_wells;
    ALTER TABLE audit.entries DISABLE TRIGGER ALL; ALTER TABLE audit.links DISABLE TRIGGER ALL;
    TRUNCATE audit.entries, audit.links, audit.unsealed;
    INSERT INTO audit.entries OVERRIDING SYSTEM VALUE TABLE before.entries; INSERT INTO audit.unsealed TABLE before.unsealed;
    SELECT setval(pg_get_serial_sequence('audit.entries', 'id'), (SELECT max(id) FROM audit.entries));
    ALTER TABLE audit.entries ENABLE ALWAYS TRIGGER refuse_update, ENABLE ALWAYS TRIGGER refuse_truncate, ENABLE ALWAYS TRIGGER refuse_delete;
    ALTER TABLE audit.links ENABLE ALWAYS TRIGGER refuse_update, ENABLE ALWAYS TRIGGER refuse_truncate, ENABLE ALWAYS TRIGGER refuse_delete"""


@pytest.fixture(scope="session")
def log_url(postgres_url: str, template_name: str) -> Iterator[str]:
    """The owner's address of it."""
    name = f"citymap_audit_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=1)
    with database.transaction() as conn:
        create_layer(conn, WELLS)
        conn.exec_driver_sql(
            "CREATE SCHEMA before; CREATE TABLE before.entries AS TABLE audit.entries;"
            " CREATE TABLE before.unsealed AS TABLE audit.unsealed"
        )
    database.close()
    yield url
    drop_database(postgres_url, name)


@pytest.fixture
def log(log_url: str) -> Iterator[Database]:
    """A database that a test may write to and whose log it may tamper with."""
    database = Database(log_url, pool_size=4, overflow=12)
    yield database
    with database.transaction() as conn:
        conn.exec_driver_sql(_AS_IT_WAS)
    database.close()


def add_wells(conn: Connection, *names: str) -> None:
    """One statement, and so one entry, per well."""
    for name in names:
        conn.exec_driver_sql("INSERT INTO city.test_wells (name) VALUES (%s)", (name,))
