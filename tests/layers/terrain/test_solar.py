"""The sun against pvlib's NREL algorithm, and days against the calendar."""

from datetime import date

import numpy as np
import pandas
import pytest
from pvlib import solarposition

from layers.terrain.errors import TerrainError
from layers.terrain.solar import clock_time, solar_day, sun_path


@pytest.mark.parametrize(("lon", "lat"), [(114.9, 30.4), (126.6, 45.8), (87.6, 43.8), (109.5, 18.2)])
@pytest.mark.parametrize("day", [date(2001, 1, 20), date(2001, 12, 22), date(2026, 6, 21)])
def test_the_sun_stands_where_nrels_algorithm_puts_it(lon: float, lat: float, day: date) -> None:
    path = sun_path(lon, lat, day, 8.0, 16.0, 5.0)
    times = pandas.DatetimeIndex([clock_time(day, float(hour), lon) for hour in path.hours])
    expected = solarposition.get_solarposition(times, lat, lon)
    assert np.abs(path.altitudes - expected["elevation"]).max() < 0.02
    off = (path.azimuths - expected["azimuth"]) * np.cos(np.radians(path.altitudes))
    assert np.abs(off).max() < 0.02  # the sun itself is 0.5° wide


def test_noon_of_true_solar_time_is_when_the_sun_crosses_the_meridian() -> None:
    for lon in (87.6, 114.9, 120.0, 132.0):
        noon = pandas.DatetimeIndex([clock_time(date(2001, 1, 20), 12.0, lon)])
        equation = solarposition.get_solarposition(noon, 30.0, lon)["equation_of_time"].iloc[0]
        beijing = (noon[0].hour + 8) * 60 + noon[0].minute + noon[0].second / 60
        assert beijing + equation - (120 - lon) * 4 == pytest.approx(720, abs=0.05)
        assert sun_path(lon, 30.0, date(2001, 1, 20), 11.99, 12.01, 5.0).azimuths[0] == pytest.approx(180, abs=0.02)


@pytest.mark.parametrize(
    ("day", "dates"),
    [
        ("great-cold", ["2001-01-20", "2008-01-21", "2012-01-21", "2019-01-20", "2024-01-20", "2025-01-20"]),
        ("winter-solstice", ["2001-12-22", "2015-12-22", "2020-12-21", "2021-12-21", "2022-12-22", "2024-12-21"]),
    ],
)
def test_the_days_are_those_of_the_calendar(day: str, dates: list[str]) -> None:
    assert [str(solar_day(day, int(d[:4]))) for d in dates] == dates  # type: ignore[arg-type]


def test_steps_fill_the_window_whole() -> None:
    path = sun_path(114.9, 30.4, date(2001, 1, 20), 8.0, 16.0, 5.0)
    assert len(path.hours) == 96 and path.step == pytest.approx(5 / 60)
    assert path.hours[0] == pytest.approx(8 + 2.5 / 60) and path.hours[-1] == pytest.approx(16 - 2.5 / 60)
    assert sun_path(114.9, 30.4, date(2001, 1, 20), 9.0, 9.25, 4.0).step * 60 == pytest.approx(3.75)


def test_impossible_windows_and_years_are_refused() -> None:
    with pytest.raises(TerrainError, match="window"):
        sun_path(114.9, 30.4, date(2001, 1, 20), 16.0, 8.0, 5.0)
    with pytest.raises(TerrainError, match="1900 to 2100"):
        solar_day("great-cold", 1800)
