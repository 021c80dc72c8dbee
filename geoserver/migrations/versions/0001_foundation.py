"""The catalogue and change tracking."""

from importlib.resources import files

from alembic import op

from layers.tables import METADATA

revision = "0001"
down_revision = None


def upgrade() -> None:
    for extension in ("postgis", "unaccent", "pg_trgm"):
        op.execute(f"CREATE EXTENSION IF NOT EXISTS {extension} WITH SCHEMA public")
    connection = op.get_bind()
    METADATA.create_all(connection)
    for name in ("change_tracking.sql", "row_changes.sql"):
        connection.exec_driver_sql(files("layers").joinpath(name).read_text("utf-8").replace("%", "%%"))
    op.execute(
        "CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE ON citymap.layers "
        "FOR EACH STATEMENT EXECUTE FUNCTION citymap.catalogue_changed()"
    )
