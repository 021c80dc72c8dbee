"""Which tiles an archive holds: those of some levels of a grid that meet a box or an area."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from layers.catalogue import CGCS2000
from layers.crs import transformer
from tiles.archives.errors import ArchiveError
from tiles.matrix_sets import Box, MatrixSet

#: (level, row, column).
type Address = tuple[int, int, int]

#: The deepest level of an archive.
DEEPEST = 20
#: Longest edge of an area [°]: edges bend in other grids.
_STRAIGHT = 0.05


@dataclass(frozen=True)
class Plan:
    """Levels ``lowest`` to ``deepest`` of a grid within ``box`` [CGCS2000 degrees], and of it within ``area``.

    ``area`` is a shapely polygon in CGCS2000 degrees; tiles that meet it are whole.
    """

    grid: MatrixSet
    lowest: int
    deepest: int
    box: Box
    area: Any = None

    def __post_init__(self) -> None:
        if not 0 <= self.lowest <= self.deepest <= min(DEEPEST, len(self.grid.levels) - 1):
            raise ArchiveError(
                f"级别须在 0 到 {DEEPEST} 之间，且由小到大", f"levels are 0 to {DEEPEST}, from low to high"
            )

    def most(self) -> int:
        """How many tiles the box has: as many as there are, or more."""
        met = (self.grid.covering(self._units, z) for z in range(self.lowest, self.deepest + 1))
        return sum((m[2] - m[0] + 1) * (m[3] - m[1] + 1) for m in met if m)

    def addresses(self) -> Iterator[Address]:
        """The tiles, from low levels to high ones."""
        for z in range(self.lowest, self.deepest + 1):
            met = self.grid.covering(self._units, z)
            if met is None:
                continue
            columns = np.arange(met[0], met[2] + 1)
            for row in range(met[1], met[3] + 1):
                for column in columns[self._meets(z, row, columns)].tolist():
                    yield z, row, column

    def _meets(self, z: int, row: int, columns: Any) -> Any:
        """Which tiles of a row meet the area."""
        if self._shape is None:
            return np.ones(len(columns), np.bool_)
        level = self.grid.levels[z]
        west, north = level.west + columns * level.width, level.north - row * level.height
        return shapely.intersects(self._shape, shapely.box(west, north - level.height, west + level.width, north))

    @cached_property
    def _units(self) -> Box:
        """The box in units of the grid, a hair smaller: a tile that only touches it is not met."""
        west, south, east, north = self.grid.from_degrees(self.box)
        hair_x, hair_y = (east - west) * 1e-9, (north - south) * 1e-9
        return west + hair_x, south + hair_y, east - hair_x, north - hair_y

    @cached_property
    def _shape(self) -> Any:
        """The area in units of the grid, prepared."""
        if self.area is None:
            return None
        shape = shapely.segmentize(self.area, _STRAIGHT)
        if not self.grid.geographic:
            to_grid = transformer(CGCS2000, self.grid.srid)
            shape = shapely.transform(shape, lambda at: np.column_stack(to_grid.transform(at[:, 0], at[:, 1])))
        if not all(map(math.isfinite, shape.bounds)):
            raise ArchiveError("范围超出了网格所及", "the area reaches beyond the grid")
        shapely.prepare(shape)
        return shape
