"""Trips: what lies between stops, and is not broken by a long silence."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.plane import on_plane, scale_of, steps
from tracking.analysis.stops import Span, find_stops

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Rules:
    """A stop is within ``diameter`` [m] for ``seconds`` at least; a silence longer than ``gap`` [s] ends a trip; one
    shorter than ``length`` [m] is none."""

    diameter: float = 100.0
    seconds: float = 180.0
    gap: float = 1800.0
    length: float = 0.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What a track consists of: ``stops`` and ``trips``; a stop's last fix is its next trip's first one."""

    stops: tuple[Span, ...]
    trips: tuple[Span, ...]


def runs(time: Floats, gap: float) -> Iterator[Span]:
    """The parts of a track between silences longer than ``gap`` [s]."""
    breaks = np.flatnonzero(np.diff(time) > gap).tolist()
    for first, last in zip([0, *(at + 1 for at in breaks)], [*breaks, len(time) - 1], strict=True):
        if first <= last:
            yield Span(first, last)


def parts_of(time: Floats, lon: Floats, lat: Floats, rules: Rules) -> Parts:
    """The stops and trips of a track, arrays of shape (n,) in Unix time [s] and degrees, sorted by time."""
    xy, limit = on_plane(lon, lat), rules.diameter * scale_of(lat)
    driven = np.concatenate([[0.0], np.cumsum(steps(lon, lat))]) if len(time) else np.zeros(0)
    stops: list[Span] = []
    trips: list[Span] = []
    for run in runs(time, rules.gap):
        rows = slice(run.first, run.last + 1)
        found = [
            Span(stop.first + run.first, stop.last + run.first)
            for stop in find_stops(time[rows], xy[rows], limit[rows], rules.seconds)
        ]
        stops += found
        ends = [run.first, *(end for stop in found for end in (stop.first, stop.last)), run.last]
        between = (Span(*pair) for pair in zip(ends[::2], ends[1::2], strict=True))
        trips += [t for t in between if t.first < t.last and driven[t.last] - driven[t.first] >= rules.length]
    return Parts(tuple(stops), tuple(trips))
