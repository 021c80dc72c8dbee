"""Where on its way a vehicle was at each fix: the noise along the road is evened out between fixes close in time.

The model puts each fix at the place nearest to it, so near a junction the noise decides on which side it falls. Fixes a
second or two apart tell of one speed: a straight line of way by time through those within a few seconds tells better.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from layers.network.edges import Edges
from tracking.analysis.matching.model import Matched
from tracking.analysis.plane import on_plane, scale_of

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

#: Fixes within so many seconds, and so many of them before and after, tell of one speed.
_SECONDS, _FIXES = 4.0, 6
#: A fix that the model left out is between those before and after it by time, unless they are further apart [s].
_BETWEEN = 10.0


def settled(found: Matched, edges: Edges, time: Floats, lon: Floats, lat: Floats) -> Matched:
    """The same way with the fixes put on it anew, where others are close in time; (n,) as matched."""
    if not len(found.piece_edge):
        return found
    way = np.cumsum(found.length)
    kept, at = _on_way(found, way)
    chain = np.cumsum(found.begins[kept])
    smooth, changed = _smoothed(time[kept], at, chain)
    fixes, metres = _with_left_out(time, kept, chain, smooth, changed)
    if not len(fixes):
        return found
    piece = np.searchsorted(way, metres, side="left").clip(0, len(way) - 1)
    left = metres - (way[piece] - found.length[piece])
    edge = found.piece_edge[piece]
    along = found.piece_start[piece] + np.sign(found.piece_end - found.piece_start)[piece] * left
    places = _places(edges, edge, along)
    apart = on_plane(lon[fixes], lat[fixes]) - on_plane(*places.T)
    result = replace(
        found, edge=found.edge.copy(), along=found.along.copy(), lonlat=found.lonlat.copy(),
        distance=found.distance.copy(),
    )  # fmt: skip
    result.edge[fixes], result.along[fixes], result.lonlat[fixes] = edge, along, places
    result.distance[fixes] = np.hypot(*apart.T) / scale_of(lat[fixes])
    return result


def _on_way(found: Matched, way: Floats) -> tuple[Ints, Floats]:
    """The fixes that the way joins, in order, and how far along it each is [m]."""
    at = np.full(len(found.edge), np.nan)
    at[found.piece_from[::-1]] = (way - found.length)[::-1]  # of several pieces the first one stays,
    at[found.piece_fix] = way  # and here the last one
    kept = np.flatnonzero(~np.isnan(at))
    return kept, at[kept]


def _smoothed(time: Floats, at: Floats, chain: Ints) -> tuple[Floats, NDArray[np.bool_]]:
    """The value at each fix of a straight line through those around it, and where there are enough of them."""
    count = len(time)
    near = np.arange(count)[:, None] + np.arange(-_FIXES, _FIXES + 1)
    inside = (near >= 0) & (near < count)
    near = near.clip(0, count - 1)
    since = time[near] - time[:, None]
    use = inside & (np.abs(since) <= _SECONDS) & (chain[near] == chain[:, None])
    number = use.sum(axis=1)
    mean_time = (since * use).sum(axis=1) / number
    values = at[near] - at[:, None]
    mean = (values * use).sum(axis=1) / number
    apart = (since - mean_time[:, None]) * use
    spread = (apart * apart).sum(axis=1)
    slope = (apart * values).sum(axis=1) / np.where(spread > 0, spread, 1.0)
    both = (use & (since < 0)).any(axis=1) & (use & (since > 0)).any(axis=1)
    enough = both & (number >= 3)
    smooth = np.where(enough, at + mean - slope * mean_time, at)
    first = np.searchsorted(chain, chain, side="left")
    last = np.searchsorted(chain, chain, side="right") - 1
    return smooth.clip(at[first], at[last]), enough


def _with_left_out(
    time: Floats, kept: Ints, chain: Ints, smooth: Floats, changed: NDArray[np.bool_]
) -> tuple[Ints, Floats]:
    """The fixes whose place changes, those among them that the model left out, and how far along the way they are."""
    others = np.setdiff1d(np.arange(kept[0], kept[-1]), kept, assume_unique=True)
    after = np.searchsorted(kept, others)
    before = after - 1
    close = (chain[before] == chain[after]) & (time[kept[after]] - time[kept[before]] <= _BETWEEN)
    others, before, after = others[close], before[close], after[close]
    part = (time[others] - time[kept[before]]) / (time[kept[after]] - time[kept[before]])
    between = smooth[before] + part * (smooth[after] - smooth[before])
    return np.concatenate([kept[changed], others]), np.concatenate([smooth[changed], between])


def _places(edges: Edges, edge: Ints, along: Floats) -> Floats:
    """Longitude and latitude [°] of distances [m] along edges, (n, 2)."""
    used, edge = np.unique(edge, return_inverse=True)
    edges = edges.take(used)
    length = edges.length
    # Every edge begins where the one before it ended, with a metre between, so that one search serves all.
    begin = np.cumsum(length + 1.0) - (length + 1.0)
    all_along = edges.along + np.repeat(begin, np.diff(edges.start))
    along = along.clip(0.0, length[edge])
    after = np.searchsorted(all_along, begin[edge] + along, side="right").clip(edges.first[edge] + 1, edges.last[edge])
    step = edges.along[after] - edges.along[after - 1]
    part = ((along - edges.along[after - 1]) / np.where(step > 0, step, 1.0)).clip(0.0, 1.0)
    return np.asarray(edges.lonlat[after - 1] + (edges.lonlat[after] - edges.lonlat[after - 1]) * part[:, None])
