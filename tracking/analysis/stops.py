"""Where a track stands: for a while it stays within a small area.

The area is the smallest rectangle around the fixes, however turned; its diagonal is what counts, as in MovingPandas
(Graser 2019), with which the answers agree. Most windows are told to be too wide, or small, all at once; while a device
stands, a new fix within the hull of those before changes nothing.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.rectangles import Point, hull_of, is_small, within

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Span:
    """Fixes ``first`` to ``last`` of a track, both included."""

    first: int
    last: int


def find_stops(time: Floats, xy: Floats, diameter: Floats | float, seconds: float) -> list[Span]:
    """The stops in a track: at least ``seconds`` within a rectangle of a diagonal less than ``diameter``.

    ``time`` (n,) [s] rises strictly; ``xy`` (n, 2) on a plane, ``diameter`` in its unit, one for all or by fix.
    """
    if len(time) < 2:
        return []
    limit = np.broadcast_to(np.asarray(diameter, np.float64), time.shape)
    return list(_Search(time, xy, limit, seconds).stops())


class _Search:
    """A track with the window that ends at each fix: where it begins, and whether it is surely small, or may be."""

    def __init__(self, time: Floats, xy: Floats, limit: Floats, seconds: float) -> None:
        begin = _windows(time, seconds)
        least, most = _extents(xy, begin)
        # The diagonal is no less than the distance of any two points, and no more than √2 times the greatest one.
        self._maybe = np.flatnonzero(least < limit).tolist()
        self._small = (most * (np.sqrt(2) * (1 + 1e-9)) < limit).tolist()
        self._time, self._begin, self._limit = time.tolist(), begin.tolist(), limit.tolist()
        self._points: list[Point] = list(zip(*xy.T.tolist(), strict=True))
        self._seconds = seconds

    def stops(self) -> Iterator[Span]:
        """Go from the window that first fits to the fix that ends the stop, and on from there."""
        count, at, free = len(self._time), 1, 0
        while (at := self._next_fit(free, at)) < count:
            first = max(free, self._begin[at])
            end = self._grown(first, at)
            if self._time[end - 1] - self._time[first] >= self._seconds:
                yield Span(first, end - 1)
                free = end
            at = end + 1

    def _next_fit(self, free: int, at: int) -> int:
        """The first fix from ``at`` on whose window, which begins not before ``free``, is small; else the count."""
        count = len(self._points)
        while at < count and self._begin[at] < free:
            if at > free and is_small(hull_of(self._points[free : at + 1]), self._limit[at]):
                return at
            at += 1
        for n in range(bisect_left(self._maybe, at), len(self._maybe)):
            at = self._maybe[n]
            if self._small[at] or is_small(hull_of(self._points[self._begin[at] : at + 1]), self._limit[at]):
                return at
        return count

    def _grown(self, first: int, at: int) -> int:
        """The first fix after ``at`` with which the window from ``first`` on is no longer small; else the count."""
        hull, limit = hull_of(self._points[first : at + 1]), self._limit[at]
        for n in range(at + 1, len(self._points)):
            point = self._points[n]
            if not within(hull, point):
                hull = hull_of([*hull, point])
                if not is_small(hull, limit):
                    return n
        return len(self._points)


def _windows(time: Floats, seconds: float) -> Ints:
    """Where the window that ends with each fix begins: shorter than ``seconds``, of two fixes at least."""
    first = np.searchsorted(time, time - seconds, side="right")
    # As MovingPandas compares, later less earlier, so that rounding falls alike.
    first += (first < np.arange(len(time))) & (time - time[first] >= seconds)
    return np.minimum(first, np.maximum(np.arange(len(time)) - 1, 0)).astype(np.int64)


def _extents(xy: Floats, begin: Ints) -> tuple[Floats, Floats]:
    """Bounds of the greatest distance within each window: no less than any extent, no more than a box's diagonal."""
    x, y = xy.T
    length = np.arange(len(xy)) - begin + 1
    wide, tall, rising, falling = (
        _ranges(values, begin, length) for values in (x, y, (x + y) / np.sqrt(2), (x - y) / np.sqrt(2))
    )
    least = np.maximum(np.maximum(wide, tall), np.maximum(rising, falling) * (1 - 1e-12))
    return least, np.minimum(np.hypot(wide, tall), np.hypot(rising, falling))


def _ranges(values: Floats, begin: Ints, length: Ints) -> Floats:
    """Largest less smallest value of each window ``begin`` … ``begin + length - 1``: two powers of two cover each."""
    found = np.zeros(len(values))
    power = np.frexp(length)[1] - 1
    low, high = values, values
    for level in range(int(power.max()) + 1):
        rows = np.flatnonzero(power == level)
        first, second = begin[rows], begin[rows] + length[rows] - (1 << level)
        found[rows] = np.maximum(high[first], high[second]) - np.minimum(low[first], low[second])
        low, high = _doubled(low, level, np.minimum), _doubled(high, level, np.maximum)
    return found


def _doubled(values: Floats, level: int, of_both: Callable[[Floats, Floats], Floats]) -> Floats:
    """From the extremes of windows of 2^level values those of twice as many."""
    step = 1 << level
    return of_both(values[:-step], values[step:]) if len(values) > step else values
