"""Zoom bands and the cells that pieces are worked out in. Lengths are degrees of CGCS2000 unless a name says metres."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from layers.catalogue import CGCS2000, Layer
from layers.crs import coincident

type Box = tuple[float, float, float, float]

#: Side of a cell: a tile of WebMercatorQuad's zoom 13, and a number that floats hold exactly.
CELL = 360 / 2**13
#: Side of a pixel of zoom 13 at the equator [m] (OGC 17-083r4, annex D). In finer tiles features are as they are.
_FINEST_METRES = 19.11


@dataclass(frozen=True, slots=True)
class Band:
    """One scale. A cell has ``pixels`` along its side, as long as pixels of the tiles that show the band."""

    number: int
    pixels: int

    @property
    def pixel(self) -> float:
        """Side of a pixel."""
        return CELL / self.pixels


#: Zooms 13, 12, 11, 10, 9 and 8 with all before it.
BANDS = tuple(Band(number, 256 >> number) for number in range(6))


class Cell(NamedTuple):
    """Column and row of a cell, counted from 0° E 0° N."""

    x: int
    y: int

    @property
    def box(self) -> Box:
        """West, south, east, north."""
        return self.x * CELL, self.y * CELL, (self.x + 1) * CELL, (self.y + 1) * CELL


@dataclass(frozen=True, slots=True)
class Piece:
    """What is drawn in a band: a feature by its id, or several of one class as one."""

    band: int
    shape: Any
    feature: int | None = None
    class_: str | None = None
    name: str | None = None
    point_count: int | None = None


def band_of(cell_metres: float) -> Band | None:
    """The band of tiles with such pixels [m]; None where features are drawn as they are."""
    if cell_metres < _FINEST_METRES * 0.75:
        return None
    number = round(math.log2(cell_metres / _FINEST_METRES))
    return BANDS[min(max(number, 0), len(BANDS) - 1)]


def cells_meeting(boxes: Iterable[Box]) -> set[Cell]:
    """The cells that boxes meet."""
    return {cell for box in boxes for cell in _of(box)}


def _of(box: Box) -> Iterator[Cell]:
    west, south, east, north = (math.floor(side / CELL) for side in box)
    for x in range(west, east + 1):
        for y in range(south, north + 1):
            yield Cell(x, y)


def count_meeting(box: Box) -> float:
    """How many cells a box meets."""
    west, south, east, north = box
    return (math.floor(east / CELL) - math.floor(west / CELL) + 1) * (
        math.floor(north / CELL) - math.floor(south / CELL) + 1
    )


def class_name(layer: Layer) -> str | None:
    """The public text by which a layer is coloured: its class, else what its style paints by, else with a domain."""
    texts = [f for f in layer.fields if f.type == "string" and f.visibility == "public"]
    painted = list(_read([part.get("paint") for part in layer.style]))
    ranked = (
        [f.name for f in texts if f.role == "class"],
        sorted((f.name for f in texts if f.name in painted), key=painted.index),
        [f.name for f in texts if f.domain],
    )
    return next((name for names in ranked for name in names), None)


def _read(style: Any) -> Iterator[str]:
    """The fields that a part of a MapLibre style reads: ``["get", field]``, or ``property`` of the functions of old."""
    match style:
        case ["get", str(name), *_] | {"property": str(name)}:
            yield name
        case Mapping():
            for value in style.values():
                yield from _read(value)
        case list() | tuple():
            for value in style:
                yield from _read(value)


def may_be_generalised(layer: Layer) -> bool:
    """Whether pieces can stand for its features: everybody may see all of them, and their coordinates are degrees."""
    return (
        layer.kind == "vector" and layer.visibility == "public" and not layer.partial
        and not layer.inputs and layer.geometry_type != "Geometry" and coincident(layer.srid, CGCS2000)
    )  # fmt: skip
