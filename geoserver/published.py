"""What a worker publishes: the catalogue as it is now, and views of it for those who have the same rights."""

import threading
from collections.abc import Mapping
from typing import Any

from pygeoapi.api import API

from geoserver.archives import archive_paths
from geoserver.audit.routes import audit_paths
from geoserver.change_feed import change_paths
from geoserver.core import build_api
from geoserver.coverage_openapi import coverage_paths
from geoserver.edr.routes import edr_paths
from geoserver.identity.openapi import identity_paths
from geoserver.lite.routes import lite_paths
from geoserver.live import live_paths
from geoserver.maps import map_paths
from geoserver.open311_openapi import open311_paths
from geoserver.openapi import openapi_document
from geoserver.operations import operations_paths
from geoserver.ows.openapi import ows_paths
from geoserver.photo_routes import photo_paths
from geoserver.process_openapi import job_paths, process_paths, upload_paths
from geoserver.proxies.openapi import proxy_paths
from geoserver.public_notices import public_notice_paths
from geoserver.public_reports import public_report_paths
from geoserver.qgis import qgis_paths
from geoserver.record_openapi import record_paths
from geoserver.settings import Settings
from geoserver.terrain_tiles import terrain_paths
from geoserver.three_d_tiles import three_d_paths
from geoserver.tile_documents import tile_paths
from geoserver.tracking_routes import tracking_paths
from geoserver.versions import version_paths
from geoserver.web.style import city_style
from geoserver.web.work_pages import work_paths
from layers.access import Grant, visible, visible_layers
from layers.catalogue import Layer
from layers.database import Database
from layers.exchange.proxies.model import Proxy
from tiles.cache.tile import fingerprint

#: What describes the paths of other API parts.
_MORE_PATHS = (
    process_paths,
    job_paths,
    upload_paths,
    audit_paths,
    operations_paths,
    identity_paths,
    tile_paths,
    version_paths,
    archive_paths,
    qgis_paths,
    terrain_paths,
    map_paths,
    ows_paths,
    three_d_paths,
    live_paths,
    change_paths,
    record_paths,
    tracking_paths,
    open311_paths,
    photo_paths,
    public_notice_paths,
    public_report_paths,
    work_paths,
    lite_paths,
)
#: Views of the catalogue kept: there are as many as there are kinds of rights.
_VIEWS = 256


class View:
    """The published layers as those see them who have the same rights, and pygeoapi's API object over them."""

    def __init__(
        self, settings: Settings, database: Database, layers: Mapping[str, Layer], proxies: Mapping[str, Proxy]
    ) -> None:
        self._settings = settings
        self._database = database
        self.proxies = proxies
        self._lock = threading.Lock()
        self._api: API | None = None
        self.layers = layers
        self._fingerprints: dict[str, str] = {}
        self._styles: dict[str, Mapping[str, Any]] = {}

    def fingerprint(self, layer: Layer) -> str:
        """A digest of what the catalogue says of a layer as it is seen here, but for what its data say."""
        found = self._fingerprints.get(layer.id)
        if found is None:
            found = self._fingerprints[layer.id] = fingerprint(layer)
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
                of_coverages = (coverage_paths(self._settings, self.layers), edr_paths(self.layers))
                more = [*(paths() for paths in _MORE_PATHS), *of_coverages, proxy_paths(self.proxies)]
                openapi = openapi_document(self._settings, self.layers, more)
                self._api = build_api(self._settings, self._database, self.layers, self.proxies, openapi)
            return self._api


class Published:
    """The catalogue as this worker serves it. Replaced as a whole, so a request never sees half of a change."""

    def __init__(
        self, settings: Settings, database: Database, layers: Mapping[str, Layer], proxies: Mapping[str, Proxy]
    ) -> None:
        self.layers = layers
        self.proxies = proxies
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
            proxies = {name: p for name, p in self.proxies.items() if visible(p.layer, grants) is not None}
            view = self._views[grants] = View(self._settings, self._database, seen, proxies)
        return view


def described(layers: Mapping[str, Layer]) -> list[Layer]:
    """What is said of layers, apart from what their data say."""
    return [layer.changed(extent=None, updated=None) for layer in layers.values()]
