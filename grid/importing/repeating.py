"""Which cases repeat another, as reports are compared when they come: of one class, near in space and time, open."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

#: Semi-axis [m] and eccentricity² of the ellipsoid of CGCS2000 (GB 22021-2008).
_A, _E2 = 6378137.0, 0.00669438002290


@dataclass(frozen=True, slots=True)
class Known:
    """A case: where [°] and from when to when it was open. ``repeats``: it is known to repeat another already."""

    id: int
    class_code: str | None
    reported_at: datetime
    closed_at: datetime | None
    lon: float
    lat: float
    repeats: bool


def repeats(cases: Sequence[Known], new: frozenset[int], metres: float, hours: float) -> dict[int, int]:
    """For each new case that repeats another, the nearest earlier one that was open when it came and repeats none."""
    ordered = sorted(cases, key=lambda case: (case.reported_at, case.id))
    positions = _on_ellipsoid(np.array([(case.lon, case.lat) for case in ordered]).reshape(-1, 2))
    tree, span = cKDTree(positions), timedelta(hours=hours)
    found: dict[int, int] = {}
    for n, case in enumerate(ordered):
        if case.id not in new or case.class_code is None:
            continue
        near = [k for k in tree.query_ball_point(positions[n], metres) if k < n]
        same = [k for k in near if _is_same(ordered[k], case, span) and ordered[k].id not in found]
        if same:
            nearest = min(same, key=lambda k: (float(np.linalg.norm(positions[k] - positions[n])), ordered[k].id))
            found[case.id] = ordered[nearest].id
    return found


def _is_same(earlier: Known, case: Known, span: timedelta) -> bool:
    still_open = earlier.closed_at is None or earlier.closed_at > case.reported_at
    recent = case.reported_at - earlier.reported_at <= span
    return earlier.class_code == case.class_code and recent and still_open and not earlier.repeats


def _on_ellipsoid(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    """Geocentric positions [m], N×3; over 50 m a chord is shorter than the geodesic by less than 10⁻⁹ m."""
    lon, lat = np.radians(degrees[:, 0]), np.radians(degrees[:, 1])
    n = _A / np.sqrt(1 - _E2 * np.sin(lat) ** 2)
    across = n * np.cos(lat)
    return np.column_stack((across * np.cos(lon), across * np.sin(lon), n * (1 - _E2) * np.sin(lat)))
