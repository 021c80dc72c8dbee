"""Coverages beside the layers of their images' footprints: see layers/raster/raster.sql and derived.sql there."""

from importlib.resources import files

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    for name in ("raster.sql", "derived.sql"):
        sql = files("layers.raster").joinpath(name).read_text("utf-8")
        op.get_bind().exec_driver_sql(sql.replace("%", "%%"))
