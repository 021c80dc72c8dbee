"""Works out the pieces of a cell from its features: polygons merged, lines joined, points clustered.

Shapes are shapely geometries in degrees. Nothing here reads the database.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from tiles.generalised.bands import BANDS, CELL, Band, Cell, Piece
from tiles.generalised.coverage import Codes, Shapes, by_code, covered, outlined

#: Pixels: a polygon at least so wide keeps its own shape; points nearer than this are clustered.
_OWN_SHAPE, _APART = 6, 32
#: The share of a pixel that polygons must cover to be drawn.
_COVERED = 0.2
#: How many classes of a cell's polygons keep their name: pixels are counted for each, half a megabyte.
_CLASSES = 63
#: How many bands there are whose merged lines keep their names.
_NAMED_BANDS = 3


@dataclass(frozen=True, slots=True)
class Features:
    """The features that meet a cell: ids, shapes, and of each its class and name, or None."""

    ids: Sequence[int]
    shapes: Shapes
    classes: Sequence[str | None]
    names: Sequence[str | None]

    def codes(self) -> tuple[list[str | None], Codes]:
        """The commonest classes, with None for all others, and of each feature the position of its own among them."""
        commonest = Counter(filter(None, self.classes)).most_common(_CLASSES)
        known: list[str | None] = [None, *(name for name, _ in commonest)]
        at = {name: n for n, name in enumerate(known)}
        return known, np.array([at.get(name, 0) for name in self.classes], dtype=np.intp)


def polygon_pieces(found: Features, cell: Cell) -> list[Piece]:
    """Polygons wide enough simplified, each for itself; of the others, where they cover the ground, by class."""
    bounds = shapely.bounds(found.shapes)
    width = ((bounds[:, 2] - bounds[:, 0]) + (bounds[:, 3] - bounds[:, 1])) / 2
    mine = _lies_in(bounds, cell)
    known, codes = found.codes()
    pieces: list[Piece] = []
    share = np.zeros((len(known), BANDS[0].pixels, BANDS[0].pixels))
    drawn = 0.0
    for band in BANDS:
        least = _OWN_SHAPE * band.pixel
        own = np.flatnonzero(mine & (width >= least))
        for n, shape in zip(map(int, own), simplified(found.shapes[own], band.pixel / 2), strict=True):
            pieces.append(Piece(band.number, shape, found.ids[n]))
        if band.number:
            share = share.reshape(len(known), band.pixels, 2, band.pixels, 2).mean(axis=(2, 4))
        newly = (width < least) & (width >= drawn)
        if newly.any():
            share += covered(found.shapes[newly], codes[newly], len(known), cell.box[:2], band.pixel, band.pixels)
        drawn = least
        pieces += _merged(share, known, cell, band)
    return pieces


def _merged(share: NDArray[np.float64], known: list[str | None], cell: Cell, band: Band) -> list[Piece]:
    """The outlines of pixels that are covered, of the class that covers them most."""
    drawn = share.sum(axis=0) >= _COVERED
    if not drawn.any():
        return []
    most = share.argmax(axis=0).astype(np.uint8)
    found = outlined(most, drawn, cell.box[:2], band.pixel)
    return [Piece(band.number, shape, class_=known[code]) for code, shape in found]


def line_pieces(found: Features, cell: Cell) -> list[Piece]:
    """Lines cut to the cell, joined by class, and in the finest bands by name, then simplified."""
    parts, owner = shapely.get_parts(shapely.clip_by_rect(found.shapes, *cell.box), return_index=True)
    lines = shapely.get_type_id(parts) == shapely.GeometryType.LINESTRING
    parts, owner = parts[lines], owner[lines]
    pieces: list[Piece] = []
    for bands, named in ((BANDS[:_NAMED_BANDS], True), (BANDS[_NAMED_BANDS:], False)):
        groups = [(found.classes[n], found.names[n] if named else None) for n in owner]
        known = list(dict.fromkeys(groups))
        at = {group: n for n, group in enumerate(known)}
        joined = by_code(parts, [at[group] for group in groups], shapely.multilinestrings) if known else []
        merged = shapely.line_merge([shape for _, shape in joined])
        for band in bands:
            pieces += _simplified_lines(merged, known, band)
    return pieces


def _simplified_lines(merged: Shapes, groups: Sequence[tuple[str | None, str | None]], band: Band) -> list[Piece]:
    """Of each group the lines that are longer than a pixel."""
    simple = shapely.simplify(merged, band.pixel / 2, preserve_topology=False)
    parts, owner = shapely.get_parts(simple, return_index=True)
    long = shapely.length(parts) >= band.pixel
    found = by_code(parts[long], owner[long], shapely.multilinestrings) if long.any() else []
    return [Piece(band.number, shape, class_=groups[n][0], name=groups[n][1]) for n, shape in found]


def point_pieces(found: Features, cell: Cell) -> list[Piece]:
    """Points that stand alone by their ids; near ones as one in their middle, with their count."""
    parts, owner = shapely.get_parts(found.shapes, return_index=True)
    xy = shapely.get_coordinates(parts)
    west, south, _, _ = cell.box
    mine = _lies_in(xy, cell)
    xy, owner = xy[mine], owner[mine]
    pieces = []
    for band in BANDS:
        side = min(_APART, band.pixels) * band.pixel
        at = np.floor((xy - [west, south]) / side).astype(np.intp)
        _, group, count = np.unique(at, axis=0, return_inverse=True, return_counts=True)
        group = group.ravel()
        middle = np.stack([np.bincount(group, xy[:, k]) for k in (0, 1)], axis=1) / count[:, None]
        first = np.full(len(count), -1)
        first[group[::-1]] = owner[::-1]
        pieces += [
            Piece(band.number, shapely.Point(place), found.ids[n])
            if number == 1
            else Piece(band.number, shapely.Point(place), point_count=int(number))
            for place, number, n in zip(middle, count, map(int, first), strict=True)
        ]
    return pieces


def simplified(shapes: Shapes, tolerance: float) -> Shapes:
    """The shapes with fewer corners, none moved farther than ``tolerance``; those that would vanish as they are."""
    simple = shapely.simplify(shapes, tolerance, preserve_topology=True)
    kept: Shapes = np.where(shapely.is_empty(simple), shapes, simple)
    return kept


def wide(shapes: Shapes) -> NDArray[np.bool_]:
    """Which shapes are wider than a cell, so that they may be seen beyond the cells beside their own."""
    west, south, east, north = shapely.bounds(shapes).T
    found: NDArray[np.bool_] = (east - west > CELL) | (north - south > CELL)
    return found


def _lies_in(bounds: NDArray[np.float64], cell: Cell) -> NDArray[np.bool_]:
    """Whether the south-west corners of bounds lie in the cell: each feature belongs to one."""
    at = np.floor(bounds[:, :2] / CELL)
    lies: NDArray[np.bool_] = (at[:, 0] == cell.x) & (at[:, 1] == cell.y)
    return lies
