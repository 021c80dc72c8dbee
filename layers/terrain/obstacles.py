"""Buildings as obstacles: footprints that stand up from the ground to a level top."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.terrain.elevation import Elevation, Floats


@dataclass(frozen=True, slots=True)
class Obstacles:
    """``footprints`` (polygons in EPSG ``srid``), the height of each one's top [m, as the terrain's], and ``ids``."""

    footprints: NDArray[Any]
    tops: Floats
    ids: tuple[int, ...]
    srid: int

    def __len__(self) -> int:
        return len(self.footprints)


def standing_on(
    elevation: Elevation, footprints: Sequence[Any] | NDArray[Any], heights: Floats, ids: Sequence[int]
) -> Obstacles:
    """Buildings of those heights [m] above the ground, whose footprints are in the grid's CRS.

    A building whose ground is unknown is left out.
    """
    shapes = np.asarray(footprints, dtype=object)
    ground = ground_of(elevation, shapes)
    placed = np.isfinite(ground)
    tops = ground[placed] + np.asarray(heights, float)[placed]
    kept = tuple(int(id) for id, there in zip(ids, placed, strict=True) if there)
    return Obstacles(shapes[placed], tops, kept, elevation.srid)


def ground_of(elevation: Elevation, shapes: NDArray[Any]) -> Floats:
    """The heights [m] on which buildings stand: of each the mean of the terrain at the corners of its outline, NaN
    where none is known."""
    points, owner = shapely.get_coordinates(shapely.get_exterior_ring(_largest(shapes)), return_index=True)
    corner = np.append(owner[1:] == owner[:-1], False)[: len(owner)]  # the last point of a ring is its first again
    points, owner = points[corner], owner[corner]
    ground = elevation.at(points[:, 0], points[:, 1])
    known = np.isfinite(ground)
    count = np.bincount(owner[known], minlength=len(shapes))
    total = np.bincount(owner[known], weights=ground[known], minlength=len(shapes))
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def with_buildings(elevation: Elevation, obstacles: Obstacles) -> Elevation:
    """The surface: the terrain, raised to the building's top in cells whose centre lies in a footprint."""
    from rasterio.features import rasterize

    if not len(obstacles):
        return elevation
    order = np.argsort(obstacles.tops)  # the highest is drawn last
    drawn = rasterize(
        ((obstacles.footprints[i], float(obstacles.tops[i])) for i in order),
        out_shape=elevation.shape, transform=elevation.transform, fill=np.nan, dtype="float64",
    )  # fmt: skip
    return replace(elevation, heights=np.where(np.isnan(drawn), elevation.heights, np.fmax(drawn, elevation.heights)))


def _largest(shapes: NDArray[Any]) -> NDArray[Any]:
    """The largest polygon of each."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    order = np.lexsort((-shapely.area(parts), owner))
    _, first = np.unique(owner[order], return_index=True)
    return np.asarray(parts[order][first])
