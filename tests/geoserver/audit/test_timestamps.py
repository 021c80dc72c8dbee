"""Timestamps of a real authority, OpenSSL's, are taken and verified, and nothing else is."""

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from geoserver.audit.timestamps import TimestampRefused, timestamp, verify_timestamp
from tests.geoserver.audit.authority import Authority, authority, make_certificates, openssl, reply

DATA = "链首 head".encode()


@pytest.fixture(
    scope="module", params=[("rsa:2048",), ("ec", "-pkeyopt", "ec_paramgen_curve:P-256")], ids=["rsa", "ecdsa"]
)
def tsa(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with authority(tmp_path_factory.mktemp("tsa"), request.param) as found:
        yield found


@pytest.fixture
def honest(tsa: Authority) -> Iterator[Authority]:
    before = tsa.answer
    yield tsa
    tsa.answer = before


def test_a_timestamp_is_verified_here_and_by_openssl(tsa: Authority, tmp_path: Path) -> None:
    answer = timestamp(DATA, tsa.url, tsa.root)
    when = verify_timestamp(answer, DATA, tsa.root)
    assert abs(datetime.now(UTC) - when) < timedelta(minutes=1)
    (tmp_path / "data").write_bytes(DATA)
    (tmp_path / "answer.tsr").write_bytes(answer)
    said = openssl("ts", "-verify", "-data", "data", "-in", "answer.tsr", "-CAfile", str(tsa.root), folder=tmp_path)
    assert b"OK" in said
    with pytest.raises(subprocess.CalledProcessError):
        (tmp_path / "data").write_bytes(DATA + b"x")
        openssl("ts", "-verify", "-data", "data", "-in", "answer.tsr", "-CAfile", str(tsa.root), folder=tmp_path)


def test_an_answer_without_certificates_is_verified_by_the_configured_one(tmp_path: Path) -> None:
    """As for authorities whose chain stands in an order that the library refuses."""
    with authority(tmp_path, certs="certs = $dir/root.pem") as tsa:
        both = tmp_path / "both.pem"
        both.write_bytes(tsa.root.read_bytes() + (tmp_path / "tsa.pem").read_bytes())
        answer = timestamp(DATA, tsa.url, both)
        assert verify_timestamp(answer, DATA, both)
        with pytest.raises(TimestampRefused, match="does not hold"):
            verify_timestamp(answer, DATA, tsa.root)
        other = tmp_path / "other"
        other.mkdir()
        make_certificates(other)
        both.write_bytes((other / "root.pem").read_bytes() + (other / "tsa.pem").read_bytes())
        with pytest.raises(TimestampRefused, match="does not hold"):
            verify_timestamp(answer, DATA, both)


def test_a_timestamp_over_other_data_is_refused(tsa: Authority) -> None:
    answer = timestamp(DATA, tsa.url, tsa.root)
    with pytest.raises(TimestampRefused, match="does not hold"):
        verify_timestamp(answer, DATA + b"x", tsa.root)


def test_a_timestamp_of_another_authority_is_refused(tsa: Authority, tmp_path: Path) -> None:
    make_certificates(tmp_path)
    with pytest.raises(TimestampRefused, match="does not hold"):
        timestamp(DATA, tsa.url, tmp_path / "root.pem")


def test_a_changed_timestamp_is_refused(tsa: Authority) -> None:
    answer = bytearray(timestamp(DATA, tsa.url, tsa.root))
    answer[-20] ^= 1
    with pytest.raises(TimestampRefused, match="does not hold"):
        verify_timestamp(bytes(answer), DATA, tsa.root)


def test_an_old_answer_played_again_is_refused_by_its_nonce(honest: Authority) -> None:
    timestamp(DATA, honest.url, honest.root)
    earlier = reply(honest.folder, honest.requests[-1])
    honest.answer = lambda _: (200, {}, earlier)
    with pytest.raises(TimestampRefused, match="Nonce"):
        timestamp(DATA, honest.url, honest.root)


@pytest.mark.parametrize(
    ("status", "headers", "body", "said"),
    [
        (500, {}, b"", "status 500"),
        (302, {"Location": "http://127.0.0.1:1/elsewhere"}, b"", "status 302"),
        (200, {}, b"<html>", "does not hold"),
        (200, {}, b"", "does not hold"),
        (200, {}, b"x" * 200_000, "100001 bytes"),
    ],
)
def test_what_is_no_timestamp_is_refused_by_its_cause(
    honest: Authority, status: int, headers: dict[str, str], body: bytes, said: str
) -> None:
    honest.answer = lambda _: (status, headers, body)
    before = len(honest.requests)
    with pytest.raises(TimestampRefused, match=said):
        timestamp(DATA, honest.url, honest.root)
    assert len(honest.requests) == before + 1


def test_an_authority_that_is_not_there_is_named(tsa: Authority) -> None:
    with pytest.raises(TimestampRefused, match="127.0.0.1:9"):
        timestamp(DATA, "http://127.0.0.1:9/tsr", tsa.root)


def test_a_file_without_certificates_is_named(tsa: Authority, tmp_path: Path) -> None:
    with pytest.raises(TimestampRefused, match="missing.pem holds no certificates"):
        timestamp(DATA, tsa.url, tmp_path / "missing.pem")
