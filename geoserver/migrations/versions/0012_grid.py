"""网格 grid management beside its layers: see grid/tables.sql, grid/clock/clock.sql and grid/cases/*.sql."""

from importlib.resources import files

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    for name in ("tables.sql", "clock/clock.sql", "cases/lookups.sql", "cases/triggers.sql", "stages.sql"):
        sql = files("grid").joinpath(name).read_text("utf-8")
        op.get_bind().exec_driver_sql(sql.replace("%", "%%"))
