"""How often a client may ask: the generic cell rate algorithm (GCRA, ITU-T I.371 Annex A) over shared times.

A client's one number is the time at which it will have recovered its whole quota. A request moves it on by the quota's
interval; one that would move it further ahead than the quota's window comes too early.
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from geoserver.guard.shared_times import SharedTimes, open_shared_times
from geoserver.settings.server import Quota, Rate

type Purpose = Literal["address", "account", "sign_in", "exports", "executions", "uploads", "reports"]


@dataclass(frozen=True, slots=True)
class Spent:
    """What a request has left of a quota. ``wait`` [s] is 0 when it is admitted, ``recovery`` [s] until all is free."""

    purpose: Purpose
    quota: Quota
    remaining: int
    wait: float
    recovery: float

    @property
    def worth_telling(self) -> bool:
        """Whether the client is using up its quota."""
        return self.wait > 0 or 2 * self.remaining < self.quota.requests

    def headers(self) -> dict[str, str]:
        """``RateLimit`` and ``RateLimit-Policy`` (draft-ietf-httpapi-ratelimit-headers-10 §3–4), and Retry-After."""
        name = self.purpose.replace("_", "-")
        found = {
            "RateLimit": f'"{name}";r={self.remaining};t={math.ceil(self.wait or self.recovery)}',
            "RateLimit-Policy": f'"{name}";q={self.quota.requests};w={math.ceil(self.quota.seconds)}',
        }
        return found | {"Retry-After": str(math.ceil(self.wait))} if self.wait else found


class Rates:
    """Counts requests by purpose and client."""

    def __init__(self, rate: Rate, times: SharedTimes | None = None) -> None:
        self._times = times or open_shared_times(Path(rate.file))
        purposes = get_args(Purpose.__value__)
        self._quotas: Mapping[Purpose, Quota] = {purpose: getattr(rate, purpose) for purpose in purposes}

    def spend(self, purpose: Purpose, client: str) -> Spent:
        """Count a request of a client, unless it comes too early."""
        quota = self._quotas[purpose]
        interval = quota.seconds / quota.requests
        place = self._times.place(f"{purpose} {client}".encode())
        now, ahead = time.monotonic(), 0.0
        if (recovered := self._times.read(place)) > now:
            ahead = recovered - now
        if ahead > quota.seconds + interval:  # of another boot of the machine, or another configuration
            ahead = 0.0
        if (wait := ahead + interval - quota.seconds) > 1e-9:
            return Spent(purpose, quota, 0, wait, ahead)
        self._times.write(place, now + ahead + interval)
        return Spent(purpose, quota, int((1e-9 - wait) / interval), 0.0, ahead + interval)

    def give_back(self, purpose: Purpose, client: str) -> None:
        """Undo one :meth:`spend`: the request turned out to be none that the quota is for."""
        quota = self._quotas[purpose]
        place = self._times.place(f"{purpose} {client}".encode())
        self._times.write(place, self._times.read(place) - quota.seconds / quota.requests)
