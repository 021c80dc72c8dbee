"""``citymap.coverages``: beside a layer of footprints, what its pixels are. Goes with the layer."""

from sqlalchemy import Column, ForeignKey, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from layers.tables import LAYERS, SCHEMA

COVERAGES = Table(
    "coverages",
    MetaData(schema=SCHEMA),
    Column("layer", Text, ForeignKey(LAYERS.c.id, ondelete="CASCADE"), primary_key=True),
    Column("nature", Text, nullable=False),
    Column("bands", JSONB, nullable=False, server_default=text("'[]'")),
)
