"""Transactions of the server's own upkeep: jobs and uploads of everybody, which no request and no process sees.

PostgreSQL shows and changes only rows of ``citymap.actor`` (geoserver/identity/more.sql) to who does not say so.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from layers.database import Database

#: Until the transaction ends every job and upload is seen.
AS_UPKEEP = "SELECT set_config('citymap.upkeep', 'on', true)"


@contextmanager
def upkeep(database: Database) -> Iterator[Connection]:
    """One transaction of upkeep, committed when the block ends well."""
    with database.transaction() as conn:
        conn.exec_driver_sql(AS_UPKEEP)
        yield conn
