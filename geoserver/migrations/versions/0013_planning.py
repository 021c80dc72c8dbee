"""Red lines and what they are checked against: see planning/planning.sql and the tables in planning/data."""

import csv
from importlib.resources import files
from typing import Any

from alembic import op
from psycopg2.extras import execute_values

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    connection = op.get_bind()
    sql = files("planning").joinpath("planning.sql").read_text("utf-8")
    connection.exec_driver_sql(sql.replace("%", "%%"))
    raw: Any = connection.connection
    with raw.cursor() as cursor:
        for table in ("land_codes", "land_code_mappings", "rules"):
            text = files("planning").joinpath("data", f"{table}.csv").read_text("utf-8")
            header, *rows = csv.reader(text.splitlines())
            execute_values(
                cursor,
                f"INSERT INTO planning.{table} ({', '.join(header)}) VALUES %s",
                [tuple(map(_value, header, row)) for row in rows],
            )


def _value(name: str, text: str) -> Any:
    if name == "allowed":
        return text.split()
    return None if name == "scheme" and not text else text
