"""Roles by the word of a provider, links that can be named, and rows of jobs and uploads that PostgreSQL guards."""

from importlib.resources import files

from alembic import op

revision = "0018"
down_revision = "0016"


def upgrade() -> None:
    statements = files("geoserver.identity").joinpath("more.sql").read_text("utf-8")
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))
