"""Stops, trips and mileage, against MovingPandas."""

import warnings
from datetime import timedelta
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import pytest

from tests.tracking.analysis.real import TRACKS, real_tracks
from tracking.analysis.mileage import distances
from tracking.analysis.plane import steps
from tracking.analysis.rectangles import hull_of, is_small
from tracking.analysis.stops import find_stops
from tracking.analysis.trips import Rules, parts_of

with warnings.catch_warnings():  # it misses an optional part of its own
    warnings.simplefilter("ignore")
    import movingpandas

#: MovingPandas asks pandas in ways that will go.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]
type Spans = list[tuple[float, float]]
#: A plane in metres near the places of the generated tracks.
PLANE = 32650


def walk(seed: int, count: int) -> tuple[Any, Any]:
    """A device that stands, walks, drives slowly and fast by turns, with the noise of a receiver: seconds, metres."""
    chance = np.random.default_rng(seed)
    time, xy = [0.0], [np.zeros(2)]
    while len(xy) < count:
        speed, course = float(chance.choice([0.0, 1.0, 8.0, 14.0])), float(chance.uniform(0, 6.3))
        for _ in range(int(chance.integers(5, 120))):
            step = float(chance.integers(1, 15))
            course += float(chance.normal(0, 0.2))
            time.append(time[-1] + step)
            xy.append(xy[-1] + speed * step * np.array([np.cos(course), np.sin(course)]))
    return np.array(time[:count]), np.array(xy[:count]) + chance.normal(0, 4, (count, 2))


def trajectory(time: Any, xy: Any, crs: int = PLANE) -> Any:
    frame = geopandas.GeoDataFrame(
        {"id": 1}, index=pd.to_datetime(time, unit="s"), geometry=geopandas.points_from_xy(*xy.T), crs=crs
    )
    return movingpandas.Trajectory(frame, 1)


def judged_stops(moved: Any, diameter: float, seconds: float) -> Spans:
    found = movingpandas.TrajectoryStopDetector(moved).get_stop_time_ranges(diameter, timedelta(seconds=seconds))
    return [(one.t_0.timestamp(), one.t_n.timestamp()) for one in found]


def judged_trips(moved: Any, rules: Rules) -> Spans:
    found = []
    for run in movingpandas.ObservationGapSplitter(moved).split(gap=timedelta(seconds=rules.gap)):
        split = movingpandas.StopSplitter(run).split(
            max_diameter=rules.diameter, min_duration=timedelta(seconds=rules.seconds)
        )
        found += [(trip.get_start_time().timestamp(), trip.get_end_time().timestamp()) for trip in split]
    return found


@pytest.mark.parametrize(("diameter", "seconds"), [(50, 120), (100, 60), (30, 5)])
def test_stops_are_those_of_movingpandas(diameter: float, seconds: float) -> None:
    stops = 0
    for seed in range(3):
        time, xy = walk(seed, 700)
        found = [(time[s.first], time[s.last]) for s in find_stops(time, xy, diameter, seconds)]
        assert found == judged_stops(trajectory(time, xy), diameter, seconds)
        stops += len(found)
    assert stops >= 3


@pytest.mark.parametrize("shift", [0.0, 1e7], ids=["near", "far from the origin"])
def test_a_device_that_never_moves_makes_one_stop(shift: float) -> None:
    time, xy = np.arange(500.0), np.full((500, 2), shift)
    [span] = find_stops(time, xy, 10, 60)
    assert (span.first, span.last) == (0, 499)
    assert judged_stops(trajectory(time, xy), 10, 60) == [(0.0, 499.0)]


def test_no_stop_is_found_in_what_is_no_track() -> None:
    assert find_stops(np.zeros(0), np.zeros((0, 2)), 10, 60) == []
    assert find_stops(np.zeros(1), np.zeros((1, 2)), 10, 60) == []


def test_smallest_rectangle_is_that_of_geos() -> None:
    import shapely

    chance = np.random.default_rng(5)
    for _ in range(200):
        points = chance.normal(0, 10, (int(chance.integers(2, 12)), 2)).round(1)
        box = shapely.get_coordinates(shapely.oriented_envelope(shapely.multipoints(points)))
        diagonal = float(np.hypot(*(box[2] - box[0]))) if len(box) > 3 else float(np.hypot(*(box[-1] - box[0])))
        hull = hull_of([(x, y) for x, y in points.tolist()])
        assert not is_small(hull, diagonal * (1 - 1e-6))
        assert is_small(hull, diagonal * (1 + 1e-6))


@pytest.mark.skipif(not TRACKS.exists(), reason="../shared/data/03_trajectories is absent")
def test_real_tracks_have_the_stops_trips_and_mileage_of_movingpandas() -> None:
    """Cars of Aracaju and a bus of Liverpool, each in its UTM zone."""
    rules = Rules(diameter=100, seconds=60, gap=600)
    stops = trips = 0
    for track in real_tracks(12):
        moved = trajectory(track.time, np.column_stack([track.lon, track.lat]), 4326)
        metric = moved.to_crs(track.utm)
        ours = parts_of(track.time, track.lon, track.lat, rules)
        runs = movingpandas.ObservationGapSplitter(metric).split(gap=timedelta(seconds=rules.gap))
        judged = [stop for run in runs for stop in judged_stops(run, rules.diameter, rules.seconds)]
        assert [(track.time[s.first], track.time[s.last]) for s in ours.stops] == judged
        assert [(track.time[t.first], track.time[t.last]) for t in ours.trips] == judged_trips(metric, rules)
        assert steps(track.lon, track.lat).sum() == pytest.approx(moved.get_length(), abs=1e-3)
        stops, trips = stops + len(ours.stops), trips + len(ours.trips)
    assert stops >= 5
    assert trips >= 10


def test_mileage_is_told_by_day_with_gaps_and_counter_apart() -> None:
    midnight = 20_000 * 86_400 - 8 * 3600.0  # in GMT+8
    time = midnight + np.array([-20.0, -10.0, 10.0, 20.0, 2020.0])
    lon, lat = 114.9 + np.arange(5) * 1e-3, np.full(5, 30.4)
    counter = np.array([100.0, np.nan, 100.3, 5.0, 5.1])
    before, after = distances(time, lon, lat, counter, gap=300)
    each = steps(lon, lat)
    assert (before.day, before.fixes, before.metres) == (19_999, 2, pytest.approx(each[0]))
    assert (after.day, after.fixes, after.metres) == (20_000, 3, pytest.approx(each[1:].sum()))
    assert (before.over_gaps, after.over_gaps) == (0.0, pytest.approx(each[3]))
    assert (before.moving, after.moving) == (10.0, 30.0)
    assert after.counter == pytest.approx(0.4)  # set back to 5 in between
    assert distances(time, lon, lat, np.full(5, np.nan), 300)[0].counter is None
