"""The only way in which the server calls another host: to those that the configuration lists, and to no other address.

A name is resolved once, its addresses are checked, and the connection goes to a checked one, so that a second answer of
the DNS changes nothing (rebinding). Addresses that are not public are refused unless their network is listed too:
otherwise a name under somebody else's control would open the intranet. Redirects begin anew with every check. Proxies
of the environment are not used. Time and size are bounded as a whole, not per packet.

``http.client`` carries the requests, on a socket made here. urllib3 and httpx stand on the same parsing; what they add
(pools, retries, redirects, decoding, proxies of the environment) would have to be switched off, and neither bounds the
whole of a call.
"""

import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import urljoin, urlsplit

from geoserver.settings.access import Outbound as OutboundSettings

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3
_PIECE = 64 * 1024
_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*|[0-9a-f:.]+:[0-9a-f:.]*")
#: Printable ASCII without the backslash, which some parsers take for a slash.
_URL = re.compile(r"[!-\[\]-~]{1,8000}")
#: Public addresses at which a cloud answers its own machines: Azure's.
_METADATA = frozenset({IPv4Address("168.63.129.16")})
_NAT64 = ip_network("64:ff9b::/96")
#: What a host may learn of another host's request.
_KEPT_ABROAD = frozenset({"accept", "accept-language", "user-agent"})

type IP = IPv4Address | IPv6Address

#: The C library resolves in its own time.
_resolvers = ThreadPoolExecutor(4, thread_name_prefix="resolve")


class OutboundRefused(ValueError):
    """The server may not call that address; the message says which key of the configuration would let it."""


class OutboundFailed(RuntimeError):
    """The other host cannot be reached, does not answer in time, or answers too much."""


@dataclass(frozen=True, slots=True)
class Target:
    """Scheme, host, port and path of a checked URL."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """What the list of allowed hosts is compared with."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What another host answered. Header names are lower case; ``url`` is where redirects ended."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class Outbound:
    """Calls other hosts, as configured."""

    def __init__(self, settings: OutboundSettings) -> None:
        self._settings = settings
        self._allowed = tuple(_pattern(host) for host in settings.hosts)
        self._private = tuple(ip_network(network) for network in settings.private)
        self._tls = ssl.create_default_context()

    def call(
        self, url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """The answer to one request, whatever its status; redirects are followed for GET and HEAD.

        Raises :class:`OutboundRefused` before anything is sent, :class:`OutboundFailed` afterwards.
        """
        deadline = time.monotonic() + self._settings.seconds
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        target = self.checked(url)
        for _ in range(_MOST_REDIRECTS + 1):
            answer = self._once(target, method, sent, body, deadline, url)
            if answer.status not in _REDIRECTS or method not in ("GET", "HEAD") or "location" not in answer.headers:
                return answer
            url = urljoin(url, answer.headers["location"])
            former, target = target, self.checked(url)
            if target.origin != former.origin:
                sent = {name: value for name, value in sent.items() if name in _KEPT_ABROAD}
        raise OutboundFailed(f"{former.host} redirects more than {_MOST_REDIRECTS} times")

    def checked(self, url: str) -> Target:
        """The URL's parts, if the server may call it as far as its text tells. Raises :class:`OutboundRefused`."""
        target = _parsed(url)
        if not any(pattern.fullmatch(target.origin) for pattern in self._allowed):
            raise OutboundRefused(
                f"the server may not call {target.origin}: an administrator can list it in outbound.hosts"
            )
        return target

    def addresses(self, target: Target, deadline: float) -> list[tuple[int, Any]]:
        """Socket families and addresses of a target, resolved once; all of them must be permitted."""
        looked_up = _resolvers.submit(socket.getaddrinfo, target.host, target.port, type=socket.SOCK_STREAM)
        try:
            found = looked_up.result(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            raise OutboundFailed(f"the address of {target.host} was not found in time") from None
        except (OSError, UnicodeError):
            raise OutboundFailed(f"{target.host} has no address") from None
        for *_, where in found:
            self._require_permitted(target.host, ip_address(str(where[0]).partition("%")[0]))
        return [(family, where) for family, _, _, _, where in found]

    def _require_permitted(self, host: str, address: IP) -> None:
        for meant in (address, *_embedded(address)):
            if any(meant in network for network in self._private):
                return
            if not meant.is_global or meant.is_multicast or meant in _METADATA:
                raise OutboundRefused(
                    f"{host} lies at {meant}, which is no public address: an administrator can list its network in"
                    " outbound.private"
                )

    def _once(
        self, target: Target, method: str, headers: Mapping[str, str], body: bytes | None, deadline: float, url: str
    ) -> Answer:
        """One request and its answer, without redirects."""
        line = self._connect(target, deadline)
        try:
            with _ended_at(line, deadline):
                if target.scheme == "https":
                    line = self._tls.wrap_socket(line, server_hostname=target.host)
                connection = HTTPConnection(target.host, target.port)
                connection.sock = line
                standard = {"accept-encoding": "identity", "connection": "close", "user-agent": "CityMap"}
                connection.request(method, target.path, body, {**standard, **headers})
                response = connection.getresponse()
                content = self._read(response, target)
        except (OSError, HTTPException, ValueError) as error:
            late = time.monotonic() >= deadline
            what = f"did not answer within {self._settings.seconds:g} s" if late else f"failed: {_said(error)}"
            raise OutboundFailed(f"{target.host} {what}") from error
        finally:
            line.close()
        if time.monotonic() >= deadline:  # the end of the line may look like the end of an answer
            raise OutboundFailed(f"{target.host} did not answer within {self._settings.seconds:g} s")
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, content, url)

    def _connect(self, target: Target, deadline: float) -> socket.socket:
        failure: OSError | None = None
        for family, where in self.addresses(target, deadline):
            line = socket.socket(family, socket.SOCK_STREAM)
            try:
                line.settimeout(max(0.01, deadline - time.monotonic()))
                line.connect(where)
                return line
            except OSError as error:
                line.close()
                failure = error
        raise OutboundFailed(f"{target.host} cannot be reached: {_said(failure)}") from failure

    def _read(self, response: HTTPResponse, target: Target) -> bytes:
        most = int(self._settings.max_mb * 1_000_000)
        content = bytearray()
        while piece := response.read1(_PIECE):
            content += piece
            if len(content) > most:
                raise OutboundFailed(f"{target.host} answers more than {most} bytes (outbound.max_mb)")
        if response.length:  # announced, and not sent
            raise HTTPException("the answer breaks off")
        return bytes(content)


@contextmanager
def _ended_at(line: socket.socket, deadline: float) -> Iterator[None]:
    """Shut the line down at the deadline, whatever the other side sends meanwhile, byte by byte."""
    # A descriptor of its own: the TLS layer takes the socket's over, and closing frees it for others' use.
    own = line.dup()

    def end() -> None:
        try:
            own.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # ended by itself

    timer = threading.Timer(max(0.0, deadline - time.monotonic()), end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        own.close()


def _parsed(url: str) -> Target:
    shown = url[:200].encode("ascii", "backslashreplace").decode()
    if not _URL.fullmatch(url):
        raise OutboundRefused(f"{shown!r} is no URL of printable ASCII characters without a backslash")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise OutboundRefused(f"{shown!r} is no URL") from None
    host = (parts.hostname or "").lower()
    if parts.scheme not in _PORTS or not _HOST.fullmatch(host):
        raise OutboundRefused(f"{shown!r} is no https URL with a host")
    if "@" in parts.netloc:
        raise OutboundRefused("a URL with a name or password in it is not called: give credentials as a header")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], path)


def _pattern(entry: str) -> re.Pattern[str]:
    """The origins that an entry of ``outbound.hosts`` means."""
    scheme, separator, rest = entry.rpartition("://")
    scheme = scheme if separator else "https"
    if not re.search(r":[0-9]+$", rest) or rest.endswith("]"):
        rest = f"{rest}:{_PORTS[scheme]}"
    written = re.escape(f"{scheme}://{rest}")
    return re.compile(written.replace(r"\*\.", r"([a-z0-9_-]+\.)+"))


def _embedded(address: IP) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that an IPv6 address leads to."""
    if isinstance(address, IPv4Address):
        return ()
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(one for one in found if one is not None)


def _said(error: Exception | None) -> str:
    """An error's own words, which name no address of ours."""
    return getattr(error, "strerror", None) or str(error)[:200] or type(error).__name__
