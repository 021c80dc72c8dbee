"""Means of travel: which roads each may use, and how fast.

Driving goes at the road's own speed limit where the layer has one, else at the middle of the design speeds of its class
(CJJ 37-2012 §3.2.1: 快速路 60–100, 主干路 40–60, 次干路 30–50, 支路 20–40 km/h; below that, customary speeds). Nothing
is known of lights and traffic: times are those of free roads.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from layers.network.edges import Edges, Flags, Floats

ModeId = Literal["drive", "cycle", "walk"]


@dataclass(frozen=True, slots=True)
class Mode:
    """Speeds by road class [km/h]; a class without one is closed. ``untold``: of a road without a known class.

    ``limited``: the road's speed limit counts. ``bound``: one-way signs and turn restrictions do.
    """

    speeds: dict[str, float]
    untold: float
    limited: bool
    bound: bool

    def speed(self, edges: Edges) -> Floats:
        """Speed on each edge [m/s]; 0 where it is closed."""
        classes, of = np.unique([str(text or "") for text in edges.road_class], return_inverse=True)
        by_class = np.array([self.speeds.get(text, 0.0 if text in _KNOWN else self.untold) for text in classes])
        speed = by_class[of] if len(of) else np.zeros(0)
        if self.limited:
            told = (speed > 0) & (edges.maxspeed > 0)
            speed = np.where(told, edges.maxspeed, speed)
        return np.asarray(speed / 3.6)

    def directions(self, edges: Edges) -> tuple[Flags, Flags]:
        """Which edges may be used along, and which against, the order of their vertices."""
        open_ = self.speed(edges) > 0
        if not self.bound:
            return open_, open_
        return open_ & (edges.oneway != -1), open_ & (edges.oneway != 1)


_DRIVE = {
    "motorway": 100.0, "trunk": 80.0, "primary": 50.0, "secondary": 40.0, "tertiary": 30.0, "residential": 20.0,
    "service": 15.0, "track": 10.0,
}  # fmt: skip
_CYCLE = {
    "trunk": 15.0, "primary": 15.0, "secondary": 15.0, "tertiary": 15.0, "residential": 15.0, "service": 12.0,
    "track": 10.0, "cycleway": 15.0,
}  # fmt: skip
_WALK = {
    name: 5.0 for name in ("primary", "secondary", "tertiary", "residential", "service", "track", "cycleway", "footway")
}
_KNOWN = {*_DRIVE, *_CYCLE, *_WALK}

MODES: dict[ModeId, Mode] = {
    "drive": Mode(_DRIVE, untold=20.0, limited=True, bound=True),
    "cycle": Mode(_CYCLE, untold=12.0, limited=False, bound=True),
    "walk": Mode(_WALK, untold=5.0, limited=False, bound=False),
}
