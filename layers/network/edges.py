"""Road edges in memory: what the layer's rows say, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Indices = NDArray[np.int32]
Flags = NDArray[np.bool_]
Objects = NDArray[np.object_]

#: CGCS2000's ellipsoid and GRS 80 differ in the tenth digit of the flattening (EPSG:1024).
ELLIPSOID = pyproj.Geod(a=6378137.0, rf=298.257222101)
#: World Mercator: conformal, so what is nearest around a point on its plane is nearest on the ground.
_PLANE = 3395


@dataclass(frozen=True, slots=True)
class Edges:
    """E edges with V vertices; edge i has the vertices ``start[i]:start[i + 1]``.

    ``feature``: id of the row. ``road``: source id of the whole road (``way/5`` of the piece ``way/5#2``). ``oneway``:
    1 along the vertices, -1 against them, 0 both. ``maxspeed`` [km/h] or NaN. ``lonlat`` (V, 2) CGCS2000 [°]; ``along``
    (V,) distance from the edge's start [m]; ``lines`` (E,) on the plane of World Mercator.
    """

    feature: Ints
    road: Objects
    name: Objects
    name_en: Objects
    road_class: Objects
    oneway: Ints
    maxspeed: Floats
    lines: Objects
    start: Ints
    lonlat: Floats
    along: Floats

    def __len__(self) -> int:
        return len(self.feature)

    @property
    def first(self) -> Ints:
        """The first vertex of each edge."""
        return self.start[:-1]

    @property
    def last(self) -> Ints:
        """The last vertex of each edge."""
        return self.start[1:] - 1

    @property
    def length(self) -> Floats:
        """Length of each edge [m]."""
        return self.along[self.last]

    def take(self, index: Ints) -> "Edges":
        """The edges of these numbers, in this order."""
        counts = np.diff(self.start)[index]
        start = np.concatenate([[0], np.cumsum(counts)])
        vertex = np.repeat(self.start[index] - start[:-1], counts) + np.arange(start[-1])
        rows = {name: getattr(self, name)[index] for name in _PER_EDGE}
        return Edges(**rows, start=start, lonlat=self.lonlat[vertex], along=self.along[vertex])

    def joined(self, other: "Edges") -> "Edges":
        """These edges, then the other ones."""
        names = (*_PER_EDGE, *_PER_VERTEX)
        both = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in names}
        return Edges(**both, start=np.concatenate([self.start, other.start[1:] + self.start[-1]]))

    def bounds(self) -> Floats:
        """West, south, east, north of each edge [°], (E, 4)."""
        if not len(self):
            return np.zeros((0, 4))
        low = np.minimum.reduceat(self.lonlat, self.first)
        return np.hstack([low, np.maximum.reduceat(self.lonlat, self.first)])

    def nbytes(self) -> int:
        """Memory [bytes] of the arrays, and of the lines with 200 bytes of overhead each."""
        arrays = sum(getattr(self, field.name).nbytes for field in fields(self))
        return int(arrays + 16 * len(self.lonlat) + 200 * len(self))


_PER_VERTEX = ("lonlat", "along")
_PER_EDGE = tuple(field.name for field in fields(Edges) if field.name not in (*_PER_VERTEX, "start"))

#: A row: id, WKB in CGCS2000, name, English name, class, one-way, speed limit, source id.
Row = tuple[int, Any, str | None, str | None, str | None, int | None, float | None, str | None]


def edges_of(rows: Sequence[Row]) -> Edges:
    """The edges of rows of the layer; rows without length are left out."""
    feature, wkb, name, name_en, road_class, oneway, maxspeed, source = zip(*rows, strict=True) if rows else ((),) * 8
    lonlat, of = shapely.get_coordinates(shapely.from_wkb([bytes(b) for b in wkb]), return_index=True)
    counts = np.bincount(of, minlength=len(rows))
    start = np.concatenate([[0], np.cumsum(counts)])
    along = _along(lonlat, of, start)
    edges = Edges(
        feature=np.array(feature, dtype=np.int64),
        road=np.array([s and s.partition("#")[0] for s in source], dtype=object),
        name=np.array(name, dtype=object),
        name_en=np.array(name_en, dtype=object),
        road_class=np.array(road_class, dtype=object),
        oneway=np.array([d or 0 for d in oneway], dtype=np.int64),
        maxspeed=np.array(maxspeed, dtype=np.float64),
        lines=_on_plane(lonlat, of),
        start=start,
        lonlat=lonlat,
        along=along,
    )
    has_length = edges.length > 0 if len(rows) else np.zeros(0, dtype=bool)
    return edges if has_length.all() else edges.take(np.flatnonzero(has_length))


def geodesic(start: Floats, end: Floats) -> Floats:
    """Distances [m] between points (n, 2) [°] on the ellipsoid."""
    return np.asarray(ELLIPSOID.inv(start[:, 0], start[:, 1], end[:, 0], end[:, 1])[2], dtype=np.float64)


def to_plane(lonlat: Floats) -> Floats:
    """Points (n, 2) [°] on the plane of World Mercator."""
    return np.column_stack(_projection().transform(lonlat[:, 0], lonlat[:, 1])).astype(np.float64)


def to_degrees(shape: Any) -> Any:
    """A shape on the plane of World Mercator in CGCS2000 degrees."""
    back = lambda xy: np.column_stack(_projection().transform(xy[:, 0], xy[:, 1], direction="INVERSE"))  # noqa: E731
    return shapely.transform(shape, back)


@lru_cache(maxsize=1)
def _projection() -> pyproj.Transformer:
    return pyproj.Transformer.from_crs(4490, _PLANE, always_xy=True)


def _along(lonlat: Floats, of: Ints, start: Ints) -> Floats:
    steps = np.zeros(len(lonlat))
    if len(lonlat):
        within = of[1:] == of[:-1]
        steps[1:][within] = geodesic(lonlat[:-1][within], lonlat[1:][within])
    total = np.cumsum(steps)
    return np.asarray(total - np.repeat(total[start[:-1]] if len(total) else total, np.diff(start)))


def _on_plane(lonlat: Floats, of: Ints) -> Objects:
    if not len(lonlat):
        return np.zeros(0, dtype=object)
    return np.asarray(shapely.linestrings(to_plane(lonlat), indices=of), dtype=object)
