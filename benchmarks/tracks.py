"""What tracks tell, beside MovingPandas and Leuven's map matcher, on the same tracks in the same run; answers compared.

``python -m benchmarks.tracks`` measures alone, on the sample city's roads; ``--points 20000`` makes it smaller.
"""

import argparse
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import geopandas
import numpy as np
import pandas as pd

from benchmarks.bench import Bench
from layers.network.current import current_network
from layers.network.graph import Network
from tests.tracking.analysis.leuven import Leuven
from tests.tracking.driven import Drive, drive
from tracking.analysis.matching.matching import match
from tracking.analysis.matching.model import Assumptions
from tracking.analysis.plane import on_plane, scale_of, steps
from tracking.analysis.stops import find_stops
from tracking.analysis.trips import Rules, parts_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import movingpandas

#: A stop, as in the processes' defaults.
_RULES = Rules()
#: Fixes that the peers are asked about: they take seconds for thousands.
_FEW, _FEWEST = 20_000, 600
_NOISE = 6.0


@dataclass(frozen=True)
class Rate:
    """Fixes a second, ours and the peer's, and whether the answers are the same (or what share of each is right)."""

    what: str
    ours: float
    peer: float
    said: str


def run(network: Network, points: int) -> list[Rate]:
    """Measure on tracks of so many fixes in all."""
    days = [_day(network, seed) for seed in range(max(points // 8640, 1))]
    return [*_movements(days), *_matching(network, points)]


def _day(network: Network, seed: int) -> Drive:
    """A day at a fix every 10 s: drives of an hour, and an hour's stand with the noise of the receiver after each."""
    chance = np.random.default_rng(seed)
    parts = [drive(network, seed * 100 + n, fixes=360, every=10.0, noise=_NOISE) for n in range(12)]
    lon, lat = [], []
    for part in parts:
        off = chance.normal(0, _NOISE, (360, 2)) / 111_195.0
        lon += [part.lon, part.true[-1, 0] + off[:, 0] / np.cos(np.radians(part.true[-1, 1]))]
        lat += [part.lat, part.true[-1, 1] + off[:, 1]]
    at = 1.8e9 + np.arange(8640) * 10.0
    return Drive(at, np.concatenate(lon), np.concatenate(lat), np.zeros(0, np.int64), [], np.zeros((0, 2)))


def _movements(days: Sequence[Drive]) -> list[Rate]:
    count = sum(len(day.time) for day in days)
    few = days[: max(_FEW // 8640, 1)]
    judged_count = sum(len(day.time) for day in few)
    # On one plane, so that both measure the same; MovingPandas' own geodesic boxes are turned by the degrees' shape.
    planes = [on_plane(day.lon, day.lat) / scale_of(float(day.lat.mean())) for day in days]
    flat = [_trajectory(day.time, xy, 3857) for day, xy in zip(few, planes, strict=False)]
    round_ = [_trajectory(day.time, np.column_stack([day.lon, day.lat]), 4326) for day in few]
    seconds = timedelta(seconds=_RULES.seconds)

    def stops(day: Drive, xy: Any) -> list[tuple[float, float]]:
        spans = find_stops(day.time, xy, _RULES.diameter, _RULES.seconds)
        return [(float(day.time[s.first]), float(day.time[s.last])) for s in spans]

    def judged_stops(moved: Any) -> list[tuple[float, float]]:
        found = movingpandas.TrajectoryStopDetector(moved).get_stop_time_ranges(_RULES.diameter, seconds)
        return [(one.t_0.timestamp(), one.t_n.timestamp()) for one in found]

    ours, found = _timed(lambda: [stops(day, xy) for day, xy in zip(days, planes, strict=True)])
    peer, judged = _timed(lambda: [judged_stops(moved) for moved in flat])
    same = "the same" if found[: len(few)] == judged else "DIFFERENT"
    told = [Rate("stops", count / ours, judged_count / peer, f"{sum(map(len, judged))} stops, {same}")]
    ours, lengths = _timed(lambda: [float(steps(day.lon, day.lat).sum()) for day in days])
    peer, theirs = _timed(lambda: [moved.get_length() for moved in round_])
    same = "the same to 1 mm" if np.allclose(lengths[: len(few)], theirs, atol=1e-3) else "DIFFERENT"
    told.append(Rate("mileage", count / ours, judged_count / peer, same))
    ours, _ = _timed(lambda: [parts_of(day.time, day.lon, day.lat, _RULES) for day in days])
    peer, _ = _timed(
        lambda: [
            movingpandas.StopSplitter(moved).split(max_diameter=_RULES.diameter, min_duration=seconds) for moved in flat
        ]
    )
    return [*told, Rate("trips", count / ours, judged_count / peer, "")]


def _matching(network: Network, points: int) -> list[Rate]:
    told = []
    for every in (1.0, 10.0):
        assume = Assumptions(accuracy=_NOISE)
        drives = [drive(network, seed, fixes=2000, every=every, noise=_NOISE) for seed in range(max(points // 2000, 2))]
        cold, _ = _timed(lambda drives=drives, assume=assume: [_matched(network, one, assume) for one in drives])
        warm, shares = _timed(lambda drives=drives, assume=assume: [_matched(network, one, assume) for one in drives])
        few = [drive(network, seed, fixes=_FEWEST // 4, every=every, noise=_NOISE) for seed in range(4)]
        judge = Leuven(network, few)
        peer, theirs = _timed(
            lambda few=few, judge=judge: [float(np.mean(judge.roads(one, _NOISE) == one.edge)) for one in few]
        )
        own = float(np.mean([_matched(network, one, assume) for one in few]))
        count = sum(len(one.time) for one in drives)
        right = f"on the right road: ours {own:.1%}, its {np.mean(theirs):.1%}, ours of all {np.mean(shares):.1%}"
        first = f"; {count / cold:,.0f} while the ways along the streets are new"
        told.append(Rate(f"map matching, a fix every {every:g} s", count / warm, _FEWEST / peer, right + first))
    return told


def _matched(network: Network, one: Drive, assume: Assumptions) -> float:
    return float(np.mean(match(network, one.time, one.lon, one.lat, assume).edge == one.edge))


def _trajectory(at: Any, xy: Any, crs: int) -> Any:
    frame = geopandas.GeoDataFrame(
        {"id": 1}, index=pd.to_datetime(at, unit="s"), geometry=geopandas.points_from_xy(*xy.T), crs=crs
    )
    return movingpandas.Trajectory(frame, 1)


def _timed[T](work: Callable[[], T]) -> tuple[float, T]:
    """CPU seconds and the answer: other work on the machine shall not count."""
    begun = time.process_time()
    found = work()
    return max(time.process_time() - begun, 1e-9), found


def piece(bench: Bench) -> list[str]:
    """Measure, and tell as lines of a page."""
    with bench.database.engine.connect() as conn:
        network = current_network(conn)
    return section(network, run(network, 40_000 * bench.rounds))


def section(network: Network, found: Sequence[Rate]) -> list[str]:
    """The figures as lines of a page."""
    return [
        "## What tracks tell",
        "",
        f"Fixes a second of one core's time; noise of {_NOISE:g} m; {len(network.edges)} road sections. Peers: MovingPandas {movingpandas.__version__},",
        "and Leuven's map matcher for the matching, which is given only the roads near its drives.",
        "",
        "| what | ours | peer | × | answers |",
        "|---|---|---|---|---|",
        *(f"| {r.what} | {r.ours:,.0f} | {r.peer:,.0f} | {r.ours / r.peer:.0f} | {r.said} |" for r in found),
    ]


if __name__ == "__main__":
    from tests.tracking.analysis.conftest import sample_network

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=40_000)
    parser.add_argument("--buildings", type=int, default=2000)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    streets = sample_network(given.buildings)
    print("\n".join(section(streets, run(streets, given.points))))
