"""Which units can be sent, what a task may become, and when a unit is under way and has arrived."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tracking.calendar import CalendarError, holds
from tracking.judging import jumps

type TaskState = Literal["assigned", "under-way", "arrived", "done", "cancelled"]
type Unfit = Literal["kind", "stale", "skill", "off-duty", "busy"]
type Place = tuple[float, float]

#: What a task may become, from each state. Only ``done`` and ``cancelled`` end it.
BECOMES: Mapping[TaskState, frozenset[TaskState]] = {
    "assigned": frozenset({"under-way", "arrived", "done", "cancelled"}),
    "under-way": frozenset({"arrived", "done", "cancelled"}),
    "arrived": frozenset({"done", "cancelled"}),
    "done": frozenset(),
    "cancelled": frozenset(),
}
#: States in which a task counts as one that the unit has to do, and in which it is followed by position.
OPEN: tuple[TaskState, ...] = ("assigned", "under-way", "arrived")
FOLLOWED: tuple[TaskState, ...] = ("assigned", "under-way")
#: A unit this far [m] from where it was sent off is under way.
SET_OFF = 100.0
_DEGREE = 111_195.0


class DispatchRefused(ValueError):
    """The unit cannot be sent, or the task cannot become that; the message says why."""


class WrongInputs(ValueError):
    """The inputs do not go together, or one is missing."""


class TaskNotFound(LookupError):
    """There is no task of that number, or not for whoever asks."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A device that may be sent, as it is now: ``time`` (Unix time [s]) of its last good place, ``tasks`` it has open,
    ``capacity`` for how many at once."""

    device: str
    name: str
    kind: str
    department: str | None
    duty: str | None
    skills: frozenset[str]
    capacity: int
    state: str
    time: float
    lon: float
    lat: float
    speed: float | None
    tasks: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a unit must be like; ``age`` [s] is that of its last place."""

    kinds: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()
    age: float = 300.0
    on_duty: bool = True
    free: bool = True


def unfit(unit: Unit, wanted: Wanted, now: float) -> Unfit | None:
    """The first reason for which a unit cannot be sent; None where it can."""
    if wanted.kinds and unit.kind not in wanted.kinds:
        return "kind"
    if unit.state == "offline" or now - unit.time > wanted.age:
        return "stale"
    if not wanted.skills <= unit.skills:
        return "skill"
    if wanted.on_duty and not on_duty(unit.duty, now):
        return "off-duty"
    return "busy" if wanted.free and unit.tasks >= unit.capacity else None


def on_duty(duty: str | None, now: float) -> bool:
    """Whether somebody with these duty hours works then; duty hours that cannot be read are none."""
    try:
        return holds(duty, now)
    except CalendarError:
        return False


def allow(state: TaskState, to: TaskState) -> None:
    """Raise :class:`DispatchRefused` unless a task may become that."""
    if to not in BECOMES[state]:
        raise DispatchRefused(f"the task is {state!r} and cannot become {to!r}")


def progress(
    start: Place, place: Place, within: float, time: NDArray[Any], lonlat: NDArray[Any]
) -> tuple[float | None, float | None]:
    """When a unit set off from ``start``, and when it came within so many metres of ``place`` (Unix time [s]); None
    where it did not. ``time`` (n,) and ``lonlat`` (n, 2) [°] are its fixes since it was sent, sorted by time.

    A jump neither sets off nor arrives.
    """
    good = ~jumps(time, lonlat[:, 0], lonlat[:, 1])
    arrived = _first(time, good & (_metres(lonlat, place) <= within))
    left = _first(time, good & (_metres(lonlat, start) >= SET_OFF))
    return left, arrived


def _first(time: NDArray[Any], where: NDArray[np.bool_]) -> float | None:
    found = np.flatnonzero(where)
    return float(time[found[0]]) if len(found) else None


def _metres(lonlat: NDArray[Any], place: Place) -> NDArray[np.float64]:
    """Distances [m] to 1 %, for limits of some hundred metres."""
    east = (lonlat[:, 0] - place[0]) * np.cos(np.radians(place[1]))
    return np.asarray(np.hypot(east, lonlat[:, 1] - place[1]) * _DEGREE)


def task_text(code: str, words: str, place: Place) -> str:
    """What the terminal shows and speaks."""
    return f"【任务{code}】{words} 位置{place[0]:.5f},{place[1]:.5f}"


def counted(reasons: Sequence[Unfit | None]) -> dict[str, int]:
    """How many units were left out for each reason."""
    return {reason: reasons.count(reason) for reason in sorted({r for r in reasons if r is not None})}
