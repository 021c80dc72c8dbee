"""Everything that is watched for, in the order in which it is looked at: :data:`HANDLERS`.

A condition that neither holds nor has begun need not be named.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from math import inf

import shapely

from tracking.alarms.conditions import Condition, Look
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

type Handler = Callable[[Look], Iterator[Condition]]


def terminal_bits(look: Look) -> Iterator[Condition]:
    """What the terminal itself says: each bit is an alarm while it is set."""
    alarms = look.fix.alarms
    if alarms or look.begun:
        for bit, words in TERMINAL_BITS.items():
            rule = f"bit-{bit}"
            if alarms >> bit & 1 or rule in look.begun:
                yield Condition(rule, _OWN_KINDS.get(bit, "terminal"), bool(alarms >> bit & 1), detail=words)


def overspeed(look: Look) -> Iterator[Condition]:
    """Faster than the device may be."""
    limit = look.device.speed_limit
    if limit is not None and look.fix.speed is not None:
        fast = look.fix.speed > limit
        if fast or "speed" in look.begun:
            yield Condition("speed", "overspeed", fast, look.limits.overspeed, None, look.fix.speed, limit)


def road_overspeed(look: Look) -> Iterator[Condition]:
    """Faster than the road allows."""
    limit, speed = look.road_limit, look.fix.speed
    fast = limit is not None and speed is not None and speed > limit * (1 + look.limits.road_tolerance / 100)
    if fast or "road-speed" in look.begun:
        yield Condition(
            "road-speed", "overspeed", fast, look.limits.overspeed, None, speed if fast else None, limit,
            "道路限速 limit of the road",
        )  # fmt: skip


def idling(look: Look) -> Iterator[Condition]:
    """Standing with the engine on."""
    if look.fix.status is not None and look.fix.speed is not None:
        idle = look.fix.speed < MOVING and bool(look.fix.status & ACC)
        if idle or "idling" in look.begun:
            yield Condition("idling", "idling", idle, look.limits.idling, most=look.limits.idling)


def over_stay(look: Look) -> Iterator[Condition]:
    """Standing too long while on duty; a vehicle without duty hours may stand."""
    if look.device.duty and look.fix.speed is not None:
        stays = look.fix.speed < MOVING and _holds(look.device.duty, look.fix.time)
        yield Condition("stay", "over-stay", stays, look.limits.stay, most=look.limits.stay)


def off_duty(look: Look) -> Iterator[Condition]:
    """A vehicle that moves outside its duty hours; what a person does then is not kept at all."""
    if look.device.duty and not look.device.person and look.fix.speed is not None:
        moves = look.fix.speed >= MOVING and not _holds(look.device.duty, look.fix.time)
        yield Condition("off-duty", "off-duty", moves, 60.0)


def maintenance(look: Look) -> Iterator[Condition]:
    """The counter has passed a whole number of maintenance intervals."""
    every, after = look.maintenance, look.fix.mileage
    if every and every > 0 and after is not None and look.before is not None and look.before.mileage is not None:
        due = int(after // every)
        if due > int(look.before.mileage // every):
            yield Condition(f"maintenance-{due}", "maintenance", True, value=after, most=due * every, momentary=True)


def fences(look: Look) -> Iterator[Condition]:
    """Entering, leaving, being inside, and speed in the fences that concern the device."""
    if not look.inside and not look.was_inside and not look.begun:
        return
    touched = look.inside | (look.was_inside or frozenset())
    touched |= {int(rule[6:]) for rule in look.begun if rule.startswith("leave-")}
    for fence_id in sorted(touched):
        fence = look.fences.by_id.get(fence_id)
        if fence is not None and look.watched.concerns(fence):
            inside, active = fence_id in look.inside, _holds(fence.calendar, look.fix.time)
            if look.was_inside is not None:
                yield from _passages(fence, fence_id in look.was_inside, inside, active)
            yield from _inside(fence, look, inside and active)


def outside(look: Look) -> Iterator[Condition]:
    """Away from where the device should be: areas that are not to be left, and routes."""
    for fence in look.watched.away:
        away = fence.id not in look.inside and _holds(fence.calendar, look.fix.time)
        kind = "deviation" if "deviation" in fence.watch else "outside"
        yield Condition(f"{kind}-{fence.id}", kind, away, fence.dwell, fence.id, detail=fence.name)


def crossing(look: Look) -> Iterator[Condition]:
    """The line between two fixes that follow each other closely crosses a line."""
    if not look.watched.lines or look.before is None or look.fix.time - look.before.time > _GAP:
        return
    step = shapely.LineString([(look.before.lon, look.before.lat), (look.fix.lon, look.fix.lat)])
    for fence in look.watched.lines:
        crosses = step.intersects(fence.shape) and not shapely.Point(step.coords[0]).intersects(fence.shape)
        if crosses and _holds(fence.calendar, look.fix.time):
            yield Condition(f"cross-{fence.id}", "cross", True, 0, fence.id, detail=fence.name, momentary=True)


#: In this order.
HANDLERS: tuple[Handler, ...] = (
    terminal_bits,
    overspeed,
    road_overspeed,
    idling,
    over_stay,
    off_duty,
    maintenance,
    fences,
    outside,
    crossing,
)


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
