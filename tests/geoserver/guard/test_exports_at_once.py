"""How many files are made at once, in the city and for one client."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import requests

from geoserver import exports
from tests.conftest import serve
from tests.geoserver.conftest import Site


@pytest.fixture(scope="module", autouse=True)
def many(site: Site) -> Iterator[None]:
    """So many features that a file of them does not fit into the buffers of a connection."""
    site.sql(
        "INSERT INTO city.plots (geom, name) SELECT geom, repeat('地', 3000) FROM city.plots, generate_series(1, 3000)"
    )
    yield
    site.sql("DELETE FROM city.plots WHERE length(name) > 100")


@contextmanager
def unread(url: str, client: str = "203.0.113.1") -> Iterator[None]:
    """An export under way, of which the client reads no more than the head."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.sendall(
            f"GET /collections/plots/items?f=csv HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {client}\r\n\r\n".encode()
        )
        assert b" 200 " in line.recv(20)
        yield


def export(url: str, client: str) -> requests.Response:
    headers = {"X-Forwarded-For": client}
    return requests.get(f"{url}/collections/trees/items", params={"f": "csv"}, headers=headers, timeout=20)


def test_places_are_counted_per_client_and_in_the_city_over_all_servers(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "AT_ONCE", 10)
    bounds = {
        "SERVER__LIMITS__EXPORTS_AT_ONCE": "2", "SERVER__LIMITS__EXPORTS_PER_CLIENT": "1",
        "SERVER__TRUSTED_PROXIES": "[127.0.0.1]",
    }  # fmt: skip
    with ExitStack() as running:
        one, two = (running.enter_context(serve(site.database.url, **bounds)) for _ in range(2))
        with unread(one, "203.0.113.1"):
            refused = export(two, "203.0.113.1")
            assert refused.status_code == 503 and "1 exports are under way for you" in refused.json()["description"]
            assert refused.headers["Retry-After"]
            assert export(two, "203.0.113.2").status_code == 200
            time.sleep(1)  # its place is free when the server has closed it, not when its last byte has come
            with unread(two, "203.0.113.2"):
                assert "2 exports are under way in the city" in export(one, "203.0.113.3").json()["description"]
        for _ in range(50):  # until the servers have seen that nobody listens
            if (again := export(one, "203.0.113.1")).status_code == 200:
                break
            time.sleep(0.2)
        assert again.status_code == 200
