"""``citymap gateway``: vehicle terminals. ``citymap up`` starts it by itself."""

import asyncio
import gc
import signal
import threading
from typing import TYPE_CHECKING

import typer

from geoserver.cli.console import ConfigOption, note
from geoserver.cli.session import load_settings, open_database
from geoserver.cli.worker import WithParent, stop_with_parent

if TYPE_CHECKING:
    from geoserver.settings import Settings
    from tracking.gateway.running import Gateway

#: Seconds between tries to listen on a port that another program holds.
_PAUSE = 5.0


def gateway(config: ConfigOption = None, with_parent: WithParent = False) -> None:
    """Take in what vehicle terminals send (JT/T 808), until Ctrl-C. Nothing is answered before it is stored."""
    settings = load_settings(config)
    with open_database(settings) as url:
        from geoserver.guard.logs import configure_logging
        from geoserver.migrations import migrate

        configure_logging(settings.logging)
        migrate(url)
        if with_parent:
            threading.Thread(target=stop_with_parent, daemon=True).start()
        _run(settings, url)


def _run(settings: "Settings", owner_url: str) -> None:
    import uvloop

    from geoserver.tracking_gateway import make_gateway

    made = make_gateway(settings, owner_url)
    gc.collect()
    gc.freeze()  # what the modules hold is never garbage: to look through it again and again halves what a core checks
    jt808 = settings.tracking.jt808
    try:
        uvloop.run(_serve(made.gateway, f"{jt808.host}:{jt808.port}"))
    finally:
        made.close()


async def _serve(gateway: "Gateway", place: str) -> None:
    stop, ready = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    while not stop.is_set():
        try:
            note(f"车载终端网关 the gateway of vehicle terminals: {place}")
            await gateway.serve(ready, stop)
            return
        except OSError as error:
            typer.echo(
                f"端口不可用 {place} cannot be used: {error.strerror}; trying again. Another one: "
                "CITYMAP__TRACKING__JT808__PORT=7809",
                err=True,
            )
            _, waiting = await asyncio.wait([asyncio.ensure_future(stop.wait())], timeout=_PAUSE)
            for task in waiting:
                task.cancel()
