"""What handlers say of a fix, and what the engine makes of it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tracking.alarms.fences import Fence, FenceIndex
from tracking.model import Device, Fix


class Condition(NamedTuple):
    """Something that is so at a fix, or is not. After ``dwell`` seconds of it there is an alarm, from its beginning to
    its end. ``starts``: whether it may begin now. ``momentary``: the alarm is over as soon as it began."""

    rule: str
    kind: str
    holds: bool
    dwell: float = 0.0
    fence: int | None = None
    value: float | None = None
    most: float | None = None
    detail: str | None = None
    momentary: bool = False
    starts: bool = True


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm; ``ended`` is None while it goes on. Times are Unix times [s]."""

    key: str
    kind: str
    device: Device
    began: float
    ended: float | None
    lon: float
    lat: float
    fence: int | None = None
    value: float | None = None
    most: float | None = None
    detail: str | None = None
    late: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What is too long [s], or too fast."""

    overspeed: float = 10.0
    idling: float = 900.0
    stay: float = 7200.0
    offline: float = 1800.0
    #: Limits by class of road [km/h], for roads that tell none; without any nobody is watched for. And how much faster
    #: one may be [%].
    road_limits: Mapping[str, float] = field(default_factory=dict)
    road_tolerance: float = 10.0


@dataclass(slots=True)
class Begun:
    """A condition that holds: since when and where, and whether the alarm has been given."""

    since: float
    lon: float
    lat: float
    given: bool = False
    value: float | None = None


@dataclass(slots=True)
class Memory:
    """What is remembered of one device between two fixes. ``inside`` None: nothing is known yet. ``driven`` is its way
    [km] as far as it told no counter, reckoned for who is maintained by distance."""

    last: Fix | None = None
    inside: frozenset[int] | None = None
    begun: dict[str, Begun] = field(default_factory=dict)
    driven: float = 0.0


class Watched:
    """What concerns a device: its maintenance interval [km], whether limits of ``roads`` are known, fences (worked out
    when it is asked), and handlers."""

    def __init__(
        self, device: Device, fences: FenceIndex, maintenance: float | None, roads: bool,
        handlers: "Sequence[Handler]",
    ) -> None:  # fmt: skip
        self.device = device
        self.maintenance = maintenance
        self.roads = roads
        self._known: dict[int, bool] = {}
        self.away = tuple(f for f in fences.away if f.concerns(device))
        self.lines = tuple(f for f in fences.lines if f.concerns(device))
        self.looks = tuple(handler.look for handler in handlers if handler.concerns(self))

    def concerns(self, fence: Fence) -> bool:
        """Whether the fence is for the device."""
        found = self._known.get(fence.id)
        if found is None:
            found = self._known[fence.id] = fence.concerns(self.device)
        return found


class Look(NamedTuple):
    """One fix as handlers see it: with the fix before, the fences the device was in and is in, and the rules whose
    conditions hold."""

    device: Device
    fix: Fix
    before: Fix | None
    was_inside: frozenset[int] | None
    inside: frozenset[int]
    fences: FenceIndex
    watched: Watched
    begun: Collection[str]
    limits: Limits
    #: What the road allows [km/h].
    road_limit: float | None = None
    #: The counter, or the way where there is none, before and after [km]; None where no maintenance depends on it.
    mileage: tuple[float, float] | None = None


class Handler(NamedTuple):
    """Something that is watched for: what it says of a fix, and of which devices' fixes it is asked."""

    look: Callable[[Look], Sequence[Condition]]
    concerns: Callable[[Watched], bool] = lambda _watched: True
