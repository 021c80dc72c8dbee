"""How a worker asks other servers: few at once, for a short time, through a circuit breaker, behind a cache.

断路器 circuit breaker: a server that failed several times in a row is not asked for a while. 舱壁 bulkhead: only some
of the request threads may wait for others, so one that hangs cannot take all of them.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from geoserver.errors import Busy
from geoserver.outbound import Outbound, OutboundFailed
from geoserver.settings.access import Outbound as OutboundSettings
from layers.exchange.proxies.answers import host
from layers.exchange.proxies.errors import UpstreamFailed
from layers.exchange.proxies.model import Fetched

#: Longest time of a call [s] and largest answer [MB], if the configuration does not bound them closer.
SECONDS, MEGABYTES = 8.0, 20.0
#: Calls of one worker to other servers at once; seconds that a request waits to be one of them.
AT_ONCE, WAIT = 2, 0.5
#: Failures in a row that open the breaker, and seconds until the server is tried again.
FAILURES, PAUSE = 3, 30.0
#: Bytes of the cache and of one entry; seconds for which an old answer may stand in for a server that fails.
CACHE_BYTES, ENTRY_BYTES, STALE = 64_000_000, 8_000_000, 86_400.0


@dataclass(slots=True)
class _Breaker:
    """How a server has done lately."""

    failures: int = 0
    open_until: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer and how old it is [s]; ``stale`` where it stands in for one that could not be had."""

    fetched: Fetched
    age: float = 0.0
    stale: bool = False


@dataclass(slots=True)
class Upstreams:
    """The other servers as one worker sees them."""

    settings: OutboundSettings
    pause: float = PAUSE
    _breakers: dict[str, _Breaker] = field(default_factory=dict)
    _cache: OrderedDict[str, tuple[Fetched, float]] = field(default_factory=OrderedDict)
    _size: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _places: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(AT_ONCE))

    def get(self, url: str) -> Fetched:
        """The answer now. Raises :class:`UpstreamFailed`, :class:`Busy`, OutboundRefused."""
        breaker = self._breakers.setdefault(host(url), _Breaker())
        left = breaker.open_until - time.monotonic()
        if left > 0:
            raise UpstreamFailed(f"{breaker.why}; it is asked again in {left:.0f} s")
        if not self._places.acquire(timeout=WAIT):
            raise Busy("too many requests wait for other servers; try again in a moment")
        try:
            return self._asked(url, breaker)
        finally:
            self._places.release()

    def cached(self, url: str, seconds: float) -> Kept:
        """The answer, at most that old; an older one if the server fails now. Raises as :meth:`get`."""
        with self._lock:
            found = self._cache.get(url)
        age = time.monotonic() - found[1] if found else 0.0
        if found and age < seconds:
            return Kept(found[0], age)
        try:
            fetched = self.get(url)
        except (UpstreamFailed, Busy):
            if found and age < STALE:
                return Kept(found[0], age, stale=True)
            raise
        self._keep(url, fetched)
        return Kept(fetched)

    def _asked(self, url: str, breaker: _Breaker) -> Fetched:
        bounds = {"seconds": min(self.settings.seconds, SECONDS), "max_mb": min(self.settings.max_mb, MEGABYTES)}
        headers = {"accept": "application/geo+json, application/json;q=0.9, */*;q=0.5"}
        try:
            answer = Outbound(self.settings.model_copy(update=bounds)).call(url, headers=headers)
        except OutboundFailed as error:
            self._note(breaker, str(error))
            raise UpstreamFailed(str(error)) from error
        if answer.status >= 500:
            self._note(breaker, f"{host(url)} fails (status {answer.status})")
            raise UpstreamFailed(f"{host(url)} fails (status {answer.status})")
        breaker.failures = 0
        if answer.status == 404:
            raise NothingThere(f"{host(url)} has nothing there (status 404)")
        if answer.status != 200:
            raise UpstreamFailed(f"{host(url)} refuses (status {answer.status})")
        return Fetched(answer.body, answer.headers.get("content-type", ""))

    def _note(self, breaker: _Breaker, why: str) -> None:
        breaker.failures += 1
        breaker.why = why
        if breaker.failures >= FAILURES:
            breaker.open_until = time.monotonic() + self.pause

    def _keep(self, url: str, fetched: Fetched) -> None:
        if len(fetched.body) > ENTRY_BYTES:
            return
        with self._lock:
            former = self._cache.pop(url, None)
            self._size += len(fetched.body) - (len(former[0].body) if former else 0)
            self._cache[url] = fetched, time.monotonic()
            while self._size > CACHE_BYTES:
                _, (gone, _) = self._cache.popitem(last=False)
                self._size -= len(gone.body)


class NothingThere(UpstreamFailed):
    """The other server answers 404."""
