"""Connections to PostGIS: one pool per process, every connection warmed before its first request."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import orjson
import psycopg2
from psycopg2 import InterfaceError, OperationalError, sql
from psycopg2.extensions import BYTES, register_type
from psycopg2.extensions import connection as PsycopgConnection
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.pool import QueuePool

from layers.access import ANONYMOUS, Principal, grants_text
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
            # jsonb writes 1e30 as a whole number, which is a float again only for orjson.
            json_deserializer=orjson.loads,
            connect_args={
                "application_name": APPLICATION,
                # A parallel worker is a new process, which has no CGCS2000 transformation yet: 270 ms for a tile of 75.
                "options": f"-c statement_timeout={int(statement_timeout * 1000)} -c timezone=UTC -c jit=off"
                " -c max_parallel_workers_per_gather=0",
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
    def transaction(self, actor: str | None = None, principal: Principal | None = None) -> Iterator[Connection]:
        """One transaction, committed when the block ends well; history records who made the change.

        It may do what ``principal`` may; ``actor`` names somebody who needs no permission (an operator, an import).
        """
        with self.engine.begin() as connection:
            if principal is not None:
                connection.execute(_ACT_AS, acting_as(principal))
            elif actor is not None:
                connection.execute(text("SELECT set_config('citymap.actor', :actor, true)"), {"actor": actor})
            yield connection

    @contextmanager
    def reading(self, principal: Principal = ANONYMOUS) -> "Iterator[Reader]":
        """Single SELECTs as a principal, each one round trip: no BEGIN and ROLLBACK beside it."""
        pooled = self.engine.raw_connection()
        raw: Any = pooled.driver_connection
        try:
            raw.autocommit = True
            yield Reader(raw, principal)
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

    def listen(self, *channels: str) -> PsycopgConnection:
        """A connection of its own, outside the pool, that receives NOTIFY on channels. The caller closes it."""
        connection = psycopg2.connect(self.url, application_name=f"{APPLICATION} {channels[0]}")
        connection.autocommit = True
        with connection.cursor() as cursor:
            for channel in channels:
                cursor.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        return connection

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


class Reader:
    """Runs SELECTs on a connection in autocommit, with the rights of a principal."""

    def __init__(self, raw: PsycopgConnection, principal: Principal = ANONYMOUS) -> None:
        self._raw = raw
        self._grants = grants_text(principal.grants)

    def note(self, principal: Principal, layers: Sequence[str], asked: str) -> None:
        """Enter into the audit log that these layers are read, before they are. ``asked`` is what was asked for."""
        with self._raw.cursor() as cursor:
            cursor.execute(_NOTE_READ, {**acting_as(principal), "layers": list(layers), "asked": asked})

    def fetch(self, statement: str, values: Mapping[str, Any], *, as_bytes: bool = False) -> list[tuple[Any, ...]]:
        """All rows of a statement with ``%(name)s`` placeholders. With ``as_bytes`` texts stay the UTF-8 that
        PostgreSQL sent: decoding and encoding it again was a quarter of a page's cost."""
        with self._raw.cursor() as cursor:
            if as_bytes:
                register_type(BYTES, cursor)
            if self._grants:
                # Two statements of one message are one transaction, so the setting is local to the second.
                statement = _READ_AS + statement
                values = {**values, "citymap.grants": self._grants}
            cursor.execute(statement, values)
            return cursor.fetchall()


_READ_AS = "SELECT set_config('citymap.grants', %(citymap.grants)s, true);"
_NOTE_READ = """
    SELECT set_config('citymap.actor', %(actor)s, true), set_config('citymap.request', %(request)s, true);
    SELECT audit.append('read', 'layer', layer, detail => jsonb_build_object('asked', %(asked)s::text))
    FROM unnest(%(layers)s) AS layer"""
_ACT_AS = text(
    "SELECT set_config('citymap.actor', :actor, true), set_config('citymap.grants', :grants, true),"
    " set_config('citymap.request', :request, true)"
)


def acting_as(principal: Principal) -> dict[str, str]:
    """What a transaction is told of its principal."""
    request = {"id": principal.request, "address": principal.address, "via": principal.via}
    return {
        "actor": principal.account or "anonymous",
        "grants": grants_text(principal.grants),
        "request": orjson.dumps(request).decode(),
    }


def psycopg2_url(url: str) -> str:
    """The SQLAlchemy URL of a libpq URL (``postgres://`` and ``postgresql://`` mean psycopg2)."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme.split("+")[0] not in {"postgres", "postgresql"}:
        raise ValueError("the database URL must start with postgresql://")
    return f"postgresql+psycopg2://{rest}"
