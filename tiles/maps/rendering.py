"""Draws a map: coverages first, then features by their style layers, then names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.catalogue import Layer
from layers.database import Reader
from layers.raster.mosaic import Grid
from layers.raster.store import RasterStore
from tiles.maps.expressions import colour
from tiles.maps.frame import Frame
from tiles.maps.labels import write_names
from tiles.maps.mvt import Shape, decode
from tiles.maps.painting import Canvas
from tiles.raster.drawing import draw
from tiles.raster.look import Look
from tiles.raster.sources import find
from tiles.vector import EXTENT, TileQuery, render_tile

type Picture = NDArray[np.uint8]
_SNAPSHOT = "SELECT pg_current_snapshot()::text"


@dataclass(frozen=True)
class Contents:
    """What a map shows. ``coverages``: each with the layers that it is read from, bottom first, drawn with ``look``;
    ``features`` by the MapLibre style layers of ``styles``, whose ``source-layer`` names them."""

    coverages: tuple[tuple[Layer, ...], ...] = ()
    look: Look = Look()
    features: TileQuery | None = None
    styles: tuple[Mapping[str, Any], ...] = ()
    background: str | None = None


@dataclass(frozen=True)
class Drawn:
    """A picture (row, column, 4), the snapshot of the database from before the first statement, and whether it will
    soon be drawn better."""

    picture: Picture
    snapshot: str
    passing: bool = False


def draw_map(reader: Reader, store: RasterStore, contents: Contents, frame: Frame) -> Drawn:
    """The map. Raises as :func:`draw`."""
    [(snapshot,)] = reader.fetch(_SNAPSHOT, {})
    picture = np.zeros((frame.height, frame.width, 4), np.uint8)
    if contents.background:
        picture[:] = [round(255 * part) for part in colour(contents.background)]
    grid = Grid(frame.bounds, frame.srid, frame.width, frame.height)
    for layers in contents.coverages:
        found = find(reader, layers, grid, contents.look.time, contents.look.as_of)
        picture = over(picture, draw(store, found, grid, contents.look))
    passing = False
    if contents.features:
        tile = render_tile(reader, contents.features, *frame.as_tile())
        passing = tile.passing
        picture = over(picture, _painted(features(tile.body, frame), contents.styles, frame))
    return Drawn(picture, snapshot, passing)


def _painted(shapes: Mapping[str, list[Shape]], styles: Sequence[Mapping[str, Any]], frame: Frame) -> Picture:
    canvas = Canvas(frame.width, frame.height, frame.zoom)
    for style in styles:
        canvas.paint(style, shapes.get(style.get("source-layer", ""), []))
    return write_names(canvas.pixels(), styles, shapes, frame.zoom)


def features(tile: bytes, frame: Frame) -> dict[str, list[Shape]]:
    """The features of the frame's tile by layer, in the map's pixels, rows downward."""
    found = decode(tile)
    scale = np.array([frame.width / EXTENT, frame.height / EXTENT])
    return {
        name: [Shape(shape.kind, shape.fields, tuple(part * scale for part in shape.parts)) for shape in shapes]
        for name, shapes in found.items()
    }


def over(below: Picture, above: Picture) -> Picture:
    """One picture over another (Porter and Duff 1984); neither is premultiplied."""
    alpha = above[..., 3:].astype(np.float32) / 255
    under = below[..., 3:].astype(np.float32) / 255 * (1 - alpha)
    total = alpha + under
    colours = above[..., :3] * alpha + below[..., :3] * under
    mixed = np.concatenate([colours / np.maximum(total, 1e-6), total * 255], axis=-1)
    return (mixed + 0.5).astype(np.uint8)
