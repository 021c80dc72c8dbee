"""Where a map looks, in Web Mercator (EPSG:3857) as tiles are cut (OGC 17-083r4, WebMercatorQuad). No I/O."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

#: Pixels of the picture that stands in for the map where no script runs; its box is also what the list twin lists.
WIDTH, HEIGHT = 960, 560
NEAREST, FARTHEST = 20, 3
_TILE = 256
#: Latitude at which the world is a square [degrees].
_POLE = 85.0511287798066


@dataclass(frozen=True, slots=True)
class View:
    """The middle [degrees] and the zoom level of a map."""

    lon: float
    lat: float
    zoom: int

    @classmethod
    def read(cls, text: str) -> Self:
        """From ``lon,lat,zoom``. Raises :class:`ValueError`."""
        lon, lat, zoom = text.split(",")
        found = cls(float(lon), float(lat), int(float(zoom)))
        if not (abs(found.lon) <= 180 and abs(found.lat) <= 90):
            raise ValueError(text)
        return found.within()

    @classmethod
    def of(cls, box: Sequence[float]) -> Self:
        """That which shows a box (west, south, east, north [degrees]) as large as it fits."""
        west, south, east, north = box
        (left, top), (right, bottom) = _world(west, north), _world(east, south)
        wide, high = max(right - left, 1e-9), max(bottom - top, 1e-9)
        zoom = math.floor(math.log2(min(WIDTH / wide, HEIGHT / high) / _TILE))
        lon, lat = _degrees((left + right) / 2, (top + bottom) / 2)
        return cls(lon, lat, zoom).within()

    def within(self) -> Self:
        """The same, no nearer or farther than there are tiles."""
        lat = max(-_POLE, min(_POLE, self.lat))
        return replace(self, lat=lat, zoom=max(FARTHEST, min(NEAREST, self.zoom)))

    def box(self) -> tuple[float, float, float, float]:
        """West, south, east, north [degrees] of :data:`WIDTH` by :data:`HEIGHT` pixels."""
        x, y = _world(self.lon, self.lat)
        half_x, half_y = (side / 2 / (_TILE * 2**self.zoom) for side in (WIDTH, HEIGHT))
        west, north = _degrees(max(x - half_x, 0.0), max(y - half_y, 0.0))
        east, south = _degrees(min(x + half_x, 1.0), min(y + half_y, 1.0))
        return west, south, east, north

    def moved(self, across: float, down: float) -> Self:
        """Moved by parts of the picture's width and height."""
        x, y = _world(self.lon, self.lat)
        scale = _TILE * 2**self.zoom
        x, y = x + across * WIDTH / scale, y + down * HEIGHT / scale
        lon, lat = _degrees(min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0))
        return replace(self, lon=lon, lat=lat)

    def zoomed(self, levels: int) -> Self:
        """Nearer by so many levels, or farther."""
        return replace(self, zoom=self.zoom + levels).within()

    def __str__(self) -> str:
        return f"{self.lon:.6f},{self.lat:.6f},{self.zoom}"


def _world(lon: float, lat: float) -> tuple[float, float]:
    """Place in the square of the world, 0 to 1 from its north-west corner."""
    radians = math.radians(max(-_POLE, min(_POLE, lat)))
    return (lon + 180) / 360, (1 - math.asinh(math.tan(radians)) / math.pi) / 2


def _degrees(x: float, y: float) -> tuple[float, float]:
    return x * 360 - 180, math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y))))
