"""The colour of a building by its use 用途, as glTF wants it: linear, a byte per channel."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: sRGB of a wall, by use; roofs are a little lighter.
USES = {
    "residential": 0xE8C9A0,
    "commercial": 0xE58A7B,
    "office": 0x8FB3DE,
    "industrial": 0xB3A1C9,
    "warehouse": 0xBDB6A6,
    "school": 0xF2D15C,
    "hospital": 0xF3A6B4,
    "public": 0x8CCBB5,
    "transport": 0x9AA5B1,
    "religious": 0xD6A756,
}
OTHER = 0xD5D5D0
#: sRGB of what is not there yet, whatever its use: of layers with the keyword ``as-proposed``.
PROPOSED, AS_PROPOSED = 0x2F80ED, "as-proposed"
_LIGHTER = 0.35


def _linear(srgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """IEC 61966-2-1."""
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def colours(
    uses: Sequence[str | None], owners: NDArray[np.int64], roofs: NDArray[np.bool_], *, proposed: bool = False
) -> NDArray[np.uint8]:
    """Per vertex red, green, blue and an opaque alpha."""
    codes = [PROPOSED if proposed else USES.get(use or "", OTHER) for use in uses]
    walls = np.array([[code >> 16 & 255, code >> 8 & 255, code & 255] for code in codes], float).reshape(-1, 3) / 255
    lighter = walls + (1 - walls) * _LIGHTER
    chosen = np.where(roofs[:, np.newaxis], lighter[owners], walls[owners])
    rgb = np.round(_linear(chosen) * 255).astype(np.uint8)
    return np.column_stack([rgb, np.full(len(rgb), 255, np.uint8)])
