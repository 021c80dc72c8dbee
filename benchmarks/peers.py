"""The servers that are measured: ours, and the peers by their own words, all on the same tables."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

from ruamel.yaml import YAML

from benchmarks.processes import Running, free_port, running
from layers.database import Database

ROOT = Path(__file__).parent.parent
WORKERS = "2"
TIPG = "tipg==1.6.*"
#: Schema of the peers' copy of the buildings, its coordinates said to be EPSG:4326: on EPSG:4490 stock pygeoapi takes
#: 1.4 s of CPU for ten features and fails on bbox, so this is the peers' best case.
PEERS = "peers"


@contextmanager
def citymap(url: str, folder: Path, **more: str) -> Iterator[Running]:
    port = free_port()
    environ = {"DATABASE_URL": url, "CITYMAP__SERVER__BIND__PORT": str(port), "CITYMAP__SERVER__WORKERS": WORKERS}
    environ["CITYMAP__SERVER__LIMITS__RATE"] = "null"  # one client is all the load there is
    environ |= more
    command = [str(Path(sys.executable).with_name("citymap")), "up", "--no-demo"]
    with running("citymap", command, port, "/ready", environ, folder / "citymap.log") as server:
        yield server


@contextmanager
def stock_pygeoapi(url: str, folder: Path) -> Iterator[Running]:
    """pygeoapi with its own PostgreSQL provider, as its documentation runs it: uvicorn with workers."""
    port = free_port()
    config, openapi = folder / "pygeoapi.yml", folder / "pygeoapi-openapi.yml"
    with config.open("w") as file:
        YAML().dump(_pygeoapi_config(url, port), file)
    program = Path(sys.executable).with_name("pygeoapi")
    subprocess.run([program, "openapi", "generate", config, "--output-file", openapi], check=True, capture_output=True)
    command = [sys.executable, "-m", "uvicorn", "pygeoapi.starlette_app:APP", "--workers", WORKERS]
    environ = {"PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(openapi)}
    command += ["--port", str(port), "--log-level", "warning"]
    ready = "/collections/buildings/items?limit=1&f=json"
    with running("pygeoapi", command, port, ready, environ, folder / "pygeoapi.log") as server:
        yield server


@contextmanager
def tipg(url: str, folder: Path) -> Iterator[Running]:
    """tipg in an environment of its own."""
    python = folder / "tipg" / "bin" / "python"
    if not python.exists():
        subprocess.run(["uv", "venv", "-q", folder / "tipg", "--python", sys.executable], check=True)
        subprocess.run(["uv", "pip", "install", "-q", "--python", python, TIPG, "uvicorn[standard]"], check=True)
    port = free_port()
    command = [str(python), "-m", "uvicorn", "tipg.main:app", "--port", str(port), "--log-level", "warning"]
    environ = {"DATABASE_URL": url, "TIPG_DB_SCHEMAS": f'["{PEERS}"]', "TIPG_DB_APPLICATION_SCHEMA": "public"}
    ready = f"/collections/{PEERS}.buildings/items?limit=1"
    with running("tipg", command, port, ready, environ, folder / "tipg.log"):
        pass  # alone at first: on a new database its workers would fail, each creating tipg's functions
    with running("tipg", [*command, "--workers", WORKERS], port, ready, environ, folder / "tipg.log") as server:
        yield server


def copy_for_peers(database: Database) -> None:
    """The peers' table, as large and as indexed as ours; made when it is missing or of another size."""
    with database.transaction() as conn:
        conn.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {PEERS}")
        exists = conn.exec_driver_sql(f"SELECT to_regclass('{PEERS}.buildings') IS NOT NULL").scalar()
        counted = "SELECT count(*) FROM {}.buildings"
        if exists and conn.exec_driver_sql(counted.format(PEERS)).scalar() == conn.exec_driver_sql(counted.format("city")).scalar():
            return
        conn.exec_driver_sql(f"""
            DROP TABLE IF EXISTS {PEERS}.buildings;
            CREATE TABLE {PEERS}.buildings (LIKE city.buildings INCLUDING DEFAULTS);
            ALTER TABLE {PEERS}.buildings ALTER geom TYPE geometry(MultiPolygon, 4326) USING ST_SetSRID(geom, 4326);
            INSERT INTO {PEERS}.buildings SELECT * FROM (SELECT id, ST_SetSRID(geom, 4326), name, name_en, use, floors, height, min_height,
                year_built, address, admin_code, source, source_id, revision, valid_from, actor FROM city.buildings ORDER BY id) AS b;
            ALTER TABLE {PEERS}.buildings ADD PRIMARY KEY (id);
            CREATE INDEX ON {PEERS}.buildings USING gist (geom);
            ANALYZE {PEERS}.buildings""")


@contextmanager
def all_servers(url: str, folder: Path) -> Iterator[list[Running]]:
    """Every server there is; a peer that cannot be had is left out with a line that says why."""
    with ExitStack() as stack:
        servers = [stack.enter_context(citymap(url, folder))]
        for peer in (stock_pygeoapi, tipg):
            try:
                servers.append(stack.enter_context(peer(url, folder)))
            except (RuntimeError, subprocess.CalledProcessError, OSError) as error:
                print(f"left out: {peer.__name__}: {str(error)[-600:]}", file=sys.stderr)
        yield servers


def items_path(server: Running, query: str) -> str:
    """The path of the same question at each server."""
    collection = f"{PEERS}.buildings" if server.name == "tipg" else "buildings"
    return f"/collections/{collection}/items?{query}" + ("" if server.name == "tipg" else "&f=json")


def item_path(server: Running, feature: int) -> str:
    collection = f"{PEERS}.buildings" if server.name == "tipg" else "buildings"
    return f"/collections/{collection}/items/{feature}" + ("" if server.name == "tipg" else "?f=json")


def filter_query(cql2: str, limit: int) -> str:
    return f"filter={quote(cql2)}&filter-lang=cql2-text&limit={limit}"


def _pygeoapi_config(url: str, port: int) -> dict[str, object]:
    from sqlalchemy.engine import make_url

    parts = make_url(url)
    return {
        "server": {
            "bind": {"host": "127.0.0.1", "port": port}, "url": f"http://127.0.0.1:{port}", "mimetype": "application/json",
            "encoding": "utf-8", "languages": ["en-US"], "pretty_print": False, "limits": {"default_items": 10, "max_items": 10000},
            "map": {"url": "", "attribution": ""}, "templates": {}, "gzip": False,
        },
        "logging": {"level": "ERROR"},
        "metadata": {
            "identification": {"title": "b", "description": "b", "keywords": ["b"], "keywords_type": "theme", "terms_of_service": "", "url": "http://localhost"},
            "license": {"name": "b", "url": "http://localhost"}, "provider": {"name": "b", "url": "http://localhost"},
            "contact": {"name": "b", "position": "b", "address": "b", "city": "b", "stateorprovince": "b", "postalcode": "b", "country": "b", "phone": "b",
                        "fax": "b", "email": "b", "url": "http://localhost", "hours": "b", "instructions": "b", "role": "b"},
        },
        "resources": {
            "buildings": {
                "type": "collection", "title": "b", "description": "b", "keywords": ["b"], "links": [],
                "extents": {"spatial": {"bbox": [-180, -90, 180, 90], "crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84"}},
                "providers": [{
                    "type": "feature", "name": "PostgreSQL", "id_field": "id", "table": "buildings", "geom_field": "geom",
                    "data": {"host": parts.host or parts.query.get("host"), "port": parts.port or 5432, "dbname": parts.database,
                             "user": parts.username, "password": parts.password or "", "search_path": [PEERS, "public"]},
                    "storage_crs": "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
                }],
            }
        },
    }
