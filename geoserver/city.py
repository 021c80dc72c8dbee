"""The city as one request sees it: narrowed to what its principal may see. Handlers know only that."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pygeoapi.api import API
from sqlalchemy import Connection
from starlette.requests import Request

from geoserver.errors import NotAllowed, SignInNeeded
from geoserver.hot_tiles import HotAnswers
from geoserver.html import Html
from geoserver.identity import Identities
from geoserver.language import choose_language
from geoserver.process_adapter import Process
from geoserver.process_manager import Processes
from geoserver.settings import Settings
from geoserver.uploads import Uploads
from layers.access import ANONYMOUS, Action, Principal, grants_text, visible, watched
from layers.catalogue import Layer
from layers.database import Database, Reader
from layers.exchange.proxies.model import Proxy
from tiles.archives.folder import Served
from tiles.cache.tile import Tile, TileKey, variant
from tiles.matrix_sets import MatrixSet
from tiles.rendered import Rendered
from tiles.vector import TileQuery

if TYPE_CHECKING:
    from geoserver.proxies.upstream import Upstreams
    from geoserver.running import RunningCity


class City:
    """What every handler gets: the city as the request's principal sees it."""

    __slots__ = ("_asked", "_hot", "_running", "_view", "principal")

    def __init__(
        self,
        running: "RunningCity",
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

    @property
    def proxies(self) -> Mapping[str, Proxy]:
        """The layers of other servers that the principal may see, by id."""
        return self._view.proxies

    @property
    def upstreams(self) -> "Upstreams":
        """How other servers are asked."""
        return self._running.upstreams

    def style(self, language: str) -> Mapping[str, Any]:
        """The style of these layers."""
        return self._view.style(language)

    @property
    def grids(self) -> Mapping[str, MatrixSet]:
        """The tile matrix sets, by id."""
        return self._running.grids

    @property
    def archives(self) -> Mapping[str, Served]:
        """The archives of the folder that the principal may see, by name."""
        served = self._running.archives.served
        return {name: one for name, one in served.items() if self._sees_whole(one.layer)}

    def _sees_whole(self, layer: Layer) -> bool:
        seen = visible(layer, self.principal.grants)
        return seen is not None and not seen.partial

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
