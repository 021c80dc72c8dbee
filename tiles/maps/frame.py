"""What a map is asked to show: where, how large, and at which scale."""

import math
from dataclasses import dataclass

from layers.catalogue import CGCS2000
from layers.crs import epsg, meets, transformer
from tiles.matrix_sets import METRES_PER_DEGREE, Box, Level, MatrixSet

#: MapLibre's zoom 0 shows the world on 512 pixels [m per pixel at the equator].
_ZOOM_0 = math.tau * 6_378_137 / 512


@dataclass(frozen=True, slots=True)
class Frame:
    """Bounds (west, south, east, north) in EPSG ``srid``, columns and rows."""

    bounds: Box
    srid: int
    width: int
    height: int

    @property
    def cell(self) -> float:
        """Side of a pixel [units of the CRS]."""
        west, south, east, north = self.bounds
        return math.sqrt((east - west) * (north - south) / (self.width * self.height))

    @property
    def zoom(self) -> float:
        """The zoom at which MapLibre shows the same size on the ground."""
        metres = self.cell * (METRES_PER_DEGREE if epsg(self.srid).geographic else 1.0)
        if self.srid != 3857 and not epsg(self.srid).geographic:
            metres /= max(math.cos(math.radians(self._latitude())), 0.1)
        return math.log2(_ZOOM_0 / metres)

    def _latitude(self) -> float:
        west, south, east, north = self.bounds
        if not meets(self.srid, self.bounds, CGCS2000):
            return 0.0
        latitude = transformer(self.srid, CGCS2000).transform((west + east) / 2, (south + north) / 2)[1]
        return latitude if math.isfinite(latitude) else 0.0

    def as_tile(self) -> tuple[MatrixSet, int, int, int]:
        """The frame as a tile in the middle of nine, so that what lies beside it may reach in."""
        west, south, east, north = self.bounds
        wide, high = east - west, north - south
        level = Level(west - wide, north + high, wide, high, 3, 3, self.cell)
        return MatrixSet("frame", self.srid, (level,), {}), 0, 1, 1
