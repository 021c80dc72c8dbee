"""The configuration's shape: small frozen groups, named as in pygeoapi where pygeoapi has the key.

A key that is not declared here is refused. ``tracking`` and ``tiles`` hold keys that installations may set already, and
that nothing reads yet. Reading files and the environment is :mod:`geoserver.config`'s work.
"""

import os
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

ROOT = Path(__file__).resolve().parents[1]

Port = Annotated[int, Field(ge=1, le=65535)]
Epsg = Annotated[int, Field(ge=1024, le=32767)]
Language = Literal["zh-CN", "en-US"]


def _beside_the_file(path: str, info: ValidationInfo) -> str:
    return str((info.context or {}).get("folder", ROOT) / Path(path))


#: A path; a relative one is counted from the folder of the configuration file.
FilePath = Annotated[str, Field(min_length=1), AfterValidator(_beside_the_file)]


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


class Limits(Group):
    """Upper bounds of requests and answers."""

    default_items: int = Field(
        default=10, ge=1, description="features per page when the request names no limit"
    )
    max_items: int = Field(default=10_000, ge=1, le=100_000, description="features per page at most")
    max_body_mb: float = Field(default=64, gt=0, le=10_240, description="size of a request's body [MB]")

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
    workers: int = Field(
        default_factory=lambda: min(os.cpu_count() or 1, 4),
        ge=1,
        le=64,
        description="default: cores, at most 4",
    )
    languages: tuple[Language, ...] = Field(
        default=("zh-CN", "en-US"), min_length=1, description="the first is default"
    )
    limits: Limits = Limits()
    uploads: Uploads = Field(default_factory=Uploads)
    jobs: Jobs = Field(default_factory=Jobs)

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"{url!r} is not an address such as 'https://map.example.gov.cn'")
        return url.rstrip("/")


class Logging(Group):
    """How much is logged; it goes to standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"


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
    directory: FilePath = Field(
        default="var/postgres", validate_default=True, description="of the private cluster"
    )
    pool_size: int = Field(default=4, ge=1, le=200, description="connections, so requests at once, per worker")
    statement_timeout: float = Field(default=30, gt=0, le=3600, description="of a request's statement [s]")

    @field_validator("url")
    @classmethod
    def _is_postgresql(cls, url: str | None) -> str | None:
        scheme, _, rest = (url or "postgresql://_").partition("://")
        if scheme not in ("postgresql", "postgres") or not rest:
            # The value may hold a password: it is not repeated.
            raise ValueError("is not an address such as 'postgresql://user:password@host:5432/citymap'")
        return f"postgresql://{rest}" if url else None


class Crs(Group):
    """Coordinate reference systems, by EPSG code."""

    projected: Epsg = Field(default=4547, description="for lengths and areas; projected, in metres")
    offered: tuple[Epsg, ...] = Field(default=(4326, 4490, 4547, 3857, 4526), min_length=1, max_length=100)

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


class Access(Group):
    """What people may do without signing in."""

    anonymous_edit: bool = Field(default=False, description="anyone may edit public layers: for trials only")


class Jt808(Group):
    """The gateway of JT/T 808 vehicle terminals."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: Port = 7808


class Tracking(Group):
    """车辆定位 vehicle tracking."""

    jt808: Jt808 = Jt808()


class Tiles(Group):
    """瓦片 tiles."""

    cache_mb: int = Field(default=512, ge=16, le=1_048_576, description="finished tiles kept per server [MB]")


class Settings(Group):
    """The whole configuration of one server."""

    server: Server = Field(default_factory=Server)
    logging: Logging = Logging()
    metadata: Metadata = Metadata()
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    crs: Crs = Crs()
    access: Access = Access()
    tracking: Tracking = Tracking()
    tiles: Tiles = Tiles()
    resources: dict[str, Any] = Field(
        default_factory=dict, description="pygeoapi's own resources beside the catalogue's layers"
    )
