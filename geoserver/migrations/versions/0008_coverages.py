"""Coverages beside the layers of their images' footprints: see layers/raster/raster.sql."""

from importlib.resources import files

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    sql = files("layers.raster").joinpath("raster.sql").read_text("utf-8")
    op.get_bind().exec_driver_sql(sql.replace("%", "%%"))
