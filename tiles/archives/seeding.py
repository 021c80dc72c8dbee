"""预热 seeding: the tiles that a server will be asked for, rendered into the cache on disk that its workers share.

What is public only: other tiles are kept apart for each set of rights.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import batched
from queue import SimpleQueue

from layers.database import Reader
from tiles.archives.content import Content
from tiles.archives.errors import ArchiveError
from tiles.archives.plan import Address, Plan
from tiles.archives.site import TileSite
from tiles.cache.cache import TileCache
from tiles.cache.opening import open_cache
from tiles.cache.tile import TileKey, fingerprint, variant
from tiles.rendered import Rendered

#: Seconds in which changes must be readable, or nothing is kept.
_PATIENCE = 15.0
_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Seeded:
    """Tiles of the plan, and how many of them had to be rendered."""

    tiles: int
    rendered: int


def seed(site: TileSite, plan: Plan, content: Content, threads: int, progress: Callable[[float], None]) -> Seeded:
    """Render what the cache on disk does not have; ``progress`` [%] may raise to break off, and nothing is lost.

    Raises :class:`ArchiveError` where nothing can be kept, or the layers are not public.
    """
    if any(layer.visibility != "public" for layer in content.read):
        raise ArchiveError(
            "只预热公开图层", "only public layers are seeded: others are kept apart for each set of rights"
        )
    if not site.disk_mb:
        raise ArchiveError("tiles.disk_mb 为 0，没有可预热的磁盘缓存", "tiles.disk_mb is 0: there is no cache on disk")
    seen = [fingerprint(layer) for layer in content.read]
    names, said = tuple(layer.id for layer in content.read), variant("", content.said, *seen)
    wanted = list(plan.addresses())
    with _cache(site) as cache, ExitStack() as stack:
        free: SimpleQueue[Reader] = SimpleQueue()
        for _ in range(threads):
            free.put(stack.enter_context(site.database.reading()))
        rendered: list[Address] = []

        def one(address: Address) -> None:
            def render() -> Rendered:
                rendered.append(address)
                reader = free.get()
                try:
                    return content.render(reader, plan.grid, *address)
                finally:
                    free.put(reader)

            cache.tile(TileKey(names, plan.grid, *address, said), render)

        pool = stack.enter_context(ThreadPoolExecutor(threads))
        done = 0
        for some in batched(wanted, _AT_ONCE):
            list(pool.map(one, some))
            done += len(some)
            progress(100 * done / len(wanted))
    return Seeded(len(wanted), len(rendered))


@contextmanager
def _cache(site: TileSite) -> Iterator[TileCache]:
    """A worker's cache without memory, that follows changes as any worker's does."""
    cache, follower = open_cache(site.database, site.grids, site.directory, 0, site.disk_mb)
    follower.start()
    try:
        until = time.monotonic() + _PATIENCE
        while not cache.current:
            if time.monotonic() > until:
                raise ArchiveError("读不到更改日志，瓦片无法保留", "changes cannot be followed, so no tile can be kept")
            time.sleep(0.02)
        yield cache
    finally:
        follower.stop()
