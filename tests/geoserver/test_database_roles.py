"""Two databases of one server that are migrated at the same moment share their roles without a quarrel."""

import threading
import time
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from geoserver import database_roles
from geoserver.database_roles import create_roles, set_passwords
from layers.database import psycopg2_url


@pytest.fixture
def engine(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The server under test, where the city's role has a name of this test's own."""
    role = f"citymap_race_{uuid4().hex[:12]}"
    monkeypatch.setattr(database_roles, "ROLES", (role,))
    engine = create_engine(psycopg2_url(postgres_url))
    yield engine
    with engine.begin() as conn:
        conn.exec_driver_sql(f"DROP ROLE IF EXISTS {role}")
    engine.dispose()


def test_a_role_that_another_database_makes_meanwhile_is_taken_as_made(engine: Engine) -> None:
    assert raced(engine, create_roles) is None


def test_a_password_that_another_database_sets_meanwhile_is_taken_as_set(engine: Engine) -> None:
    with engine.begin() as conn:
        create_roles(conn)
    assert raced(engine, lambda conn: set_passwords(conn, "the owner's")) is None


def raced(engine: Engine, act: Callable[[Connection], None]) -> BaseException | None:
    """Do the act in two transactions of which the second waits for the first; returns what the second raised."""
    raised: list[BaseException] = []

    def second() -> None:
        try:
            with engine.begin() as conn:
                act(conn)
        except BaseException as error:
            raised.append(error)

    with engine.begin() as first:
        act(first)
        thread = threading.Thread(target=second)
        thread.start()
        wait_for_lock(engine)
    thread.join()
    return raised[0] if raised else None


def wait_for_lock(engine: Engine) -> None:
    """Return once a session waits for another one's transaction."""
    waiting = text(
        "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        "AND (query LIKE 'CREATE ROLE citymap_race%' OR query LIKE 'ALTER ROLE citymap_race%')"
    )
    for _ in range(200):
        with engine.connect() as conn:
            if conn.execute(waiting).first():
                return
        time.sleep(0.02)
    raise TimeoutError("the second transaction never waited for the first")
