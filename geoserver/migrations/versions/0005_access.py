"""Roles, permissions, and row-level security: see layers/access.sql."""

from importlib.resources import files

from alembic import op

from geoserver.database_roles import create_roles

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    connection = op.get_bind()
    create_roles(connection)
    for name in ("access.sql", "access_roles.sql"):
        connection.exec_driver_sql(files("layers").joinpath(name).read_text("utf-8").replace("%", "%%"))
