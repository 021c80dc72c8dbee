"""Everything that is watched for at a fix, in the order in which it is looked at: :data:`HANDLERS`.

What is about no single fix comes after them: silence (:meth:`tracking.alarms.watch.Watch.look`), and gatherings.

A condition that neither holds nor has begun need not be named.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from math import inf

import shapely

from tracking.alarms.conditions import Condition, Handler, Look
from tracking.alarms.fences import Fence
from tracking.calendar import CalendarError, holds
from tracking.model import ACC
from tracking.states import MOVING

#: Bits of JT/T 808-2019 table 24 that are reported as an alarm of their own kind.
_OWN_KINDS = {0: "sos", 8: "power-cut"}
#: The other bits that are alarms; not those reserved, nor those that this server works out itself.
TERMINAL_BITS: Mapping[int, str] = {
    0: "紧急报警 emergency", 1: "超速报警 overspeed", 2: "疲劳驾驶 fatigue", 3: "危险预警 danger",
    4: "GNSS模块故障 GNSS fault", 5: "GNSS天线断开 antenna cut", 6: "GNSS天线短路 antenna short",
    7: "主电源欠压 low voltage", 8: "主电源掉电 power cut", 9: "显示器故障 display fault", 10: "TTS故障 speech fault",
    11: "摄像头故障 camera fault", 12: "IC卡模块故障 card fault", 13: "超速预警 overspeed warning",
    14: "疲劳驾驶预警 fatigue warning", 18: "当天累计驾驶超时 driven too long", 19: "超时停车 stood too long",
    20: "进出区域 area", 21: "进出路线 route", 22: "路段行驶时间 drive time", 23: "路线偏离 off route",
    24: "VSS故障 VSS fault", 25: "油量异常 fuel", 26: "车辆被盗 theft", 27: "非法点火 ignition",
    28: "非法位移 moved", 29: "碰撞预警 collision", 30: "侧翻预警 rollover", 31: "非法开门 door",
}  # fmt: skip
#: A line between fixes further apart [s] is not where the device drove.
_GAP = 300.0

type Said = Sequence[Condition]

_NOTHING: Said = ()


def terminal_bits(look: Look) -> Said:
    """What the terminal itself says: each bit is an alarm while it is set."""
    alarms, begun = look.fix.alarms, look.begun
    if not alarms and not begun:
        return _NOTHING
    return [
        Condition(f"bit-{bit}", _OWN_KINDS.get(bit, "terminal"), bool(alarms >> bit & 1), detail=words)
        for bit, words in TERMINAL_BITS.items()
        if alarms >> bit & 1 or f"bit-{bit}" in begun
    ]


def overspeed(look: Look) -> Said:
    """Faster than the device may be."""
    speed, limit = look.fix.speed, look.device.speed_limit
    if speed is None or limit is None or (speed <= limit and "speed" not in look.begun):
        return _NOTHING
    return (Condition("speed", "overspeed", speed > limit, look.limits.overspeed, None, speed, limit),)


def road_overspeed(look: Look) -> Said:
    """Faster than the road allows."""
    limit, speed = look.road_limit, look.fix.speed
    fast = limit is not None and speed is not None and speed > limit * (1 + look.limits.road_tolerance / 100)
    if not fast and "road-speed" not in look.begun:
        return _NOTHING
    words = "道路限速 limit of the road"
    return (
        Condition(
            "road-speed", "overspeed", fast, look.limits.overspeed, None, speed if fast else None, limit, words
        ),
    )  # fmt: skip


def idling(look: Look) -> Said:
    """Standing with the engine on."""
    status, speed = look.fix.status, look.fix.speed
    if status is None or speed is None:
        return _NOTHING
    idle = speed < MOVING and bool(status & ACC)
    if not idle and "idling" not in look.begun:
        return _NOTHING
    return (Condition("idling", "idling", idle, look.limits.idling, most=look.limits.idling),)


def over_stay(look: Look) -> Said:
    """Standing too long while on duty; a vehicle without duty hours may stand."""
    if look.fix.speed is None:
        return _NOTHING
    stays = look.fix.speed < MOVING and _holds(look.device.duty, look.fix.time)
    return (Condition("stay", "over-stay", stays, look.limits.stay, most=look.limits.stay),)


def off_duty(look: Look) -> Said:
    """A vehicle that moves outside its duty hours; what a person does then is not kept at all."""
    if look.fix.speed is None:
        return _NOTHING
    moves = look.fix.speed >= MOVING and not _holds(look.device.duty, look.fix.time)
    return (Condition("off-duty", "off-duty", moves, 60.0),)


def maintenance(look: Look) -> Said:
    """The counter has passed a whole number of maintenance intervals; of who has none, the way that it drove."""
    every = look.watched.maintenance
    if look.mileage is None or every is None:
        return _NOTHING
    before, after = look.mileage
    due = int(after // every)
    if due <= int(before // every):
        return _NOTHING
    return (Condition(f"maintenance-{due}", "maintenance", True, value=after, most=due * every, momentary=True),)


def fences(look: Look) -> Said:
    """Entering, leaving, being inside, and speed in the fences that concern the device."""
    inside, before = look.inside, look.was_inside
    if not look.begun:
        if not inside and not before:
            return _NOTHING
        if inside == before and look.fences.resident.isdisjoint(inside):
            return _NOTHING  # who goes on being inside begins nothing
    return tuple(_fences(look))


def outside(look: Look) -> Said:
    """Away from where the device should be: areas that are not to be left, and routes."""
    return tuple(_outside(look))


def crossing(look: Look) -> Said:
    """The line between two fixes that follow each other closely crosses a line."""
    return _NOTHING if look.before is None or look.fix.time - look.before.time > _GAP else tuple(_crossing(look))


#: In this order.
HANDLERS: tuple[Handler, ...] = (
    Handler(terminal_bits),
    Handler(overspeed, lambda of: of.device.speed_limit is not None),
    Handler(road_overspeed, lambda of: of.roads),
    Handler(idling),
    Handler(over_stay, lambda of: bool(of.device.duty)),
    Handler(off_duty, lambda of: bool(of.device.duty) and not of.device.person),
    Handler(maintenance, lambda of: of.maintenance is not None),
    Handler(fences),
    Handler(outside, lambda of: bool(of.away)),
    Handler(crossing, lambda of: bool(of.lines)),
)


def _fences(look: Look) -> Iterator[Condition]:
    touched = look.inside | (look.was_inside or frozenset())
    touched |= {int(rule[6:]) for rule in look.begun if rule.startswith("leave-")}
    for fence_id in sorted(touched):
        fence = look.fences.by_id.get(fence_id)
        if fence is not None and look.watched.concerns(fence):
            inside, active = fence_id in look.inside, _holds(fence.calendar, look.fix.time)
            if look.was_inside is not None:
                yield from _passages(fence, fence_id in look.was_inside, inside, active)
            yield from _inside(fence, look, inside and active)


def _outside(look: Look) -> Iterator[Condition]:
    for fence in look.watched.away:
        away = fence.id not in look.inside and _holds(fence.calendar, look.fix.time)
        kind = "deviation" if "deviation" in fence.watch else "outside"
        yield Condition(f"{kind}-{fence.id}", kind, away, fence.dwell, fence.id, detail=fence.name)


def _crossing(look: Look) -> Iterator[Condition]:
    assert look.before is not None
    step = shapely.LineString([(look.before.lon, look.before.lat), (look.fix.lon, look.fix.lat)])
    for fence in look.watched.lines:
        crosses = step.intersects(fence.shape) and not shapely.Point(step.coords[0]).intersects(fence.shape)
        if crosses and _holds(fence.calendar, look.fix.time):
            yield Condition(f"cross-{fence.id}", "cross", True, 0, fence.id, detail=fence.name, momentary=True)


def _passages(fence: Fence, was: bool, inside: bool, active: bool) -> Iterator[Condition]:
    """Alarms of a moment, confirmed where the device is still there after the dwell."""
    for kind, there, came in (("enter", inside, inside and not was), ("leave", not inside, was and not inside)):
        if kind in fence.watch:
            rule = f"{kind}-{fence.id}"
            yield Condition(
                rule, kind, there, fence.dwell, fence.id, detail=fence.name, momentary=True, starts=came and active
            )


def _inside(fence: Fence, look: Look, inside: bool) -> Iterator[Condition]:
    if "inside" in fence.watch:
        dwell = fence.dwell if fence.stay is None else fence.stay
        yield Condition(f"inside-{fence.id}", "inside", inside, dwell, fence.id, most=fence.stay, detail=fence.name)
    if "gathering" in fence.watch:  # no alarm by itself: see tracking.alarms.gathering
        yield Condition(f"gather-{fence.id}", "gathering", inside, inf, fence.id)
    if "overspeed" in fence.watch and fence.speed_limit is not None and look.fix.speed is not None:
        fast = inside and look.fix.speed > fence.speed_limit
        rule = f"speed-{fence.id}"
        yield Condition(rule, "overspeed", fast, fence.dwell, fence.id, look.fix.speed, fence.speed_limit, fence.name)


@lru_cache(maxsize=65_536)
def _at_minute(calendar: str, minute: int) -> bool:
    try:
        return holds(calendar, minute * 60.0)
    except CalendarError:
        return False  # a calendar that cannot be read never holds; the layer's editor is told elsewhere


def _holds(calendar: str | None, at: float) -> bool:
    return not calendar or _at_minute(calendar, int(at // 60))
