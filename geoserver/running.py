"""The running city: what lives as long as a worker process."""

import logging
import select
import threading
import time
from pathlib import Path

from starlette.requests import Request

from geoserver.access import Access
from geoserver.audit.entries import append
from geoserver.city import City
from geoserver.execution import Executor
from geoserver.guard.admission import admit
from geoserver.hot_tiles import HotAnswers
from geoserver.jobs import Jobs
from geoserver.live import Live
from geoserver.process_manager import Processes
from geoserver.proxies.upstream import Upstreams
from geoserver.published import Published, described
from geoserver.settings import Settings
from geoserver.uploads import Uploads
from grid.clock.escalation import CLOCK_PRINCIPAL
from grid.setup import prepare
from layers.access import ANONYMOUS, Principal
from layers.database import Database
from layers.derived.keeping import keeper
from layers.exchange.proxies.store import load_proxies
from layers.raster.store import RasterStore
from layers.registry import load_layers
from tiles.archives.folder import ArchiveFolder
from tiles.cache.opening import open_cache
from tiles.matrix_sets import load_sets

LOGGER = logging.getLogger("citymap")
#: Seconds between attempts to follow the catalogue again.
_RETRY = 0.8
#: Characters of a request's address that the audit log keeps.
_ASKED = 600


class Recent:
    """Remembers for ``seconds`` what was seen, ``most`` things at once."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._seen: dict[str, float] = {}

    def first(self, thing: str) -> bool:
        """Whether it was not seen lately; it is now."""
        now = time.monotonic()
        new = self._seen.get(thing, 0.0) < now - self._seconds
        if new:
            if len(self._seen) >= self._most:
                self._seen.clear()
            self._seen[thing] = now
        return new


class RunningCity:
    """One worker's settings, connections and published catalogue.

    ``database`` is of the role that row-level security binds, ``gate`` of the one that reads accounts and the whole
    catalogue, and no feature.
    """

    def __init__(self, settings: Settings, database: Database, gate: Database) -> None:
        self.settings = settings
        self.database = database
        self.gate = gate
        self.access = Access(settings, gate)
        self.uploads = Uploads(settings.server.uploads, database)
        with database.transaction(principal=CLOCK_PRINCIPAL) as conn:
            prepare(conn, settings.grid.for_processes())
        executor = Executor(settings, database, self.uploads)
        self.processes = Processes(executor, Jobs(settings.server.jobs, database), self.uploads)
        self.grids = load_sets(settings.tiles.matrix_sets)
        self.live = Live()
        memory = settings.tiles.cache_mb / settings.server.workers
        self.tiles, self._follower = open_cache(
            database, self.grids, settings.tiles.directory, memory, settings.tiles.disk_mb, self.live.tell
        )
        self._keeper = keeper(database, RasterStore(Path(settings.rasters.directory)))
        archives = settings.tiles.archives
        self.archives = ArchiveFolder(Path(archives) if archives else None)
        self.upstreams = Upstreams(settings.outbound)
        self.published = self._publish()
        self.hot = HotAnswers(self.tiles)
        self._refusals = Recent(60.0, 10_000)
        self._stopping = threading.Event()

    def seen_by(self, principal: Principal) -> "City":
        """The city as a principal sees it."""
        return City(self, principal)

    def seen_in(self, request: Request) -> "City":
        """The city as the sender of a request sees it. Raises :class:`SignInNeeded` for wrong credentials."""
        hot = self.hot  # before the rights: should they change now, this is no longer the one that answers
        principal = getattr(request.state, "principal", None)
        if principal is None:
            principal = request.state.principal = self.access.principal(request)
            admit(request, principal)
        # Not request.url, which is put together and taken apart again.
        query = request.scope["query_string"].decode("latin-1")
        return City(self, principal, hot, f"{request.method} {request.scope['path']}?{query}"[:_ASKED])

    def note_refusal(self, request: Request, error: Exception) -> None:
        """Enter into the audit log that somebody was refused; of the public once a minute per address and path."""
        principal: Principal = getattr(request.state, "principal", ANONYMOUS)
        path = request.url.path[:200]
        if principal.account is None and not self._refusals.first(f"{principal.address} {path}"):
            return
        with self.database.transaction(principal=principal) as conn:
            append(conn, "refused", "path", path, outcome="refused", detail={"why": str(error)[:300]})

    def reload(self) -> None:
        """Publish the catalogue as it is now, if it differs from what is published."""
        with self.gate.engine.connect() as conn:
            layers, proxies = load_layers(conn), load_proxies(conn)
        if layers != self.published.layers or proxies != self.published.proxies:
            self.published = Published(self.settings, self.database, layers, proxies)

    def watch(self) -> None:
        """Follow the catalogue and the rights in a background thread until :meth:`close`."""
        threading.Thread(target=self._watch, name="catalogue", daemon=True).start()
        self._follower.start()
        self._keeper.start()
        self.archives.start()

    def close(self) -> None:
        """Stop following and close the connections."""
        self._stopping.set()
        self._follower.stop()
        self.archives.stop()
        self._keeper.stop()
        self.processes.close()
        self.database.close()
        self.gate.close()

    def _publish(self) -> Published:
        with self.gate.engine.connect() as conn:
            return Published(self.settings, self.database, load_layers(conn), load_proxies(conn))

    def _watch(self) -> None:
        """A NOTIFY wakes this thread; after a broken line it connects again and reads what it may have missed."""
        while not self._stopping.is_set():
            try:
                connection = self.gate.listen("citymap_catalogue", "citymap_access")
                self._changed()
                while not self._stopping.is_set():
                    if select.select([connection], [], [], 1.0)[0]:
                        connection.poll()
                        channels = {notice.channel for notice in connection.notifies}
                        connection.notifies.clear()
                        self._changed(rights="citymap_access" in channels)
                connection.close()
            except Exception as error:
                if not self._stopping.is_set():
                    LOGGER.warning("catalogue cannot be followed, trying again: %s", error)
                    self._stopping.wait(_RETRY)

    def _changed(self, *, rights: bool = True) -> None:
        before = self.published.layers
        self.access.forget()
        self.reload()
        if rights or described(before) != described(self.published.layers):
            self.hot = HotAnswers(self.tiles)
