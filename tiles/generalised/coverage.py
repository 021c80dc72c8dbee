"""Which pixels of a cell polygons cover, and the outlines of those pixels.

A scan line over all polygons at once: edges that go down enter one, edges that go up leave it, and the running sum of
both along a row of samples counts the polygons that a sample lies in. Samples are half a step off the pixels' edges.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from affine import Affine
from numpy.typing import NDArray
from rasterio.features import shapes as outlines

type Shapes = NDArray[Any]
type Codes = NDArray[np.intp]


#: Outlines in one multipolygon at most: PostGIS makes it valid for a tile in more than linear time.
_TOGETHER = 64
#: Samples along the side of a pixel.
_SAMPLES = 4


def covered(
    shapes: Shapes, codes: Codes, classes: int, corner: tuple[float, float], pixel: float, pixels: int
) -> NDArray[np.float64]:
    """Of each class the share of every pixel that its polygons cover (class, row from the south, column), by samples.

    There are ``pixels`` along each side, from the south-west ``corner`` on.
    """
    share = np.zeros((classes, pixels, pixels))
    row, column, sign, code = _crossings(shapes, codes, corner, pixel / _SAMPLES, pixels * _SAMPLES)
    for class_ in np.unique(code):
        of_class = code == class_
        rows, columns = row[of_class], column[of_class]
        # Only what lies within the class's own box, in whole pixels.
        south, west = rows.min() // _SAMPLES, columns.min() // _SAMPLES
        height, width = rows.max() // _SAMPLES + 1 - south, columns.max() // _SAMPLES + 1 - west
        side = width * _SAMPLES
        place = (rows - south * _SAMPLES) * side + columns - west * _SAMPLES
        turns = np.bincount(place, sign[of_class], height * _SAMPLES * side).reshape(-1, side)
        inside = (turns.cumsum(axis=1) > 0.5).reshape(height, _SAMPLES, width, _SAMPLES)
        within = min(width, pixels - west)
        share[class_, south : south + height, west : west + within] = inside.mean(axis=(1, 3))[:, :within]
    return share


def _crossings(
    shapes: Shapes, codes: Codes, corner: tuple[float, float], step: float, side: int
) -> tuple[Codes, Codes, NDArray[np.float64], Codes]:
    """Where edges cross rows of samples: row, first column east of it, +1 into a polygon or -1 out of it, class."""
    parts, of_shape = shapely.get_parts(shapely.orient_polygons(shapes), return_index=True)
    rings, of_part = shapely.get_rings(parts, return_index=True)
    at, of_ring = shapely.get_coordinates(rings, return_index=True)
    at = (at - corner) / step - 0.5  # samples lie on whole numbers
    edges = np.flatnonzero(of_ring[1:] == of_ring[:-1])
    (x0, y0), (x1, y1) = at[edges].T, at[edges + 1].T
    first, last = (np.clip(np.ceil(y), 0, side).astype(np.intp) for y in (np.minimum(y0, y1), np.maximum(y0, y1)))
    times = last - first
    edge = np.repeat(np.arange(len(edges)), times)
    row = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(times) - times, times)
    slope = (x1[edge] - x0[edge]) / (y1[edge] - y0[edge])
    column = np.clip(np.ceil(x0[edge] + (row - y0[edge]) * slope), 0, side).astype(np.intp)
    sign = np.where(y1[edge] > y0[edge], -1.0, 1.0)
    return row, column, sign, codes[of_shape[of_part[of_ring[edges[edge]]]]]


def outlined(
    codes: NDArray[np.uint8], drawn: NDArray[np.bool_], corner: tuple[float, float], pixel: float
) -> list[tuple[int, Any]]:
    """Codes with outlines of their drawn pixels, multipolygons; rows from the south."""
    upward = Affine(pixel, 0, corner[0], 0, pixel, corner[1])
    places: list[tuple[float, float]] = []
    lengths: list[int] = []
    polygons: list[int] = []
    found: list[int] = []
    for outline, code in outlines(codes, mask=drawn, transform=upward):
        for ring in outline["coordinates"]:
            places += ring
            lengths.append(len(ring))
            polygons.append(len(found))
        found.append(int(code))
    rings: Any = shapely.linearrings(np.array(places), indices=np.repeat(np.arange(len(lengths)), lengths))
    made: Any = shapely.polygons(rings, indices=np.array(polygons))
    return [
        (code, shapely.multipolygons(part))
        for code, shape in by_code(made, found, shapely.multipolygons)
        for part in np.array_split(shapely.get_parts(shape), -(-shapely.get_num_geometries(shape) // _TOGETHER))
    ]


def by_code(shapes: Shapes, codes: Sequence[int] | Codes, collect: Any) -> list[tuple[int, Any]]:
    """Shapes of the same code as one."""
    known, place = np.unique(codes, return_inverse=True)
    order = np.argsort(place, kind="stable")
    gathered = collect(shapes[order], indices=place[order])
    return list(zip(map(int, known), gathered, strict=True))
