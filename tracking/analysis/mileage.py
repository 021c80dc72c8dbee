"""How far devices went: along their fixes, and by the vehicles' own counters."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracking.analysis.plane import steps
from tracking.storing import day_of

type Floats = NDArray[np.float64]

#: A counter that falls, or rises faster than this [km/h], was changed or set back.
_FASTEST = 250.0


@dataclass(frozen=True, slots=True)
class Distance:
    """Of one day (days since 1970-01-01, GMT+8): ``metres`` along the fixes, of which over silences longer than the
    gap; by the ``counter`` [km], None where there is none; ``moving`` [s], and ``fixes``."""

    day: int
    metres: float
    over_gaps: float
    counter: float | None
    moving: float
    fixes: int


def distances(
    time: Floats, lon: Floats, lat: Floats, counter: Floats, gap: float, slowest: float = 3.0
) -> list[Distance]:
    """The distance of each day with fixes. A step counts to the day that it ends in.

    ``time`` [s], ``lon``, ``lat`` [°], ``counter`` [km] or NaN: (n,), sorted by time. ``gap`` [s]; a step at
    ``slowest`` [km/h] and above is moving.
    """
    metres, seconds = steps(lon, lat), np.diff(time)
    silent = seconds > gap
    moving = ~silent & (metres >= slowest / 3.6 * seconds)
    days = np.array([day_of(at) for at in time.tolist()], np.int64)
    climbed, told = _climbed(time, counter), ~np.isnan(counter)
    found = []
    for day in np.unique(days).tolist():
        here = days == day
        ends = here[1:]
        found.append(
            Distance(
                day,
                float(metres[ends].sum()),
                float(metres[ends & silent].sum()),
                float(climbed[here].sum()) if (here & told).any() else None,
                float(seconds[ends & moving].sum()),
                int(here.sum()),
            )
        )
    return found


def _climbed(time: Floats, counter: Floats) -> Floats:
    """By how much the counter rose to each fix since the last one that told it [km]."""
    rose = np.zeros(len(time))
    told = np.flatnonzero(~np.isnan(counter))
    more, hours = np.diff(counter[told]), np.diff(time[told]) / 3600
    rose[told[1:]] = np.where((more > 0) & (more <= _FASTEST * np.maximum(hours, 1 / 3600)), more, 0.0)
    return rose
