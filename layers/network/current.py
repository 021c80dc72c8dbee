"""The network as of the last committed edit.

A network remembers the database snapshot that it was read under. Before each answer, one indexed look at the dirty log
asks whether any change of the roads has become visible since: if none has, the network is exactly the table. If some
has, the edges in the changed boxes are read anew, while whoever else needs the network waits. So an answer given after
an edit was committed always knows of it, by whatever road the edit came, and no notification can be lost.

A transaction that has itself changed the roads gets a network of its own, since it may yet be rolled back.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import Connection, Engine

from layers.network.edges import Edges
from layers.network.graph import Network
from layers.network.reading import (
    RESTRICTIONS,
    ROADS,
    Box,
    Change,
    Snapshot,
    look,
    read_edges,
    read_restrictions,
)
from layers.registry import LayerNotFound, load_layers

#: More changed boxes than this are not worth a patch.
_PATCHED = 64
#: How often what others change meanwhile is read again; they may go on for ever.
_ROUNDS = 5
#: The next look begins at the snapshot of the last one that is this old [s], so that looks stay short.
_FORWARD = 10.0
#: A network that was not looked at for so long is read anew [s]: the dirty log keeps a week.
_OLDEST = 24 * 3600
#: Networks of different scopes (who may read what) that a process keeps for one database.
_SCOPES = 4


@dataclass(slots=True)
class _Kept:
    """One scope's network, the snapshot at which it was current, and when that was."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    network: Network | None = None
    seen: str | None = None
    at: float = 0.0

    def keep(self, network: Network, now: Snapshot) -> None:
        self.network, self.seen, self.at = network, now.seen, time.monotonic()


_KEPT: "WeakKeyDictionary[Engine, OrderedDict[tuple[int, str], _Kept]]" = WeakKeyDictionary()
_LOCK = threading.Lock()


def current_network(conn: Connection) -> Network:
    """The network of the roads that the connection may read, no older than this call.

    It is shared by the threads of the process and never changed. Raises
    :class:`layers.registry.LayerNotFound` without a layer ``roads``.
    """
    seen = _last_seen(conn.engine)
    now, changes = look(conn, seen, _PATCHED)
    kept = _kept(conn.engine, now)
    with kept.lock:
        if kept.seen != seen:  # another scope's, or another thread was faster
            now, changes = look(conn, kept.seen, _PATCHED)
        age = time.monotonic() - kept.at
        network = kept.network if age <= _OLDEST else None
        if network is None or changes:
            network, now = _brought_up(conn, network, now, changes)
        # Once it writes, a transaction's snapshot counts its own changes as seen, also those still to come.
        if not now.writes and (network is not kept.network or age > _FORWARD):
            kept.keep(network, now)
    return network


def _brought_up(
    conn: Connection, network: Network | None, now: Snapshot, changes: Sequence[Change]
) -> tuple[Network, Snapshot]:
    """The network with the changes, and the snapshot at which it is current.

    An edit that is committed between two reads would be seen by half: then what it changed is read again.
    """
    network = _with_changes(conn, network, changes)
    for _ in range(_ROUNDS):
        later, changes = look(conn, now.seen, _PATCHED)
        if now.writes or not changes:
            break
        network, now = _with_changes(conn, network, changes), later
    return network, now


def _with_changes(conn: Connection, network: Network | None, changes: Sequence[Change]) -> Network:
    if network is None or len(changes) > _PATCHED:
        return _read(conn)
    return _patched(conn, network, changes)


def _last_seen(engine: Engine) -> str | None:
    """The snapshot of the scope that was asked for last: most often the one that is asked for now."""
    with _LOCK:
        scopes = _KEPT.get(engine)
        return next(reversed(scopes.values())).seen if scopes else None


def _kept(engine: Engine, now: Snapshot) -> _Kept:
    with _LOCK:
        scopes = _KEPT.setdefault(engine, OrderedDict())
        kept = scopes.setdefault((now.database, now.scope), _Kept())
        scopes.move_to_end((now.database, now.scope))
        while len(scopes) > _SCOPES:
            scopes.popitem(last=False)
        return kept


def _read(conn: Connection) -> Network:
    layers = load_layers(conn)
    if ROADS not in layers:
        raise LayerNotFound(f"no layer {ROADS!r}")
    return Network(read_edges(conn, layers[ROADS]), read_restrictions(conn, layers))


def _patched(conn: Connection, network: Network, changes: Sequence[Change]) -> Network:
    """The network with the edges in the changed boxes read anew; the boxes hold old and new places of changed rows."""
    layers = load_layers(conn)
    if ROADS not in layers or {change.layer for change in changes} - {ROADS, RESTRICTIONS}:
        return _read(conn)
    boxes = [change.box for change in changes if change.layer == ROADS]
    edges = network.edges
    if boxes:
        fresh = read_edges(conn, layers[ROADS], boxes)
        untouched = ~(_meeting(edges, boxes) | np.isin(edges.feature, fresh.feature))
        edges = edges.take(np.flatnonzero(untouched)).joined(fresh)
    return Network(edges, read_restrictions(conn, layers))


def _meeting(edges: Edges, boxes: Sequence[Box]) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    west, south, east, north = edges.bounds().T
    found = np.zeros(len(edges), dtype=bool)
    for box in boxes:
        found |= (west <= box[2]) & (east >= box[0]) & (south <= box[3]) & (north >= box[1])
    return found
