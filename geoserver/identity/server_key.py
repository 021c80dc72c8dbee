"""The server's key: one file from which the keys of tokens, one-time codes and forms are derived (HKDF, RFC 5869).

A line is 32 random bytes in hexadecimal. The first line makes; all lines are taken, so that a new first line
(``citymap keys rotate``) ends nothing. Who has the file can sign in as anybody: back it up apart from the database.
"""

import hmac
import os
import secrets
import stat
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Purpose = Literal["token", "totp", "csrf", "known-browser", "oidc", "receipt"]

_BYTES = 32


class ServerKeyError(RuntimeError):
    """The key file cannot be made, read or trusted."""


@dataclass(frozen=True)
class ServerKey:
    """The lines of the file, newest first."""

    lines: tuple[bytes, ...]

    def derived(self, purpose: Purpose) -> tuple[bytes, ...]:
        """A key of 32 bytes for a purpose from each line, newest first."""
        return self._derived[purpose]

    def sign(self, purpose: Purpose, message: bytes) -> bytes:
        """HMAC-SHA256 with the newest line."""
        return hmac.digest(self.derived(purpose)[0], message, sha256)

    def signed(self, purpose: Purpose, message: bytes, signature: bytes) -> bool:
        """Whether any line made that signature; takes the same time wherever it differs."""
        return any(hmac.compare_digest(hmac.digest(key, message, sha256), signature) for key in self.derived(purpose))

    @cached_property
    def _derived(self) -> dict[str, tuple[bytes, ...]]:
        purposes: tuple[Purpose, ...] = ("token", "totp", "csrf", "known-browser", "oidc", "receipt")
        return {purpose: tuple(_derive(line, purpose) for line in self.lines) for purpose in purposes}


def open_server_key(path: str | Path) -> ServerKey:
    """The key in the file, which is made if there is none. Raises :class:`ServerKeyError`."""
    path = Path(path)
    try:
        if not path.exists():
            _make(path)
        return _read(path)
    except OSError as error:
        raise ServerKeyError(f"{path}: {error.strerror}; set access.server_key to a file that this user owns") from None


def rotate_server_key(path: str | Path, keep: int = 1) -> ServerKey:
    """Put a new line before the newest ``keep`` lines, and drop the rest."""
    path = Path(path)
    key = ServerKey((secrets.token_bytes(_BYTES), *open_server_key(path).lines[:keep]))
    fresh = _write_beside(path, key.lines)
    os.replace(fresh, path)
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = _write_beside(path, (secrets.token_bytes(_BYTES),))
    try:
        os.link(fresh, path)  # fails where another worker was faster, whose key then holds
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def _write_beside(path: Path, lines: tuple[bytes, ...]) -> Path:
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("".join(f"{line.hex()}\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())
    return fresh


def _read(path: Path) -> ServerKey:
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ServerKeyError(f"{path} can be read by others: chmod 600 {path}; if others had access, rotate it")
    try:
        lines = tuple(bytes.fromhex(line) for line in path.read_text("ascii").split())
    except ValueError:
        lines = ()
    if not lines or any(len(line) != _BYTES for line in lines):
        raise ServerKeyError(f"{path} holds no key: restore it from a backup (or remove it: all codes are set up anew)")
    return ServerKey(lines)


def _derive(line: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"citymap {purpose}".encode()).derive(line)
