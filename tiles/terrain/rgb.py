"""Heights as colours: Mapbox Terrain-RGB (steps of 0.1 m from -10 000 m) and terrarium (of 1/256 m from -32 768 m)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Encoding:
    """24 bits (red, green, blue) are (height - base) / step as a whole number; ``maplibre`` is MapLibre's name."""

    id: str
    maplibre: str
    base: float
    step: float

    def pack(self, heights: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Red, green and blue (row, column, 3) of heights [m] (row, column); unknown ones (NaN) are 0 m."""
        known = np.nan_to_num(heights, nan=0.0)
        whole = np.clip(np.rint((known - self.base) / self.step), 0, 2**24 - 1).astype(">u4")
        return np.ascontiguousarray(whole.view(np.uint8).reshape(*heights.shape, 4)[..., 1:])


ENCODINGS: Mapping[str, Encoding] = {
    made.id: made
    for made in (Encoding("terrain-rgb", "mapbox", -10_000, 0.1), Encoding("terrarium", "terrarium", -32_768, 1 / 256))
}
