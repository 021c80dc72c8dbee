"""Keeps derived layers true while a server runs: works out what has become stale, at once.

Of the keepers of several workers one works on a layer at a time; what it does and the note that it is done are one
transaction.
"""

import threading
from collections.abc import Mapping

from sqlalchemy import Connection

from layers.access import Grant, Principal
from layers.catalogue import Layer
from layers.database import Database
from layers.derived.model import Derivation, Stale, cells_of
from layers.derived.registry import derivations, note_done, note_stale, stale, turn
from layers.raster.store import RasterStore
from layers.registry import load_layers
from layers.woken import Task, Woken

#: Who works layers out: it sees all inputs, and history names it.
KEEPER = Principal("citymap derived", grants=(Grant("*", frozenset({"read", "create", "update", "delete"}), "core"),))
#: Seconds that it waits when it is woken: tiles of what was edited are asked for first, and edits come together.
_AFTER = 0.1
#: Notes of one layer taken at once.
_NOTES = 64


def work_out(conn: Connection, store: RasterStore, derivation: Derivation) -> bool:
    """Work out some of what is stale of a layer; whether there was any that nobody else is at."""
    if not turn(conn, derivation.layer.id):
        return False
    notes = stale(conn, derivation.layer.id, _NOTES)
    if not notes:
        return False
    layers = dict(load_layers(conn))
    if derivation.recipe == "contours":
        _draw(conn, store, derivation, layers, notes[0])
    else:
        _stand(conn, store, derivation, layers, notes)
    return True


def _draw(conn: Connection, store: RasterStore, derivation: Derivation, layers: dict[str, Layer], note: Stale) -> None:
    from layers.derived.contours import MARGIN, draw  # GDAL takes a while to load, which a quiet server need not spend

    cells = list(cells_of(note.box, MARGIN))
    if len(cells) > 4 and not _is_cell(note):
        for cell in cells:
            west, south, east, north = cell.box
            inner = (west + 2 * MARGIN, south + 2 * MARGIN, east - 2 * MARGIN, north - 2 * MARGIN)
            note_stale(conn, derivation.layer.id, note.input, inner)
    else:
        for cell in cells:
            draw(conn, store, derivation, layers, cell)
    note_done(conn, [note])


def _stand(
    conn: Connection, store: RasterStore, derivation: Derivation, layers: dict[str, Layer], notes: list[Stale]
) -> None:
    from layers.derived.standing import stand

    for number, note in enumerate(notes):
        if not stand(conn, store, derivation, layers, note):
            for cell in cells_of(note.box):
                note_stale(conn, note.layer, note.input, cell.box)
            note_done(conn, notes[: number + 1])
            return
    note_done(conn, notes)


def _is_cell(note: Stale) -> bool:
    west, south, east, north = note.box
    return east - west < 0.02 and north - south < 0.02


def keeper(database: Database, store: RasterStore) -> Woken:
    """What keeps derived layers true while it runs."""
    return Woken(database, Task(
        "derived layers", ("citymap_stale",), lambda stopping: bring_up(database, store, stopping), _AFTER,
        "derived layers cannot be worked out",
    ))  # fmt: skip


def bring_up(database: Database, store: RasterStore, stopping: threading.Event | None = None) -> None:
    """Work out everything that is stale, each piece in a transaction of its own."""
    with database.transaction(principal=KEEPER) as conn:
        found: Mapping[str, Derivation] = {d.layer.id: d for d in derivations(conn)}
    busy = dict(found)
    while busy and not (stopping and stopping.is_set()):
        for layer_id, derivation in list(busy.items()):
            with database.transaction(principal=KEEPER) as conn:
                if not work_out(conn, store, derivation):
                    del busy[layer_id]
