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
    changes_since,
    read_edges,
    read_restrictions,
    snapshot,
)
from layers.registry import LayerNotFound, load_layers

#: More changed boxes than this are not worth a patch.
_PATCHED = 64
#: A network older than this is read anew [s]: the dirty log keeps a week.
_OLDEST = 24 * 3600
#: Networks of different scopes (who may read what) that a process keeps for one database.
_SCOPES = 4


@dataclass(slots=True)
class _Kept:
    """One scope's network, and when and under which snapshot it was read."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    network: Network | None = None
    seen: Snapshot | None = None
    read: float = 0.0


_KEPT: "WeakKeyDictionary[Engine, OrderedDict[tuple[int, str], _Kept]]" = WeakKeyDictionary()
_LOCK = threading.Lock()


def current_network(conn: Connection) -> Network:
    """The network of the roads that the connection may read, no older than this call.

    It is shared by the threads of the process and never changed. Raises
    :class:`layers.registry.LayerNotFound` without a layer ``roads``.
    """
    now = snapshot(conn)
    kept = _kept(conn.engine, now)
    with kept.lock:
        if kept.network is None or kept.seen is None or time.monotonic() - kept.read > _OLDEST:
            network = _read(conn)
        else:
            changes = changes_since(conn, kept.seen, now, _PATCHED)
            if not changes:
                # Nothing until now either, so the next look begins here and stays short.
                kept.seen, kept.read = (now, time.monotonic()) if now.writes is None else (kept.seen, kept.read)
                return kept.network
            network = _patched(conn, kept.network, changes) if len(changes) <= _PATCHED else _read(conn)
        # Once it writes, a transaction's snapshot counts its own changes as seen, also those still to come.
        if now.writes is None:
            kept.network, kept.seen, kept.read = network, now, time.monotonic()
    return network


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
