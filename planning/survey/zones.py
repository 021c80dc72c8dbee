"""高斯投影带 Gauss-Krüger zones of CGCS2000 (EPSG:4491–4554): zone number, central meridian, EPSG code.

A 3° zone n has the central meridian 3n° (25–45), a 6° zone n has 6n − 3° (13–23). Survey X is the northing, survey Y
the easting, false easting 500 000 m, perhaps with the zone number before it (38 586 489 m).
"""

from dataclasses import dataclass
from typing import Literal

from layers.importing.source_crs import gauss_kruger_code

#: First and last zone that cover China, by width [°].
ZONES: dict[int, tuple[int, int]] = {3: (25, 45), 6: (13, 23)}
#: What a zone number before an easting multiplies [m].
PREFIX = 1_000_000
FALSE_EASTING = 500_000.0


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone; ``width`` is 3 or 6 degrees."""

    number: int
    width: Literal[3, 6] = 3

    def __post_init__(self) -> None:
        first, last = ZONES[self.width]
        if not first <= self.number <= last:
            raise ValueError(f"there is no {self.width}° zone {self.number} in China: {first} to {last}")

    @property
    def meridian(self) -> int:
        """The central meridian [° E]."""
        return 3 * self.number if self.width == 3 else 6 * self.number - 3

    @property
    def srid(self) -> int:
        """EPSG code of the system whose eastings carry no zone number, as PostGIS computes in."""
        code = gauss_kruger_code(self.meridian)
        assert code is not None
        return code

    @property
    def prefixed_srid(self) -> int:
        """EPSG code of the system whose eastings begin with the zone number."""
        code = gauss_kruger_code(self.meridian, self.number)
        assert code is not None
        return code

    def holds(self, longitude: float) -> bool:
        """Whether a longitude [°] lies in the zone, its borders included."""
        return abs(longitude - self.meridian) <= self.width / 2 + 1e-9


def zone_at(longitude: float, width: Literal[3, 6] = 3) -> Zone:
    """The zone of a longitude [° E]. Raises :class:`ValueError` outside China's zones."""
    number = int((longitude + 1.5) // 3) if width == 3 else int(longitude // 6) + 1
    return Zone(number, width)


def zone_of_srid(srid: int) -> Zone | None:
    """The zone of an EPSG code with or without zone number; None for other systems.

    Codes without a zone number serve 3° and 6° zones alike; the 3° zone is given.
    """
    if 4513 <= srid <= 4533:
        return Zone(srid - 4513 + 25)
    if 4534 <= srid <= 4554:
        return Zone(srid - 4534 + 25)
    return Zone(srid - 4491 + 13, 6) if 4491 <= srid <= 4501 else None
