"""Layers drawn small: see tiles/generalised/generalised.sql."""

from importlib.resources import files

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    sql = files("tiles.generalised").joinpath("generalised.sql").read_text("utf-8")
    op.get_bind().exec_driver_sql(sql.replace("%", "%%"))


def downgrade() -> None:
    op.execute("DROP TRIGGER forget_generalised ON citymap.layers; DROP FUNCTION citymap.forget_generalised()")
    op.execute("DROP TABLE citymap.generalised, citymap.generalised_layers; DROP FUNCTION citymap.draw_generalised()")
