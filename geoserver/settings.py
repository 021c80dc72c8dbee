"""The configuration's shape: small frozen groups, named as in pygeoapi where pygeoapi has the key.

A key that is not declared here is refused. ``tracking`` holds keys that installations may set already, and that
nothing reads yet. Reading files and the environment is :mod:`geoserver.config`'s work.
"""

import hashlib
import os
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from layers.coordinates.local_grid import LocalGrid, OldDatum, SevenParameters
from layers.processing import CityCrs

ROOT = Path(__file__).resolve().parents[1]

Port = Annotated[int, Field(ge=1, le=65535)]
Epsg = Annotated[int, Field(ge=1024, le=32767)]
Language = Literal["zh-CN", "en-US"]


def _beside_the_file(path: str, info: ValidationInfo) -> str:
    return str((info.context or {}).get("folder", ROOT) / Path(path))


#: A path; a relative one is counted from the folder of the configuration file.
FilePath = Annotated[str, Field(min_length=1), AfterValidator(_beside_the_file)]


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError:
        raise ValueError(f"{text!r} is not a network such as '10.0.0.0/8' or 'fd00::/8'") from None


def _origin(text: str) -> str:
    parts = urlsplit(text)
    if text != "*" and (parts.scheme not in ("http", "https") or f"{parts.scheme}://{parts.netloc}".lower() != text):
        raise ValueError(f"{text!r} is not an origin such as 'https://other.example.gov.cn', without a path")
    return text


def _outbound_host(text: str) -> str:
    if not _OUTBOUND_HOST.fullmatch(text):
        raise ValueError(f"{text!r} is not 'host', 'host:port', '*.domain' or 'http://host:port', in lower case")
    return text


_OUTBOUND_HOST = re.compile(r"(https?://)?(\*\.)?([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
#: An IP network; a lone address is one too.
Network = Annotated[str, AfterValidator(_network)]
#: Scheme, host and port of a web page (RFC 6454), or ``*``.
Origin = Annotated[str, AfterValidator(_origin)]
#: A host that the server may call.
OutboundHost = Annotated[str, AfterValidator(_outbound_host)]


class Group(BaseModel):
    """Keys that belong together; frozen, and nothing is converted silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Bilingual(Group):
    """A text in both languages."""

    zh: str
    en: str


class BilingualList(Group):
    """Texts in both languages."""

    zh: tuple[str, ...]
    en: tuple[str, ...]


class Bind(Group):
    """The address that the server listens on."""

    host: str = Field(default="127.0.0.1", min_length=1, description="0.0.0.0 or :: for every interface")
    port: Port = 8080


class Quota(Group):
    """So many requests in so many seconds: all at once, or evenly."""

    requests: int = Field(ge=1, le=10_000_000)
    seconds: float = Field(default=60, ge=0.1, le=86_400)


class Rate(Group):
    """How often one client may ask. ``address`` and ``sign_in`` bound each address, ``account`` each account, the
    others both. All workers of a machine count together."""

    address: Quota = Quota(requests=5000, seconds=10)
    account: Quota = Quota(requests=5000, seconds=10)
    sign_in: Quota = Field(default=Quota(requests=60), description="attempts to sign in")
    exports: Quota = Field(default=Quota(requests=120), description="files of items")
    executions: Quota = Field(default=Quota(requests=600), description="executions of processes")
    uploads: Quota = Field(default=Quota(requests=300), description="files sent")
    file: FilePath = Field(default="var/rates", validate_default=True, description="2 MB that the workers share")


class Limits(Group):
    """Upper bounds of requests and answers."""

    default_items: int = Field(
        default=10, ge=1, description="features per page when the request names no limit"
    )
    max_items: int = Field(default=10_000, ge=1, le=100_000, description="features per page at most")
    max_body_mb: float = Field(default=64, gt=0, le=10_240, description="size of a request's body [MB]")
    max_url_kb: float = Field(default=16, ge=1, le=64, description="length of an address with its query [KB]")
    max_headers_kb: float = Field(default=32, ge=4, le=256, description="size of a request's headers [KB]")
    max_headers: int = Field(default=100, ge=20, le=1000, description="headers of a request")
    head_seconds: float = Field(default=15, ge=1, le=300, description="in which a request's headers must arrive [s]")
    stalled_seconds: float = Field(
        default=60, ge=1, le=3600, description="an answer of which the client takes nothing for so long is given up [s]"
    )
    connections_per_address: int = Field(default=400, ge=1, le=2000, description="at once, per worker")
    exports_at_once: int = Field(default=12, ge=1, le=1000, description="exports under way, over all servers")
    exports_per_client: int = Field(default=3, ge=1, le=1000, description="of them for one account or address")
    rate: Rate | None = Field(default_factory=Rate, description="null: no bound")

    @model_validator(mode="after")
    def _default_within_maximum(self) -> "Limits":
        if self.default_items > self.max_items:
            raise ValueError(f"default_items {self.default_items} is more than max_items {self.max_items}")
        return self


class Uploads(Group):
    """Files that clients send to be imported."""

    directory: FilePath = Field(default="var/uploads", validate_default=True)
    max_mb: float = Field(default=2048, gt=0, le=8192, description="size of one file [MB]")
    keep_hours: float = Field(default=24, gt=0, le=8760, description="a file is removed after [h]")
    per_account: int = Field(default=50, ge=1, le=10_000, description="files kept for one account at once")


class Jobs(Group):
    """Executions of processes."""

    directory: FilePath = Field(default="var/jobs", validate_default=True, description="of results that are files")
    keep_days: float = Field(default=7, gt=0, le=3650, description="an ended job and its results are removed after [d]")
    max_inputs_mb: float = Field(default=8, gt=0, le=256, description="size of an execute request [MB]")
    per_account: int = Field(default=20, ge=1, le=10_000, description="jobs of one account that wait or run at once")
    at_once: int = Field(default=2, ge=1, le=64, description="jobs that run at once")
    max_minutes: float = Field(default=240, gt=0, le=10_080, description="longest time of a job [min]")
    lost_seconds: float = Field(default=20, ge=2, le=600, description="a worker silent for so long is given up [s]")
    sync_at_once: int = Field(default=4, ge=1, le=64, description="executions waited for at once, per worker")
    sync_seconds: float = Field(default=30, gt=0, le=600, description="longest time that a client waits [s]")


class Tls(Group):
    """Certificate and key, when the server itself speaks HTTPS (else a reverse proxy does)."""

    certificate: FilePath = Field(description="PEM file with the certificate and its chain")
    key: FilePath = Field(description="PEM file with the private key")


def _default_url(data: dict[str, Any]) -> str:
    bind = data.get("bind") or Bind()
    # Every interface is no address to open: on this machine it is loopback.
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(bind.host, bind.host)
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    return f"{'https' if data.get('tls') else 'http'}://{host}:{bind.port}"


class Server(Group):
    """How the server is reached and how much it takes on."""

    bind: Bind = Bind()
    tls: Tls | None = None
    url: str = Field(default_factory=_default_url, description="address that clients use; default: from bind")
    trusted_proxies: tuple[Network, ...] = Field(
        default=(), max_length=100, description="networks of reverse proxies whose word about the client counts"
    )
    proxy_header: Literal["X-Forwarded-For", "Forwarded"] = Field(
        default="X-Forwarded-For", description="the header that they write; the other is never read"
    )
    cors_origins: tuple[Origin, ...] = Field(
        default=(), max_length=200, description="origins of other web maps that may read here; or only '*'"
    )
    workers: int = Field(
        default_factory=lambda: min(os.cpu_count() or 1, 4),
        ge=1,
        le=64,
        description="default: cores, at most 4",
    )
    languages: tuple[Language, ...] = Field(
        default=("zh-CN", "en-US"), min_length=1, description="the first is default"
    )
    limits: Limits = Field(default_factory=Limits)
    uploads: Uploads = Field(default_factory=Uploads)
    jobs: Jobs = Field(default_factory=Jobs)

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{url!r} is not an address such as 'https://map.example.gov.cn'")
        return url.rstrip("/")

    @field_validator("cors_origins")
    @classmethod
    def _any_or_named(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        if "*" in origins and len(origins) > 1:
            raise ValueError("'*' stands alone: it lets every origin read, and none with credentials")
        return origins

    @property
    def encrypted(self) -> bool:
        """Whether clients come by HTTPS, to this server or to the proxy before it."""
        return self.tls is not None or self.url.startswith("https://")


class Outbound(Group):
    """Which other hosts the server itself may call."""

    hosts: tuple[OutboundHost, ...] = Field(
        default=(), max_length=500,
        description="'host' or 'host:port' by https; 'http://host:port' in plain text; '*.example.gov.cn': all below",
    )
    private: tuple[Network, ...] = Field(
        default=(), max_length=100, description="private networks that those hosts may lie in"
    )
    seconds: float = Field(default=20, gt=0, le=600, description="longest time of a call [s]")
    max_mb: float = Field(default=20, gt=0, le=10_240, description="size of an answer [MB]")


class Logging(Group):
    """What is logged; it goes to standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    form: Literal["text", "json"] = Field(default="text", description="json: one object per line")
    access: bool = Field(default=False, description="a line for every request")


class Identification(Group):
    """What the service is."""

    title: Bilingual = Bilingual(zh="城市一张图", en="CityMap")
    description: Bilingual = Bilingual(
        zh="全市共享图层与空间服务", en="The city's shared layers and spatial processes"
    )
    keywords: BilingualList = BilingualList(zh=("一张图", "地理信息"), en=("city map", "geospatial"))
    terms_of_service: str = ""
    url: str = ""


class License(Group):
    """Under which terms the data may be used."""

    name: str = "CC-BY 4.0"
    url: str = "https://creativecommons.org/licenses/by/4.0/"


class Provider(Group):
    """Who runs the service."""

    name: str = "CityMap"
    url: str = ""


class Contact(Group):
    """Whom to ask."""

    name: str = ""
    position: str = ""
    email: str = ""
    phone: str = ""
    url: str = ""


class Metadata(Group):
    """The service's description of itself, as on the landing page."""

    identification: Identification = Identification()
    license: License = License()
    provider: Provider = Provider()
    contact: Contact = Contact()


class DatabaseSettings(Group):
    """The PostGIS database."""

    url: str | None = Field(default=None, repr=False, description="postgresql://…; null: a private cluster")
    app_url: str | None = Field(
        default=None, repr=False, description="as citymap_app; null: url with that role and a password derived from it"
    )
    access_url: str | None = Field(default=None, repr=False, description="as citymap_access; null: likewise")
    directory: FilePath = Field(
        default="var/postgres", validate_default=True, description="of the private cluster"
    )
    pool_size: int = Field(default=4, ge=1, le=200, description="connections, so requests at once, per worker")
    statement_timeout: float = Field(default=30, gt=0, le=3600, description="of a request's statement [s]")

    @field_validator("url", "app_url", "access_url")
    @classmethod
    def _is_postgresql(cls, url: str | None) -> str | None:
        scheme, _, rest = (url or "postgresql://_").partition("://")
        if scheme not in ("postgresql", "postgres") or not rest:
            # The value may hold a password: it is not repeated.
            raise ValueError("is not an address such as 'postgresql://user:password@host:5432/citymap'")
        return f"postgresql://{rest}" if url else None


class Rasters(Group):
    """影像与高程 images of coverages."""

    directory: FilePath = Field(default="var/rasters", validate_default=True, description="of the images' files")
    keep_days: float = Field(
        default=365, gt=0, le=36_500, description="files of removed images serve reads of the past for [d]"
    )


class LocalGridSettings(Group):
    """地方独立坐标系 one of the city's own coordinate systems (docs/coordinates.md)."""

    proj: str | None = Field(default=None, max_length=500, description="PROJ text, such as +proj=tmerc +lon_0=114.5 …")
    towgs84: SevenParameters | None = Field(default=None, description="seven parameters of its datum [m, ″, ppm]")
    base: Epsg | None = Field(default=None, description="or: the projected system that it is moved from")
    east: float = Field(default=0.0, description="shift [m]")
    north: float = Field(default=0.0, description="shift [m]")
    rotation: float = Field(default=0.0, ge=-1_296_000, le=1_296_000, description="anticlockwise [″]")
    scale: float = Field(default=0.0, ge=-100_000, le=100_000, description="[ppm]")

    @model_validator(mode="after")
    def _is_usable(self) -> "LocalGridSettings":
        self.grid()
        return self

    def grid(self) -> LocalGrid:
        """The grid as processes take it."""
        return LocalGrid(**self.model_dump())


class OldDatums(Group):
    """Seven parameters (dx, dy, dz [m], rx, ry, rz [″], scale [ppm]; position vector) from old datums to CGCS2000."""

    xian80: SevenParameters | None = None
    beijing54: SevenParameters | None = None


class Crs(Group):
    """Coordinate reference systems, by EPSG code."""

    projected: Epsg = Field(default=4547, description="for lengths and areas; projected, in metres")
    offered: tuple[Epsg, ...] = Field(default=(4326, 4490, 4547, 3857, 4526), min_length=1, max_length=100)
    towgs84: OldDatums = OldDatums()
    local_grids: dict[str, LocalGridSettings] = Field(default_factory=dict, max_length=100)

    def for_processes(self) -> CityCrs:
        """The systems as processes take them."""
        declared: dict[OldDatum, SevenParameters | None] = {
            "xian80": self.towgs84.xian80,
            "beijing54": self.towgs84.beijing54,
        }
        known = {name: values for name, values in declared.items() if values}
        grids = {name: one.grid() for name, one in self.local_grids.items()}
        return CityCrs(self.projected, frozenset(self.offered), grids, known)

    @field_validator("projected")
    @classmethod
    def _is_projected_in_metres(cls, code: int) -> int:
        from pyproj import CRS  # 40 ms that only a configuration's check needs
        from pyproj.exceptions import CRSError

        try:
            crs = CRS.from_epsg(code)
        except CRSError as error:
            raise ValueError(f"EPSG:{code} is not in PROJ's database") from error
        if not crs.is_projected or crs.axis_info[0].unit_name != "metre":
            raise ValueError(f"EPSG:{code} is not projected in metres, as EPSG:4547 is")
        return code


class Password(Group):
    """What a new password must be."""

    min_length: int = Field(default=10, ge=8, le=64, description="[characters]")
    min_classes: int = Field(default=3, ge=1, le=4, description="of lower case, upper case, digits, others")
    min_score: int = Field(default=3, ge=0, le=4, description="zxcvbn's estimate of how hard it is to guess")
    history: int = Field(default=5, ge=0, le=24, description="former passwords not taken again")
    max_age_days: int = Field(default=0, ge=0, le=3650, description="changed after [d]; 0: never")
    force_first_change: bool = Field(default=True, description="who gets a password from others must change it first")


class Lockout(Group):
    """What failures of signing in cost. Clients that an account has used before are counted apart from all others."""

    failures: int = Field(default=5, ge=2, le=100, description="in a row that lock the account")
    first_seconds: float = Field(default=60, gt=0, le=86_400, description="first lock [s]; doubles with each failure")
    max_minutes: float = Field(default=30, gt=0, le=1440, description="longest lock [min]")
    window_minutes: float = Field(default=60, gt=0, le=10_080, description="failures are forgotten after [min]")

    @model_validator(mode="after")
    def _window_outlasts_locks(self) -> "Lockout":
        if self.window_minutes < self.max_minutes:
            raise ValueError("window_minutes is less than max_minutes: a lock would forget the failures it is for")
        return self


class Sessions(Group):
    """Signing in with a browser."""

    idle_minutes: float = Field(default=60, gt=0, le=10_080, description="ends when unused for [min]")
    max_hours: float = Field(default=12, gt=0, le=720, description="ends after [h]")


class OidcProvider(Group):
    """统一身份认证 an OpenID provider at which people sign in; its host stands in ``outbound.hosts`` too."""

    title: Bilingual = Bilingual(zh="统一身份认证", en="single sign-on")
    issuer: str = Field(pattern=r"^https?://[!-~]+$", description="as the provider writes it itself")
    client_id: str = Field(min_length=1)
    client_secret: str | None = Field(default=None, repr=False, description="better: client_secret_file")
    client_secret_file: FilePath | None = None
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    account_claim: str = Field(default="preferred_username", description="names accounts that are made")
    create_accounts: bool = Field(default=False, description="for whoever the provider lets in; without any role")
    domains: tuple[str, ...] = Field(default=(), description="admitted domains of verified mail addresses; none: all")
    groups_claim: str = "groups"
    groups: tuple[str, ...] = Field(default=(), description="admitted groups; none: all")

    @field_validator("scopes")
    @classmethod
    def _asks_for_openid(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in scopes:
            raise ValueError("lacks 'openid', without which nobody says who signs in")
        return scopes

    def secret(self) -> str | None:
        """The client's secret; None for a public client. Raises :class:`OSError`."""
        file = self.client_secret_file
        return Path(file).read_text("utf-8").strip() if file else self.client_secret


class Access(Group):
    """Who is let in, and what people may do without signing in."""

    anonymous_edit: bool = Field(default=False, description="anyone may edit public layers: for trials only")
    server_key: FilePath = Field(
        default="var/secrets/server.key", validate_default=True, description="made at the first start; back it up"
    )
    password: Password = Password()
    lockout: Lockout = Lockout()
    sessions: Sessions = Sessions()
    oidc: dict[Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")], OidcProvider] = Field(
        default_factory=dict, max_length=10, description="providers at which people sign in, by a name of yours"
    )
    key_days: int = Field(default=365, ge=1, le=3650, description="longest life of an API key [d]")
    token_minutes: float = Field(default=15, gt=0, le=1440, description="life of a bearer token [min]")


class Audit(Group):
    """审计 the audit log of everything written, and of what is sensitive to read."""

    hash: Literal["sha256", "sm3"] = Field(
        default="sha256", description="of new links of its chain; older ones keep theirs"
    )
    keep_days: int = Field(
        default=400, ge=183, le=36_500, description="`citymap audit prune` removes older entries [d]"
    )
    timestamp_url: str | None = Field(
        default=None, description="RFC 3161 timestamp authority, for `citymap audit head --timestamp`"
    )
    timestamp_ca: FilePath | None = Field(default=None, description="PEM file of the authority's root certificates")

    @field_validator("hash")
    @classmethod
    def _is_available(cls, name: str) -> str:
        try:
            hashlib.new(name)
        except ValueError:
            raise ValueError(f"this Python's OpenSSL has no {name.upper()}; set sha256") from None
        return name

    @field_validator("timestamp_url")
    @classmethod
    def _is_http(cls, url: str | None) -> str | None:
        parts = urlsplit(url or "http://_")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment or parts.username:
            raise ValueError("is not an address such as 'https://tsa.example.gov.cn/tsr'")
        return url

    @model_validator(mode="after")
    def _authority_is_known(self) -> "Audit":
        if self.timestamp_url and not self.timestamp_ca:
            raise ValueError("timestamp_url needs timestamp_ca, the certificates that its timestamps are verified with")
        return self


class Jt808(Group):
    """The gateway of JT/T 808 vehicle terminals."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: Port = 7808


class Tracking(Group):
    """车辆定位 vehicle tracking."""

    jt808: Jt808 = Jt808()


class Tiles(Group):
    """瓦片 tiles."""

    cache_mb: int = Field(default=512, ge=16, le=1_048_576, description="finished tiles in memory, all workers [MB]")
    disk_mb: int = Field(default=4096, ge=0, le=100_000_000, description="finished tiles kept on disk [MB]; 0: none")
    directory: FilePath = Field(default="var/tiles", validate_default=True, description="of the tiles on disk")
    matrix_sets: tuple[FilePath, ...] = Field(
        default=(), max_length=50, description="JSON files of further tile matrix sets (OGC 17-083r4)"
    )


class Settings(Group):
    """The whole configuration of one server."""

    server: Server = Field(default_factory=Server)
    logging: Logging = Logging()
    outbound: Outbound = Outbound()
    metadata: Metadata = Metadata()
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    rasters: Rasters = Field(default_factory=Rasters)
    crs: Crs = Crs()
    access: Access = Field(default_factory=Access)
    audit: Audit = Audit()
    tracking: Tracking = Tracking()
    tiles: Tiles = Field(default_factory=Tiles)
    resources: dict[str, Any] = Field(
        default_factory=dict, description="pygeoapi's own resources beside the catalogue's layers"
    )
