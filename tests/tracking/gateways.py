"""A gateway in a thread of the test, on a free port, over a database of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvloop
from sqlalchemy import text

from geoserver.database_roles import role_url
from geoserver.tracking_gateway import device_secrets
from layers.access import APP_ROLE
from layers.database import Database
from tracking.alarms.conditions import Limits
from tracking.gateway.mqtt import Broker
from tracking.gateway.running import Endpoint, Gateway, Options
from tracking.gateway.server import Bounds
from tracking.states import Patience


@contextmanager
def running(
    database_url: str,
    bounds: Bounds | None = None,
    *,
    registration: bool = True,
    nmea: bool = False,
    broker: Broker | None = None,
) -> Iterator[Gateway]:
    """A gateway that has begun; it ends in order."""
    gate = Database(role_url(database_url, "citymap_access"), pool_size=2)
    options = Options(port=0, bounds=bounds or Bounds(), nmea=Endpoint(port=0) if nmea else None, broker=broker)
    secrets = device_secrets(gate, registration=registration)
    gateway = Gateway(options, role_url(database_url, APP_ROLE), secrets, Patience(), Limits())
    begun = threading.Event()
    ending: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        ready, stop = asyncio.Event(), asyncio.Event()
        ending.append((asyncio.get_running_loop(), stop))
        task = asyncio.ensure_future(gateway.serve(ready, stop))
        waiting = asyncio.ensure_future(ready.wait())
        await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
        begun.set()
        await task

    thread = threading.Thread(target=lambda: uvloop.run(serve()), daemon=True)
    thread.start()
    assert begun.wait(20)
    try:
        yield gateway
    finally:
        ending[0][0].call_soon_threadsafe(ending[0][1].set)
        thread.join(90)
        gate.close()
        assert not thread.is_alive()  # else it would be in the way of the next test


def add_devices(database: Database, count: int, **fields: object) -> list[str]:
    """So many devices, in the layer; their codes."""
    codes = [f"139{n:08d}" for n in range(1, count + 1)]
    values = {"kind": "sanitation", "department": "roads", **fields}
    with database.transaction() as conn:
        conn.execute(
            text(f"INSERT INTO city.devices (code, name, {', '.join(values)}) SELECT code, '车' || code,"
                 f" {', '.join(f':{name}' for name in values)} FROM unnest((:codes)::text[]) AS code"),
            {**values, "codes": codes},
        )  # fmt: skip
    return codes
