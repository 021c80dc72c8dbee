"""The application inside its guards."""

from typing import Any

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from geoserver.guard.address import TrustedProxies
from geoserver.guard.envelope import Envelope
from geoserver.guard.gate import Gate
from geoserver.guard.rates import Rates
from geoserver.guard.security_headers import SecurityHeaders
from geoserver.hot_tiles import HotTiles
from geoserver.settings import Settings

_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
_ASKED = (
    "Authorization", "Content-Crs", "Content-Type", "If-Match", "If-None-Match", "Prefer", "X-API-Key", "X-CSRF-Token",
)  # fmt: skip
_TOLD = (
    "Content-Crs", "Content-Disposition", "ETag", "Link", "Location", "Preference-Applied", "RateLimit",
    "RateLimit-Policy", "Retry-After", "X-Request-Id", "X-Revision",
)  # fmt: skip
#: Seconds for which a browser remembers what another origin may do.
_PREFLIGHT_SECONDS = 600


class GuardedApplication(Starlette):
    """Starlette's application whose every answer, its own failures included, passes the guards."""

    def __init__(self, settings: Settings, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._settings = settings
        rate = settings.server.limits.rate
        self.state.rates = Rates(rate) if rate else None

    def build_middleware_stack(self) -> ASGIApp:
        """Starlette's layers, and around them ours, the innermost first."""
        server = self._settings.server
        guarded: ASGIApp = Gate(HotTiles(super().build_middleware_stack(), self.state), self.state.rates)
        if server.cors_origins:
            guarded = cross_origin(guarded, server.cors_origins)
        proxies = TrustedProxies(server.trusted_proxies, server.proxy_header)
        return Envelope(guarded, proxies, SecurityHeaders(server), access_log=self._settings.logging.access)


def cross_origin(app: ASGIApp, origins: tuple[str, ...]) -> ASGIApp:
    """The application for pages of other origins: a named one may send credentials, ``*`` may not."""
    return CORSMiddleware(
        app, allow_origins=origins, allow_methods=_METHODS, allow_headers=_ASKED, expose_headers=_TOLD,
        allow_credentials="*" not in origins, max_age=_PREFLIGHT_SECONDS,
    )  # fmt: skip
