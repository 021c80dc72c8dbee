"""The roads of Malta (42 000 edges) in a database of their own, and pgRouting's graph of the same table."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from layers.database import Database
from layers.importing import osm
from layers.importing.loader import load
from layers.network.current import current_network
from layers.network.graph import Network
from layers.registry import load_layers
from tests.conftest import drop_database, make_database

MALTA = Path(__file__).parents[4] / "shared/data/02_osm/malta.osm.pbf"

#: pgRouting's graph, made by PostGIS alone: ends that are the same point, lengths on the spheroid, class speeds anew.
PGROUTING_GRAPH = """
CREATE SCHEMA pgr;
CREATE TABLE pgr.node AS
    SELECT row_number() OVER () AS id, p FROM (
        SELECT DISTINCT p FROM (SELECT ST_StartPoint(geom) AS p FROM city.roads UNION ALL
                                SELECT ST_EndPoint(geom) FROM city.roads) AS ends) AS places;
CREATE UNIQUE INDEX ON pgr.node (p);
CREATE TABLE pgr.edge AS
    SELECT id, source, target, length, speed,
        CASE WHEN speed IS NULL OR oneway = -1 THEN -1 ELSE length / speed END AS cost,
        CASE WHEN speed IS NULL OR oneway = 1 THEN -1 ELSE length / speed END AS reverse_cost
    FROM (SELECT r.id, a.id AS source, b.id AS target, coalesce(r.oneway, 0) AS oneway,
            ST_Length(r.geom::geography) AS length,
            CASE WHEN class IN ('cycleway', 'footway') THEN NULL WHEN maxspeed > 0 THEN maxspeed
            ELSE CASE class WHEN 'motorway' THEN 100 WHEN 'trunk' THEN 80 WHEN 'primary' THEN 50 WHEN 'secondary' THEN 40
                 WHEN 'tertiary' THEN 30 WHEN 'residential' THEN 20 WHEN 'service' THEN 15 WHEN 'track' THEN 10 END
            END / 3.6 AS speed
          FROM city.roads r
          JOIN pgr.node a ON a.p = ST_StartPoint(geom) JOIN pgr.node b ON b.p = ST_EndPoint(geom)) AS road;
CREATE INDEX ON pgr.edge (id);
ANALYZE pgr.node; ANALYZE pgr.edge;
"""


@pytest.fixture(scope="session")
def malta_database(postgres_url: str, template_name: str) -> Iterator[Database]:
    """Malta's roads and turn restrictions by our importer; tests that edit put things back."""
    if not MALTA.exists():
        pytest.skip("../shared/data/02_osm/malta.osm.pbf is absent")
    name = f"citymap_malta_{os.getpid()}"
    url = make_database(postgres_url, name, template_name)
    database = Database(url, pool_size=6, statement_timeout=600)
    with database.engine.begin() as conn, osm.layers_of(MALTA) as found:
        layers = load_layers(conn)
        for layer_id in ("roads", "turn-restrictions"):
            load(conn, layers[layer_id], found[layer_id], "append")
    yield database
    database.close()
    drop_database(postgres_url, name)


@pytest.fixture
def malta(malta_database: Database) -> Iterator[Connection]:
    """A connection to Malta, rolled back afterwards."""
    with malta_database.engine.connect() as conn, conn.begin() as transaction:
        yield conn
        transaction.rollback()


@pytest.fixture(scope="session")
def malta_network(malta_database: Database) -> Network:
    with malta_database.engine.connect() as conn:
        return current_network(conn)


@pytest.fixture(scope="session")
def pgrouting(malta_database: Database) -> Database:
    """Malta with pgRouting and its graph; skipped where the extension is not installed."""
    with malta_database.engine.begin() as conn:
        found = conn.execute(text("SELECT 1 FROM pg_available_extensions WHERE name = 'pgrouting'")).scalar()
        if not found:
            pytest.skip("pgRouting is not installed at the PostgreSQL server (apt-get install postgresql-15-pgrouting)")
        conn.execute(text("CREATE EXTENSION IF NOT EXISTS pgrouting"))
        conn.exec_driver_sql(PGROUTING_GRAPH.replace("%", "%%"))
    return malta_database
