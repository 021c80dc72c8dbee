"""What is doubtful about fixes: clocks that are wrong, and jumps that no vehicle makes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracking.calendar import CalendarError, holds
from tracking.model import Device, Doubt, Fix

#: Seconds by which a device's clock may be ahead, and after which a fix is too old to be believed.
AHEAD, BEHIND = 300.0, 400 * 86_400.0
#: No vehicle is faster [km/h]; moves below so far [m] are noise, however fast.
FASTEST, NOISE = 250.0, 300.0
#: So many fixes in a row that agree with each other are the truth, and what was before them the mistake.
AGREED = 3
#: Metres of one degree on the mean Earth.
_DEGREE = 111_195.0


def clock_checked(fix: Fix, received: float) -> Fix:
    """The fix, in doubt where its time cannot be right. ``received`` is Unix time [s]."""
    if received - BEHIND <= fix.time <= received + AHEAD:
        return fix
    return fix._replace(doubt=fix.doubt | Doubt.CLOCK)


def not_ahead(fix: Fix, now: float) -> Fix:
    """What is brought from elsewhere may be as old as it likes, but it tells nothing of what is to come."""
    return fix._replace(doubt=fix.doubt | Doubt.CLOCK) if fix.time > now + AHEAD else fix


def may_keep(device: Device, at: float) -> bool:
    """Whether a fix of that time may be kept: of a device that a person carries, only on duty (docs/dispatcher.md).

    A calendar that cannot be read keeps nothing: what is not stored cannot be looked at.
    """
    if not device.person:
        return True
    try:
        return bool(device.duty) and holds(device.duty, at)
    except CalendarError:
        return False


def metres(lon: float, lat: float, to_lon: float, to_lat: float) -> float:
    """Distance of places near each other [m], to 1 % below 200 km: for limits, not for mileage."""
    east = (to_lon - lon) * float(np.cos(np.radians((lat + to_lat) / 2)))
    return float(np.hypot(east, to_lat - lat)) * _DEGREE


def impossible(seconds: float, distance: float) -> bool:
    """Whether nothing moves that far [m] in that time [s]."""
    return distance > NOISE and distance > FASTEST / 3.6 * max(abs(seconds), 1.0)


def jumps(time: NDArray[Any], lon: NDArray[Any], lat: NDArray[Any]) -> NDArray[np.bool_]:
    """Which fixes of a track, sorted by time, are jumps: shape (n,).

    Each is judged from the last good one. After :data:`AGREED` fixes that could not be, but follow from each other,
    those are good: the place before was wrong, or the device was carried on a train.
    """
    found = np.zeros(len(time), bool)
    if len(time) < 2:
        return found
    east = np.diff(lon) * np.cos(np.radians((lat[1:] + lat[:-1]) / 2))
    distance = np.hypot(east, np.diff(lat)) * _DEGREE
    if not np.any((distance > NOISE) & (distance > FASTEST / 3.6 * np.maximum(np.diff(time), 1.0))):
        return found
    good = 0
    odd: list[int] = []
    for n in range(1, len(time)):
        if not _impossible_between(time, lon, lat, good, n):
            good, odd = n, []
            continue
        if odd and _impossible_between(time, lon, lat, odd[-1], n):
            odd = []
        odd.append(n)
        found[n] = True
        if len(odd) == AGREED:
            found[odd] = False
            good, odd = n, []
    return found


def _impossible_between(time: NDArray[Any], lon: NDArray[Any], lat: NDArray[Any], a: int, b: int) -> bool:
    return impossible(float(time[b] - time[a]), metres(lon[a], lat[a], lon[b], lat[b]))
