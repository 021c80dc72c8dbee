"""Matches a track: the model from end to end."""

import numpy as np
from numpy.typing import NDArray

from layers.network.graph import Network
from tracking.analysis.matching.candidates import Candidates, candidates
from tracking.analysis.matching.model import Assumptions, Matched
from tracking.analysis.matching.pieces import pieces_of
from tracking.analysis.matching.settling import settled
from tracking.analysis.matching.transitions import Roads, Ways, pairs, ways
from tracking.analysis.matching.viterbi import Viterbi
from tracking.analysis.plane import steps

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

#: Fixes at once, so that memory does not grow with the track.
_PART = 4000
#: How much the difference of way and straight line grows with the step, as fitted to drives whose truth is known.
_PER_METRE = 0.05


def match(network: Network, time: Floats, lon: Floats, lat: Floats, assume: Assumptions) -> Matched:
    """The roads that a track followed. ``time`` [s] rising, ``lon``, ``lat`` CGCS2000 [°], (n,)."""
    roads = Roads(network, assume.mode)
    near = candidates(roads.graph, lon, lat, assume.radius, assume.most) if len(roads.graph.open_edges) else None
    if near is None or not len(near.fix):
        return _nothing(len(time))
    kept = _kept(near, lon, lat, 2 * assume.accuracy)
    found = _Chain(roads, near, kept, time, lon, lat, assume).matched()
    return settled(found, network.edges, time, lon, lat)


class _Chain:
    """The fixes that the model takes, with their candidates."""

    def __init__(
        self,
        roads: Roads,
        near: Candidates,
        kept: Ints,
        time: Floats,
        lon: Floats,
        lat: Floats,
        assume: Assumptions,
    ) -> None:
        self.roads, self.near, self.kept, self.assume = roads, near, kept, assume
        self.time, self.lon, self.lat = time, lon, lat
        self.straight = steps(lon[kept], lat[kept])
        self.width = int(np.diff(near.start).max())

    def matched(self) -> Matched:
        """Choose the most probable candidates, and go along the ways between them."""
        search = Viterbi()
        for at in range(0, len(self.kept), _PART):
            rows = np.arange(at, min(at + _PART, len(self.kept)))
            search.go_on(self._emission(rows), self._transition(rows))
        number, begins = search.chosen()
        chosen = self.near.start[self.kept] + number
        follows = np.flatnonzero(~begins)
        found = self._ways(chosen[follows - 1], chosen[follows], self.straight[follows - 1])
        return self._all_fixes(chosen, begins, follows, found)

    def _emission(self, rows: Ints) -> Floats:
        place = self._padded(rows)
        chance = np.full(place.shape, -np.inf)
        has = place >= 0
        chance[has] = -0.5 * (self.near.distance[place[has]] / self.assume.accuracy) ** 2
        return chance

    def _transition(self, rows: Ints) -> Floats:
        """Logarithms of the chances of the steps to these fixes, (n, k, k)."""
        chance = np.full((len(rows), self.width, self.width), -np.inf)
        second = rows[rows > 0]
        second = second[self.time[self.kept[second]] - self.time[self.kept[second - 1]] <= self.assume.gap]
        if not len(second):
            return chance
        first = second - 1
        tail, head = pairs(self.near, self.kept[first], self.kept[second])
        step = np.searchsorted(self.kept, self.near.fix[head])
        straight = self.straight[step - 1]
        found = self._ways(tail, head, straight)
        # Way and straight line differ by the noise of the fixes, and the more the longer the step is.
        scale = self.assume.accuracy + _PER_METRE * straight
        before, after = (place - self.near.start[self.near.fix[place]] for place in (tail, head))
        chance[step - rows[0], before, after] = -np.abs(found.metres - straight) / scale
        return chance

    def _ways(self, tail: Ints, head: Ints, straight: Floats) -> Ways:
        return ways(self.roads, self.near, tail, head, straight, 3 * self.assume.accuracy)

    def _padded(self, rows: Ints) -> Ints:
        """The candidates of each fix as a row, -1 where there are fewer."""
        start, end = self.near.start[self.kept[rows]], self.near.start[self.kept[rows] + 1]
        place = start[:, None] + np.arange(self.width)
        return np.where(place < end[:, None], place, -1)

    def _all_fixes(self, chosen: Ints, begins: NDArray[np.bool_], follows: Ints, found: Ways) -> Matched:
        """Also those that the model left out: they are on the road of a kept one before or after them."""
        near, count = self.near, len(self.time)
        place = np.full(count, -1)
        place[self.kept] = chosen
        before = np.searchsorted(self.kept, np.arange(count), side="right") - 1
        own = near.edge == near.edge[chosen[before.clip(0)]][near.fix]
        next_ = near.edge[chosen[(before + 1).clip(0, len(chosen) - 1)]][near.fix]
        left_out = (own | (near.edge == next_)) & (place[near.fix] < 0)
        rows = np.flatnonzero(left_out)[::-1]  # the nearest comes last and stays
        place[near.fix[rows]] = rows
        on = place >= 0
        starts = np.zeros(count, bool)
        starts[self.kept[begins]] = True
        return Matched(
            edge=np.where(on, near.edge[place], -1),
            along=np.where(on, near.along[place], np.nan),
            lonlat=np.where(on[:, None], near.lonlat[place], np.nan),
            distance=np.where(on, near.distance[place], np.nan),
            begins=starts,
            **pieces_of(self.roads, near, found, self.kept[follows - 1], self.kept[follows]),
            chains=int(begins.sum()),
        )


def _kept(near: Candidates, lon: Floats, lat: Floats, least: float) -> Ints:
    """Fixes with candidates, each ``least`` [m] from the one kept before: what lies nearer tells of noise only."""
    usable = np.flatnonzero(np.diff(near.start))
    scale = 111_195.0
    x = (lon[usable] * np.cos(np.radians(lat[usable])) * scale).tolist()
    y = (lat[usable] * scale).tolist()
    kept, at_x, at_y, square = [], np.inf, np.inf, least * least
    for n, (east, north) in enumerate(zip(x, y, strict=True)):
        if (east - at_x) ** 2 + (north - at_y) ** 2 >= square:
            kept.append(n)
            at_x, at_y = east, north
    return usable[kept]


def _nothing(count: int) -> Matched:
    none, empty = np.full(count, np.nan), np.zeros(0)
    numbers = np.zeros(0, np.int64)
    return Matched(
        np.full(count, -1), none, np.full((count, 2), np.nan), none, np.zeros(count, bool),
        numbers, empty, empty, numbers, numbers, 0,
    )  # fmt: skip
