"""The server's key file. The independent reference of the derivation is OpenSSL."""

import shutil
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from geoserver.identity.server_key import ServerKey, ServerKeyError, open_server_key, rotate_server_key


def test_the_file_is_made_for_its_owner_alone_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "server.key"
    key = open_server_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert open_server_key(path) == key and len(key.lines[0]) == 32
    assert [p.name for p in path.parent.iterdir()] == ["server.key"]


def test_workers_that_start_together_have_one_key(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "server.key"
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(open_server_key, [path] * 16))) == 1


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o606])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "server.key"
    open_server_key(path)
    path.chmod(mode)
    with pytest.raises(ServerKeyError, match="chmod 600"):
        open_server_key(path)


@pytest.mark.parametrize("content", ["", "zz\n", "ab" * 31 + "\n", "é\n"])
def test_a_file_without_a_key_is_refused_rather_than_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "server.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ServerKeyError, match="holds no key"):
        open_server_key(path)
    assert path.read_text() == content


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServerKeyError, match=r"access\.server_key"):
        open_server_key(tmp_path / "file" / "server.key")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_keys_are_derived_as_openssl_does() -> None:
    line = bytes(range(32))
    made = subprocess.run(
        ["openssl", "kdf", "-keylen", "32", "-kdfopt", "digest:SHA256", "-kdfopt", f"hexkey:{line.hex()}",
         "-kdfopt", "info:citymap token", "HKDF"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert ServerKey((line,)).derived("token")[0].hex() == made.strip().replace(":", "").lower()


def test_purposes_have_keys_of_their_own() -> None:
    key = ServerKey((bytes(32),))
    assert len({key.derived("token"), key.derived("totp"), key.derived("csrf"), key.derived("known-browser")}) == 4


def test_after_rotation_the_former_line_still_counts_and_the_one_before_does_not(tmp_path: Path) -> None:
    path = tmp_path / "server.key"
    first = open_server_key(path)
    signature = first.sign("csrf", b"x")
    assert rotate_server_key(path) == open_server_key(path)
    assert open_server_key(path).signed("csrf", b"x", signature)
    assert open_server_key(path).sign("csrf", b"x") != signature
    rotate_server_key(path)
    assert not open_server_key(path).signed("csrf", b"x", signature)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
