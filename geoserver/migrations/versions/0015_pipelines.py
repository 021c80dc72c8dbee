"""管线 the pipe network: kinds of pipelines and clearances between them (layers/pipes/standards.sql)."""

from importlib.resources import files

from alembic import op

from layers.pipes.standards import store_shipped

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    connection = op.get_bind()
    sql = files("layers.pipes").joinpath("standards.sql").read_text("utf-8")
    connection.exec_driver_sql(sql.replace("%", "%%"))
    store_shipped(connection)
