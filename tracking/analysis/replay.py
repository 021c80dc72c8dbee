"""Where devices were at any instants: between fixes along the straight line, within silences nowhere."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Frames:
    """Of one device at each instant, (m,): ``lon``, ``lat`` [°], ``speed`` [km/h] and ``heading`` [° from north];
    NaN where it is not known."""

    lon: Floats
    lat: Floats
    speed: Floats
    heading: Floats


def instants(begin: float, end: float, step: float) -> Floats:
    """Unix times [s] from ``begin`` by ``step``, ``end`` not among them."""
    return begin + step * np.arange(max(int(np.ceil((end - begin) / step - 1e-9)), 0), dtype=np.float64)


def replayed(at: Floats, time: Floats, lon: Floats, lat: Floats, speed: Floats, heading: Floats, gap: float) -> Frames:
    """The device at the instants ``at``. Over more than ``gap`` [s] between two fixes nothing is known, but at them.

    Speed and heading are those told with the fix before.
    """
    unknown = np.full(len(at), np.nan)
    if not len(time):
        return Frames(unknown, unknown, unknown, unknown)
    after = np.searchsorted(time, at, side="right")
    before = (after - 1).clip(0)
    exact = (after > 0) & (time[before] == at)
    known = exact | ((after > 0) & (after < len(time)))
    later = after.clip(0, len(time) - 1)
    known &= exact | (time[later] - time[before] <= gap)
    place = [np.where(known, np.interp(at, time, values), np.nan) for values in (lon, lat)]
    told = [np.where(known, values[before], np.nan) for values in (speed, heading)]
    return Frames(*place, *told)
