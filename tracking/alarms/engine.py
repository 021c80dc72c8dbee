"""Runs fixes past the handlers, in order of time for each device, and remembers what holds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from tracking.alarms.conditions import Alarm, Begun, Condition, Handler, Limits, Look, Memory, Watched
from tracking.alarms.fences import FenceIndex, inside_after
from tracking.alarms.handlers import HANDLERS, terminal_bits
from tracking.judging import metres
from tracking.model import UNFIT, Device, Doubt, Fix, Stored
from tracking.states import MOVING

#: Gives for each fix what the road allows [km/h].
type RoadLimitsOf = Callable[[Sequence[Stored]], Sequence[float | None]]


_NOWHERE: frozenset[int] = frozenset()
#: A step that is longer [m] is driven, however slowly: no receiver's noise.
_FAR = 100.0


class Engine:
    """The conditions of all devices. ``maintenance`` has the intervals [km] of those (ids) that have one;
    ``road_limits`` tells what the roads allow."""

    def __init__(
        self, fences: FenceIndex, limits: Limits, maintenance: Mapping[int, float] | None = None,
        handlers: Sequence[Handler] = HANDLERS, road_limits: RoadLimitsOf | None = None,
    ) -> None:  # fmt: skip
        self.memories: dict[int, Memory] = {}
        self._limits = limits
        self._handlers = handlers
        self._road_limits = road_limits
        self._watched: dict[int, Watched] = {}
        self.use(fences, maintenance or {})

    def use(self, fences: FenceIndex, maintenance: Mapping[int, float]) -> None:
        """Other fences and intervals from now on; who was in a fence that has gone is in it no more."""
        self._fences = fences
        self._maintenance = maintenance
        self._watched.clear()
        for memory in self.memories.values():
            if memory.inside:
                memory.inside = memory.inside & fences.by_id.keys()

    def run(self, rows: Sequence[Stored]) -> tuple[list[Alarm], list[Stored]]:
        """Alarms that begin and end with these fixes, sorted by device and time; and the fixes that came too late,
        which are for :func:`replayed`. Doubtful fixes make none but the terminal's own alarms."""
        fit = [row for row in rows if not row.fix.doubt & UNFIT or self._placed(row)]
        lon, lat = np.array([r.fix.lon for r in fit]), np.array([r.fix.lat for r in fit])
        inner, outer = self._fences.hits(lon, lat) if fit else ([], [])
        allowed = [None] * len(fit) if self._road_limits is None else self._road_limits(fit)
        alarms: list[Alarm] = []
        late: list[Stored] = []
        for row, within, around, limit in zip(fit, inner, outer, allowed, strict=True):
            memory = self.memories.get(row.device.id)
            if memory is None:
                memory = self.memories[row.device.id] = Memory()
            if memory.last is not None and row.fix.time <= memory.last.time:
                if row.fix.time < memory.last.time:
                    late.append(row)
                continue
            if row.fix.doubt & UNFIT:
                alarms += self._placeless(row.device, row.fix, memory)
            else:
                alarms += self._look(row.device, row.fix, memory, within, around, limit)
        return alarms, late

    def _watches(self, device: Device) -> Watched:
        found = self._watched.get(device.id)
        if found is None or found.device is not device:
            every, roads = self._maintenance.get(device.id), self._road_limits is not None
            found = self._watched[device.id] = Watched(device, self._fences, every, roads, self._handlers)
        return found

    def _placed(self, row: Stored) -> bool:
        """Whether a doubtful fix is looked at all the same: its clock is right, and the terminal says something."""
        memory = self.memories.get(row.device.id)
        bits = row.fix.alarms or (memory is not None and any(rule.startswith("bit-") for rule in memory.begun))
        return bool(bits) and not row.fix.doubt & (Doubt.CLOCK | Doubt.JUMP)

    def _placeless(self, device: Device, fix: Fix, memory: Memory) -> Iterator[Alarm]:
        """A call for help counts without a fix too: it is put where the device was last."""
        where = memory.last or fix
        place = fix._replace(lon=where.lon, lat=where.lat)
        watched = self._watches(device)
        inside = memory.inside or _NOWHERE
        look = Look(
            device, place, memory.last, None, inside, self._fences, watched, memory.begun.keys(), self._limits
        )  # fmt: skip
        for condition in terminal_bits(look):
            alarm = _alarm(look, condition, memory)
            if alarm is not None:
                yield alarm

    def _look(
        self, device: Device, fix: Fix, memory: Memory, within: Sequence[int], around: Sequence[int],
        road_limit: float | None,
    ) -> list[Alarm]:  # fmt: skip
        inside = inside_after(memory.inside or _NOWHERE, within, around)
        watched = self._watches(device)
        mileage = None if watched.maintenance is None else _mileage(memory, fix)
        look = Look(
            device, fix, memory.last, memory.inside, inside, self._fences, watched, memory.begun.keys(), self._limits,
            road_limit, mileage,
        )  # fmt: skip
        found = []
        for handler in watched.looks:
            for condition in handler(look):
                alarm = _alarm(look, condition, memory)
                if alarm is not None:
                    found.append(alarm)
        memory.last, memory.inside = fix, inside
        return found


def replayed(
    fences: FenceIndex, limits: Limits, track: Sequence[Stored], since: float, until: float,
    road_limits: RoadLimitsOf | None = None,
) -> list[Alarm]:  # fmt: skip
    """Alarms that a whole track gives, where late fixes lie in it between two times: those that touch that time and
    are over, marked late. ``track`` is sorted by time and begins well before."""
    alarms, _ = Engine(fences, limits, road_limits=road_limits).run(track)
    latest = {alarm.key: alarm for alarm in alarms}
    return [
        replace(alarm, late=True) for alarm in latest.values()
        if alarm.ended is not None and alarm.ended >= since and alarm.began <= until
    ]  # fmt: skip


def _mileage(memory: Memory, fix: Fix) -> tuple[float, float] | None:
    """The counter at the fix before and at this one [km]; of who has none, the way that it drove so far."""
    last = memory.last
    if last is None or (fix.mileage is not None and last.mileage is None):
        return None
    if fix.mileage is not None and last.mileage is not None:
        return last.mileage, fix.mileage
    before = memory.driven
    way = metres(last.lon, last.lat, fix.lon, fix.lat)
    if way >= _FAR or way * 3.6 >= MOVING * (fix.time - last.time):
        memory.driven += way / 1000
    return before, memory.driven


def _alarm(look: Look, condition: Condition, memory: Memory) -> Alarm | None:
    """What a condition makes of what was remembered: an alarm that begins or ends now, or nothing."""
    begun = memory.begun.get(condition.rule)
    if not condition.holds:
        if begun is None:
            return None
        del memory.begun[condition.rule]
        over = begun.given and not condition.momentary
        return _made(look, condition, begun, look.fix.time) if over else None
    if begun is None:
        if not condition.starts:
            return None
        begun = Begun(look.fix.time, look.fix.lon, look.fix.lat)
        if not (condition.momentary and condition.dwell == 0):
            memory.begun[condition.rule] = begun
    if condition.value is not None:
        begun.value = condition.value if begun.value is None else max(begun.value, condition.value)
    if begun.given or look.fix.time - begun.since < condition.dwell:
        return None
    begun.given = True
    return _made(look, condition, begun, begun.since if condition.momentary else None)


def _made(look: Look, condition: Condition, begun: Begun, ended: float | None) -> Alarm:
    key = f"{look.device.code} {condition.rule} {begun.since:.0f}"
    return Alarm(
        key, condition.kind, look.device, begun.since, ended, begun.lon, begun.lat, condition.fence, begun.value,
        condition.most, condition.detail,
    )  # fmt: skip
