"""Keeps derived layers true while a server runs: works out what has become stale, at once.

Of the keepers of several workers one works on a layer at a time; what it does and the note that it is done are one
transaction.
"""

import logging
import select
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

LOGGER = logging.getLogger("citymap")
#: Who works layers out: it sees all inputs, and history names it.
KEEPER = Principal("citymap derived", grants=(Grant("*", frozenset({"read", "create", "update", "delete"}), "core"),))
#: Seconds between looks when nothing wakes it, and after a failure.
_EVERY, _RETRY = 5.0, 2.0
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


class Keeper:
    """A thread of one worker."""

    def __init__(self, database: Database, store: RasterStore) -> None:
        self._database = database
        self._store = store
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="derived layers", daemon=True)

    def start(self) -> None:
        """Keep derived layers true until :meth:`stop`."""
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being worked out, and no more."""
        self._stopping.set()
        self._thread.join(10)

    def _keep(self) -> None:
        while not self._stopping.is_set():
            try:
                connection = self._database.listen("citymap_stale")
                try:
                    while not self._stopping.is_set():
                        bring_up(self._database, self._store, self._stopping)
                        for _ in range(int(_EVERY / 0.5)):
                            if self._stopping.is_set() or select.select([connection], [], [], 0.5)[0]:
                                break
                        self._stopping.wait(_AFTER)
                        connection.poll()
                        connection.notifies.clear()
                finally:
                    connection.close()
            except Exception as error:
                if not self._stopping.is_set():
                    LOGGER.warning("derived layers cannot be worked out, trying again: %s", error)
                    self._stopping.wait(_RETRY)


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
