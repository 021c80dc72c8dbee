"""色表 colour maps: from numbers to colours, and the legend that tells which is which."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

type Colour = tuple[int, int, int]
type Range = tuple[float, float]

_STEPS = 1024
_LEGEND = 7


@dataclass(frozen=True, slots=True)
class ColourMap:
    """Colours from low to high, linear between them. A map with ``unit`` has them at ``stops`` in that unit and needs
    no range; those of any other are spread over the range that is asked for."""

    id: str
    colours: tuple[Colour, ...]
    stops: tuple[float, ...] = ()
    unit: str | None = None

    @property
    def places(self) -> tuple[float, ...]:
        """Where the colours stand."""
        return self.stops or tuple(np.linspace(0, 1, len(self.colours)).tolist())

    def paint(self, values: NDArray[Any], over: Range | None = None) -> NDArray[np.uint8]:
        """Red, green and blue (row, column, 3) of values (row, column); NaN is painted as the lowest."""
        table = _table(self)
        low, high = over or (0.0, 1.0)
        if self.unit and over is None:
            places = np.asarray(self.places)
            share = np.interp(values, places, np.linspace(0, 1, len(places)))
        else:
            share = (values - np.float32(low)) * np.float32(1 / max(high - low, 1e-12))
        index = np.nan_to_num(np.clip(share, 0, 1) * (_STEPS - 1) + 0.5).astype(np.intp)
        painted: NDArray[np.uint8] = table[index]
        return painted

    def legend(self, over: Range | None = None) -> list[tuple[float, str]]:
        """Values, and their colours as #rrggbb, from low to high."""
        if self.unit and over is None:
            return [(place, _hex(colour)) for place, colour in zip(self.places, self.colours, strict=True)]
        low, high = over or (0.0, 1.0)
        values = np.linspace(low, high, _LEGEND)
        painted = self.paint(values[None], (low, high))[0]
        return [
            (float(f"{v:.6g}"), _hex((int(r), int(g), int(b)))) for v, (r, g, b) in zip(values, painted, strict=True)
        ]


@lru_cache(maxsize=64)
def _table(made: ColourMap) -> NDArray[np.uint8]:
    """The map's colours at equal steps between its first and last stop, each part between two stops as long."""
    count = len(made.colours)
    at = np.linspace(0, 1, count)
    colours = np.asarray(made.colours, float)
    steps = np.linspace(0, 1, _STEPS)
    return np.stack([np.interp(steps, at, colours[:, n]) for n in range(3)], axis=-1).round().astype(np.uint8)


def _hex(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


#: Heights [m] in the manner of atlases. They stand still: tiles meet without seams, and mean the same everywhere.
HEIGHTS = ColourMap(
    "heights",
    (
        (33, 92, 138), (120, 180, 205), (38, 115, 77), (86, 148, 86), (127, 178, 104), (178, 200, 124),
        (222, 214, 143), (213, 184, 118), (201, 158, 96), (172, 130, 86), (143, 105, 78), (160, 140, 128),
        (205, 198, 194), (255, 255, 255),
    ),
    (-100, -1, 0, 20, 50, 100, 200, 350, 500, 1000, 1500, 2500, 4000, 6000),
    "m",
)  # fmt: skip
SLOPES = ColourMap(
    "slopes",
    ((247, 252, 240), (204, 235, 197), (254, 224, 139), (253, 174, 97), (215, 73, 39), (122, 1, 30)),
    (0, 2, 6, 15, 25, 60),
    "deg",
)
ASPECTS = ColourMap(
    "aspects",
    ((94, 129, 172), (136, 192, 208), (163, 190, 140), (235, 203, 139), (208, 105, 95), (235, 180, 160),
     (180, 142, 173), (120, 120, 190), (94, 129, 172)),
    (0, 45, 90, 135, 180, 225, 270, 315, 360),
    "deg",
)  # fmt: skip
#: Those that may be asked for by name.
COLOUR_MAPS: Mapping[str, ColourMap] = {
    made.id: made
    for made in (
        HEIGHTS,
        SLOPES,
        ASPECTS,
        ColourMap("grey", ((0, 0, 0), (255, 255, 255))),
        ColourMap("viridis", ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))),
        ColourMap("magma", ((0, 0, 4), (81, 18, 124), (183, 55, 121), (252, 137, 97), (252, 253, 191))),
        ColourMap("vegetation", ((165, 0, 38), (244, 109, 67), (254, 224, 139), (102, 189, 99), (0, 104, 55))),
        ColourMap("blues", ((247, 251, 255), (158, 202, 225), (66, 146, 198), (8, 48, 107))),
        ColourMap("differences", ((33, 102, 172), (146, 197, 222), (247, 247, 247), (244, 165, 130), (178, 24, 43))),
    )
}
