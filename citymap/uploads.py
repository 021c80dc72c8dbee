"""Files on their way to the server."""

import mimetypes
from collections.abc import Iterator
from pathlib import Path

from citymap.connection import Connection

_CHUNK = 1 << 20


def upload(connection: Connection, path: Path, name: str | None = None) -> str:
    """Send a file in pieces of a mebibyte, never whole in memory; returns the upload's id."""
    headers = {
        "Content-Type": mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        "Content-Length": str(path.stat().st_size),
    }
    answer = connection.send(
        "POST", "uploads", params={"name": name or path.name}, headers=headers, content=_pieces(path)
    )
    return str(answer.json()["id"])


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece
