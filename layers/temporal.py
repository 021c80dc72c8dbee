"""时间范围 temporal extent: from the first to the last time that a layer's features tell, or its images were taken."""

from collections.abc import Iterable
from datetime import datetime

from layers.access import rank
from layers.catalogue import DATA_SCHEMA, Layer
from layers.database import Reader
from layers.tables import quoted

#: Rows above which a layer's times are not looked through for one request; live positions are such.
MOST_ROWS = 1_000_000
_PLAIN = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %(schema)s AND c.relkind = 'r' AND c.reltuples <= %(most)s AND c.relname = ANY (%(tables)s)"""

type Span = tuple[datetime, datetime]


def spans(reader: Reader, layers: Iterable[Layer]) -> dict[str, Span]:
    """The temporal extents of those layers whose features have a time, by id, as the reader may see them."""
    telling = {layer.table: layer for layer in layers if _tells(layer)}
    if not telling:
        return {}
    plain = reader.fetch(_PLAIN, {"schema": DATA_SCHEMA, "most": MOST_ROWS, "tables": list(telling)})
    parts, values = [], {}
    for n, (table,) in enumerate(plain):
        layer = telling[table]
        begin = quoted(layer.time_field or "")
        end = f"coalesce(acquired_until, {begin})" if layer.kind == "coverage" else begin
        place = quoted(DATA_SCHEMA, table)
        parts.append(f"SELECT %(id_{n})s, min({begin})::timestamptz, max({end})::timestamptz FROM {place}")
        values[f"id_{n}"] = layer.id
    found = reader.fetch(" UNION ALL ".join(parts), values) if parts else []
    return {layer_id: (begin, end) for layer_id, begin, end in found if begin is not None}


def _tells(layer: Layer) -> bool:
    """Whether it has a time that may be told without an entry in the audit log."""
    field = layer.field(layer.time_field) if layer.time_field else None
    if field is None or field.type not in ("date", "date-time"):
        return False
    return max(rank(layer.visibility), rank(field.visibility)) < rank("sensitive")
