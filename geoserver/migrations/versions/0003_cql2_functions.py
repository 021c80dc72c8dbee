"""The SQL functions that CQL2 filters call."""

from alembic import op

from layers.cql2 import FUNCTIONS_SQL

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(FUNCTIONS_SQL.read_text("utf-8").replace("%", "%%"))
