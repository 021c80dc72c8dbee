"""Positions in a change feed, and what a page of it holds."""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, replace
from typing import Literal

import orjson

from layers.access import Grant
from layers.catalogue import Layer
from layers.exchange.changes.errors import PositionError

Operation = Literal["insert", "update", "delete"]
_SNAPSHOT = re.compile(r"[0-9]{1,19}:[0-9]{1,19}:([0-9]{1,19}(,[0-9]{1,19}){0,999})?")
_MOST = 2**63


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the change log: transaction, number of the row, number within it."""

    tx: int = 0
    seq: int = 0
    n: int = 0


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reader stands: it knows all that ``seen`` (a ``pg_snapshot``) saw, and what follows tells what more.

    ``copied``: while the layer itself is being copied, the last id that the reader has. ``until`` and ``place``: within
    a long page, all up to that place of what the snapshot ``until`` saw. ``scope`` is a digest of the server, the layer
    and the rights under which it was given.
    """

    scope: str
    seen: str
    copied: int | None = None
    until: str | None = None
    place: Place = Place()

    def __str__(self) -> str:
        place = [self.place.tx, self.place.seq, self.place.n]
        return base64.urlsafe_b64encode(orjson.dumps([self.scope, self.seen, self.copied, self.until, place])).decode()

    def behind(self, place: Place, until: str) -> "Position":
        """After a page that ended before all that ``until`` saw was told."""
        return replace(self, until=until, place=place)


def parse_position(text: str) -> Position:
    """The position that a text means. Raises :class:`PositionError`."""
    try:
        scope, seen, copied, until, place = orjson.loads(base64.urlsafe_b64decode(text.encode("ascii")))
        found = Position(scope, seen, copied, until, Place(*place))
    except (ValueError, TypeError, binascii.Error):
        raise PositionError("'since' is no position of a change feed: begin anew without it") from None
    numbers = (*place, *([copied] if copied is not None else []))
    snapshots = (seen, *([until] if until is not None else []))
    if (
        not isinstance(scope, str)
        or not all(type(number) is int and -_MOST <= number < _MOST for number in numbers)
        or not all(isinstance(snapshot, str) and _SNAPSHOT.fullmatch(snapshot) for snapshot in snapshots)
    ):
        raise PositionError("'since' is no position of a change feed: begin anew without it")
    return found


def scope_of(layer: Layer, grants: tuple[Grant, ...], server: str) -> str:
    """A digest of what decides which rows and fields of a layer are seen. ``server`` tells databases apart."""
    reaching = () if layer.visibility == "public" else tuple(g for g in grants if g.collection in ("*", layer.id))
    fields = tuple((f.name, f.type) for f in layer.fields)
    said = repr((server, layer.id, layer.table, layer.srid, layer.visibility, fields, reaching))
    return hashlib.blake2s(said.encode(), digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Logged:
    """A feature that a statement touched."""

    id: int
    operation: Operation
    place: Place
    at: str


@dataclass(frozen=True, slots=True)
class Changed:
    """A feature as it is now: GeoJSON (UTF-8), None for one that is gone or out of the reader's sight."""

    id: int
    operation: Operation
    feature: bytes | None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """What a reader is told at once, and where it stands then. ``complete``: there was no more at that moment."""

    changes: list[Changed]
    position: Position
    complete: bool
