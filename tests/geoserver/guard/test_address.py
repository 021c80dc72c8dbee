"""Whose address counts, and who may say so."""

import pytest

from geoserver.guard.address import TrustedProxies, one_client, plain_address

INNER = ("10.0.0.0/8", "fd00::/8")


def client(header: str, *lines: str, peer: str = "10.0.0.1", networks: tuple[str, ...] = INNER) -> str:
    scope = {"client": (peer, 5000), "headers": [(header.lower().encode(), line.encode()) for line in lines]}
    return TrustedProxies(networks, "Forwarded" if header == "Forwarded" else "X-Forwarded-For").client(scope)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("203.0.113.7",), "203.0.113.7"),
        (("1.1.1.1, 203.0.113.7",), "203.0.113.7"),  # the client wrote 1.1.1.1 itself
        (("203.0.113.7, 10.0.0.2",), "203.0.113.7"),  # two proxies of ours
        (("203.0.113.7", "10.0.0.2"), "203.0.113.7"),  # as two lines
        (("10.9.9.9, 10.0.0.2",), "10.9.9.9"),  # a client of the intranet
        (("203.0.113.7, nonsense, 10.0.0.2",), "10.0.0.2"),  # the last who is known to have spoken
        (("203.0.113.7:4711",), "203.0.113.7"),
        (("[2001:db8::1]:4711",), "2001:db8::1"),
        (("::ffff:203.0.113.7",), "203.0.113.7"),
        (("",), "10.0.0.1"),
        ((), "10.0.0.1"),
        ((", ".join(["203.0.113.9"] + ["10.0.0.2"] * 5000),), "10.0.0.2"),
    ],
)
def test_the_list_is_read_from_the_right_while_who_speaks_is_trusted(lines: tuple[str, ...], expected: str) -> None:
    assert client("X-Forwarded-For", *lines) == expected


def test_nobody_else_is_believed() -> None:
    assert client("X-Forwarded-For", "203.0.113.7", peer="198.51.100.1") == "198.51.100.1"
    assert client("X-Forwarded-For", "203.0.113.7", networks=()) == "10.0.0.1"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
        ('for=1.1.1.1, For="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ('proto=https;for="192.0.2.60:80", for=10.0.0.3', "192.0.2.60"),
        ("for=_hidden, for=10.0.0.3", "10.0.0.3"),
        ("by=192.0.2.1", "10.0.0.1"),
    ],
)
def test_forwarded_is_read_as_rfc_7239_writes_it(line: str, expected: str) -> None:
    assert client("Forwarded", line) == expected


def test_only_the_configured_header_is_read() -> None:
    scope = {
        "client": ("10.0.0.1", 1),
        "headers": [(b"forwarded", b"for=192.0.2.60"), (b"x-forwarded-for", b"203.0.113.7")],
    }
    assert TrustedProxies(INNER, "X-Forwarded-For").client(scope) == "203.0.113.7"
    assert TrustedProxies(INNER, "Forwarded").client(scope) == "192.0.2.60"


def test_an_ipv6_subscriber_is_one_client() -> None:
    assert one_client("2001:db8:1:2:3:4:5:6") == one_client("2001:db8:1:2::1") == "2001:db8:1:2::"
    assert one_client("2001:db8:1:3::1") != one_client("2001:db8:1:2::1")
    assert one_client("203.0.113.7") == "203.0.113.7"
    assert plain_address("fe80::1%eth0") == "fe80::1" and plain_address("0177.0.0.1") is None
