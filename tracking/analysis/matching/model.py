"""What the model takes and gives."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from layers.network.modes import ModeId

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]
type Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Assumptions:
    """``accuracy``: standard deviation of fixes from the road [m]. ``radius``: a road further away is none's [m].
    ``most`` candidates of a fix. ``gap``: over a longer silence no way is sought [s]."""

    accuracy: float = 10.0
    radius: float = 50.0
    most: int = 6
    gap: float = 300.0
    mode: ModeId = "drive"


@dataclass(frozen=True, slots=True)
class Matched:
    """Fixes (n,) on roads: ``edge``, -1 where no road is near, ``along`` [m], ``lonlat`` (n, 2) [°], ``distance`` [m];
    ``begins``: whether a new chain begins here; there are ``chains``. And the way, p pieces in order: of ``piece_edge``
    from ``piece_start`` to ``piece_end`` along it [m], driven between the fixes ``piece_from`` and ``piece_fix``.
    """

    edge: Ints
    along: Floats
    lonlat: Floats
    distance: Floats
    begins: Flags
    piece_edge: Ints
    piece_start: Floats
    piece_end: Floats
    piece_fix: Ints
    piece_from: Ints
    chains: int

    @property
    def length(self) -> Floats:
        """Length of each piece [m]."""
        return np.abs(self.piece_end - self.piece_start)
