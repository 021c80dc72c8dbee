"""The server calls listed hosts only, whatever a URL, a redirect or the DNS says."""

import ast
import socket
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
import trustme

from geoserver.outbound import Outbound, OutboundFailed, OutboundRefused
from geoserver.settings.access import Outbound as OutboundSettings
from tests.conftest import ROOT

LOOPBACK = ("127.0.0.0/8",)


class Handler(BaseHTTPRequestHandler):
    """Answers ``/redirect?to``, ``/big``, and everything else by its address."""

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        if path == "/redirect":
            self.send_response(302)
            self.send_header("Location", unquote(query))
            self.end_headers()
            return
        body = (
            b"x" * 2_000_000
            if path == "/big"
            else f"{self.server.server_address[0]} {self.headers.get('Authorization')}".encode()
        )
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]


@contextmanager
def web_server(address: str = "127.0.0.1", context: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Any]:
    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

    server = Server((address, port), Handler)
    server.asked = []  # type: ignore[attr-defined]
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def peer() -> Iterator[Any]:
    with web_server() as server:
        yield server


def outbound(*hosts: str, private: tuple[str, ...] = LOOPBACK, seconds: float = 5, max_mb: float = 1) -> Outbound:
    return Outbound(OutboundSettings(hosts=hosts, private=private, seconds=seconds, max_mb=max_mb))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Lets names resolve to given addresses, one answer after the other; returns what was asked."""
    real, asked = socket.getaddrinfo, []

    def install(**answers: list[str]) -> list[str]:
        def resolve(host: str, port: int, *arguments: Any, **more: Any) -> Any:
            if host.split(".")[0] in answers:
                asked.append(host)
                given = answers[host.split(".")[0]]
                host = given.pop(0) if len(given) > 1 else given[0]
            return real(host, port, *arguments, **more)

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        return asked

    return install


def test_a_listed_host_is_called(peer: Any) -> None:
    port = peer.server_port
    answer = outbound(f"http://127.0.0.1:{port}").call(f"http://127.0.0.1:{port}/a?b=c")
    assert (answer.status, answer.body) == (200, b"127.0.0.1 None") and peer.asked == ["/a?b=c"]


def test_nothing_is_called_unless_it_is_listed(peer: Any) -> None:
    port = peer.server_port
    url = f"http://127.0.0.1:{port}/"
    for hosts in ((), ("127.0.0.1",), (f"127.0.0.1:{port}",), ("http://127.0.0.1",), (f"http://localhost:{port}",)):
        with pytest.raises(OutboundRefused, match=r"outbound\.hosts"):
            outbound(*hosts).call(url)
    assert peer.asked == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "localhost", "2130706433", "0177.0.0.1", "0x7f.1", "127.1"],
)
def test_loopback_in_whatever_writing_needs_its_network_listed(host: str) -> None:
    calling = outbound("example.gov.cn", f"http://{host}:9" if "x" not in host else "http://0x7f.1:9", private=())
    with pytest.raises(OutboundRefused, match=r"outbound\.private"):
        calling.call(f"http://{host}:9/")


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200", "168.63.129.16", "0.0.0.0", "224.0.0.1",
     "255.255.255.255", "::", "::1", "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254", "2002:7f00:1::", "64:ff9b::a9fe:a9fe", "64:ff9b::10.0.0.1"],
)  # fmt: skip
def test_a_listed_name_that_leads_to_an_inner_address_is_refused(
    address: str, names: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _self, where: connected.append(where))
    names(evil=[address])
    with pytest.raises(OutboundRefused, match="no public address"):
        outbound("evil.example.com", private=()).call("https://evil.example.com/")
    assert connected == []


def test_the_address_that_was_checked_is_the_one_that_is_called(names: Callable[..., list[str]]) -> None:
    with web_server("127.0.0.2") as listed, web_server("127.0.0.1", port=listed.server_port) as inner:
        url = f"http://rebinding.example.com:{listed.server_port}/"
        asked = names(rebinding=["127.0.0.2", "127.0.0.1"])
        answer = outbound(f"http://rebinding.example.com:{listed.server_port}", private=("127.0.0.2/32",)).call(url)
        assert answer.body.startswith(b"127.0.0.2") and len(asked) == 1 and inner.asked == []
        # A client that checks first and resolves again when it connects is led to the other:
        asked = names(rebinding=["127.0.0.2", "127.0.0.1"])
        socket.getaddrinfo("rebinding.example.com", 80)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        assert direct.open(url, timeout=5).read().startswith(b"127.0.0.1")


def test_one_inner_address_among_several_is_enough_to_refuse(
    names: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    names(mixed=["203.0.113.1"])
    public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))
    inner = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [public, inner])
    with pytest.raises(OutboundRefused):
        outbound("mixed.example.com", private=()).call("https://mixed.example.com/")


@pytest.mark.parametrize(
    "to", ["http://127.0.0.1:{inner}/", "http://169.254.169.254/latest/meta-data", "//127.0.0.1:{inner}/", "file:///etc/passwd",
           "http://127.0.0.2:{port}@127.0.0.1:{inner}/", "http://127.0.0.2:{port}\\@127.0.0.1:{inner}/", "gopher://127.0.0.1:{inner}/"],
)  # fmt: skip
def test_a_redirect_leads_no_further_than_a_first_call(to: str) -> None:
    with web_server("127.0.0.2") as listed, web_server() as inner:
        to = to.format(inner=inner.server_port, port=listed.server_port)
        calling = outbound(f"http://127.0.0.2:{listed.server_port}")
        with pytest.raises(OutboundRefused):
            calling.call(f"http://127.0.0.2:{listed.server_port}/redirect?{quote(to)}")
        assert inner.asked == [] and len(listed.asked) == 1


def test_a_redirect_to_a_listed_host_is_followed_without_the_credentials() -> None:
    with web_server("127.0.0.2") as first, web_server() as second:
        hosts = (f"http://127.0.0.2:{first.server_port}", f"http://127.0.0.1:{second.server_port}")
        start = f"{hosts[0]}/redirect?"
        headers = {"Authorization": "Bearer secret"}
        answer = outbound(*hosts).call(f"{start}{hosts[1]}/there", headers=headers)
        assert answer.body == b"127.0.0.1 None" and answer.url == f"{hosts[1]}/there"
        assert outbound(*hosts).call(f"{start}/same", headers=headers).body == b"127.0.0.2 Bearer secret"


def test_redirects_in_a_circle_end(peer: Any) -> None:
    origin = f"http://127.0.0.1:{peer.server_port}"
    url = f"{origin}/redirect?" + "/redirect?" * 9
    with pytest.raises(OutboundFailed, match="redirects more than"):
        outbound(origin).call(url)
    assert len(peer.asked) == 4


@pytest.mark.parametrize(
    "url",
    ["ftp://a.gov.cn/", "https://", "https:///x", "a.gov.cn", "https://a.gov.cn@evil.com/", "https://evil.com\\@a.gov.cn/", "https://evil.com#@a.gov.cn/",
     "https://evil.com/\r\nHost: a.gov.cn", "https://a.gov.cn:99999/", "https://a.gov.cn.evil.com/", "https://xa.gov.cn/", "https://ａ.gov.cn/", "https://a。gov.cn/",
     "http://a.gov.cn/", "https://a.gov.cn:8443/", "https://sub.a.gov.cn/", "https://u:p@a.gov.cn/", "https://[a.gov.cn]/", "https://%61.gov.cn/"],
)  # fmt: skip
def test_what_is_written_to_look_like_a_listed_host_is_refused(url: str) -> None:
    with pytest.raises(OutboundRefused):
        outbound("a.gov.cn").checked(url)


def test_listed_forms() -> None:
    calling = outbound("a.gov.cn", "*.b.gov.cn:8443", "http://c.gov.cn", "https://[2400:3200::1]:443")
    for url in (
        "https://A.gov.cn/x",
        "https://a.gov.cn:443/",
        "https://x.y.b.gov.cn:8443/",
        "http://c.gov.cn/",
        "https://[2400:3200::1]/",
    ):
        calling.checked(url)
    for url in ("https://b.gov.cn:8443/", "https://x.b.gov.cn/", "https://c.gov.cn/"):
        with pytest.raises(OutboundRefused):
            calling.checked(url)


def test_certificates_are_checked_for_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: Callable[..., list[str]]
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("good.example.com").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    names(good=["127.0.0.1"], bad=["127.0.0.1"])
    with web_server(context=context) as server:
        hosts = (f"good.example.com:{server.server_port}", f"bad.example.com:{server.server_port}")
        with pytest.raises(OutboundFailed, match="certificate"):
            outbound(*hosts).call(f"https://{hosts[0]}/")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert outbound(*hosts).call(f"https://{hosts[0]}/").status == 200
        with pytest.raises(OutboundFailed, match="certificate"):
            outbound(*hosts).call(f"https://{hosts[1]}/")


def test_an_answer_without_end_is_given_up(peer: Any) -> None:
    origin = f"http://127.0.0.1:{peer.server_port}"
    assert len(outbound(origin, max_mb=3).call(f"{origin}/big").body) == 2_000_000
    with pytest.raises(OutboundFailed, match="more than 1000000 bytes"):
        outbound(origin, max_mb=1).call(f"{origin}/big")


@pytest.mark.parametrize(
    "head",
    [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"],
)
def test_an_answer_that_trickles_is_given_up(head: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def trickle() -> None:
            line, _ = listening.accept()
            with line:
                try:
                    line.sendall(head)
                    while True:
                        line.sendall(b"x")
                        time.sleep(0.05)
                except OSError:
                    return

        threading.Thread(target=trickle, daemon=True).start()
        origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
        begun = time.monotonic()
        with pytest.raises(OutboundFailed, match=r"within 0\.6 s"):
            outbound(origin, seconds=0.6).call(origin + "/")
        assert time.monotonic() - begun < 2


def test_proxies_of_the_environment_are_not_used(peer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    origin = f"http://127.0.0.1:{peer.server_port}"
    assert outbound(origin).call(origin + "/").status == 200


CLIENTS = {
    "aiohttp", "ftplib", "http.client", "httpcore", "httpx", "imaplib", "paramiko", "poplib", "requests", "smtplib", "urllib.request", "urllib3",
    "websocket", "websockets", "xmlrpc.client",
}  # fmt: skip
CALLS = {"create_connection", "open_connection", "urlopen", "urlretrieve"}
#: Who may, and why.
EXCEPTIONS = {
    "geoserver/outbound.py": "it is the way",
    "geoserver/audit/timestamps.py": "calls the one authority of audit.timestamp_url, from the command line, no redirect",
    "tracking/simulation.py": "reports to the city's own gateway, from the command line",
    "geoserver/doctor.py": "connects to the server's own address, server.url, from the command line",
}


def _calls_out(source: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {
                alias.name for alias in node.names if alias.name in CLIENTS or alias.name.split(".")[0] in CLIENTS
            }
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            found |= {name for name in names if name in CLIENTS or name.split(".")[0] in CLIENTS}
            found |= {
                alias.name for alias in node.names if alias.name in CALLS and node.module in ("asyncio", "socket")
            }
        elif isinstance(node, ast.Attribute) and node.attr in CALLS | {"connect_ex"}:
            found.add(node.attr)
    return found


def test_nothing_else_of_ours_calls_another_host() -> None:
    folders = ("geoserver", "layers", "tiles", "grid", "planning", "tracking")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts]
    assert len(files) > 100
    found = {str(path.relative_to(ROOT)): _calls_out(path.read_text("utf-8")) for path in files}
    assert {name: calls for name, calls in found.items() if calls and name not in EXCEPTIONS} == {}


@pytest.mark.parametrize(
    "source",
    ["import requests", "import urllib.request", "from urllib import request", "from http import client", "from http.client import HTTPSConnection",
     "import socket\nsocket.create_connection(('a', 1))", "from socket import create_connection", "import httpx as h", "from urllib3 import PoolManager"],
)  # fmt: skip
def test_that_look_would_find_it(source: str) -> None:
    assert _calls_out(source)
    assert not _calls_out("from http import HTTPStatus\nfrom urllib.parse import quote\nimport socket\nsocket.socket()")
