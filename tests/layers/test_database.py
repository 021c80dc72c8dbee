"""Connections: warmed, bounded, and replaced when the server goes away."""

import psycopg2
import pytest
from psycopg2.errors import QueryCanceled
from sqlalchemy import text

from layers.database import Database, psycopg2_url


def test_reading_recovers_after_the_server_dropped_every_connection(database: Database) -> None:
    own = Database(database.url, pool_size=3)
    held = [own.engine.raw_connection() for _ in range(3)]
    backends = [connection.driver_connection.info.backend_pid for connection in held]  # type: ignore[union-attr]
    for connection in held:
        connection.close()
    with database.transaction() as conn:
        conn.execute(text("SELECT pg_terminate_backend(pid) FROM unnest(:pids) AS pid"), {"pids": backends})
    failures = 0
    for _ in range(6):
        try:
            with own.reading() as reader:
                reader.fetch("SELECT 1", {})
        except psycopg2.Error:
            failures += 1
    own.close()
    assert failures <= 1


def test_a_statement_is_cut_off_at_its_time(database: Database) -> None:
    own = Database(database.url, pool_size=1, statement_timeout=0.2)
    with pytest.raises(QueryCanceled), own.reading() as reader:
        reader.fetch("SELECT pg_sleep(5)", {})
    with own.reading() as reader:
        reader.fetch("SELECT 1", {})
    own.close()


def test_the_first_cgcs2000_transformation_of_a_warm_connection_is_as_fast_as_the_second(database: Database) -> None:
    own = Database(database.url, pool_size=1, warm_srids=(4547,))
    with own.reading() as reader:
        [(found,)] = reader.fetch("EXPLAIN (ANALYZE, FORMAT JSON) SELECT ST_Transform(ST_SetSRID(ST_MakePoint(114.9 + i * 1e-9, 30.4), 4490), 4547) FROM generate_series(1, 1) AS i", {})
    own.close()
    assert found[0]["Execution Time"] < 20


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite:///a", "nonsense"])
def test_a_url_of_another_database_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must start with postgresql://"):
        psycopg2_url(url)
