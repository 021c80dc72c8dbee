"""``server`` and ``logging``: how the server is reached and how much it takes on."""

import os
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from geoserver.settings.groups import FilePath, Group, Language, Network, Origin, Port


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
    reports: Quota = Field(default=Quota(requests=10, seconds=3600), description="reports without an account")
    file: FilePath = Field(default="var/rates", validate_default=True, description="2 MB that the workers share")


class Limits(Group):
    """Upper bounds of requests and answers."""

    default_items: int = Field(default=10, ge=1, description="features per page when the request names no limit")
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


class Logging(Group):
    """What is logged; it goes to standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    form: Literal["text", "json"] = Field(default="text", description="json: one object per line")
    access: bool = Field(default=False, description="a line for every request")
