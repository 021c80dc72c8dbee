"""Reads and writes the catalogue. A row of it makes its feature tables, and takes them along when it goes."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from psycopg2.errors import UniqueViolation
from sqlalchemy import Connection, RowMapping, delete, insert, select, text, true, update
from sqlalchemy.exc import IntegrityError

from layers.access import APP_ROLE, grants_from, visible_layers, watched
from layers.catalogue import CGCS2000, DATA_SCHEMA, CatalogueError, Field, Layer, Text, Zooms
from layers.exchange.records.catalogue import RECORDS
from layers.tables import LAYERS, quoted

LOGGER = logging.getLogger("citymap")


#: NULL for the database's owner and others whom no policy binds.
_GRANTS = text("SELECT coalesce(current_setting('citymap.grants', true), '') WHERE current_user = :app")


class LayerNotFound(LookupError):
    """No layer of that id is in the catalogue."""


def load_layers(conn: Connection, only: Collection[str] | None = None) -> dict[str, Layer]:
    """The layers of the catalogue by id, in drawing order, as the connection's principal may see them.

    ``only`` are the ids of those that are wanted, if not all. A row that is no layer is logged and left out.
    """
    layers: dict[str, Layer] = {}
    wanted = LAYERS.c.id.in_(only) if only is not None else true()
    for row in conn.execute(select(LAYERS).where(wanted).order_by(LAYERS.c.position, LAYERS.c.id)).mappings():
        try:
            layers[row["id"]] = _known(row)
        except (CatalogueError, KeyError, TypeError) as error:
            LOGGER.error("catalogue row %r is left out: %s", row["id"], error)
    grants = conn.execute(_GRANTS, {"app": APP_ROLE}).scalar()
    return layers if grants is None else visible_layers(layers, grants_from(grants))


def find_layer(conn: Connection, layer_id: str) -> Layer:
    """A layer as the connection's principal may see it, to be read: that is audited of a sensitive one.

    Raises :class:`LayerNotFound`.
    """
    layer = load_layers(conn).get(layer_id)
    if layer is None:
        raise LayerNotFound(f"there is no layer {layer_id[:80]!r}")
    note_reads(conn, layer)
    return layer


def whole_layer(conn: Connection, layer_id: str) -> Layer:
    """A layer with all its fields, also those that the principal does not see: to be stored, never to be shown.

    Raises :class:`LayerNotFound`.
    """
    row = conn.execute(select(LAYERS).where(LAYERS.c.id == layer_id)).mappings().one_or_none()
    if row is None:
        raise LayerNotFound(f"there is no layer {layer_id[:80]!r}")
    return _layer(row)


def note_reads(conn: Connection, *layers: Layer) -> None:
    """Enter into the audit log that the sensitive ones of these layers are read."""
    for layer in filter(watched, layers):
        conn.execute(text("SELECT audit.append('read', 'layer', :layer)"), {"layer": layer.id})


def create_layer(conn: Connection, layer: Layer) -> None:
    """Enter the layer in the catalogue; that makes its tables, indexes, triggers and policies (``layers/access.sql``).

    Raises :class:`CatalogueError` if a layer of that id, or its table, exists.
    """
    if layer.id == RECORDS:
        raise CatalogueError(f"layer {layer.id!r} cannot be made: that is the catalogue of records")
    clash = conn.execute(
        select(LAYERS.c.id).where((LAYERS.c.id == layer.id) | (LAYERS.c.table_name == layer.table))
    ).scalar()
    if clash:
        raise CatalogueError(f"layer {layer.id!r} cannot be made: {clash!r} exists with that id or table")
    try:
        with conn.begin_nested():
            conn.execute(insert(LAYERS).values(**_row(layer)))
    except IntegrityError as error:  # one that the connection may not see
        if isinstance(error.orig, UniqueViolation):
            raise CatalogueError(f"layer {layer.id!r} cannot be made: the id or table is taken") from None
        raise


def update_layer(conn: Connection, layer: Layer) -> None:
    """Store other titles, style, visibility, extent … of a layer; its table, CRS and fields stay as they are."""
    row = _row(layer)
    fixed = ("id", "table_name", "geometry_type", "srid")
    changed = conn.execute(
        update(LAYERS)
        .where(LAYERS.c.id == layer.id)
        .values({**{k: v for k, v in row.items() if k not in fixed}, "updated": text("now()")})
    )
    if changed.rowcount == 0:
        raise LayerNotFound(f"no layer {layer.id!r}")


def drop_layer(conn: Connection, layer_id: str) -> None:
    """Drop a layer with its features and their history."""
    if conn.execute(delete(LAYERS).where(LAYERS.c.id == layer_id)).rowcount == 0:
        raise LayerNotFound(f"no layer {layer_id!r}")


def fit_extent(conn: Connection, layer: Layer) -> None:
    """Set the catalogue's extent anew after features went: the layer's triggers only widen it."""
    box = f"(SELECT ST_Extent(ST_Transform(geom, {CGCS2000})) AS e FROM {quoted(DATA_SCHEMA, layer.table)}) AS box"
    conn.execute(
        text(
            "UPDATE citymap.layers SET updated = now(), extent = CASE WHEN e IS NULL THEN NULL"
            f" ELSE ARRAY[ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)] END FROM {box} WHERE id = :id"
        ),
        {"id": layer.id},
    )


def row_count(conn: Connection, layer_id: str) -> int:
    """How many features the layer has: maintained by its triggers, so it costs no scan."""
    return int(conn.execute(text("SELECT citymap.row_count(:id)"), {"id": layer_id}).scalar_one())


def _row(layer: Layer) -> dict[str, Any]:
    return {
        "id": layer.id,
        "title": asdict(layer.title),
        "description": asdict(layer.description),
        "keywords": list(layer.keywords),
        "kind": layer.kind,
        "table_name": layer.table,
        "geometry_type": layer.geometry_type,
        "srid": layer.srid,
        "fields": [_field_json(f) for f in layer.fields],
        "style": [dict(s) for s in layer.style],
        "visibility": layer.visibility,
        "editable": layer.editable,
        "time_field": layer.time_field,
        "source": layer.source,
        "licence": layer.licence,
        "extent": list(layer.extent) if layer.extent else None,
        "position": layer.order,
        "inputs": list(layer.inputs),
        "zooms": asdict(layer.zooms),
    }


#: Id → the row that was read last, and the layer it is; an entry is replaced whole.
_READ: dict[str, tuple[dict[str, Any], Layer]] = {}
_MOST_READ = 5000


def _known(row: RowMapping) -> Layer:
    """The layer of a row; that of the time before where the row is the same."""
    values = dict(row)
    known = _READ.get(values["id"])
    if known is not None and known[0] == values:
        return known[1]
    layer = _layer(row)
    if len(_READ) < _MOST_READ:
        _READ[layer.id] = values, layer
    return layer


def _layer(row: RowMapping) -> Layer:
    updated: datetime = row["updated"]
    return Layer(
        id=row["id"],
        title=Text(**row["title"]),
        description=Text(**row["description"]),
        keywords=tuple(row["keywords"]),
        kind=row["kind"],
        table=row["table_name"],
        geometry_type=row["geometry_type"],
        srid=row["srid"],
        fields=tuple(_field(f) for f in row["fields"]),
        style=tuple(row["style"]),
        visibility=row["visibility"],
        editable=row["editable"],
        time_field=row["time_field"],
        source=row["source"],
        licence=row["licence"],
        extent=tuple(row["extent"]) if row["extent"] else None,
        order=row["position"],
        inputs=tuple(row["inputs"]),
        zooms=Zooms(**row["zooms"]),
        updated=updated.isoformat(),
    )


def _field_json(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "type": field.type,
        "title": asdict(field.title),
        "unit": field.unit,
        "domain": {k: asdict(v) for k, v in field.domain.items()} if field.domain else None,
        "visibility": field.visibility,
        "role": field.role,
    }


def _field(value: Mapping[str, Any]) -> Field:
    domain = value["domain"]
    return Field(
        name=value["name"],
        type=value["type"],
        title=Text(**value["title"]),
        unit=value["unit"],
        domain={k: Text(**v) for k, v in domain.items()} if domain else None,
        visibility=value["visibility"],
        role=value["role"],
    )
