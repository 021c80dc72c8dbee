"""限高 limits of elevation from airport surfaces and view corridors (control-zones with ``limit_height``).

Over a place the limit is ``limit_height`` [m above sea] + ``limit_slope`` × the distance [m] from the surface's origin.
"""

from dataclasses import dataclass
from typing import Any

import shapely


@dataclass(frozen=True, slots=True)
class Surface:
    """One surface: where it holds (shapely, m), and its plane or cone. ``origin`` (east, north) for one that slopes."""

    name: str
    kind: str
    shape: Any
    height: float
    slope: float = 0.0
    origin: tuple[float, float] | None = None

    def lowest_over(self, ground: Any) -> float | None:
        """The lowest limit over a piece of ground (shapely, m); None where the surface does not hold."""
        under = shapely.intersection(self.shape, ground)
        if under.is_empty or not under.area:
            return None
        if not self.slope or self.origin is None:
            return self.height
        origin = shapely.Point(self.origin)
        if self.slope > 0:
            return self.height + self.slope * float(shapely.distance(origin, under))
        corners = shapely.points(shapely.get_coordinates(under))
        return self.height + self.slope * float(shapely.distance(origin, corners).max())


@dataclass(frozen=True, slots=True)
class Clearance:
    """A building under a surface: its top and the limit [m above sea]; ``exceeds`` by how much it is too high, or 0."""

    building: int
    surface: str
    kind: str
    top: float
    limit: float
    exceeds: float
    allowed_height: float


def clearances(tops: list[tuple[Any, float, float]], surfaces: list[Surface]) -> list[Clearance]:
    """Every building under every surface. ``tops``: footprint (shapely), ground [m above sea], height above it [m]."""
    found = []
    for number, (footprint, ground, height) in enumerate(tops, 1):
        for surface in surfaces:
            limit = surface.lowest_over(footprint)
            if limit is not None:
                over = max(0.0, ground + height - limit)
                numbers = (round(v, 3) for v in (ground + height, limit, over, max(0.0, limit - ground)))
                found.append(Clearance(number, surface.name, surface.kind, *numbers))
    return sorted(found, key=lambda c: (-c.exceeds, c.building, c.surface))
