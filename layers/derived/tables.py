"""The tables of derived layers; what keeps them true is in ``derived.sql``."""

from sqlalchemy import BigInteger, Column, DateTime, Double, Identity, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from layers.tables import SCHEMA

METADATA = MetaData(schema=SCHEMA)
#: Which recipe makes a layer of its inputs.
DERIVATIONS = Table(
    "derivations",
    METADATA,
    Column("layer", Text, primary_key=True),
    Column("recipe", Text, nullable=False),
    Column("parameters", JSONB, nullable=False),
)
#: Where a layer must be worked out anew, and because of which input.
STALE = Table(
    "stale",
    METADATA,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("layer", Text, nullable=False),
    Column("input", Text, nullable=False),
    *(Column(side, Double, nullable=False) for side in ("west", "south", "east", "north")),
)
#: What elevation says of footprints [m].
GROUND = Table(
    "ground",
    METADATA,
    Column("layer", Text, primary_key=True),
    Column("id", BigInteger, primary_key=True),
    Column("valid_from", DateTime(timezone=True), primary_key=True),
    *(Column(name, Double) for name in ("ground", "lowest", "surface")),
)
