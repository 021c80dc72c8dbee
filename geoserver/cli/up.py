"""``citymap up``: start everything, until Ctrl-C."""

import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from geoserver.cli.console import CommandError, ConfigOption, Exit, note
from geoserver.cli.demo import make_sample_city_with_bar
from geoserver.cli.session import load_settings, open_database
from geoserver.cli.worker import kept_process, worker_process

if TYPE_CHECKING:
    from geoserver.settings import Settings
    from layers.database import Database

_Demo = Annotated[bool, typer.Option(help="Make the sample city when no layer has a feature.")]
FIRST_ACCOUNT = "admin"


def up(config: ConfigOption = None, demo: _Demo = True) -> None:
    """Start the database, bring it up to date, serve, and run jobs; Ctrl-C stops all."""
    settings = load_settings(config)
    _require_free_port(settings)
    note("正在启动数据库 starting the database")
    with open_database(settings) as url:
        _prepare(settings, url, demo)
        typer.echo(f"城市一张图 CityMap: {settings.server.url}/  ·  地图 map: {settings.server.url}/map", err=True)
        _serve(settings, config, url)


def _prepare(settings: "Settings", url: str, demo: bool) -> None:
    from geoserver.identity.server_key import open_server_key
    from geoserver.migrations import migrate
    from geoserver.sample import SampleYear, is_empty, make_sample_city
    from layers.database import Database

    migrate(url)
    open_server_key(settings.access.server_key)  # a fault of it is told here rather than by every worker
    database = Database(url, pool_size=2, statement_timeout=3600)
    try:
        _first_account(settings, database)
        if demo and settings.database.url is None and is_empty(database):
            note("首次启动：生成示范城市 first start: making the sample city")
            year = SampleYear(settings.grid.for_processes(), settings.crs.projected)
            make_sample_city_with_bar(lambda report: make_sample_city(database, 20_000, 1, report, year))
    finally:
        database.close()


def _first_account(settings: "Settings", database: "Database") -> None:
    """Without an administrator nobody could let others in: the first start makes one, and shows its password once."""
    from geoserver.accounts import list_accounts
    from geoserver.identity.administration import make_account
    from geoserver.identity.memberships import ADMINISTRATOR, Membership, give_role, is_held

    with database.transaction(actor="citymap") as conn:
        if list_accounts(conn):
            if not is_held(conn, ADMINISTRATOR):
                told = f"没有管理员 no administrator: citymap user grant ACCOUNT --role {ADMINISTRATOR}"
                typer.echo(told, err=True)
            return
        password = make_account(conn, FIRST_ACCOUNT, None, settings.access.password)
        give_role(conn, None, Membership(FIRST_ACCOUNT, ADMINISTRATOR))
    typer.echo(
        f"首个账号 first account: {FIRST_ACCOUNT}  密码 password: {password}  (只显示一次 shown once)",
        err=True,
    )


def _require_free_port(settings: "Settings") -> None:
    bind = settings.server.bind
    family = socket.AF_INET6 if ":" in bind.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((bind.host, bind.port))
        except OSError as error:
            raise CommandError(
                f"端口不可用 port {bind.port} of {bind.host} cannot be used: {error.strerror}",
                "stop the program that holds it, or choose another: CITYMAP__SERVER__BIND__PORT=8081 make run",
                Exit.FAILED,
            ) from None


def _serve(settings: "Settings", config: Path | None, url: str) -> None:
    import uvicorn

    from geoserver.config import pass_to_workers
    from geoserver.guard.logs import configure_logging
    from geoserver.serving import uvicorn_options

    pass_to_workers(config, url)
    configure_logging(settings.logging)
    with ExitStack() as beside:
        beside.enter_context(worker_process())
        if settings.tracking.jt808.enabled:
            beside.enter_context(kept_process("gateway", "终端网关 the gateway of terminals"))
        uvicorn.run("geoserver.app:worker", factory=True, workers=settings.server.workers, **uvicorn_options(settings))
