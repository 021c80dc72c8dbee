"""The gateway's own connections to the database: durable, and quick to notice that it has gone."""

import psycopg2
from psycopg2.extensions import connection

from layers.database import acting_as
from tracking.gateway.principal import GATEWAY

#: Whatever the database's default: who is answered relies on the disk.
_OPTIONS = "-c synchronous_commit=on -c statement_timeout=30000 -c timezone=UTC -c jit=off -c lock_timeout=20000"


def connect(url: str) -> connection:
    """A connection that acts as :data:`~tracking.gateway.principal.GATEWAY` in every transaction."""
    made = psycopg2.connect(
        url, application_name="citymap gateway", options=_OPTIONS, connect_timeout=5,
        keepalives=1, keepalives_idle=5, keepalives_interval=2, keepalives_count=3, tcp_user_timeout=15_000,
    )  # fmt: skip
    with made.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('citymap.actor', %(actor)s, false), set_config('citymap.grants', %(grants)s, false),"
            " set_config('citymap.request', %(request)s, false)",
            acting_as(GATEWAY),
        )
    made.commit()
    return made
