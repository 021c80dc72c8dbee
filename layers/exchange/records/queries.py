"""What the catalogue keeps of a layer for its record, and how a steward changes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, text

from layers.catalogue import DATA_SCHEMA, CatalogueError, Layer
from layers.database import Reader
from layers.exchange.records.model import Metadata, as_json, metadata_from
from layers.tables import quoted

_KEPT = "SELECT id, metadata, created, updated FROM citymap.layers WHERE id = ANY (%(ids)s)"
_DESCRIBE = "UPDATE citymap.layers SET {}, updated = now() WHERE id = :id"
#: What of the catalogue a description may change, and how it is written there.
_TEXTS = {
    **dict.fromkeys(("title", "description", "keywords", "metadata"), "jsonb"),
    **dict.fromkeys(("source", "licence"), "text"),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """The metadata of a layer, when it was made, and when its catalogue entry last changed."""

    metadata: Metadata
    created: datetime
    updated: datetime


def kept_metadata(reader: Reader, ids: list[str]) -> dict[str, Kept]:
    """Of those layers that the reader may see, by id."""
    rows = reader.fetch(_KEPT, {"ids": ids})
    return {row[0]: Kept(metadata_from(row[1]), row[2], row[3]) for row in rows}


def image_dates(reader: Reader, layer: Layer) -> tuple[datetime | None, datetime | None]:
    """When the first and the last image of a coverage were taken, of those that the reader may see."""
    assert layer.time_field
    time = quoted(layer.time_field)
    [found] = reader.fetch(f"SELECT min({time}), max({time}) FROM {quoted(DATA_SCHEMA, layer.table)}", {})
    return found[0], found[1]


def metadata_of(conn: Connection, layer_id: str) -> Metadata:
    """What is kept of one layer, which there is."""
    found = conn.execute(text("SELECT metadata FROM citymap.layers WHERE id = :id"), {"id": layer_id}).scalar_one()
    return metadata_from(found)


def describe(conn: Connection, layer_id: str, said: Mapping[str, Any]) -> None:
    """Change what the catalogue says of a layer: title, description, keywords, metadata, source, licence.

    Raises :class:`CatalogueError` where the principal may not manage the layer.
    """
    values = {
        name: orjson.dumps(as_json(value) if isinstance(value, Metadata) else value).decode()
        if _TEXTS[name] == "jsonb"
        else value
        for name, value in said.items()
    }
    sets = ", ".join(f"{name} = CAST(:{name} AS {_TEXTS[name]})" for name in values)
    if values and conn.execute(text(_DESCRIBE.format(sets)), {**values, "id": layer_id}).rowcount == 0:
        raise CatalogueError(
            f"you may not describe layer {layer_id!r}: ask an administrator for a role that manages it"
        )
