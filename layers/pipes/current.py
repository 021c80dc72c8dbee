"""The pipe network as of the last committed edit: see :mod:`layers.following`."""

from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import Connection

from layers.catalogue import Layer
from layers.following import Change, Followed
from layers.pipes.network import PipeNetwork
from layers.pipes.reading import NODES, PIPES, read_nodes, read_pipes
from layers.pipes.records import Records
from layers.pipes.standards import read_standards
from layers.registry import LayerNotFound, load_layers, note_reads


def current_pipes(conn: Connection) -> PipeNetwork:
    """The pipes that the connection may read, no older than this call; that they are read is audited.

    Shared by the threads of the process and never changed. Raises :class:`layers.registry.LayerNotFound` where the
    principal may not read ``pipelines``.
    """
    layers = load_layers(conn)
    if PIPES not in layers or NODES not in layers:
        raise LayerNotFound(f"there is no layer {PIPES!r}")
    # The entry in the audit log comes second: what a transaction reads that has written is kept for none other.
    network = _NETWORK.current(conn)
    note_reads(conn, layers[PIPES], layers[NODES])
    # What a city says of kinds and clearances is a few rows, which nothing follows.
    standards = read_standards(conn)
    if standards == network.standards:
        return network
    other = _RESTATED.get(network)
    if other is None or other.standards != standards:
        other = _RESTATED[network] = PipeNetwork(network.pipes, network.nodes, standards)
    return other


def _read(conn: Connection) -> PipeNetwork:
    layers = load_layers(conn)
    return PipeNetwork(read_pipes(conn, layers[PIPES]), read_nodes(conn, layers[NODES]), read_standards(conn))


def _patched(conn: Connection, network: PipeNetwork, changes: Sequence[Change]) -> PipeNetwork:
    layers = load_layers(conn)
    pipes = _records(conn, layers[PIPES], network.pipes, changes, read_pipes)
    nodes = _records(conn, layers[NODES], network.nodes, changes, read_nodes)
    return PipeNetwork(pipes, nodes, network.standards)


def _records(
    conn: Connection,
    layer: Layer,
    records: Records,
    changes: Sequence[Change],
    read: Callable[..., Records],
) -> Records:
    """The rows with those in the changed boxes read anew; the boxes hold old and new places of changed rows."""
    boxes = [change.box for change in changes if change.layer == layer.id]
    if not boxes:
        return records
    fresh = read(conn, layer, boxes)
    untouched = ~(records.meeting(boxes) | np.isin(records.feature, fresh.feature))
    return records.take(np.flatnonzero(untouched)).joined(fresh)


#: Networks by other standards than they were read with.
_RESTATED: WeakKeyDictionary[PipeNetwork, PipeNetwork] = WeakKeyDictionary()
_NETWORK = Followed((PIPES, NODES), _read, _patched)
