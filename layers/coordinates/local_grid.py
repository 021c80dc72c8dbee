"""地方独立坐标系 a city's own grid, as its configuration declares it: by PROJ text, or by four parameters from another.

四参数 four parameters: origin shift [m], rotation [″] and scale [ppm] between two plane systems. 七参数 seven
parameters: shift [m], rotation [″] and scale [ppm] between two datums (position vector).
"""

import math
import re
from dataclasses import dataclass
from typing import Literal

from layers.catalogue import Text

SevenParameters = tuple[float, float, float, float, float, float, float]
#: Datums that are far from CGCS2000 and that PROJ does not know the way from.
OldDatum = Literal["xian80", "beijing54"]

#: Words of PROJ text that name no file, no address and no other definition.
_PROJ_WORDS = frozenset((
    *("proj", "lat_0", "lat_1", "lat_2", "lat_ts", "lon_0", "k", "k_0", "x_0", "y_0", "zone", "south", "ellps"),
    *("datum", "a", "b", "rf", "f", "R", "towgs84", "units", "to_meter", "no_defs", "type"),
))  # fmt: skip
_PROJECTIONS = frozenset((
    *("tmerc", "etmerc", "utm", "merc", "lcc", "longlat", "latlong", "laea", "aea", "cass", "omerc", "sterea", "stere"),
    "gstmerc",
))  # fmt: skip
_WORD = re.compile(r"\+?([A-Za-z_0-9]+)(?:=([A-Za-z0-9.,+_-]+))?")
_LONGEST = 500


class LocalGridError(ValueError):
    """A local grid is not declared well."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.text = Text(zh, en)


@dataclass(frozen=True, slots=True)
class LocalGrid:
    """One local grid. Either ``proj``, or ``base`` (EPSG code of a projected system) with four parameters:

    E' = east + k (E cos r - N sin r), N' = north + k (E sin r + N cos r), k = 1 + scale · 10⁻⁶, where r is the
    ``rotation`` [″], anticlockwise. ``towgs84`` are the seven parameters of the datum of ``proj`` [m, ″, ppm]; without,
    it is CGCS2000.
    """

    proj: str | None = None
    towgs84: SevenParameters | None = None
    base: int | None = None
    east: float = 0.0
    north: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0

    def __post_init__(self) -> None:
        if (self.proj is None) == (self.base is None):
            raise LocalGridError("请给出 proj 或 base 之一", "give either proj or base")
        if self.base is not None and self.towgs84 is not None:
            raise LocalGridError("towgs84 只与 proj 同用", "towgs84 goes with proj only")
        if self.proj is not None:
            check_proj(self.proj)

    @property
    def matrix(self) -> tuple[float, float, float, float, float, float]:
        """a, b, d, e, xoff, yoff: E' = a E + b N + xoff, N' = d E + e N + yoff."""
        k, r = 1 + self.scale * 1e-6, math.radians(self.rotation / 3600)
        return k * math.cos(r), -k * math.sin(r), k * math.sin(r), k * math.cos(r), self.east, self.north


def check_proj(text: str) -> None:
    """Raise :class:`LocalGridError` unless the PROJ text is one plain projection: it could name files and pipelines."""
    parts = {word: _WORD.fullmatch(word) for word in text.split()}
    wrong = next((word for word, part in parts.items() if not part or part[1] not in _PROJ_WORDS), None)
    if wrong is not None or len(text) > _LONGEST:
        shown = (wrong or text)[:60]
        raise LocalGridError(
            f"PROJ 文本不接受 {shown!r}，请用 +proj=tmerc 等投影及其参数",
            f"PROJ text does not take {shown!r} here: give a projection such as +proj=tmerc and its parameters",
        )
    if not any(part and part[1] == "proj" and part[2] in _PROJECTIONS for part in parts.values()):
        raise LocalGridError(
            f"PROJ 文本缺少投影，可用：{'、'.join(sorted(_PROJECTIONS))}",
            f"the PROJ text names no projection; it may be one of {', '.join(sorted(_PROJECTIONS))}",
        )
