"""The audit log: see layers/audit.sql."""

from importlib.resources import files

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(files("layers").joinpath("audit.sql").read_text("utf-8").replace("%", "%%"))
