"""Coverage, departures, heat and replay, each against an independent reckoning."""

import warnings
from collections import Counter
from typing import Any

import geopandas
import h3
import numpy as np
import pandas as pd
import pytest
import shapely
from sqlalchemy import Connection, text

from tracking.analysis.deviation import departures
from tracking.analysis.heat import heat, name, outline
from tracking.analysis.matching.matching import match
from tracking.analysis.matching.model import Assumptions
from tracking.analysis.replay import instants, replayed
from tracking.analysis.speeds import by_section, passes
from tracking.analysis.sweeping import ground, missed_parts, swept

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import movingpandas

pytestmark = pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")


def wander(seed: int, count: int = 150, step: float = 40.0) -> Any:
    """A crooked drive on the plane of EPSG:4547 near Ezhou, (n, 2) [m]."""
    chance = np.random.default_rng(seed)
    course = np.cumsum(chance.normal(0, 0.5, count))
    return np.cumsum(
        np.column_stack([np.cos(course), np.sin(course)]) * chance.uniform(0, step, (count, 1)), axis=0
    ) + [586_000, 3_364_000]


def test_swept_roads_and_ground_are_those_of_postgis(conn: Connection) -> None:
    tracks = [wander(seed) for seed in (1, 2)]
    roads = np.array([shapely.linestrings(wander(seed, 20, 120)) for seed in range(3, 9)])
    cells = shapely.buffer(shapely.points([t[60] for t in tracks]), 300, quad_segs=1)
    for features, measure in ((roads, "ST_Length"), (cells, "ST_Area")):
        found = swept(features, ground(tracks, 30, shapely.box(*shapely.total_bounds(features))))
        sql = text(f"""
            SELECT {measure}(g), {measure}(ST_Intersection(g, s)), {measure}(ST_Difference(g, s))
            FROM unnest(:features) f, ST_SetSRID(f::geometry, 4547) g,
                 (SELECT ST_Buffer(ST_Collect(ST_SetSRID(t::geometry, 4547)), 15, 'quad_segs=16') s FROM unnest(:tracks) t) b""")
        values = {"features": [f.wkb_hex for f in features], "tracks": [shapely.linestrings(t).wkb_hex for t in tracks]}
        judged = [tuple(row) for row in conn.execute(sql, values)]
        ours = [(one.whole, one.swept, getattr(one.missed, measure[3:].lower())) for one in found]
        assert np.array(ours) == pytest.approx(np.array(judged), rel=1e-4, abs=0.01)
        assert 0 < sum(one.swept for one in found) < sum(one.whole for one in found)
        parts = missed_parts(found, 10.0)
        sizes = [part.length if measure == "ST_Length" else part.area for _, part in parts]
        assert sizes == sorted(sizes, reverse=True)
        left_out = sum(getattr(one.missed, measure[3:].lower()) for one in found) - sum(sizes)
        assert 0 <= left_out < 0.05 * sum(sizes) + 100


def test_nobody_sweeps_nothing() -> None:
    [one] = swept(np.array([shapely.box(0, 0, 10, 10)]), ground([], 30, shapely.box(0, 0, 10, 10)))
    assert (one.whole, one.swept, one.missed.area) == (100, 0, 100)
    [half] = swept(
        np.array([shapely.box(0, 0, 10, 10)]), ground([np.array([[5.0, -5], [5, 15]])], 10, shapely.box(0, 0, 10, 10))
    )
    assert half.swept == pytest.approx(100)
    [one] = swept(
        np.array([shapely.linestrings([[0, 0], [100, 0]])]),
        ground([np.array([[50.0, 0]])], 20, shapely.box(0, -1, 100, 1)),
    )
    assert one.swept == pytest.approx(20)
    assert [(n, round(part.length, 6)) for n, part in missed_parts([one], 1)] == [(0, 40.0), (0, 40.0)]


def test_departures_are_runs_of_fixes_beyond_the_width() -> None:
    route = shapely.linestrings([[0, 0], [1000, 0]])
    x = np.arange(0, 1000, 50.0)
    y = np.where((x >= 300) & (x <= 450), 80.0, 5.0)
    y[7], y[-1] = 120.0, 60.0
    found, distance = departures(np.column_stack([x, y]), route, 50)
    assert distance.tolist() == y.tolist()
    assert [(one.span.first, one.span.last, one.farthest, one.at) for one in found] == [
        (6, 9, 120.0, 7),
        (19, 19, 60.0, 19),
    ]
    assert departures(np.zeros((0, 2)), route, 50)[0] == []
    assert departures(np.column_stack([x, y]), route, 200)[0] == []


@pytest.mark.parametrize("resolution", [6, 9, 12])
def test_heat_is_what_h3_counts_one_by_one(resolution: int) -> None:
    chance = np.random.default_rng(4)
    device = np.repeat([3, 8], 500)
    time = np.tile(np.cumsum(chance.integers(1, 900, 500)).astype(float), 2)
    lon, lat = chance.normal(114.9, 0.02, 1000).round(6), chance.normal(30.4, 0.02, 1000).round(6)
    cells = heat(device, time, lon, lat, resolution, gap=300)
    one_by_one = [h3.latlng_to_cell(y, x, resolution) for x, y in zip(lon.tolist(), lat.tolist(), strict=True)]
    assert {name(int(c)): int(n) for c, n in zip(cells.cell, cells.fixes, strict=True)} == Counter(one_by_one)
    pairs = set(zip(one_by_one, device.tolist(), strict=True))
    assert {name(int(c)): int(n) for c, n in zip(cells.cell, cells.devices, strict=True)} == Counter(
        c for c, _ in pairs
    )
    assert cells.seconds.sum() == pytest.approx(2 * np.minimum(np.diff(time[:500]), 300).sum())
    ring = outline(int(cells.cell[0]))
    assert shapely.is_ccw(shapely.linearrings(ring))
    assert shapely.Polygon(ring).contains(shapely.Point(h3.cell_to_latlng(name(int(cells.cell[0])))[::-1]))


def test_replay_is_where_movingpandas_interpolates_it() -> None:
    chance = np.random.default_rng(2)
    time = 1.8e9 + np.cumsum(chance.integers(5, 60, 60)).astype(float)
    lon, lat = 114.9 + np.cumsum(chance.normal(0, 1e-4, 60)), 30.4 + np.cumsum(chance.normal(0, 1e-4, 60))
    at = instants(time[0], time[-1], 7.5)
    speed, heading = np.arange(60.0), np.full(60, np.nan)
    frames = replayed(at, time, lon, lat, speed, heading, gap=1000)
    frame = geopandas.GeoDataFrame(
        {"id": 1}, index=pd.to_datetime(time, unit="s"), geometry=geopandas.points_from_xy(lon, lat), crs=4326
    )
    moved = movingpandas.Trajectory(frame, 1)
    judged = [moved.interpolate_position_at(pd.Timestamp(t, unit="s")) for t in at[::10].tolist()]
    assert np.column_stack([frames.lon, frames.lat])[::10] == pytest.approx(
        np.array([[p.x, p.y] for p in judged]), abs=1e-10
    )
    assert frames.speed[:3].tolist() == [0, 0 if time[1] - time[0] > 7.5 else 1, frames.speed[2]]
    assert np.isnan(frames.heading).all()


def test_replay_tells_nothing_of_silences_but_at_the_fixes_themselves() -> None:
    time, lon = np.array([100.0, 110.0, 1110.0]), np.array([1.0, 2.0, 3.0])
    frames = replayed(instants(90, 1121, 10), time, lon, lon, lon, lon, gap=300)
    known = np.flatnonzero(~np.isnan(frames.lon)).tolist()
    assert known == [1, 2, 102]
    assert frames.lon[known].tolist() == [1.0, 2.0, 3.0]
    assert np.isnan(replayed(np.arange(3.0), *(np.zeros(0) for _ in range(5)), gap=9).lon).all()


def test_speeds_of_sections_are_those_that_were_driven() -> None:
    """A street of two sections, driven at 36 and 72 km/h eastwards twice, and once back at 18."""
    from tests.layers.network.drawn import lonlat, metres, network, road

    streets = network(road((0, 0), (10, 0)), road((10, 0), (20, 0)))
    half = metres((0, 0), (10, 0))
    driven = []
    for first, second, back in ((10.0, 20.0, False), (10.0, 20.0, False), (5.0, 5.0, True)):
        through = half / first
        time = np.arange(0, through + half / second, 4.0)
        part = np.where(time <= through, time * first, half + (time - through) * second)
        x = part / half * 10 if not back else 20 - part / half * 10
        lon = np.array([lonlat(n, 0)[0] for n in x])
        found = match(streets, time, lon, np.full(len(lon), 30.4), Assumptions())
        driven.append(passes(time, found))
    speeds = by_section(driven, streets.length)
    told = {
        (int(e), bool(a)): (int(n), round(float(v)))
        for e, a, n, v in zip(speeds.edge, speeds.ahead, speeds.passes, speeds.mean, strict=True)
    }
    assert told == {(0, True): (2, 36), (1, True): (2, 72), (0, False): (1, 18), (1, False): (1, 18)}
    assert (speeds.p15 <= speeds.median).all()
    assert len(by_section([], streets.length).edge) == 0
