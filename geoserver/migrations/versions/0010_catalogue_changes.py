"""A change of what the catalogue says of a layer makes its tiles dirty (layers/catalogue_changes.sql)."""

from importlib.resources import files

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    sql = files("layers").joinpath("catalogue_changes.sql").read_text("utf-8")
    op.get_bind().exec_driver_sql(sql.replace("%", "%%"))


def downgrade() -> None:
    op.execute("DROP TRIGGER dirty_layer ON citymap.layers; DROP FUNCTION citymap.dirty_layer()")
