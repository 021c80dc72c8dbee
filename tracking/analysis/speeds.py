"""How fast roads were driven: matched tracks by road section."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.matching.model import Matched

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

#: A drive over less than this part of a section tells little of it, and one slower [km/h] is a stop.
_PART, _STANDING = 0.2, 0.5


@dataclass(frozen=True, slots=True)
class Passes:
    """Drives over sections, each (p,): ``edge``, ``ahead`` whether along its vertices, ``metres``, ``seconds``."""

    edge: Ints
    ahead: NDArray[np.bool_]
    metres: Floats
    seconds: Floats


@dataclass(frozen=True, slots=True)
class Speeds:
    """Of sections and directions, each (s,): ``passes``; ``mean`` of all metres by all seconds, ``median`` and the
    85th and 15th percentile of the passes [km/h]."""

    edge: Ints
    ahead: NDArray[np.bool_]
    passes: Ints
    mean: Floats
    median: Floats
    p15: Floats
    p85: Floats


def passes(time: Floats, matched: Matched) -> Passes:
    """The drives of one track: pieces of one edge and direction in a row; a step's time is spread by length."""
    length = matched.length
    rows = np.flatnonzero(length > 0)
    edge, metres = matched.piece_edge[rows], length[rows]
    ahead = matched.piece_end[rows] > matched.piece_start[rows]
    to, since = matched.piece_fix[rows], matched.piece_from[rows]
    whole = np.bincount(to, weights=metres, minlength=len(time))
    seconds = (time[to] - time[since]) * metres / whole[to]
    if not len(rows):
        return Passes(edge, ahead, metres, seconds)
    again = np.concatenate([[False], (edge[1:] == edge[:-1]) & (ahead[1:] == ahead[:-1]) & (since[1:] <= to[:-1])])
    first = np.flatnonzero(~again)
    return Passes(edge[first], ahead[first], np.add.reduceat(metres, first), np.add.reduceat(seconds, first))


def by_section(driven: Iterable[Passes], length: Floats) -> Speeds:
    """Speeds of every section that was driven; ``length`` [m] of each edge."""
    parts = list(driven)
    edge, ahead, metres, seconds = (
        np.concatenate([np.zeros(0, kind), *(getattr(part, name) for part in parts)])
        for name, kind in (("edge", np.int64), ("ahead", np.bool_), ("metres", np.float64), ("seconds", np.float64))
    )
    speed = metres / np.maximum(seconds, 1e-9) * 3.6
    telling = (metres >= _PART * length[edge]) & (seconds > 0) & (speed >= _STANDING)
    edge, ahead, metres, seconds, speed = (v[telling] for v in (edge, ahead, metres, seconds, speed))
    key, which = np.unique(edge * 2 + ahead, return_inverse=True)
    order = np.lexsort((speed, which))
    groups = np.split(speed[order], np.flatnonzero(np.diff(which[order])) + 1) if len(key) else []
    percentiles = np.array([np.percentile(group, [50, 15, 85]) for group in groups]).reshape(-1, 3)
    count = len(key)
    total = np.bincount(which, weights=metres, minlength=count)
    taken = np.bincount(which, weights=seconds, minlength=count)
    return Speeds(
        key // 2,
        (key % 2).astype(bool),
        np.bincount(which, minlength=count),
        total / np.where(taken > 0, taken, 1.0) * 3.6,
        *percentiles.T,
    )
