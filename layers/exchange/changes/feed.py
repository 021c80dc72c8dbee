"""A page of a layer's change feed, as its reader may see it."""

from dataclasses import replace

from layers.access import Grant
from layers.catalogue import Layer
from layers.crs import Crs
from layers.database import Reader
from layers.exchange.changes.errors import ChangesGone, NotFollowed, PositionError
from layers.exchange.changes.model import Changed, ChangePage, Logged, Operation, Place, Position, scope_of
from layers.exchange.changes.queries import log_state, logged_since, server_of, were_seen
from layers.features import read_features, read_page
from layers.query import FeatureQuery


def begin(reader: Reader, layer: Layer, grants: tuple[Grant, ...], *, now: bool) -> Position:
    """Where a reader begins that knows nothing of the layer yet, or (``now``) has all of it as it is now.

    Raises :class:`NotFollowed`.
    """
    server, snapshot = server_of(reader, layer)
    _require_followed(layer, log_state(reader, layer, snapshot)[0])
    return Position(scope_of(layer, grants, server), snapshot, None if now else -1)


def read_changes(
    reader: Reader, layer: Layer, grants: tuple[Grant, ...], position: Position, crs: Crs, limit: int
) -> ChangePage:
    """What follows a position, ``limit`` features at most.

    Each feature comes once in a page, as it is now: a reader that applies page after page has the layer. Raises
    :class:`ChangesGone` where that would not hold, :class:`NotFollowed`.
    """
    _require_good(reader, layer, grants, position)
    if position.copied is not None:
        return _copy(reader, layer, position, crs, limit)
    now, found = logged_since(reader, layer, position.seen, position.until, position.place, limit)
    changes = _as_they_are(reader, layer, found, crs)
    if len(found) == limit:
        return ChangePage(changes, position.behind(found[-1].place, position.until or now), False)
    after = replace(position, seen=position.until or now, until=None, place=Place())
    return ChangePage(changes, after, position.until is None)


def _copy(reader: Reader, layer: Layer, position: Position, crs: Crs, limit: int) -> ChangePage:
    """The layer itself, by id: what changes meanwhile is told afterwards."""
    assert position.copied is not None
    page = read_page(reader, layer, FeatureQuery(limit=limit, after=(position.copied,), crs=crs))
    ids = [_id(feature) for feature in page.features]
    changes = [Changed(id_, "insert", feature) for id_, feature in zip(ids, page.features, strict=True)]
    more = page.cursor is not None
    return ChangePage(changes, replace(position, copied=ids[-1] if more else None), False)


def _id(feature: bytes) -> int:
    """The id in a feature's text as PostgreSQL wrote it."""
    return int(feature[len(b'{"type":"Feature","id":') : feature.index(b",", 23)])


def _as_they_are(reader: Reader, layer: Layer, found: list[Logged], crs: Crs) -> list[Changed]:
    """One change for each feature: to what it is now, or gone.

    Of one that was never in the reader's sight nothing is told, not even that it is gone.
    """
    first: dict[int, Operation] = {}
    for logged in found:
        first.setdefault(logged.id, logged.operation)
    ids = list(first)
    present = read_features(reader, layer, ids, crs) if ids else {}
    absent = [id_ for id_ in ids if id_ not in present]
    known = were_seen(reader, layer, absent) if absent else set()
    return [
        Changed(id_, "insert" if first[id_] == "insert" else "update", present[id_])
        if id_ in present
        else Changed(id_, "delete", None)
        for id_ in ids
        if id_ in present or id_ in known
    ]


def _require_good(reader: Reader, layer: Layer, grants: tuple[Grant, ...], position: Position) -> None:
    server, _ = server_of(reader, layer)
    if position.scope != scope_of(layer, grants, server):
        raise ChangesGone(
            "the layer, your rights to it, or the server's database are no longer those of this position: copy it anew"
        )
    followed, cut, ground = log_state(reader, layer, position.seen)
    _require_followed(layer, followed)
    if cut:
        raise ChangesGone("what changed since then is no longer kept: copy the layer anew")
    if ground and layer.partial:
        raise ChangesGone("the areas have changed by which you see features of this layer: copy it anew")
    if position.until is None and position.place != Place():
        raise PositionError("'since' is no position of a change feed: begin anew without it")


def _require_followed(layer: Layer, followed: bool) -> None:
    if not followed or layer.inputs:
        inputs = f": follow {', '.join(layer.inputs)}" if layer.inputs else ""
        raise NotFollowed(f"layer {layer.id!r} keeps no log of changes{inputs}")
