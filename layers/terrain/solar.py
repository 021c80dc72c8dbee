"""The sun over a place on the days that sunlight 日照 is judged by, in true solar time 真太阳时.

True solar time is 12 h when the sun is highest: Beijing time + equation of time - (120° - longitude) / 15°/h. The days
are 大寒日 great cold (apparent solar longitude 300°) and 冬至日 winter solstice (270°), by the Beijing date; GB
50180-2018 §4.0.9 takes 8–16 h of the one, 9–15 h of the other.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import numpy as np
from astral import Observer, julian, sun

from layers.terrain.elevation import Floats
from layers.terrain.errors import TerrainError

SolarDay = Literal["great-cold", "winter-solstice"]

#: The year that sunlight is reckoned with where none is given, so that answers do not differ from year to year.
BASE_YEAR = 2001
_BEIJING = timedelta(hours=8)
#: Apparent longitude of the sun [°], and a date before which the day never comes.
_TERMS = {"great-cold": (300.0, (1, 15)), "winter-solstice": (270.0, (12, 16))}


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of true solar time that count, and how many of them a dwelling must have sun."""

    start: float
    end: float
    required: float


#: GB 50180-2018 table 4.0.9: great cold at least 2 h (the strictest of its kinds of city), winter solstice 1 h.
WINDOWS: dict[SolarDay, Window] = {
    "great-cold": Window(8.0, 16.0, 2.0),
    "winter-solstice": Window(9.0, 15.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class SunPath:
    """The sun in the middle of each step of a day's window.

    ``hours`` is true solar time [h], ``azimuths`` are clockwise from true north [°], ``altitudes`` [°] are without
    refraction; ``step`` [h] is what each stands for.
    """

    hours: Floats
    azimuths: Floats
    altitudes: Floats
    step: float


def solar_day(day: SolarDay, year: int = BASE_YEAR) -> date:
    """The Beijing date of that day in a year from 1900 to 2100."""
    if not 1900 <= year <= 2100:
        raise TerrainError(f"the year {year} lies outside 1900 to 2100, for which the sun's place is computed")
    wanted, (month, first) = _TERMS[day]
    start = datetime(year, month, first, tzinfo=UTC) - _BEIJING
    ends = (start + timedelta(days=n) for n in range(1, 15))
    after = next(end for end in ends if (sun.sun_apparent_long(_century(end)) - wanted + 180) % 360 >= 180)
    return (after + _BEIJING - timedelta(days=1)).date()


def sun_path(longitude: float, latitude: float, day: date, start: float, end: float, step: float) -> SunPath:
    """The sun from ``start`` to ``end`` [h of true solar time] at a place [°], in steps of ``step`` [min].

    The steps are shortened so that a whole number fills the window. Raises :class:`TerrainError` for a window that
    does not lie within a day, or a step that is not positive.
    """
    if not 0 <= start < end <= 24 or step <= 0:
        raise TerrainError(f"the window {start} h to {end} h in steps of {step} min is none; its start comes first")
    count = int(np.ceil((end - start) * 60 / step - 1e-9))
    hours = start + (np.arange(count) + 0.5) * (end - start) / count
    observer = Observer(latitude, longitude)
    places = [
        sun.zenith_and_azimuth(observer, clock_time(day, float(hour), longitude), with_refraction=False)
        for hour in hours
    ]
    zeniths, azimuths = np.array(places).T
    return SunPath(hours, azimuths, 90.0 - zeniths, (end - start) / count)


def clock_time(day: date, hour: float, longitude: float) -> datetime:
    """The instant (UTC) of an hour of true solar time at a longitude [°]."""
    mean = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(hours=hour - longitude / 15)
    return mean - timedelta(minutes=sun.eq_of_time(_century(mean)))


def _century(instant: datetime) -> float:
    return float(julian.julianday_to_juliancentury(julian.julianday(instant)))
