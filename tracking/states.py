"""What a device is doing, from its last good fix and when it was last heard of."""

from dataclasses import dataclass

from tracking.judging import AGREED, impossible, metres
from tracking.model import ACC, UNFIT, Device, Fix, State

#: At this speed [km/h] and above a vehicle moves; below, it is the noise of the receiver.
MOVING = 3.0


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds without a message after which a device is offline, and without a good fix after which its place is out
    of date."""

    offline: float = 600.0
    stale: float = 900.0


@dataclass(slots=True)
class Seen:
    """What is known of one device: its last good fix, and when it was last heard of (Unix time [s])."""

    device: Device
    fix: Fix | None = None
    heard: float = 0.0
    odd: tuple[Fix, ...] = ()

    def take(self, fix: Fix, received: float) -> bool:
        """Note a fix; whether it is the newest good one now. A jump is believed once others agree with it."""
        self.heard = max(self.heard, received)
        if fix.doubt & UNFIT or (self.fix is not None and fix.time <= self.fix.time):
            return False
        if self.fix is not None and _jump(self.fix, fix):
            agrees = self.odd and not _jump(self.odd[-1], fix)
            self.odd = (*self.odd, fix) if agrees else (fix,)
            if len(self.odd) < AGREED:
                return False
        self.fix, self.odd = fix, ()
        return True

    def state(self, now: float, patience: Patience) -> State:
        """What the device is doing at a time."""
        if now - self.heard > patience.offline:
            return "offline"
        if self.fix is None or now - self.fix.time > patience.stale:
            return "stale"
        if (self.fix.speed or 0.0) >= MOVING:
            return "moving"
        return "idle" if self.fix.status is not None and self.fix.status & ACC else "parked"


def _jump(before: Fix, after: Fix) -> bool:
    return impossible(after.time - before.time, metres(before.lon, before.lat, after.lon, after.lat))
