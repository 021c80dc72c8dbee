"""How uvicorn serves the application: one set of options for ``citymap up`` and for the tests."""

from functools import partial
from typing import Any

from geoserver.guard.connection import BoundedConnection, ConnectionBounds
from geoserver.settings import Settings

#: Connections that one worker serves at once; more are answered 503 at the door.
MOST_CONNECTIONS = 2000
#: Seconds for which an idle connection is kept for a next request.
_KEEP_ALIVE = 5
#: Seconds in which a worker process must be ready and answer its supervisor; on a busy machine uvicorn's 5 are too few.
_UNRESPONSIVE = 30


def uvicorn_options(settings: Settings) -> dict[str, Any]:
    """Options of ``uvicorn.Config``. The access log is ours, and so is the reading of proxies' headers."""
    tls = settings.server.tls
    return {
        "host": settings.server.bind.host,
        "port": settings.server.bind.port,
        "http": partial(BoundedConnection, ConnectionBounds.of(settings.server)),
        "ws": "none",
        "ssl_certfile": tls.certificate if tls else None,
        "ssl_keyfile": tls.key if tls else None,
        "log_config": None,
        "log_level": settings.logging.level.lower(),
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_keep_alive": _KEEP_ALIVE,
        "timeout_graceful_shutdown": 10,
        "timeout_worker_healthcheck": _UNRESPONSIVE,
        "limit_concurrency": MOST_CONNECTIONS,
    }
