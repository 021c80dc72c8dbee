"""Cut and fill 填挖方: the volume between the ground and a design, within a polygon.

Each cell is a column of its height; a cell that the polygon covers in part counts by its exact share. So a volume is
that of the grid's own steps, whose error shrinks with the square of the cell.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from numpy.typing import NDArray

from layers.terrain.elevation import Elevation, Floats
from layers.terrain.errors import OutsideElevation


@dataclass(frozen=True, slots=True)
class Plane:
    """A design plane: ``height`` [m] at (x, y) of the grid's CRS, rising by so much per unit to the east and north."""

    height: float
    x: float = 0.0
    y: float = 0.0
    rise_east: float = 0.0
    rise_north: float = 0.0

    def at(self, x: Floats, y: Floats) -> Floats:
        """The plane's heights [m] at points."""
        return np.asarray(self.height + (x - self.x) * self.rise_east + (y - self.y) * self.rise_north, np.float64)


@dataclass(frozen=True, slots=True)
class Earthwork:
    """Volumes [m³] of ground above the design (``cut`` 挖方) and of design above the ground (``fill`` 填方), the areas
    [m²] of both, and the area where ground or design is unknown, which no volume counts."""

    cut: float
    fill: float
    cut_area: float
    fill_area: float
    level_area: float
    unknown_area: float

    @property
    def net(self) -> float:
        """What is left over of the cut [m³]; negative where ground must be brought."""
        return self.cut - self.fill


def cut_fill(ground: Elevation, design: Plane | Elevation, area: shapely.Polygon | shapely.MultiPolygon) -> Earthwork:
    """Volumes between the ground and a design within an area of the grid's CRS.

    A design that is a grid, in the same CRS, is read at the ground's cells' centres, bilinear. Raises
    :class:`OutsideElevation` where the area does not meet the grid.
    """
    rows, columns, share = coverage(ground, area)
    if not len(share):
        raise OutsideElevation("the area lies outside the elevation; move it, or import elevation there")
    wide, high = ground.cell_sizes()
    covered = share * (wide * high)[rows]
    above = ground.heights[rows, columns] - design.at(ground.eastings()[columns], ground.northings()[rows])
    known = np.isfinite(above)
    missing = _area(ground, area) - float(covered.sum())
    return Earthwork(
        cut=float(np.sum((above * covered)[known & (above > 0)])),
        fill=float(-np.sum((above * covered)[known & (above < 0)])),
        cut_area=float(covered[known & (above > 0)].sum()),
        fill_area=float(covered[known & (above < 0)].sum()),
        level_area=float(covered[known & (above == 0)].sum()),
        unknown_area=float(covered[~known].sum()) + max(missing, 0.0),
    )


def coverage(
    grid: Elevation, area: shapely.Polygon | shapely.MultiPolygon
) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Rows and columns of the cells that an area covers, and the exact share of each, above 0 to 1."""
    west, south, east, north = grid.bounds
    raster = NumPyRasterSource(np.zeros(grid.shape, np.uint8), west, south, east, north)
    feature = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(area)}
    found = exact_extract(raster, feature, ["cell_id", "coverage"])[0]["properties"]
    rows, columns = np.divmod(np.asarray(found["cell_id"], np.intp), grid.shape[1])
    return rows, columns, np.asarray(found["coverage"], np.float64)


def _area(grid: Elevation, area: shapely.Polygon | shapely.MultiPolygon) -> float:
    """The whole area [m²] on the ground, measured as the grid's cells are in its middle row."""
    wide, high = grid.cell_sizes()
    middle = grid.shape[0] // 2
    return float(area.area * wide[middle] * high[middle] / (grid.transform.a * -grid.transform.e))
