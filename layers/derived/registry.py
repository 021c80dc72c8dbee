"""Reads and writes derivations in the catalogue."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, select

from layers.catalogue import Layer
from layers.derived.model import Derivation, Stale
from layers.derived.tables import DERIVATIONS, STALE
from layers.registry import create_layer, load_layers


def create_derived(conn: Connection, derivation: Derivation) -> None:
    """Enter a derived layer in the catalogue, to be worked out as soon as a server runs.

    Raises :class:`layers.catalogue.CatalogueError` if a layer of that id, or its table, exists.
    """
    layer = derivation.layer
    conn.execute(
        insert(DERIVATIONS).values(layer=layer.id, recipe=derivation.recipe, parameters=dict(derivation.parameters))
    )
    create_layer(conn, layer)
    present = load_layers(conn)
    for name in layer.inputs:
        extent = present[name].extent if name in present else None
        if extent is not None:
            note_stale(conn, layer.id, name, extent)


def derivation_of(conn: Connection, layer: Layer) -> Derivation | None:
    """How a layer is derived; None of one that is not, or by none of the recipes here."""
    row = conn.execute(select(DERIVATIONS).where(DERIVATIONS.c.layer == layer.id)).mappings().one_or_none()
    return Derivation(layer, row["recipe"], row["parameters"]) if row else None


def note_stale(conn: Connection, layer_id: str, input_id: str, box: tuple[float, float, float, float]) -> None:
    """The layer must be worked out anew in a box [CGCS2000 degrees], as if the input had been changed there."""
    west, south, east, north = box
    values = {"layer": layer_id, "input": input_id, "west": west, "south": south, "east": east, "north": north}
    conn.execute(insert(STALE).values(values))


def note_done(conn: Connection, notes: Sequence[Stale]) -> None:
    """These boxes are worked out, or noted in pieces."""
    conn.execute(delete(STALE).where(STALE.c.seq.in_([note.seq for note in notes])))


def stale(conn: Connection, layer_id: str, most: int) -> list[Stale]:
    """Boxes in which a layer must be worked out anew, the smallest first: an edit does not wait for a survey."""
    area = (STALE.c.east - STALE.c.west) * (STALE.c.north - STALE.c.south)
    statement = select(STALE).where(STALE.c.layer == layer_id).order_by(area, STALE.c.seq).limit(most)
    return [
        Stale(row.seq, row.layer, row.input, (row.west, row.south, row.east, row.north))
        for row in conn.execute(statement)
    ]


def turn(conn: Connection, layer_id: str) -> bool:
    """Whether nobody else works on the layer now; then nobody will until the transaction ends."""
    key = func.hashtextextended(f"citymap derived {layer_id}", 0)
    return bool(conn.execute(select(func.pg_try_advisory_xact_lock(key))).scalar_one())


def derivations(conn: Connection) -> list[Derivation]:
    """Every derived layer that is worked out by a recipe, as the connection's principal may see them."""
    layers = load_layers(conn)
    rows = conn.execute(select(DERIVATIONS).order_by(DERIVATIONS.c.layer)).mappings()
    return [Derivation(layers[r["layer"]], r["recipe"], r["parameters"]) for r in rows if r["layer"] in layers]
