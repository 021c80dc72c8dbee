"""Passwords' policy, sessions, keys, tokens, devices: see geoserver/identity/tables.sql."""

from importlib.resources import files

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    tables = files("geoserver.identity").joinpath("tables.sql").read_text("utf-8")
    op.get_bind().exec_driver_sql(tables.replace("%", "%%"))
