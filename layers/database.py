"""Connections to PostGIS: one pool per process, every connection warmed before its first request."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg2
from psycopg2 import InterfaceError, OperationalError, sql
from psycopg2.extensions import connection as PsycopgConnection
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.pool import QueuePool

from layers.catalogue import CGCS2000

#: Written into ``application_name`` so that an operator sees whose connection it is.
APPLICATION = "citymap"


class Database:
    """A pool of PostGIS connections on psycopg2.

    ``overflow`` connections beyond ``pool_size`` are opened when all are taken, and closed after use.
    ``statement_timeout`` [s] bounds every statement. ``warm_srids`` are transformed to once per connection, because
    the first CGCS2000 transformation of a connection costs 55–77 ms and would otherwise fall on a request.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 8,
        overflow: int = 0,
        statement_timeout: float = 30.0,
        pool_timeout: float = 30.0,
        warm_srids: Sequence[int] = (),
    ) -> None:
        self.url = url
        self._warm_srids = tuple(warm_srids)
        self._size = pool_size
        self.engine: Engine = create_engine(
            psycopg2_url(url),
            poolclass=QueuePool,
            pool_size=pool_size,
            max_overflow=overflow,
            pool_timeout=pool_timeout,
            pool_pre_ping=False,
            connect_args={
                "application_name": APPLICATION,
                "options": f"-c statement_timeout={int(statement_timeout * 1000)} -c timezone=UTC -c jit=off",
            },
        )
        event.listen(self.engine, "connect", self._warm)

    def _warm(self, connection: PsycopgConnection, _record: object) -> None:
        if not self._warm_srids:
            return
        with connection.cursor() as cursor:
            point = f"ST_SetSRID(ST_MakePoint(114.9, 30.4), {CGCS2000})"
            cursor.execute(f"SELECT {', '.join(f'ST_Transform({point}, {srid:d})' for srid in self._warm_srids)}")
        connection.rollback()

    @contextmanager
    def transaction(self, actor: str | None = None) -> Iterator[Connection]:
        """One transaction, committed when the block ends well; history records ``actor`` as who made the change."""
        with self.engine.begin() as connection:
            if actor is not None:
                connection.execute(text("SELECT set_config('citymap.actor', :actor, true)"), {"actor": actor})
            yield connection

    @contextmanager
    def reading(self) -> Iterator[PsycopgConnection]:
        """A bare psycopg2 connection in autocommit, for single SELECTs: no BEGIN and ROLLBACK round trips."""
        pooled = self.engine.raw_connection()
        raw: Any = pooled.driver_connection
        try:
            raw.autocommit = True
            yield raw
        except (OperationalError, InterfaceError):
            if raw.closed:
                # One broken line means that the server went away: the other pooled lines are as dead.
                pooled.invalidate()
                self.engine.dispose(close=False)
            raise
        finally:
            if not raw.closed:
                raw.autocommit = False
            pooled.close()

    def fill(self) -> None:
        """Open and warm every connection of the pool now rather than on a request."""
        with ExitStack() as opened:
            for _ in range(self._size):
                opened.callback(self.engine.raw_connection().close)

    def listen(self, channel: str) -> PsycopgConnection:
        """A connection of its own, outside the pool, that receives NOTIFY on a channel. The caller closes it."""
        connection = psycopg2.connect(self.url, application_name=f"{APPLICATION} {channel}")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        return connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def psycopg2_url(url: str) -> str:
    """The SQLAlchemy URL of a libpq URL (``postgres://`` and ``postgresql://`` mean psycopg2)."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in {"postgres", "postgresql"}:
        raise ValueError("the database URL must start with postgresql://")
    return f"postgresql+psycopg2://{rest}"
