"""The network as of the last committed edit: see :mod:`layers.following`."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import Connection

from layers.following import Box, Change, Followed
from layers.network.edges import Edges
from layers.network.graph import Network
from layers.network.reading import RESTRICTIONS, ROADS, read_edges, read_restrictions
from layers.registry import LayerNotFound, load_layers


def current_network(conn: Connection) -> Network:
    """The network of the roads that the connection may read, no older than this call.

    It is shared by the threads of the process and never changed. Raises
    :class:`layers.registry.LayerNotFound` without a layer ``roads``.
    """
    return _NETWORK.current(conn)


def _read(conn: Connection) -> Network:
    layers = load_layers(conn)
    if ROADS not in layers:
        raise LayerNotFound(f"no layer {ROADS!r}")
    return Network(read_edges(conn, layers[ROADS]), read_restrictions(conn, layers))


def _patched(conn: Connection, network: Network, changes: Sequence[Change]) -> Network:
    """The network with the edges in the changed boxes read anew; the boxes hold old and new places of changed rows."""
    layers = load_layers(conn)
    if ROADS not in layers:
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


_NETWORK = Followed((ROADS, RESTRICTIONS), _read, _patched)
#: What has changed since a snapshot.
look = _NETWORK.look
