"""How a derived layer is declared, and the pieces in which it is worked out."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from layers.catalogue import CatalogueError, Layer

Recipe = Literal["buildings-3d", "contours"]
#: Fields of footprints from which their height is told.
_HEIGHTS = frozenset({"height", "floors"})
#: Cells per degree: pieces of 0.02°, as wide as those in which the dirty log gathers many edits.
_PER_DEGREE = 50


def told_by(field: str) -> frozenset[str]:
    """From which fields of its first input a field of a derived layer is worked out (``citymap.told_by``)."""
    return _HEIGHTS if field in ("height", "height_from", "roof") else frozenset({field})


@dataclass(frozen=True, slots=True)
class Derivation:
    """A layer, the recipe that makes it of ``layer.inputs``, and the recipe's parameters.

    ``buildings-3d``: inputs are footprints, then elevation, then perhaps a surface; ``floor_height`` [m],
    ``assumed_height`` [m] for want of any (None: no height), ``surface_quantile`` of the surface within a footprint.
    ``contours``: the input is elevation; ``interval`` [m], ``index_every``.
    """

    layer: Layer
    recipe: Recipe
    parameters: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        least = 2 if self.recipe == "buildings-3d" else 1
        if len(self.layer.inputs) < least:
            raise CatalogueError(f"layer {self.layer.id!r} of recipe {self.recipe!r} needs {least} inputs")


@dataclass(frozen=True, slots=True)
class Stale:
    """A box [CGCS2000 degrees] in which a layer must be worked out anew, because ``input`` was changed there."""

    seq: int
    layer: str
    input: str
    box: tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A piece of the earth of 0.02° by 0.02°, by column and row from 180° W 90° S."""

    column: int
    row: int

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north [CGCS2000 degrees]."""
        west, south = self.column / _PER_DEGREE - 180, self.row / _PER_DEGREE - 90
        return west, south, (self.column + 1) / _PER_DEGREE - 180, (self.row + 1) / _PER_DEGREE - 90

    @property
    def name(self) -> str:
        """As the contours of it carry it."""
        return f"{self.column}/{self.row}"


def cells_of(box: tuple[float, float, float, float], margin: float = 0.0) -> Iterator[Cell]:
    """The cells that a box [degrees] with a margin meets, row by row from the south-west."""
    west, south, east, north = box
    first, last = (math.floor((x + 180) * _PER_DEGREE) for x in (max(west - margin, -180), min(east + margin, 179.999)))
    low, high = (math.floor((y + 90) * _PER_DEGREE) for y in (max(south - margin, -90), min(north + margin, 89.999)))
    for row in range(low, high + 1):
        for column in range(first, last + 1):
            yield Cell(column, row)
