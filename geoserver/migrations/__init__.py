"""Alembic migrations, and the one call that brings a database to the newest state."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from geoserver.database_roles import set_passwords
from grid.layers import GRID_LAYERS
from grid.setup import first_prepare
from layers.base_coverages import BASE_COVERAGES
from layers.base_layers import BASE_LAYERS, NETWORK_LAYERS
from layers.database import psycopg2_url
from layers.derived.layers import DERIVED_LAYERS, SURFACES
from layers.derived.registry import create_derived
from layers.pipes.layers import PIPE_LAYERS
from layers.raster.registry import create_coverage
from layers.registry import create_layer, load_layers
from layers.tables import SCHEMA
from planning.layers import PLANNING_LAYERS
from planning.massing.layers import SCHEMES_3D
from tracking.layers import make_layers

_LOCK = 0x6369_7479  # "city": two servers that start together migrate one after the other


def migrate(url: str) -> None:
    """Upgrade the database to the newest migration and make the base layers and coverages that are missing."""
    engine = create_engine(psycopg2_url(url))
    try:
        with engine.begin() as conn:
            conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            conn.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
            command.upgrade(_config(conn), "head")
            set_passwords(conn, engine.url.password)
            conn.execute(text("SELECT citymap.tidy()"))
            present = load_layers(conn)
            for layer in (*BASE_LAYERS, *NETWORK_LAYERS, *PIPE_LAYERS, *GRID_LAYERS, *PLANNING_LAYERS):
                if layer.id not in present:
                    create_layer(conn, layer)
            for coverage in (*BASE_COVERAGES, *SURFACES):
                if coverage.layer.id not in present:
                    create_coverage(conn, coverage)
            for derived in (*DERIVED_LAYERS, SCHEMES_3D):
                if derived.layer.id not in present:
                    create_derived(conn, derived)
            make_layers(conn, present)
            first_prepare(conn)
    finally:
        engine.dispose()


def pending(conn: Connection) -> list[str]:
    """Revisions that the database still lacks, oldest first."""
    script = ScriptDirectory.from_config(_config(conn))
    context = MigrationContext.configure(conn, opts={"version_table_schema": SCHEMA})
    applied = set(context.get_current_heads())
    missing: list[str] = []
    for revision in script.walk_revisions():
        if revision.revision in applied:
            break
        missing.append(f"{revision.revision} {revision.doc}")
    return missing[::-1]


def _config(conn: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = conn
    return config
