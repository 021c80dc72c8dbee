"""``access``, ``audit`` and ``outbound``: who is let in, what is recorded, and whom the server calls."""

import hashlib
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from geoserver.settings.groups import Bilingual, FilePath, Group, Network, OutboundHost


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


class GroupRole(Group):
    """A role that a provider's group gives, in a department and an area."""

    group: str = Field(min_length=1, description="as the provider names it")
    role: str = Field(min_length=1, description="an id of `citymap role list`")
    department: str = ""
    area: str = Field(default="", pattern=r"^[0-9]{0,18}$", description="division code; empty: the whole city")


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
    roles: tuple[GroupRole, ...] = Field(
        default=(), max_length=1000, description="of who is in a group, applied anew at each sign-in"
    )

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


class Outbound(Group):
    """Which other hosts the server itself may call."""

    hosts: tuple[OutboundHost, ...] = Field(
        default=(),
        max_length=500,
        description="'host' or 'host:port' by https; 'http://host:port' in plain text; '*.example.gov.cn': all below",
    )
    private: tuple[Network, ...] = Field(
        default=(), max_length=100, description="private networks that those hosts may lie in"
    )
    seconds: float = Field(default=20, gt=0, le=600, description="longest time of a call [s]")
    max_mb: float = Field(default=20, gt=0, le=10_240, description="size of an answer [MB]")
