"""The names of places, addresses and points of interest, kept for search (layers/gazetteer/names.sql), and aliases."""

from importlib.resources import files
from typing import Any

from alembic import op
from psycopg2.extras import execute_values
from sqlalchemy import text

from layers.gazetteer.readings import readings
from layers.tables import quoted

revision = "0009"
down_revision = "0008"

_ALIAS = (
    '[{"name": "alias", "type": "string-array", "title": {"zh": "别名", "en": "Aliases"}, "unit": null, "domain": null,'
    ' "visibility": "public", "role": null}]'
)


def upgrade() -> None:
    connection = op.get_bind()
    _add_aliases()
    sql = files("layers.gazetteer").joinpath("names.sql").read_text("utf-8")
    connection.exec_driver_sql(sql.replace("%", "%%"))
    raw: Any = connection.connection
    with raw.cursor() as cursor:
        statement = "INSERT INTO citymap.pinyin (characters, first, second) VALUES %s"
        execute_values(cursor, statement, readings(), page_size=1000)
    connection.exec_driver_sql("ANALYZE citymap.pinyin")
    connection.exec_driver_sql(
        "SELECT citymap.watch_names(l) FROM citymap.layers l WHERE id IN ('places', 'addresses', 'pois')"
    )


def _add_aliases() -> None:
    """Layers that were made before this revision get the field; on a new database they are made with it."""
    for layer in ("places", "pois"):
        table = op.get_bind().execute(
            text("""
                UPDATE citymap.layers SET fields = fields || CAST(:alias AS jsonb), updated = now()
                WHERE id = :layer AND NOT fields @> '[{"name": "alias"}]' RETURNING table_name"""),
            {"alias": _ALIAS, "layer": layer},
        ).scalar()
        if table is not None:
            op.execute(f"ALTER TABLE {quoted('city', table)} ADD COLUMN alias text[]")
            op.execute(f"ALTER TABLE {quoted('history', table)} ADD COLUMN alias text[]")
