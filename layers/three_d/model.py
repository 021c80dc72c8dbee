"""A building as a city model describes it: its surfaces, and what they say of footprint, height and volume."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

type Floats = NDArray[np.float64]

#: Faces steeper than this [cosine of their slope] are walls.
_WALL = 0.05
#: Grid on which footprints are put together [units of the CRS]: a millimetre, as surveys have it.
_GRID = 0.001


@dataclass(frozen=True, slots=True)
class Surface:
    """A face: rings (n, 3) of its corners, the outer first, none repeated; ``kind`` is ``ground``, ``roof``, ``wall``
    or nothing where the file does not tell."""

    rings: tuple[Floats, ...]
    kind: str = ""

    @property
    def area_vector(self) -> Floats:
        """Its normal, as long as its area [m²] (Newell's method); holes run the other way and take away."""
        total = np.zeros(3)
        for ring in self.rings:
            (x, y, z), (u, v, w) = (ring - ring[0]).T, (ring[[*range(1, len(ring)), 0]] - ring[0]).T
            total += np.array([y @ w - z @ v, z @ u - x @ w, x @ v - y @ u]) / 2
        return total


@dataclass(frozen=True, slots=True)
class Solid:
    """A building with its surfaces in a projected CRS [m], up to the finest level of detail that the file has of it."""

    id: str
    surfaces: tuple[Surface, ...]
    attributes: Mapping[str, Any]
    lod: str = ""

    @property
    def reach(self) -> tuple[float, float]:
        """Its lowest and highest point [m]."""
        heights = np.concatenate([ring[:, 2] for surface in self.surfaces for ring in surface.rings])
        return float(heights.min()), float(heights.max())

    @property
    def volume(self) -> float:
        """What its surfaces enclose [m³], by the divergence theorem; of no meaning where they are not closed."""
        origin = self.surfaces[0].rings[0][0]
        return float(sum((s.rings[0][0] - origin) @ s.area_vector for s in self.surfaces) / 3)

    def footprint(self) -> Any:
        """Its ground as a 2D MultiPolygon: that of its ground surfaces, else of all that is not upright."""
        ground = [s for s in self.surfaces if s.kind == "ground"]
        return _flattened(ground or [s for s in self.surfaces if not _upright(s)])


def _upright(surface: Surface) -> bool:
    normal = surface.area_vector
    length = float(np.linalg.norm(normal))
    return not length or abs(normal[2]) < _WALL * length


def _flattened(surfaces: Sequence[Surface]) -> Any:
    parts = []
    for surface in surfaces:
        outer, *holes = (ring[:, :2] for ring in surface.rings)
        if len(outer) >= 3:
            parts.append(shapely.make_valid(shapely.Polygon(outer, [hole for hole in holes if len(hole) >= 3])))
    whole = shapely.union_all(parts, grid_size=_GRID) if parts else shapely.Polygon()
    areas = [part for part in shapely.get_parts(whole) if part.geom_type == "Polygon" and part.area > 0]
    return shapely.MultiPolygon(areas)
