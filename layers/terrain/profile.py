"""Elevation profile 高程剖面: the heights of the ground along a line."""

from dataclasses import dataclass

import numpy as np

from layers.terrain.elevation import Floats
from layers.terrain.stations import Stations


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the line was sampled, and the height of the ground there [m], NaN where unknown."""

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
