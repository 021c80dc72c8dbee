"""An instant as people give it: written out, or by the name of a version."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from layers.database import Reader
from layers.versions.instants import instant_named
from layers.versions.names import instant_of


def moment_of(reader: Reader, text: str, layer_id: str) -> datetime:
    """The instant that a text means for a layer. Raises :class:`layers.versions.errors.NoSuchVersion`."""
    return instant_named(text) or instant_of(reader, text, (layer_id,))


def moment_given(conn: Connection, value: datetime | str | None) -> datetime | None:
    """The instant of an input that may be a version's name, of whichever layers. Raises as :func:`moment_of`."""
    if not isinstance(value, str):
        return value
    raw: Any = conn.connection.driver_connection
    return instant_named(value) or instant_of(Reader(raw), value, ())
