"""Distances on the ground for places in degrees."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from layers.network.edges import geodesic, to_plane

type Floats = NDArray[np.float64]
#: First eccentricity of CGCS2000's ellipsoid, squared.
_E2 = 0.00669438002290


def scale_of(lat: Any) -> Any:
    """By how much World Mercator is larger than the ground at a latitude [°] (Snyder 1987, eq. 7-8)."""
    sine = np.sin(np.radians(lat))
    return np.sqrt(1 - _E2 * sine * sine) / np.cos(np.radians(lat))


def on_plane(lon: Floats, lat: Floats) -> Floats:
    """Places [°] on the plane of World Mercator, (n, 2)."""
    return to_plane(np.column_stack([lon, lat]))


def steps(lon: Floats, lat: Floats) -> Floats:
    """Geodesic distance from each place to the next [m], (n - 1,)."""
    places = np.column_stack([lon, lat])
    return geodesic(places[:-1], places[1:]) if len(places) > 1 else np.zeros(0)
