"""The running city, and the city as one request sees it.

:class:`RunningCity` lives as long as its worker process: settings, connections, and what is published right now. Each
request gets a :class:`City`: the same, narrowed to what its principal may see. Handlers know only that.
"""

import logging
import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from pygeoapi.api import API
from sqlalchemy import Connection
from starlette.requests import Request

from geoserver.access import Access
from geoserver.audit.entries import append
from geoserver.audit.routes import audit_paths
from geoserver.core import build_api
from geoserver.coverage_openapi import coverage_paths
from geoserver.errors import NotAllowed, SignInNeeded
from geoserver.execution import Executor
from geoserver.guard.admission import admit
from geoserver.hot_tiles import HotAnswers
from geoserver.html import Html
from geoserver.identity import Identities
from geoserver.identity.openapi import identity_paths
from geoserver.jobs import Jobs
from geoserver.language import choose_language
from geoserver.live import Live, live_paths
from geoserver.maps import map_paths
from geoserver.open311_openapi import open311_paths
from geoserver.openapi import openapi_document
from geoserver.ows.openapi import ows_paths
from geoserver.photo_routes import photo_paths
from geoserver.process_adapter import Process
from geoserver.process_manager import Processes
from geoserver.process_openapi import job_paths, process_paths, upload_paths
from geoserver.public_reports import public_report_paths
from geoserver.settings import Settings
from geoserver.terrain_tiles import terrain_paths
from geoserver.three_d_tiles import three_d_paths
from geoserver.tile_documents import tile_paths
from geoserver.tracking_routes import tracking_paths
from geoserver.uploads import Uploads
from geoserver.web.style import city_style
from grid.clock.escalation import CLOCK_PRINCIPAL
from grid.setup import prepare
from layers.access import ANONYMOUS, Action, Grant, Principal, grants_text, visible_layers, watched
from layers.catalogue import Layer
from layers.database import Database, Reader
from layers.derived.keeping import keeper
from layers.raster.store import RasterStore
from layers.registry import load_layers
from tiles.cache.opening import open_cache
from tiles.cache.tile import Tile, TileKey, variant
from tiles.generalised.keeping import generaliser
from tiles.matrix_sets import MatrixSet, load_sets
from tiles.rendered import Rendered
from tiles.vector import TileQuery

LOGGER = logging.getLogger("citymap")
#: Seconds between attempts to follow the catalogue again.
_RETRY = 0.8
#: What describes the paths of other API parts.
_MORE_PATHS = (
    *(
        process_paths,
        job_paths,
        upload_paths,
        audit_paths,
        identity_paths,
        tile_paths,
        terrain_paths,
        map_paths,
        ows_paths,
        three_d_paths,
        live_paths,
        tracking_paths,
        open311_paths,
    ),
    photo_paths,
    public_report_paths,
)
#: Views of the catalogue kept: there are as many as there are kinds of rights.
_VIEWS = 256
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


class View:
    """The published layers as those see them who have the same rights, and pygeoapi's API object over them."""

    def __init__(self, settings: Settings, database: Database, layers: Mapping[str, Layer]) -> None:
        self._settings = settings
        self._database = database
        self._lock = threading.Lock()
        self._api: API | None = None
        self.layers = layers
        self._fingerprints: dict[str, str] = {}
        self._styles: dict[str, Mapping[str, Any]] = {}

    def fingerprint(self, layer: Layer) -> str:
        """A digest of what the catalogue says of a layer as it is seen here, but for what its data say."""
        found = self._fingerprints.get(layer.id)
        if found is None:
            found = self._fingerprints[layer.id] = variant(repr(_defined({layer.id: layer})))
        return found

    def style(self, language: str) -> Mapping[str, Any]:
        """The city's style, by which maps are drawn on the server too."""
        found = self._styles.get(language)
        if found is None:
            found = self._styles[language] = city_style(self.layers, self._settings.server.url, language)
        return found

    @property
    def api(self) -> API:
        """pygeoapi's API object, made when it is first needed."""
        with self._lock:
            if self._api is None:
                more = [*(paths() for paths in _MORE_PATHS), coverage_paths(self._settings, self.layers)]
                openapi = openapi_document(self._settings, self.layers, more)
                self._api = build_api(self._settings, self._database, self.layers, openapi)
            return self._api


class Published:
    """The catalogue as this worker serves it. Replaced as a whole, so a request never sees half of a change."""

    def __init__(self, settings: Settings, database: Database, layers: Mapping[str, Layer]) -> None:
        self.layers = layers
        self._settings = settings
        self._database = database
        self._views: dict[tuple[Grant, ...], View] = {}

    def view(self, grants: tuple[Grant, ...]) -> View:
        """What may be seen with these rights."""
        view = self._views.get(grants)
        if view is None:
            if len(self._views) >= _VIEWS:
                self._views.clear()
            seen = visible_layers(self.layers, grants)
            view = self._views[grants] = View(self._settings, self._database, seen)
        return view


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
        self._generaliser = generaliser(database)
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
            layers = load_layers(conn)
        if layers != self.published.layers:
            self.published = self._publish(layers)

    def watch(self) -> None:
        """Follow the catalogue and the rights in a background thread until :meth:`close`."""
        threading.Thread(target=self._watch, name="catalogue", daemon=True).start()
        self._follower.start()
        self._keeper.start()
        self._generaliser.start()

    def close(self) -> None:
        """Stop following and close the connections."""
        self._stopping.set()
        self._follower.stop()
        self._generaliser.stop()
        self._keeper.stop()
        self.processes.close()
        self.database.close()
        self.gate.close()

    def _publish(self, layers: Mapping[str, Layer] | None = None) -> Published:
        if layers is None:
            with self.gate.engine.connect() as conn:
                layers = load_layers(conn)
        return Published(self.settings, self.database, layers)

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
        if rights or _defined(before) != _defined(self.published.layers):
            self.hot = HotAnswers(self.tiles)


def _defined(layers: Mapping[str, Layer]) -> list[Layer]:
    """What is said of the layers, apart from what their data say."""
    return [layer.changed(extent=None, updated=None) for layer in layers.values()]


class City:
    """What every handler gets: the city as the request's principal sees it."""

    __slots__ = ("_asked", "_hot", "_running", "_view", "principal")

    def __init__(
        self,
        running: RunningCity,
        principal: Principal = ANONYMOUS,
        hot: HotAnswers | None = None,
        asked: str = "",
    ) -> None:
        self._running = running
        self._hot = hot
        self._asked = asked
        self._view = running.published.view(principal.grants)
        self.principal = principal

    @property
    def settings(self) -> Settings:
        """The configuration."""
        return self._running.settings

    @property
    def url(self) -> str:
        """The address that clients use."""
        return self._running.settings.server.url

    @property
    def gate(self) -> Database:
        """Accounts and their rights; for handlers of sign-in and administration."""
        return self._running.gate

    @property
    def identities(self) -> Identities:
        """What proves who asks."""
        return self._running.access.identities

    @property
    def uploads(self) -> Uploads:
        """Files that were sent to be imported."""
        return self._running.uploads

    @property
    def processes(self) -> Processes:
        """What executes processes."""
        return self._running.processes

    @property
    def pages(self) -> Html:
        """The pages in the city's look."""
        return Html(self)

    @property
    def layers(self) -> Mapping[str, Layer]:
        """The layers that the principal may see, by id, without what it may not see of them."""
        return self._view.layers

    def style(self, language: str) -> Mapping[str, Any]:
        """The style of these layers."""
        return self._view.style(language)

    @property
    def grids(self) -> Mapping[str, MatrixSet]:
        """The tile matrix sets, by id."""
        return self._running.grids

    def kept_tile(
        self, request: Request, asked: TileQuery, place: tuple[MatrixSet, int, int, int], render: Callable[[], Rendered]
    ) -> Tile | None:
        """The tile from the cache, rendered if it is not there; None where it may not be kept: see :meth:`kept`.

        What depends on the time of day may not.
        """
        if any(q.filter and '"now"' in q.filter.json for q in asked.queries):
            return None
        return self.kept(request, asked.layers, repr(asked.queries), place, render)

    def kept(
        self,
        request: Request,
        layers: Sequence[Layer],
        said: str,
        place: tuple[MatrixSet, int, int, int],
        render: Callable[[], Rendered],
    ) -> Tile | None:
        """A tile of layers from the cache, rendered if it is not there; ``said`` is what else decides its bytes.

        ``layers`` are all that it is read from. None for sensitive ones: every read of them is audited.
        """
        if any(map(watched, layers)):
            return None
        scoped = any(layer.visibility != "public" for layer in layers)
        rights = grants_text(self.principal.grants) if scoped else ""
        seen = (self._view.fingerprint(layer) for layer in layers)
        key = TileKey(tuple(layer.id for layer in layers), *place, variant(rights, said, *seen), scoped)
        tile, kept = self._running.tiles.tile(key, render)
        if self._hot is not None and not scoped and self.account is None:
            self._hot.put(request.scope, tile, kept)
        return tile

    @property
    def api(self) -> API:
        """pygeoapi's API object over these layers."""
        return self._view.api

    @property
    def account(self) -> str | None:
        """Who asks; None is the public."""
        return self.principal.account

    @contextmanager
    def reading(self, *layers: Layer) -> Iterator[Reader]:
        """Single SELECTs of these layers with the principal's rights; reads of sensitive ones are audited first."""
        with self._running.database.reading(self.principal) as reader:
            if noted := [layer.id for layer in layers if watched(layer)]:
                reader.note(self.principal, noted, self._asked)
            yield reader

    @contextmanager
    def transaction(self, *layers: Layer) -> Iterator[Connection]:
        """One transaction with the principal's rights, committed when the block ends well.

        That it reads sensitive ones of these layers is audited first.
        """
        if any(map(watched, layers)):
            with self.reading(*layers):
                pass
        with self._running.database.transaction(principal=self.principal) as conn:
            yield conn

    def offered_for(self, layer: Layer) -> frozenset[int]:
        """EPSG codes that this layer is read and edited in: those the city offers, and its own."""
        return _offered(self.settings.crs.offered, layer.srid)

    def language(self, request: Request) -> str:
        """``zh-CN`` or ``en-US``: the ``lang`` parameter, else Accept-Language, else the first configured."""
        accepted = request.headers.get("accept-language", "")
        return choose_language(request.query_params.get("lang"), accepted, self.settings.server.languages)

    def require(self, action: Action, layer: Layer) -> None:
        """Raise unless the principal may so act on some rows of the layer."""
        if not self.principal.may(action, layer):
            self._refuse(f"you may not {action} features of layer {layer.id!r}")

    def require_process(self, process: Process) -> None:
        """Raise unless the principal may execute the process."""
        if not self.principal.may_execute(process.id, edits=process.declared.edits):
            self._refuse(f"you may not execute process {process.id!r}")

    def require_office(self, office: str) -> None:
        """Raise unless the principal holds an administrative office, such as ``accounts:manage``."""
        if office not in self.principal.offices:
            self._refuse(f"this needs the office {office!r}")

    def require_upload(self) -> None:
        """Raise unless the principal may create something from a file."""
        edits = any(g.actions & {"create", "update", "manage"} for g in self.principal.grants)
        if not edits:
            self._refuse("you may not import files")

    def _refuse(self, reason: str) -> None:
        if self.principal.account is None:
            raise SignInNeeded(f"{reason} without an account: sign in with one that 'citymap user add' made")
        raise NotAllowed(f"{reason}: ask an administrator for a role that may")


@lru_cache(maxsize=256)
def _offered(everywhere: tuple[int, ...], srid: int) -> frozenset[int]:
    return frozenset((*everywhere, srid))
