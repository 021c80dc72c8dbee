"""``citymap demo --live``: vehicles on the roads, until Ctrl-C."""

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from geoserver.cli.console import CommandError, Exit, note
from geoserver.cli.session import open_database

if TYPE_CHECKING:
    from geoserver.settings import Settings
    from tracking.simulation import Streets

#: Codes of the vehicles, and who is entered as the maker of their secrets.
_FIRST, _MAKER = 19_900_000_000, "citymap demo"


def drive_about(settings: "Settings", vehicles: int, rate: float | None) -> None:
    """Make so many devices and drive them; ``rate`` messages a second of all of them, one each 5 s without it."""
    with open_database(settings) as url:
        from geoserver.migrations import migrate
        from layers.database import Database
        from tracking.simulation import read_streets

        migrate(url)
        database = Database(url, pool_size=1)
        try:
            with database.transaction(actor=_MAKER) as conn:
                try:
                    streets = read_streets(conn)
                except ValueError as error:
                    raise CommandError(
                        f"没有道路 {error}", "`citymap demo` makes the sample city", Exit.REFUSED
                    ) from None
            codes = _devices(database, vehicles)
        finally:
            database.close()
        interval = vehicles / rate if rate else 5.0
        asyncio.run(_drive(settings, codes, streets, interval))


def _devices(database: object, count: int) -> dict[str, str]:
    """Devices of the demonstration, each with a new secret."""
    from sqlalchemy import text

    from geoserver.identity.devices import make_device_secret
    from layers.database import Database

    assert isinstance(database, Database)
    codes = [str(_FIRST + n) for n in range(count)]
    with database.transaction(actor=_MAKER) as conn:
        conn.execute(
            text("INSERT INTO city.devices (code, name, kind, enabled) SELECT code, '演示车 ' || right(code, 4),"
                 " (ARRAY['sanitation', 'enforcement', 'muck', 'bus', 'emergency'])[1 + n % 5], true"
                 " FROM unnest((:codes)::text[]) WITH ORDINALITY AS t (code, n) ON CONFLICT (code) DO NOTHING"),
            {"codes": codes},
        )  # fmt: skip
        conn.execute(
            text("UPDATE access.device_secrets SET revoked = now()"
                 " WHERE made_by = :maker AND device = ANY (:codes) AND revoked IS NULL"),
            {"maker": _MAKER, "codes": codes},
        )  # fmt: skip
        return {code: make_device_secret(conn, code, _MAKER)[0] for code in codes}


async def _drive(settings: "Settings", codes: dict[str, str], streets: "Streets", interval: float) -> None:
    from tracking.simulation import Traffic, run

    stop, traffic = asyncio.Event(), Traffic()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    jt808 = settings.tracking.jt808
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(jt808.host, jt808.host)
    note(f"{len(codes)} 辆车上路 vehicles report to {host}:{jt808.port} every {interval:.3g} s; Ctrl-C ends")
    driving = asyncio.ensure_future(run(host, jt808.port, codes, streets, interval, traffic, stop))
    while not driving.done():
        before = traffic.answered
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(driving), 5.0)
        told = f"在线 connected {traffic.connected} · 发送 sent {traffic.sent} · 应答 answered {traffic.answered}"
        typer.echo(f"{told} · {(traffic.answered - before) / 5:.0f}/s", err=True)
