"""Raw positions in daily partitions, and what goes with them: see tracking/tracking.sql."""

from importlib.resources import files

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    sql = files("tracking").joinpath("tracking.sql").read_text("utf-8")
    op.get_bind().exec_driver_sql(sql.replace("%", "%%"))
