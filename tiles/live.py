"""What clients are told of changes: which tiles of which layers, in one grid, for those who see the whole layer."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from layers.access import watched
from layers.catalogue import Layer
from layers.database import Reader
from tiles.cache.dirty import REACH, Dirty
from tiles.cache.following import READ
from tiles.matrix_sets import Box, MatrixSet

#: Boxes of a layer told one by one; more are told as one around them.
_APART = 20
#: Changes that a client may have missed and still be told one by one.
_MOST_MISSED = 5000
#: Deepest level that is named; what lies below follows from it.
_DEEPEST = 16
_SNAPSHOT = re.compile(r"[0-9]{1,19}:[0-9]{1,19}:([0-9]{1,19}(,[0-9]{1,19}){0,99})?")


def missed_since(reader: Reader, snapshot: str) -> tuple[str, Sequence[Dirty] | None]:
    """The snapshot now, and the changes since the one that a client was told of last.

    None if they cannot be told: too many, or no snapshot of this database.
    """
    [(now,)] = reader.fetch("SELECT pg_current_snapshot()::text", {})
    if not _SNAPSHOT.fullmatch(snapshot):
        return now, None
    xmin, xmax = (int(part) for part in snapshot.split(":")[:2])
    if not 0 < xmin <= xmax <= int(now.split(":")[1]):
        return now, None
    rows = reader.fetch(f"{READ} LIMIT {_MOST_MISSED + 1}", {"xmin": str(xmin), "last": snapshot})
    if len(rows) > _MOST_MISSED:
        return now, None
    return rows[0][0], [Dirty(row[1], row[2], tuple(row[3:7])) for row in rows if row[1] is not None]


def told_of(found: Sequence[Dirty], layers: Mapping[str, Layer], grid: MatrixSet) -> list[dict[str, Any]]:
    """Per layer and box the tiles to ask for again: level → first column, first row, last column, last row.

    Of a layer of which somebody sees some rows only, or whose reads are audited, nothing is told: where others were
    changed would tell where they are. What is derived of a layer changes with it.
    """
    by_layer: dict[str, list[Box]] = {}
    derived = [layer for layer in layers.values() if layer.inputs]
    for dirty in found:
        layer = layers.get(dirty.layer)
        if layer is not None and not layer.partial and not watched(layer):
            for changed in (layer, *(d for d in derived if layer.id in d.inputs and not d.partial and not watched(d))):
                by_layer.setdefault(changed.id, []).append(dirty.box)
    told = []
    for name, boxes in by_layer.items():
        apart = list(dict.fromkeys(boxes))
        for box in apart if len(apart) <= _APART else [_around(apart)]:
            told.append({"layer": name, "tileMatrixSet": grid.id, "tiles": _ranges(grid, box)})
    return told


def _ranges(grid: MatrixSet, box: Box) -> dict[str, tuple[int, int, int, int]]:
    units = grid.from_degrees(box)
    levels = range(min(_DEEPEST + 1, len(grid.levels)))
    return {str(z): met for z in levels if (met := grid.covering(units, z, REACH))}


def _around(boxes: Sequence[Box]) -> Box:
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)
