"""Hot spots: where more happens than chance would put there, by Gi* (Ord and Getis 1995, Geographical Analysis 27)."""

import math
from typing import Any, Literal, NamedTuple

import h3
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse, stats

from layers.analysis.errors import AnalysisError, TooMuch
from layers.analysis.features import Objects
from layers.crs import transformer

Floats = NDArray[np.float64]
Class = Literal["hot-99", "hot-95", "hot-90", "none", "cold-90", "cold-95", "cold-99"]
MOST_CELLS = 50_000
#: Of a degree of latitude, to tell the number of cells beforehand.
_METRES_PER_DEGREE = 111_195
#: Zones whose edges are nearer than this [m] are neighbours: digitised edges rarely meet exactly.
_TOUCH = 1.0


class Cells(NamedTuple):
    """C cells: what they are called, their polygons, and a (C, C) matrix of neighbours, each its own too."""

    names: list[str]
    shapes: Objects
    neighbours: sparse.csr_array


class Heat(NamedTuple):
    """Of each cell: how many points, z and two-sided p of Gi*, and what of it is significant."""

    counts: NDArray[np.int64]
    z: Floats
    p: Floats
    classes: list[Class]


def hexagons(points: Floats, srid: int, resolution: int) -> tuple[Cells, NDArray[np.int64]]:
    """H3's cells over the convex hull of points ((N, 2) in EPSG ``srid``), and how many points each holds.

    Raises :class:`TooMuch`.
    """
    lon, lat = transformer(srid, 4326).transform(*points.T)
    of_points = [h3.latlng_to_cell(y, x, resolution) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
    found, numbers = np.unique(np.array(of_points), return_counts=True)
    hull = shapely.convex_hull(shapely.multipoints(np.column_stack([lon, lat])))
    within = _inside(hull, resolution)
    names = sorted({*found.tolist(), *within})
    place = {name: n for n, name in enumerate(names)}
    counts = np.zeros(len(names), np.int64)
    counts[[place[name] for name in found.tolist()]] = numbers
    rows, columns = [], []
    for name, n in place.items():
        for other in h3.grid_disk(name, 1):  # itself among them
            if other in place:
                rows.append(n)
                columns.append(place[other])
    back = transformer(4326, srid).transform
    rings = [[(x, y) for y, x in h3.cell_to_boundary(name)] for name in names]
    shapes = shapely.transform(np.array([shapely.Polygon(r) for r in rings], dtype=object), back, interleaved=False)
    return Cells(names, shapes, _matrix(rows, columns, len(names))), counts


def zones(names: list[str], shapes: Objects, points: Floats) -> tuple[Cells, NDArray[np.int64]]:
    """Given polygons as cells, and how many points ((N, 2), same CRS) each holds; a point on an edge is of the first.

    Neighbours share an edge or a corner. Raises :class:`TooMuch`.
    """
    if len(shapes) > MOST_CELLS:
        raise TooMuch(f"{len(shapes)} zones, more than {MOST_CELLS}; give fewer")
    of_point, zone = shapely.STRtree(shapes).query(shapely.points(points), predicate="intersects")
    first = np.full(len(points), len(shapes))
    np.minimum.at(first, of_point, zone)
    counts = np.bincount(first, minlength=len(shapes) + 1)[:-1].astype(np.int64)
    return touching(names, shapes), counts


def touching(names: list[str], shapes: Objects) -> Cells:
    """Given polygons (in a projected system) as cells; neighbours share an edge or a corner."""
    rows, columns = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=_TOUCH)
    return Cells(names, shapes, _matrix(rows, columns, len(shapes)))


def heat(cells: Cells, counts: NDArray[np.int64], *, corrected: bool) -> Heat:
    """Gi* of each cell with equal weights; ``corrected`` for the many tests (Benjamini and Hochberg 1995).

    Raises :class:`AnalysisError` where nothing can be told: fewer than three cells, or as much in each.
    """
    n = len(counts)
    x = counts.astype(np.float64)
    spread = x.std()
    if n < 3 or spread == 0:
        raise AnalysisError("hot spots need three cells or more, and not as many points in each")
    weights = np.asarray(cells.neighbours.sum(axis=1)).ravel()
    deviation = cells.neighbours @ x - x.mean() * weights
    with np.errstate(invalid="ignore"):
        z = deviation / (spread * np.sqrt((n * weights - weights**2) / (n - 1)))
    z = np.where(weights == n, 0.0, z)  # what is everybody's neighbour differs from nobody
    p = 2 * stats.norm.sf(np.abs(z))
    judged = stats.false_discovery_control(p) if corrected else p
    return Heat(counts, z, p, [_class(*pair) for pair in zip(z.tolist(), judged.tolist(), strict=True)])


def _class(z: float, p: float) -> Class:
    for level, hot, cold in _LEVELS:
        if p < level:
            return hot if z > 0 else cold
    return "none"


_LEVELS: tuple[tuple[float, Class, Class], ...] = (
    (0.01, "hot-99", "cold-99"), (0.05, "hot-95", "cold-95"), (0.1, "hot-90", "cold-90"),
)  # fmt: skip


def _inside(hull: Any, resolution: int) -> list[str]:
    if hull.geom_type != "Polygon":
        return []
    square_metres = hull.area * _METRES_PER_DEGREE**2 * math.cos(math.radians(hull.centroid.y))
    expected = square_metres / h3.average_hexagon_area(resolution, unit="m^2")
    if expected > MOST_CELLS:
        raise TooMuch(f"some {expected:.0f} cells, more than {MOST_CELLS}; take a lower resolution or a smaller area")
    outline = [(y, x) for x, y in shapely.get_coordinates(hull)[:-1].tolist()]
    return list(h3.h3shape_to_cells(h3.LatLngPoly(outline), resolution))


def _matrix(rows: object, columns: object, count: int) -> sparse.csr_array:
    ones = np.ones(len(rows))  # type: ignore[arg-type]
    return sparse.csr_array((ones, (rows, columns)), shape=(count, count))
