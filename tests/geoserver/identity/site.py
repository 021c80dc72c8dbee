"""A server of the identity routes over a real database, connected to as the role citymap_access."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import requests
import uvicorn
from requests.adapters import HTTPAdapter
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from geoserver.accounts import add_account
from geoserver.database_roles import role_url
from geoserver.errors import NotAllowed, SignInNeeded
from geoserver.guard.application import GuardedApplication
from geoserver.identity import Identities
from geoserver.identity.routes import ROUTES
from geoserver.reply import Reply, failure, response
from geoserver.settings import Settings
from layers.access import ANONYMOUS, Principal
from layers.database import Database

PASSWORD = "Blue-Lantern-47 river"
OTHER = "Green-Copper-58 hill"


class Client(requests.Session):
    """A browser or program at a loopback address of its own, with cookies of its own."""

    def __init__(self, url: str, address: str) -> None:
        super().__init__()
        self._url = url
        adapter = HTTPAdapter()
        adapter.init_poolmanager(4, 4, source_address=(address, 0))
        self.mount(url, adapter)

    def request(self, method: str, url: str, *given: Any, **more: Any) -> requests.Response:  # type: ignore[override]
        return super().request(method, self._url + url, *given, timeout=30, **more)


@dataclass
class TestCity:
    """What handlers are given, with the asker's rights read from the database each time."""

    __test__ = False
    settings: Settings
    gate: Database
    identities: Identities
    principal: Principal = ANONYMOUS

    def require_office(self, office: str) -> None:
        if self.principal.account is None:
            raise SignInNeeded("sign in")
        if office not in self.principal.offices:
            raise NotAllowed(f"this needs the office {office!r}")


@dataclass
class IdentitySite:
    owner: Database
    city: TestCity
    url: str
    clients: list[Client] = field(default_factory=list)

    def client(self, address: str = "127.0.0.2") -> Client:
        self.clients.append(Client(self.url, address))
        return self.clients[-1]

    def sql(self, statement: str, **values: Any) -> list[Any]:
        with self.owner.transaction() as conn:
            result = conn.execute(text(statement), values)
            return list(result.all()) if result.returns_rows else []

    def add(self, name: str, *roles: str, must_change: bool = False) -> str:
        with self.owner.transaction() as conn:
            add_account(conn, name, PASSWORD, must_change=must_change)
            for role in roles:
                conn.execute(
                    text("INSERT INTO access.memberships (account, role) VALUES (:name, :role)"),
                    {"name": name, "role": role},
                )
        return name

    def signed_in(self, name: str, address: str = "127.0.0.2", **more: str) -> tuple[Client, str]:
        """A browser in which the account signed in, and its CSRF token."""
        client = self.client(address)
        answer = client.post("/sign-in", json={"account": name, "password": PASSWORD, **more})
        assert answer.status_code == 200, answer.text
        return client, answer.json()["csrfToken"]


def _application(city: TestCity) -> Starlette:
    handlers: list[Any] = [*ROUTES, ("GET", "/who", _who), ("POST", "/who", _who)]
    routes = [Route(path, _endpoint(city, handler), methods=[method]) for method, path, handler in handlers]
    application = GuardedApplication(city.settings, routes=routes)
    application.state.city = SimpleNamespace(hot=SimpleNamespace(find=lambda _scope: None))  # no tile is kept here
    return application


def _who(city: TestCity, request: Request, _body: bytes) -> Reply:
    identity = city.identities.identify(request)
    return Reply(f"{identity.account} {identity.via}".encode() if identity else b"nobody", "text/plain")


def _endpoint(city: TestCity, handler: Callable[..., Reply]) -> Callable[[Request], Any]:
    def run(request: Request, body: bytes) -> Reply:
        try:
            identity = city.identities.identify(request)
            seen = TestCity(city.settings, city.gate, city.identities, _principal(city, identity and identity.account))
            return handler(seen, request, body, **request.path_params)
        except Exception as error:
            return failure(error)

    async def endpoint(request: Request) -> Response:
        return response(await asyncio.to_thread(run, request, await request.body()))

    return endpoint


def _principal(city: TestCity, account: str | None) -> Principal:
    if account is None:
        return ANONYMOUS
    with city.gate.transaction() as conn:
        rows = conn.execute(
            text("""
            SELECT m.role, p.resource || ':' || p.action FROM access.memberships m
            LEFT JOIN access.permissions p ON p.role = m.role AND p.kind = 'office' WHERE m.account = :account"""),
            {"account": account},
        ).all()
    return Principal(account, frozenset(r for r, _ in rows), offices=frozenset(o for _, o in rows if o), via="test")


@contextmanager
def identity_site(url: str, directory: Path, **access: Any) -> Iterator[IdentitySite]:
    """The site on a free port; ``access`` are settings of that group, and ``url`` the address that clients use."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    settings = Settings.model_validate(
        {"server": {"url": access.pop("public", address), "limits": {"rate": None}},
         "access": {"server_key": str(directory / "secrets" / "server.key"), **access}}
    )  # fmt: skip
    owner = Database(url, pool_size=2)
    gate = Database(role_url(url, "citymap_access"), pool_size=8)
    city = TestCity(settings, gate, Identities(settings, gate))
    server = uvicorn.Server(uvicorn.Config(_application(city), port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    site = IdentitySite(owner, city, address)
    try:
        yield site
    finally:
        for client in site.clients:
            client.close()
        server.should_exit = True
        thread.join(10)
        gate.close()
        owner.close()
