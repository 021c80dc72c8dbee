"""How the installation does, for its operators: disk, jobs, database, tile cache, outbound calls; and the audit chain.

``GET /admin/state`` is for those who look after accounts, ``GET /audit/verification`` for the audit administrator.
"""

import shutil
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, text
from starlette.requests import Request

from geoserver.audit.verification import verify
from geoserver.openapi import COMMON, content, operation
from geoserver.parameters import query_values
from geoserver.reply import Reply

if TYPE_CHECKING:
    from geoserver.city import City

_UNKEPT = {"Cache-Control": "no-store"}
#: Space below which a disk is told as nearly full [%].
_LOW = 10.0
_DATABASE = """
    SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS bytes,
           (SELECT count(*) FROM pg_stat_activity) AS connections,
           current_setting('max_connections')::int AS most_connections,
           extract(epoch FROM now() - pg_postmaster_start_time())::bigint AS seconds_up"""
_JOBS = """
    SELECT status, count(*) AS count, extract(epoch FROM now() - min(created))::bigint AS oldest_seconds
    FROM citymap.jobs GROUP BY status ORDER BY status"""


def get_state(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /admin/state``: measured now, nothing kept."""
    city.require_office("accounts:manage")
    query_values(request, ("f", "lang"))
    settings = city.settings
    with city.transaction() as conn:
        database, jobs = dict(_row(conn, _DATABASE)), [dict(row) for row in conn.execute(text(_JOBS)).mappings()]
    folders = {
        "uploads": settings.server.uploads.directory,
        "jobs": settings.server.jobs.directory,
        "rasters": settings.rasters.directory,
        "tiles": settings.tiles.directory,
    }
    document = {
        "at": datetime.now(UTC).isoformat(),
        "database": database,
        "jobs": jobs,
        "disks": [disk(name, Path(folder)) for name, folder in folders.items()],
        "tiles": {"limit_bytes": int(settings.tiles.disk_mb * 1_000_000)},
        "outbound": {"hosts": [str(host) for host in settings.outbound.hosts]},
        "layers": len(city.layers),
    }
    return Reply(orjson.dumps(document), headers=_UNKEPT)


def get_verification(city: "City", request: Request, _body: bytes) -> Reply:
    """``GET /audit/verification``: every link of the chain looked at, as of one state."""
    city.require_office("audit:read")
    query_values(request, ("f", "lang"))
    with city.gate.engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        report = verify(conn)
    return Reply(orjson.dumps({"valid": report.ok, **asdict(report)}), headers=_UNKEPT)


def disk(name: str, folder: Path) -> dict[str, Any]:
    """The disk that a folder lies on [bytes]; ``low`` below a tenth. A folder that is not there yet: its parent's."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    found = shutil.disk_usage(place)
    low = found.free < found.total * _LOW / 100
    return {"name": name, "folder": str(folder), "total": found.total, "free": found.free, "low": low}


def operations_paths() -> dict[str, Any]:
    """The description of these resources for the OpenAPI document."""
    needed: list[Any] = [{"account": []}]

    def got(name: str, summary: str, tag: str) -> dict[str, Any]:
        answers = {"200": content(summary, "application/json", schema={"type": "object"})}
        return {"get": operation(name, summary, COMMON, answers, tag, security=needed)}

    return {
        "/admin/state": got("getState", "Disk, jobs, database, tile cache and outbound calls", "administration"),
        "/audit/verification": got("verifyAudit", "Whether the audit chain is whole", "audit"),
    }


def _row(conn: Connection, statement: str) -> Any:
    return conn.execute(text(statement)).mappings().one()


ROUTES: tuple[tuple[str, Callable[..., Reply]], ...] = (
    ("/admin/state", get_state),
    ("/audit/verification", get_verification),
)
