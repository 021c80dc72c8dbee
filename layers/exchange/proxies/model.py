"""A layer of another server, and what is asked of it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Protocol

from layers.catalogue import Layer, Text, Visibility

Kind = Literal["ogcapi-features", "wfs", "wms", "wmts", "arcgis"]
type Box = tuple[float, float, float, float]

#: Longest name or address of a layer there [characters].
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the other server answered with status 200."""

    body: bytes
    media_type: str


class Upstream(Protocol):
    """Asks other servers: only those that the configuration lists, within its bounds of time and size."""

    def get(self, url: str) -> Fetched:
        """The answer. Raises :class:`~layers.exchange.proxies.errors.UpstreamFailed`."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A registered layer of another server.

    ``url`` is the server's own address and ``name`` the layer's there. ``extent`` is west, south, east, north [°].
    ``properties`` are the names of the features' properties and their types in JSON. ``details`` is what the language
    needs to remember of the server's description. Answers are kept for ``cache_seconds``.
    """

    id: str
    title: Text
    description: Text
    kind: Kind
    url: str
    name: str
    visibility: Visibility = "public"
    attribution: str = ""
    licence: str = ""
    extent: Box | None = None
    properties: tuple[tuple[str, str], ...] = ()
    cache_seconds: int = 60
    details: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""
    updated: str = ""

    @property
    def features(self) -> bool:
        """Whether it has features; else it has maps."""
        return self.kind in ("ogcapi-features", "wfs", "arcgis")

    @property
    def layer(self) -> Layer:
        """The layer by which rights and audit judge it. It has no table."""
        return Layer(
            id=self.id,
            title=self.title,
            description=self.description,
            geometry_type="Geometry",
            fields=(),
            srid=4326,
            kind="vector" if self.features else "coverage",
            visibility=self.visibility,
            editable=False,
            source=self.url,
            licence=self.licence,
            extent=self.extent,
            updated=self.updated or None,
        )

    def described(self, **found: Any) -> "Proxy":
        """A copy with what its server says."""
        return replace(self, **found)


@dataclass(frozen=True, slots=True)
class Asked:
    """A page of features: ``cursor`` is what an earlier page gave to go on by."""

    limit: int
    offset: int = 0
    cursor: str | None = None
    box: Box | None = None
    time: str | None = None
    filter: str | None = None
    filter_language: str = "cql2-text"


@dataclass(frozen=True, slots=True)
class FeaturePage:
    """Features as GeoJSON in WGS 84 degrees. ``cursor``, or the next offset, where there are more."""

    features: Sequence[dict[str, Any]]
    matched: int | None = None
    cursor: str | None = None
    more: bool = False


def as_json(proxy: Proxy) -> dict[str, Any]:
    """The definition as it is kept."""
    kept = asdict(proxy)
    return {name: value for name, value in kept.items() if name not in ("id", "visibility", "created", "updated")}


def proxy_from(id_: str, visibility: Visibility, kept: Mapping[str, Any], created: str, updated: str) -> Proxy:
    """The proxy that was kept."""
    values = dict(kept)
    values["title"], values["description"] = Text(**values["title"]), Text(**values["description"])
    values["extent"] = tuple(values["extent"]) if values["extent"] else None
    values["properties"] = tuple((name, kind) for name, kind in values["properties"])
    return Proxy(id=id_, visibility=visibility, created=created, updated=updated, **values)
