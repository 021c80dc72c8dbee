"""The head of the chain as a document, to be kept where the database's owner cannot reach it.

Who may change the database may also make the chain anew, but none that leads to a head that somebody else has.
"""

import base64
import binascii
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Connection

from geoserver.audit.chain import Link, Place, canonical
from geoserver.audit.timestamps import TimestampRefused, verify_timestamp

FORMAT = "citymap-audit-head"
_MOST_BYTES = 1_000_000
_HEAD = """
    SELECT seq, entry, to_char(sealed AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), algorithm,
           encode(digest, 'hex'), encode(hash, 'hex')
    FROM audit.links ORDER BY seq DESC LIMIT 1"""


class HeadRefused(ValueError):
    """The file holds no exported head."""


@dataclass(frozen=True, slots=True)
class Head:
    """The last link of a chain when it was exported, and the timestamp over that statement (DER), if any."""

    statement: dict[str, Any]
    timestamp: bytes | None = None

    @property
    def place(self) -> Place:
        """The link that it names."""
        return Place(self.statement["seq"], self.statement["hash"])

    @property
    def signed(self) -> bytes:
        """The bytes that a timestamp is over."""
        return canonical(self.statement)

    def document(self) -> dict[str, Any]:
        """The document to keep."""
        token = base64.b64encode(self.timestamp).decode() if self.timestamp else None
        return {"statement": self.statement, "timestamp": token}


def current_head(conn: Connection) -> Head | None:
    """The head of the database's chain, None of one without links."""
    row = conn.exec_driver_sql(_HEAD).first()
    if row is None:
        return None
    made = datetime.now(UTC).isoformat(timespec="seconds")
    return Head({"format": FORMAT, "version": 1, "made": made, **asdict(Link(*row))})


def read_head(path: Path) -> Head:
    """An exported head. Raises :class:`HeadRefused` for a file that is none, :class:`OSError`."""
    with path.open("rb") as stream:
        text = stream.read(_MOST_BYTES)
    try:
        document = orjson.loads(text)
        statement, token = document["statement"], document["timestamp"]
        head = Head(statement, base64.b64decode(token, validate=True) if token else None)
        if statement["format"] != FORMAT or type(head.place.seq) is not int or type(head.place.hash) is not str:
            raise ValueError("it names no link")
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise HeadRefused(f"{path.name} is not a head that `citymap audit head` made: {error}") from None
    return head


def timestamped(head: Head, authorities: str | None) -> datetime | None:
    """When an authority saw the head; None without a timestamp. Raises :class:`TimestampRefused`."""
    if head.timestamp is None:
        return None
    if authorities is None:
        raise TimestampRefused(
            "the head has a timestamp, but audit.timestamp_ca names no certificate to verify it with"
        )
    return verify_timestamp(head.timestamp, head.signed, Path(authorities))
