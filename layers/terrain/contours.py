"""Contours 等高线 of an elevation grid, as lines; every n-th is an index contour 计曲线 (GB/T 20257.1: every fifth)."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely
from contourpy import LineType, contour_generator

from layers.terrain.elevation import Elevation, Floats
from layers.terrain.errors import AnalysisTooLarge, TerrainError

#: Most heights at which contours are drawn at once.
MAX_LEVELS = 2000


@dataclass(frozen=True, slots=True)
class Contour:
    """One line of equal height in the grid's CRS, the higher ground on its right; ``elevation`` [m]."""

    elevation: float
    index: bool
    line: shapely.LineString


def contours(elevation: Elevation, interval: float, index_every: int = 5, base: float = 0.0) -> Iterator[Contour]:
    """The contours at ``base`` and every ``interval`` [m] above and below it, from low to high.

    Heights are linear between the centres of neighbouring cells; no line is drawn between four centres of which one
    is unknown. Raises :class:`TerrainError` for an
    interval that is not positive, :class:`AnalysisTooLarge` for one that makes more than 2000 levels.
    """
    if elevation.shape[0] < 2 or elevation.shape[1] < 2:
        return
    numbers = _numbers(elevation, interval, base)
    heights = np.ma.masked_invalid(elevation.heights)
    generator = contour_generator(
        elevation.eastings(), elevation.northings(), heights, corner_mask=False, line_type=LineType.Separate
    )
    for number in numbers:
        level = base + number * interval
        for points in generator.lines(level):
            line = shapely.LineString(_without_repeats(np.asarray(points)))
            if line.length:
                yield Contour(level, number % index_every == 0, line)


def _numbers(elevation: Elevation, interval: float, base: float) -> range:
    """How many intervals above the base the contours lie that the grid's heights reach."""
    if not (math.isfinite(interval) and interval > 0):
        raise TerrainError(f"the contour interval must be more than 0 m, not {interval}")
    known = elevation.heights[np.isfinite(elevation.heights)]
    if not known.size:
        return range(0)
    lowest, highest = ((float(z) - base) / interval for z in (known.min(), known.max()))
    if highest - lowest > MAX_LEVELS:
        levels = f"{highest - lowest:.0f} levels, more than {MAX_LEVELS}"
        raise AnalysisTooLarge(f"an interval of {interval} m makes {levels}; choose a larger one")
    return range(math.ceil(lowest), math.floor(highest) + 1)


def _without_repeats(points: Floats) -> Floats:
    """Where the line crosses a cell's centre exactly, both sides give the point."""
    moved = np.any(np.diff(points, axis=0) != 0, axis=1)
    kept = points[np.concatenate(([True], moved))]
    return kept if len(kept) > 1 else points
