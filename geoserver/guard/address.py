"""Whose request it is by its address: the peer of the connection, or whom trusted proxies name (RFC 7239).

A proxy adds the address of its own peer at the right of its header, so the list is read from the right, and only while
the one who speaks is trusted. What a client writes itself stands further left and is never reached.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Literal

from starlette.types import Scope

type Address = IPv4Address | IPv6Address

#: Where the envelope keeps the address in ``scope["state"]``.
STATE_KEY = "client_address"
#: Hops that are looked at; no city has more proxies in a row.
_MOST_HOPS = 20
_FOR = re.compile(r"""(?:^|;)\s*for\s*=\s*(?:"([^"]*)"|([^;"\s]*))""", re.IGNORECASE)


def client_address(scope: Scope) -> str:
    """The client's address, IPv4 or IPv6 in its shortest form; empty for a Unix socket. Behind the envelope only."""
    address: str = scope["state"][STATE_KEY]
    return address


class TrustedProxies:
    """The reverse proxies whose word counts, and the header they write."""

    def __init__(self, networks: Iterable[str], header: Literal["X-Forwarded-For", "Forwarded"]) -> None:
        self._given = tuple(networks), header
        self._networks = tuple(ip_network(network) for network in self._given[0])
        self._header = header.lower().encode()
        self._trusted = lru_cache(4096)(self._lies_in_a_network)

    def __reduce__(self) -> Any:
        return TrustedProxies, self._given  # uvicorn hands its options to worker processes

    def client(self, scope: Scope) -> str:
        """The address of a request's client; ``scope`` is ASGI's."""
        peer = scope.get("client")
        if peer is None:
            return ""
        found = plain_address(peer[0])
        if found is None:
            return ""
        if not self._networks or not self._trusted(found):
            return found
        for hop in self._hops(scope):
            address = plain_address(hop)
            if address is None:
                break  # the last one that spoke is known; what it said is not
            found = address
            if not self._trusted(found):
                break
        return found

    def trusts(self, peer: str) -> bool:
        """Whether the peer of a connection is a proxy of ours."""
        address = plain_address(peer)
        return address is not None and self._trusted(address)

    def _hops(self, scope: Scope) -> Iterator[str]:
        """The addresses in the header, nearest first."""
        lines = [value.decode("latin-1") for name, value in scope["headers"] if name == self._header]
        hops = ",".join(lines).rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]
        for hop in reversed(hops):
            if self._header == b"forwarded":
                named = _FOR.search(hop)
                yield (named[1] or named[2] or "") if named else ""
            else:
                yield hop

    def _lies_in_a_network(self, address: str) -> bool:
        ip = ip_address(address)
        return any(ip in network for network in self._networks)


@lru_cache(4096)
def plain_address(text: str) -> str | None:
    """An address without port, brackets, zone and IPv4 mapping; None for what is none (``unknown``, ``_hidden``)."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address: Any = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(getattr(address, "ipv4_mapped", None) or address)


@lru_cache(4096)
def one_client(address: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 of an IPv6 one, all of which one subscriber has."""
    if ":" not in address:
        return address
    return str(ip_network(f"{address}/64", strict=False).network_address)
