"""Elevation profile 高程剖面: the heights of the ground along a line."""

from dataclasses import dataclass

import numpy as np

from layers.crs import transformer
from layers.terrain.elevation import Elevation, Floats
from layers.terrain.stations import Stations, stations


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the line was sampled, and the height there [m], NaN where unknown."""

    stations: Stations
    heights: Floats

    @property
    def ascent(self) -> float:
        """Sum of all rises from a point to the next, where both are known [m]."""
        return float(np.nansum(np.maximum(np.diff(self.heights), 0)))

    @property
    def descent(self) -> float:
        """Sum of all falls from a point to the next, where both are known [m]."""
        return float(-np.nansum(np.minimum(np.diff(self.heights), 0)))


def profile(elevation: Elevation, line: Floats, step: float) -> Profile:
    """Heights along a line (rows of longitude, latitude [°]), at its vertices and at most ``step`` [m] apart.

    Distances are geodesic, heights bilinear. Raises what :func:`layers.terrain.stations.stations` raises.
    """
    points = stations(line, step)
    return Profile(points, heights_at(elevation, points.longitudes, points.latitudes))


def heights_at(elevation: Elevation, longitudes: Floats, latitudes: Floats) -> Floats:
    """Heights [m] at points given in degrees, bilinear; NaN where unknown."""
    x, y = transformer(4490, elevation.srid).transform(longitudes, latitudes)
    return elevation.at(np.asarray(x), np.asarray(y))
