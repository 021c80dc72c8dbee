"""The running city: settings, database, and what is published of it right now."""

import logging
import select
import threading
from collections.abc import Mapping
from dataclasses import dataclass

from pygeoapi.api import API
from starlette.requests import Request

from geoserver.access import Access
from geoserver.core import build_api
from geoserver.execution import Executor
from geoserver.html import Html
from geoserver.jobs import Jobs
from geoserver.language import choose_language
from geoserver.openapi import openapi_document
from geoserver.process_manager import Processes
from geoserver.process_openapi import job_paths, process_paths, upload_paths
from geoserver.settings import Settings
from geoserver.uploads import Uploads
from layers.catalogue import Layer
from layers.database import Database
from layers.registry import load_layers

LOGGER = logging.getLogger("citymap")
#: Seconds between attempts to follow the catalogue again.
_RETRY = 0.8


@dataclass(frozen=True, slots=True)
class Published:
    """The catalogue as this worker serves it. Replaced as a whole, so a request never sees half of a change."""

    layers: Mapping[str, Layer]
    api: API


class City:
    """What every handler gets: the settings, the database, the published layers and the pages."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.url = settings.server.url
        self.offered = frozenset(settings.crs.offered)
        self.access = Access(settings.access, database)
        self.uploads = Uploads(settings.server.uploads, database)
        jobs = Jobs(settings.server.jobs, database)
        self.processes = Processes(Executor(settings, database, self.uploads), jobs, self.uploads)
        self.pages = Html(self)
        self.published = self._publish()
        self._stopping = threading.Event()

    @property
    def layers(self) -> Mapping[str, Layer]:
        """The published layers by id."""
        return self.published.layers

    def offered_for(self, layer: Layer) -> frozenset[int]:
        """EPSG codes that this layer is read and edited in: those the city offers, and its own."""
        return self.offered | {layer.srid}

    def language(self, request: Request) -> str:
        """``zh-CN`` or ``en-US``: the ``lang`` parameter, else Accept-Language, else the first configured."""
        accepted = request.headers.get("accept-language", "")
        return choose_language(request.query_params.get("lang"), accepted, self.settings.server.languages)

    def actor(self, request: Request) -> str | None:
        """Under whose name history keeps an edit."""
        return self.access.principal(request).account

    def require_editor(self, request: Request) -> None:
        """Raise unless the request may edit."""
        self.access.require_editor(request)

    def reload(self) -> None:
        """Publish the catalogue as it is now, if it differs from what is published."""
        with self.database.engine.connect() as conn:
            layers = load_layers(conn)
        if layers != self.published.layers:
            self.published = self._publish(layers)

    def watch(self) -> None:
        """Follow the catalogue in a background thread until :meth:`close`."""
        threading.Thread(target=self._watch, name="catalogue", daemon=True).start()

    def close(self) -> None:
        """Stop following and close the connections."""
        self._stopping.set()
        self.processes.close()
        self.database.close()

    def _publish(self, layers: Mapping[str, Layer] | None = None) -> Published:
        if layers is None:
            with self.database.engine.connect() as conn:
                layers = load_layers(conn)
        more = (process_paths(), job_paths(), upload_paths())
        openapi = openapi_document(self.settings, layers, more)
        return Published(layers, build_api(self.settings, self.database, layers, openapi))

    def _watch(self) -> None:
        """A NOTIFY wakes this thread; after a broken line it connects again and reads what it may have missed."""
        while not self._stopping.is_set():
            try:
                connection = self.database.listen("citymap_catalogue")
                self.reload()
                while not self._stopping.is_set():
                    if select.select([connection], [], [], 1.0)[0]:
                        connection.poll()
                        connection.notifies.clear()
                        self.reload()
                connection.close()
            except Exception as error:
                if not self._stopping.is_set():
                    LOGGER.warning("catalogue cannot be followed, trying again: %s", error)
                    self._stopping.wait(_RETRY)
