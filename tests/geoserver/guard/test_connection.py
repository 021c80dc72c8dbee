"""Heads that are too large or too slow, readers that do not read, and too many connections of one address."""

import json
import pickle
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import requests
import uvicorn
from sqlalchemy import text

from geoserver import upload_routes
from geoserver.serving import uvicorn_options
from geoserver.settings import Settings
from geoserver.settings.server import Limits, Server
from tests.conftest import serve
from tests.geoserver.conftest import Site

BOUNDS = {
    "SERVER__LIMITS__MAX_URL_KB": "2", "SERVER__LIMITS__MAX_HEADERS_KB": "8", "SERVER__LIMITS__MAX_HEADERS": "20",
    "SERVER__LIMITS__HEAD_SECONDS": "1", "SERVER__LIMITS__STALLED_SECONDS": "1",
    "SERVER__LIMITS__CONNECTIONS_PER_ADDRESS": "5",
}  # fmt: skip


@pytest.fixture(scope="module")
def strict(site: Site) -> Iterator[str]:
    with serve(site.database.url, **BOUNDS) as url:
        yield url


@contextmanager
def line_to(url: str) -> Iterator[socket.socket]:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        yield line


def everything(line: socket.socket) -> bytes:
    received = b""
    while piece := line.recv(65536):
        received += piece
    return received


def answer_to(url: str, *pieces: bytes) -> tuple[int, dict[str, str]]:
    """The status and the exception document."""
    with line_to(url) as line:
        try:
            for piece in pieces:
                line.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before it was sent whole
        head, _, body = everything(line).partition(b"\r\n\r\n")
    assert b"nosniff" in head.lower() and b"content-security-policy" in head.lower()
    return int(head.split(b" ")[1]), json.loads(body)


def test_an_address_that_is_too_long(strict: str) -> None:
    status, document = answer_to(strict, b"GET /?q=" + b"x" * 3000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status == 414 and document["code"] == "UriTooLong" and "网址过长" in document["description"]
    assert answer_to(strict, b"GET /?q=", *[b"x" * 500] * 8)[0] == 414
    assert requests.get(f"{strict}/?lang={'x' * 1500}", timeout=10).status_code == 400


@pytest.mark.parametrize(
    "pieces",
    [
        (b"".join(b"X-%d: a\r\n" % i for i in range(30)),),
        (b"X-A: " + b"a" * 9000 + b"\r\n",),
        (b"X-A: " + b"a" * 3000 + b"\r\nX-B: " + b"b" * 6000 + b"\r\n",),
        tuple([b"X-A: "] + [b"a" * 4000] * 100),  # a header without end
        tuple([b"X" * 4000] * 100),  # a name without end
    ],
)
def test_headers_that_are_too_many_or_too_large(strict: str, pieces: tuple[bytes, ...]) -> None:
    status, document = answer_to(strict, b"GET /health HTTP/1.1\r\nHost: x\r\n", *pieces, b"\r\n")
    assert status == 431 and document["code"] == "HeadersTooLarge"


def test_trailers_are_bounded_as_headers_are(strict: str) -> None:
    head = b"POST /processes/buffer/execution HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    with line_to(strict) as line:
        line.sendall(head)
        begun = time.monotonic()
        try:
            for _ in range(5000):
                line.sendall(b"X: " + b"a" * 4000)
            received = everything(line)
        except (BrokenPipeError, ConnectionResetError):
            received = b""
        assert time.monotonic() - begun < 5 and b" 200 " not in received


def test_what_is_no_http_is_told_so(strict: str) -> None:
    status, document = answer_to(strict, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    assert status == 400 and document["code"] == "InvalidRequest"


@pytest.mark.parametrize(
    "pieces", [[b""], [b"G"] * 60, [b"\r\n"] * 60, [b"GET /health HTTP/1.1\r\n"] + [b"X: a\r\n"] * 60]
)
def test_a_head_that_comes_too_slowly_is_given_up(strict: str, pieces: list[bytes]) -> None:
    begun = time.monotonic()
    with line_to(strict) as line:
        line.settimeout(0.1)
        received = b""
        for piece in pieces + [b""] * 60:
            try:
                line.sendall(piece)
                received = line.recv(1000)
                break
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                break
    assert time.monotonic() - begun < 4
    if pieces != [b"G"] * 60:  # which is no method
        assert b" 408 " in received


def test_a_kept_connection_that_dribbles_is_given_up_too(strict: str) -> None:
    with line_to(strict) as line:
        line.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 200 " in line.recv(5000)
        begun = time.monotonic()
        line.settimeout(0.2)
        received = b""
        while b" 408 " not in received and time.monotonic() - begun < 8:
            try:
                line.sendall(b"\r\n")
                received += line.recv(1000)
            except TimeoutError:
                continue
    assert b" 408 " in received


def test_a_slow_answer_is_not_mistaken_for_a_slow_head(strict: str, site: Site) -> None:
    with site.database.transaction() as conn:
        conn.execute(text("LOCK TABLE city.plots IN ACCESS EXCLUSIVE MODE"))
        threading.Timer(2.5, conn.rollback).start()
        assert requests.get(f"{strict}/collections/plots/items", timeout=20).status_code == 200


@contextmanager
def bare_server(**limits: Any) -> Iterator[tuple[str, list[str]]]:
    """The connection around an application that answers 50 MB, and what became of its answers."""
    outcomes: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            size = 50_000_000
            head = [(b"content-length", str(size).encode())]
            await send({"type": "http.response.start", "status": 200, "headers": head})
            for _ in range(50):
                await send({"type": "http.response.body", "body": b"x" * (size // 50), "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            outcomes.append("sent")

    settings = Settings(server=Server(limits=Limits(**limits)))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        options = uvicorn_options(settings) | {"lifespan": "off", "log_level": "warning"}
        server = uvicorn.Server(uvicorn.Config(app, **options))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", outcomes
        server.should_exit = True
        thread.join(15)


def test_a_client_that_does_not_take_its_answer_is_given_up() -> None:
    with bare_server(stalled_seconds=1.0) as (url, outcomes), line_to(url) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        begun = time.monotonic()
        while not outcomes and time.monotonic() - begun < 5:
            time.sleep(0.1)
        # The application, which waited for the client, is let go.
        assert outcomes and 1 < time.monotonic() - begun < 4


def test_a_slow_reader_that_keeps_reading_gets_all() -> None:
    with bare_server(stalled_seconds=1.0) as (url, _), line_to(url) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        received = 0
        begun = time.monotonic()
        while piece := line.recv(1_000_000):
            received += len(piece)
            if time.monotonic() - begun < 3:
                time.sleep(0.1)
        assert received > 50_000_000


def test_one_address_has_only_so_many_connections(strict: str) -> None:
    time.sleep(0.3)
    with ExitStack() as opened:
        for _ in range(5):
            opened.enter_context(line_to(strict))
        time.sleep(0.2)
        status, document = answer_to(strict)
        assert status == 429 and "connections" in document["description"]
    time.sleep(0.3)
    assert requests.get(f"{strict}/health", timeout=10).status_code == 200


def test_worker_processes_get_the_same_bounds() -> None:
    options = uvicorn_options(Settings(server=Server(limits=Limits(max_headers=33), trusted_proxies=("10.0.0.0/8",))))
    (bounds,) = pickle.loads(pickle.dumps(options))["http"].args
    assert bounds.headers == 33 and bounds.proxies.trusts("10.1.1.1") and not bounds.proxies.trusts("11.1.1.1")


def test_a_trusted_proxy_may_hold_as_many_as_it_needs(site: Site) -> None:
    more = {"SERVER__LIMITS__CONNECTIONS_PER_ADDRESS": "2", "SERVER__TRUSTED_PROXIES": "[127.0.0.1/32]"}
    with serve(site.database.url, **more) as url, ExitStack() as opened:
        for _ in range(5):
            opened.enter_context(line_to(url))
        assert requests.get(f"{url}/health", timeout=10).status_code == 200


def test_a_file_that_trickles_in_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_routes, "_SILENCE", 0.5)

    def trickle() -> Iterator[bytes]:
        for _ in range(30):
            yield b"x"
            time.sleep(0.1)

    begun = time.monotonic()
    answer = requests.post(f"{site.url}/uploads?name=a.csv", data=trickle(), timeout=20)
    assert answer.status_code == 400 and "more slowly" in answer.json()["description"]
    assert time.monotonic() - begun < 5
