"""The smallest rectangle around a few points, however turned, and whether its diagonal is below a limit."""

import math
from collections.abc import Sequence

import numpy as np
import shapely

type Point = tuple[float, float]

#: Areas that differ less than this part are a tie, as the three rectangles on a triangle's sides are: GEOS decides it.
_TIE = 1e-9


def hull_of(points: Sequence[Point]) -> list[Point]:
    """Corners of the convex hull, counter-clockwise, none in line with its neighbours (Andrew's monotone chain)."""
    ordered = sorted(set(points))
    if len(ordered) < 3:
        return ordered
    lower, upper = _chain(ordered), _chain(ordered[::-1])
    return lower[:-1] + upper[:-1]


def _chain(ordered: Sequence[Point]) -> list[Point]:
    found: list[Point] = []
    for x, y in ordered:
        while len(found) > 1:
            (ax, ay), (bx, by) = found[-2:]
            if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                break
            found.pop()
        found.append((x, y))
    return found


def within(hull: Sequence[Point], point: Point) -> bool:
    """Whether a point lies in the hull or on its edge; of a hull that is no area, whether it is one of its corners."""
    if len(hull) < 3:
        return point in hull
    x, y = point
    ax, ay = hull[-1]
    for bx, by in hull:
        if (bx - ax) * (y - ay) - (by - ay) * (x - ax) < 0:
            return False
        ax, ay = bx, by
    return True


def is_small(hull: Sequence[Point], limit: float) -> bool:
    """Whether the diagonal of the rectangle of least area around the hull is below the limit."""
    if len(hull) < 3:
        return len(hull) < 2 or math.dist(*hull) < limit
    square = limit * limit
    found = [_flush(hull, n) for n in range(len(hull))]
    diagonals = [diagonal for _, diagonal in found]
    if max(diagonals) < square * (1 - _TIE):
        return True
    if min(diagonals) > square * (1 + _TIE):
        return False
    least = min(area for area, _ in found)
    tied = [diagonal for area, diagonal in found if area <= least * (1 + _TIE)]
    if max(tied) < square * (1 - _TIE):
        return True
    return min(tied) <= square * (1 + _TIE) and _by_geos(hull) < limit


def _flush(hull: Sequence[Point], n: int) -> tuple[float, float]:
    """Area and squared diagonal of the rectangle that lies flush with the side that ends in corner n."""
    (ax, ay), (bx, by) = hull[n - 1], hull[n]
    ux, uy = bx - ax, by - ay
    low = high = deep = 0.0
    for x, y in hull:
        x, y = x - ax, y - ay
        along, across = x * ux + y * uy, y * ux - x * uy
        if along < low:
            low = along
        elif along > high:
            high = along
        if across > deep:
            deep = across
    square = ux * ux + uy * uy
    wide = high - low
    return wide * deep / square, (wide * wide + deep * deep) / square


def _by_geos(hull: Sequence[Point]) -> float:
    box = shapely.get_coordinates(shapely.oriented_envelope(shapely.multipoints(np.array(hull))))
    return math.dist(box[0], box[2] if len(box) > 3 else box[-1])
