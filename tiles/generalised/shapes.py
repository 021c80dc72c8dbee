"""Works out the pieces of a cell from its features: polygons merged, lines joined, points clustered.

Shapes are shapely geometries in degrees. Nothing here reads the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import shapes as outlines

from tiles.generalised.bands import BANDS, CELL, Band, Cell, Piece

type Shapes = NDArray[Any]
type Codes = NDArray[np.intp]

#: Pixels: a polygon at least so wide keeps its own shape; points nearer than this are clustered.
_OWN_SHAPE, _APART = 6, 32
#: Samples along the side of a pixel, and the share of it that polygons must cover to be drawn.
_SAMPLES, _COVERED = 4, 0.2
#: Bands whose merged lines keep their names.
_NAMED_BANDS = 1


@dataclass(frozen=True, slots=True)
class Features:
    """The features that meet a cell: ids, shapes, and of each its class and name, or None."""

    ids: Sequence[int]
    shapes: Shapes
    classes: Sequence[str | None]
    names: Sequence[str | None]

    def codes(self) -> tuple[list[str | None], Codes]:
        """The classes there are, and of each feature the position of its own among them."""
        known = list(dict.fromkeys(self.classes))
        at = {name: n for n, name in enumerate(known)}
        return known, np.array([at[name] for name in self.classes], dtype=np.intp)


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
        for n in map(int, np.flatnonzero(mine & (width >= least))):
            pieces.append(Piece(band.number, simplified(found.shapes[n], band.pixel / 2), found.ids[n]))
        if band.number:
            share = share.reshape(len(known), band.pixels, 2, band.pixels, 2).mean(axis=(2, 4))
        newly = (width < least) & (width >= drawn)
        share += _covered(found.shapes[newly], codes[newly], len(known), cell, band)
        drawn = least
        pieces += _merged(share, known, cell, band)
    return pieces


def _covered(shapes: Shapes, codes: Codes, classes: int, cell: Cell, band: Band) -> NDArray[np.float64]:
    """Of each class the share of every pixel that these polygons cover, by samples; rows from the south."""
    step, west, south = band.pixel / _SAMPLES, cell.box[0], cell.box[1]
    side = band.pixels * _SAMPLES
    counts = np.zeros(classes * side * side)
    if len(shapes):
        first = np.ceil((shapely.bounds(shapes) - [west, south, west, south]) / step - 0.5).astype(np.intp)
        across, down = np.maximum(first[:, 2] - first[:, 0], 0), np.maximum(first[:, 3] - first[:, 1], 0)
        owner = np.repeat(np.arange(len(shapes)), across * down)
        nth = np.arange(len(owner)) - np.repeat(np.cumsum(across * down) - across * down, across * down)
        column = first[owner, 0] + nth % np.maximum(across[owner], 1)
        row = first[owner, 1] + nth // np.maximum(across[owner], 1)
        within = (column >= 0) & (column < side) & (row >= 0) & (row < side)
        owner, column, row = owner[within], column[within], row[within]
        inside = shapely.contains_xy(shapes[owner], west + (column + 0.5) * step, south + (row + 0.5) * step)
        np.add.at(counts, ((codes[owner] * side + row) * side + column)[inside], 1)
    samples = np.minimum(counts, 1).reshape(classes, band.pixels, _SAMPLES, band.pixels, _SAMPLES)
    covered: NDArray[np.float64] = samples.mean(axis=(2, 4))
    return covered


def _merged(share: NDArray[np.float64], known: list[str | None], cell: Cell, band: Band) -> list[Piece]:
    """The outlines of pixels that are covered, of the class that covers them most."""
    if not len(known):
        return []
    drawn = share.sum(axis=0) >= _COVERED
    if not drawn.any():
        return []
    most = share.argmax(axis=0).astype(np.uint8)
    west, south, _, _ = cell.box
    upward = Affine(band.pixel, 0, west, 0, band.pixel, south)
    by_class: dict[int, list[Any]] = {}
    for outline, code in outlines(most, mask=drawn, transform=upward):
        by_class.setdefault(int(code), []).append(shapely.geometry.shape(outline))
    return [Piece(band.number, shapely.multipolygons(found), class_=known[code]) for code, found in by_class.items()]


def line_pieces(found: Features, cell: Cell) -> list[Piece]:
    """Lines cut to the cell, joined by class, and in the finest bands by name, then simplified."""
    parts = shapely.clip_by_rect(found.shapes, *cell.box)
    pieces = []
    for band in BANDS:
        groups: dict[tuple[str | None, str | None], list[Any]] = {}
        for part, class_, name in zip(parts, found.classes, found.names, strict=True):
            if not part.is_empty:
                groups.setdefault((class_, name if band.number <= _NAMED_BANDS else None), []).append(part)
        for (class_, name), members in groups.items():
            lines = [g for g in shapely.get_parts(members) if g.geom_type == "LineString"]
            joined = shapely.simplify(
                shapely.line_merge(shapely.multilinestrings(lines)), band.pixel / 2, preserve_topology=False
            )
            kept = [g for g in shapely.get_parts(joined) if g.length >= band.pixel]
            if kept:
                pieces.append(Piece(band.number, shapely.multilinestrings(kept), class_=class_, name=name))
    return pieces


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


def simplified(shape: Any, tolerance: float) -> Any:
    """The shape with fewer corners, none moved farther than ``tolerance``; itself where it would vanish."""
    simple = shapely.simplify(shape, tolerance, preserve_topology=True)
    return shape if simple.is_empty else simple


def wide(shape: Any) -> bool:
    """Whether a shape is wider than a cell, so that it may be seen beyond the cells beside its own."""
    west, south, east, north = shape.bounds
    return bool(east - west > CELL or north - south > CELL)


def _lies_in(bounds: NDArray[np.float64], cell: Cell) -> NDArray[np.bool_]:
    """Whether the south-west corners of bounds lie in the cell: each feature belongs to one."""
    at = np.floor(bounds[:, :2] / CELL)
    lies: NDArray[np.bool_] = (at[:, 0] == cell.x) & (at[:, 1] == cell.y)
    return lies
