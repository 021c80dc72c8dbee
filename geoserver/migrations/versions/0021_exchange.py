"""Exchange: metadata of layers, the change log, layers of other servers (layers/exchange/exchange.sql)."""

from importlib.resources import files

from alembic import op

revision = "0021"
down_revision = "0019"


def upgrade() -> None:
    sql = files("layers.exchange").joinpath("exchange.sql").read_text("utf-8")
    op.get_bind().exec_driver_sql(sql.replace("%", "%%"))
