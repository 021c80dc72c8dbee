"""The configuration and the database as a command needs them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from geoserver.settings import Settings
    from layers.catalogue import Layer


def load_settings(config: Path | None) -> "Settings":
    """The settings by ``--config``; raises :class:`~geoserver.config.ConfigError`."""
    from geoserver.config import load

    return load(config)


@contextmanager
def open_database(settings: "Settings") -> Iterator[str]:
    """The database's address: the configured one, else that of the private cluster.

    The cluster of a running ``citymap up`` is shared; when nothing runs it is started, and stopped afterwards.
    """
    if settings.database.url:
        yield settings.database.url
        return
    from geoserver.cluster import Cluster

    with Cluster(settings.database.directory) as url:
        yield url


@contextmanager
def open_connection(settings: "Settings") -> "Iterator[Connection]":
    """A connection in a transaction on the migrated database, committed when the block ends well."""
    with open_database(settings) as url:
        from geoserver.migrations import migrate
        from layers.database import Database

        migrate(url)
        database = Database(url, pool_size=1)
        try:
            with database.transaction(actor="citymap") as conn:
                yield conn
        finally:
            database.close()


@contextmanager
def open_layers(settings: "Settings") -> "Iterator[tuple[Connection, dict[str, Layer]]]":
    """Such a connection, and the catalogue's layers by id."""
    with open_connection(settings) as conn:
        from layers.registry import load_layers

        yield conn, load_layers(conn)
