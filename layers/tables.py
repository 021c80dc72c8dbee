"""The tables of the shared base: the catalogue, and one feature table per layer.

``citymap.layers`` is the catalogue. Feature tables are made from it by :mod:`layers.registry`; what happens beside an
edit (history, dirty boxes, row counts) is in ``layers/change_tracking.sql``.
"""

from functools import lru_cache
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Identity,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.types import TypeEngine

from layers.catalogue import DATA_SCHEMA, HISTORY_SCHEMA, FieldType, Layer

SCHEMA = "citymap"
METADATA = MetaData(schema=SCHEMA)

#: The catalogue: one row per layer.
LAYERS = Table(
    "layers",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("title", JSONB, nullable=False),
    Column("description", JSONB, nullable=False),
    Column("keywords", JSONB, nullable=False, server_default=text("'[]'")),
    Column("kind", Text, nullable=False),
    Column("table_name", Text, nullable=False, unique=True),
    Column("geometry_type", Text, nullable=False),
    Column("srid", Integer, nullable=False),
    Column("fields", JSONB, nullable=False),
    Column("style", JSONB, nullable=False, server_default=text("'[]'")),
    Column("visibility", Text, nullable=False),
    Column("editable", Boolean, nullable=False),
    Column("time_field", Text),
    Column("source", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("extent", ARRAY(Double)),
    Column("position", Integer, nullable=False),
    Column("inputs", JSONB, nullable=False, server_default=text("'[]'")),
    Column("zooms", JSONB, nullable=False, server_default=text("'{}'")),
    Column("updated", DateTime(timezone=True), nullable=False, server_default=text("now()")),
)

_QUOTE = PGDialect().identifier_preparer.quote  # type: ignore[no-untyped-call]

COLUMN_TYPES: dict[FieldType, TypeEngine[Any]] = {
    "string": Text(),
    "integer": BigInteger(),
    "number": Double(),
    "boolean": Boolean(),
    "date": Date(),
    "date-time": DateTime(timezone=True),
    "string-array": ARRAY(Text()),
}


def quoted(*names: str) -> str:
    """Identifiers of the catalogue as SQL text writes them, with dots between."""
    return ".".join(_QUOTE(name) for name in names)


def _feature_columns(layer: Layer) -> list[Column[object]]:
    return [
        Column("geom", Geometry(layer.geometry_type, srid=layer.srid, spatial_index=False)),
        *(Column(f.name, COLUMN_TYPES[f.type]) for f in layer.fields),
        Column("revision", BigInteger, nullable=False, server_default=text("1")),
        Column("valid_from", DateTime(timezone=True), nullable=False, server_default=text("now()")),
        Column("actor", Text, server_default=text("nullif(current_setting('citymap.actor', true), '')")),
    ]


@lru_cache(maxsize=4096)
def feature_table(layer: Layer) -> Table:
    """The table that holds the layer's present features."""
    identity: Column[object] = Column("id", BigInteger, Identity(), primary_key=True)
    return Table(layer.table, MetaData(schema=DATA_SCHEMA), identity, *_feature_columns(layer))


@lru_cache(maxsize=4096)
def history_table(layer: Layer) -> Table:
    """The table that holds the layer's past features: valid in ``[valid_from, valid_to)``.

    Its own columns come first, so that a column added to both tables later keeps them in step.
    """
    return Table(
        layer.table,
        MetaData(schema=HISTORY_SCHEMA),
        Column("valid_to", DateTime(timezone=True), nullable=False),
        Column("ended_by", Text),
        Column("operation", Text, nullable=False),
        Column("id", BigInteger, nullable=False),
        *_feature_columns(layer),
    )
