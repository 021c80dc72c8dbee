"""What a device tells of itself: values that every protocol is decoded to, and what is doubtful about a fix."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import Any, Literal, NamedTuple

State = Literal["moving", "idle", "parked", "stale", "offline"]


class Doubt(IntFlag):
    """Why a fix is kept but not used: it moves no vehicle on the map, makes no alarm and no track.

    ``LATE`` alone is no doubt about the place: the fix came from memory (补传) or after a newer one.
    """

    NONE = 0
    #: The receiver says itself that it has no fix.
    NO_FIX = 1
    #: Longitude and latitude are both 0, or outside the Earth.
    NO_PLACE = 2
    #: The device's clock is ahead of ours by more than is allowed, or behind by more than a year.
    CLOCK = 4
    #: No vehicle comes from the last good fix to here in that time.
    JUMP = 8
    LATE = 16


#: What makes a fix unfit for use, as bits: a flag would be slow to look at for every fix.
UNFIT = int(Doubt.NO_FIX | Doubt.NO_PLACE | Doubt.CLOCK | Doubt.JUMP)


class Fix(NamedTuple):
    """One position report. Its place is in CGCS2000 degrees, as GNSS receivers give it within centimetres.

    ``time`` is Unix time [s] by the device's clock; ``speed`` [km/h], ``heading`` [° from north], ``altitude`` [m],
    ``mileage`` [km] by the vehicle's counter. ``alarms`` and ``status`` are the bits of JT/T 808 table 24 and 25, by
    whatever protocol they came; None where the protocol tells none. ``more`` are values of the protocol's own.
    """

    time: float
    lon: float
    lat: float
    speed: float | None = None
    heading: int | None = None
    altitude: int | None = None
    alarms: int = 0
    status: int | None = None
    mileage: float | None = None
    doubt: int = 0
    more: Mapping[str, Any] | None = None


#: Bits of ``Fix.status`` (JT/T 808-2019 table 25).
ACC, FIXED, SOUTH, WEST, OUT_OF_SERVICE = 1, 2, 4, 8, 16


@dataclass(frozen=True, slots=True)
class Device:
    """A device as the gateway knows it; ``id`` is its feature in the layer ``devices``, ``code`` what it calls itself.

    ``person``: it is carried by one person, whose fixes are kept on duty only.
    """

    id: int
    code: str
    name: str
    department: str | None
    kind: str
    person: bool = False
    enabled: bool = True
    speed_limit: float | None = None
    duty: str | None = None


class Stored(NamedTuple):
    """A fix with the device that it is of, as it is stored."""

    device: Device
    fix: Fix
