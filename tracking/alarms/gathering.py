"""Vehicles that gather: more of those that a fence concerns are inside it than it allows.

Each device remembers since when it is inside (the rule ``gather-…`` of :func:`tracking.alarms.handlers.fences`), so
that when a gathering began follows from what was stored, also after a restart.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from tracking.alarms.conditions import Alarm, Memory
from tracking.alarms.fences import Fence
from tracking.model import Device
from tracking.states import Seen

#: Characters of names in an alarm's detail.
_LONGEST = 200


class _Inside(NamedTuple):
    since: float
    device: Device


def _order(each: _Inside) -> tuple[float, str]:
    return each.since, each.device.code


class Gatherings:
    """The gatherings of a city that have been told and are not over, by the fence's id."""

    def __init__(self) -> None:
        self._told: dict[int, Alarm] = {}

    def recall(self, alarm: Alarm) -> None:
        """One that the last gateway told."""
        if alarm.fence is not None:
            self._told[alarm.fence] = alarm

    def look(
        self, fences: Iterable[Fence], seen: Iterable[Seen], memories: Mapping[int, Memory], now: float, silent: float
    ) -> list[Alarm]:
        """Gatherings that begin and end now (Unix time [s]). Who is silent for ``silent`` seconds does not count."""
        watched = {f"gather-{fence.id}": fence for fence in fences if "gathering" in fence.watch}
        inside: dict[int, list[_Inside]] = {}
        for each in seen if watched else ():
            memory = memories.get(each.device.id)
            if memory is None or now - each.heard > silent:
                continue
            for rule in memory.begun.keys() & watched.keys():
                inside.setdefault(watched[rule].id, []).append(_Inside(memory.begun[rule].since, each.device))
        found = [self._begun(fence, sorted(inside.get(fence.id, []), key=_order), now) for fence in watched.values()]
        by_id = {fence.id: fence for fence in watched.values()}
        ended = [
            self._ended(alarm, now) for fence_id, alarm in list(self._told.items())
            if fence_id not in by_id or len(inside.get(fence_id, ())) <= (by_id[fence_id].most or 0)
        ]  # fmt: skip
        return [alarm for alarm in found if alarm is not None] + ended

    def _begun(self, fence: Fence, inside: list[_Inside], now: float) -> Alarm | None:
        """The vehicle that is one too many begins it."""
        most = fence.most or 0
        if fence.id in self._told or len(inside) <= most or now - inside[most].since < fence.dwell:
            return None
        since, device = inside[most]
        names = "、".join(each.device.name for each in inside)[:_LONGEST]
        where = fence.shape.representative_point()
        key = f"{device.code} gather-{fence.id} {since:.0f}"
        alarm = Alarm(
            key, "gathering", device, since, None, where.x, where.y, fence.id, float(len(inside)), float(most),
            f"{fence.name}: {names}",
        )  # fmt: skip
        self._told[fence.id] = alarm
        return alarm

    def _ended(self, alarm: Alarm, now: float) -> Alarm:
        del self._told[alarm.fence or 0]
        return Alarm(
            alarm.key, alarm.kind, alarm.device, alarm.began, now, alarm.lon, alarm.lat, alarm.fence, alarm.value,
            alarm.most, alarm.detail,
        )  # fmt: skip
