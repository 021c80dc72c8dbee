"""Works out pieces of generalised layers while a server runs: all of a layer once, then the cells that edits touch.

Of several workers one works on a layer at a time. A transaction takes a few cells: those are as new as it, or newer
than the layer's snapshot, which moves on when all are done. Whoever stops in between leaves the old snapshot, and with
it the boxes that tell what must be done again.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from itertools import batched

from sqlalchemy import Connection

from layers.access import Grant, Principal
from layers.catalogue import Layer
from layers.database import Database
from layers.registry import load_layers
from layers.woken import Task, Woken
from tiles.generalised.bands import Cell, Piece, cells_meeting, count_meeting, may_be_generalised
from tiles.generalised.queries import (
    features_in,
    forget,
    note_standing,
    now,
    occupied,
    outdated,
    replace_pieces,
    standing,
    table_size,
    turn,
)
from tiles.generalised.shapes import Features, line_pieces, point_pieces, polygon_pieces

_READER = Principal("citymap tiles", grants=(Grant("*", frozenset({"read"}), "public"),))
#: Bytes of a feature table from which on its layer is generalised: below, drawing it as it is costs little.
LARGE = 1 << 20
#: Boxes that meet more cells than this are taken for everywhere.
_MOST_CELLS = 100_000
#: Cells in one transaction.
_AT_ONCE = 4
#: Seconds that it waits when it is woken, while more edits may come: their tiles are true meanwhile.
_GATHER = 0.5
#: Days after which a layer is worked out as a whole, as the log of dirty boxes reaches back seven, and after which the
#: snapshot of a quiet one is renewed.
_TOO_OLD, _RENEWED = 6.0, 1.0


class Changed(Exception):
    """The layer is no longer what it was, or somebody else works on it."""


def bring_up(database: Database, stopping: threading.Event | None = None, *, large: int = LARGE) -> None:
    """Work out whatever pieces are missing or touched, of every layer that has them or takes ``large`` bytes."""
    with database.transaction(principal=_READER) as conn:
        found = [layer for layer in load_layers(conn).values() if may_be_generalised(layer)]
    for layer in found:
        if stopping and stopping.is_set():
            return
        try:
            _bring_up(database, layer, stopping, large)
        except Changed:
            continue


def _bring_up(database: Database, layer: Layer, stopping: threading.Event | None, large: int) -> None:
    with database.transaction(principal=_READER) as conn:
        snapshot, stands = now(conn), standing(conn, layer.id)
        if stands is None and table_size(conn, layer) < large:
            return
        if stands is not None and outdated(conn, layer.id, _TOO_OLD):
            _take_turn(conn, layer)
            forget(conn, layer.id)
            stands = None
        if stands is None or stands.boxes is None:
            cells = occupied(conn, layer)
        elif stands.boxes:
            few = sum(map(count_meeting, stands.boxes)) <= _MOST_CELLS
            cells = cells_meeting(stands.boxes) if few else occupied(conn, layer)
        elif outdated(conn, layer.id, _RENEWED):
            cells = set()
        else:
            return
    for some in batched(sorted(cells), _AT_ONCE):
        if stopping and stopping.is_set():
            return
        with database.transaction(principal=_READER) as conn:
            _take_turn(conn, layer)
            work_out(conn, layer, some)
    with database.transaction(principal=_READER) as conn:
        _take_turn(conn, layer)
        note_standing(conn, layer.id, snapshot)


def _take_turn(conn: Connection, layer: Layer) -> None:
    """Raise :class:`Changed` unless the layer is this transaction's, and as it was."""
    if not turn(conn, layer.id):
        raise Changed(layer.id)
    present = load_layers(conn).get(layer.id)
    if present is None or not may_be_generalised(present):
        raise Changed(layer.id)
    if (present.fields, present.style) != (layer.fields, layer.style):
        raise Changed(layer.id)


def work_out(conn: Connection, layer: Layer, cells: Iterable[Cell]) -> None:
    """Work out the pieces of cells anew."""
    pieces = _PIECES[layer.geometry_type.removeprefix("Multi")]
    found = {cell: features_in(conn, layer, cell) for cell in cells}
    replace_pieces(conn, layer, {cell: pieces(here, cell) if len(here.ids) else [] for cell, here in found.items()})


_PIECES: Mapping[str, Callable[[Features, Cell], list[Piece]]] = {
    "Polygon": polygon_pieces,
    "LineString": line_pieces,
    "Point": point_pieces,
}


def generaliser(database: Database) -> Woken:
    """What keeps pieces true while it runs."""
    return Woken(database, Task(
        "generalised layers", ("citymap_dirty", "citymap_catalogue"), lambda stopping: bring_up(database, stopping),
        _GATHER, "layers cannot be generalised",
    ))  # fmt: skip
