"""Derived layers, and buildings in three dimensions: see layers/derived/derived.sql."""

from importlib.resources import files

from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    sql = files("layers.derived").joinpath("derived.sql").read_text("utf-8")
    op.get_bind().exec_driver_sql(sql.replace("%", "%%"))
