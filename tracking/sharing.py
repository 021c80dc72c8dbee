"""Links that show one device's live position to whoever has them, until they end.

分享链接 share. The address holds 256 random bits, of which only the SHA-256 is kept. A link shows where the device is
now, never where it was; who made, ended and used it is in the audit log.
"""

import hashlib
import secrets
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg2.errors import InsufficientPrivilege
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError

from layers.features import RowDenied
from tracking.commands import require_change
from tracking.judging import may_keep
from tracking.model import Device
from tracking.tracks import read_device

#: Days for which a link may be good, and links of one device that are good at once.
LONGEST_DAYS, MOST = 31, 20
_COLUMNS = "id, code, made, made_by, expires, revoked, note, looks, looked"
_ADD = text(f"""
    INSERT INTO tracking.shares (digest, device, code, department, expires, note)
    VALUES (:digest, :device, :code, :department, :expires, :note) RETURNING {_COLUMNS}""")
_LIST = text(f"""
    SELECT {_COLUMNS} FROM tracking.shares WHERE code = :code OR CAST(:code AS text) IS NULL
    ORDER BY made DESC, id LIMIT 1000""")
_LIVE = text("""
    SELECT count(*) FROM tracking.shares WHERE device = :device AND revoked IS NULL AND expires > now()""")
_REVOKE = text("""
    UPDATE tracking.shares SET revoked = now(), revoked_by = nullif(current_setting('citymap.actor', true), '')
    WHERE id = :id AND revoked IS NULL RETURNING code""")
_NOTE = text("""
    SELECT audit.append(:action, 'position-share', :share,
                        detail => jsonb_build_object('device', CAST(:device AS text)))""")


class ShareRefused(ValueError):
    """No such link is made; the message says why."""


@dataclass(frozen=True, slots=True)
class Share:
    """A link as those see it who may change the device; ``looks`` counts its use."""

    id: UUID
    device: str
    made: datetime
    made_by: str
    expires: datetime
    revoked: datetime | None
    note: str | None
    looks: int
    looked: datetime | None


def make_share(conn: Connection, code: str, expires: datetime, note: str | None) -> tuple[Share, str]:
    """A link to a device's live position until a time, and the token of its address, which is told only now.

    Raises :class:`ShareRefused`, :class:`tracking.tracks.DeviceNotFound`, and :class:`layers.features.RowDenied` where
    the principal may not change the device.
    """
    ahead = expires.timestamp() - time.time()
    if not 0 < ahead <= LONGEST_DAYS * 86_400:
        raise ShareRefused(f"a link ends in the future, within {LONGEST_DAYS} days")
    device = read_device(conn, code)
    require_change(conn, device)
    if conn.execute(_LIVE, {"device": device.id}).scalar_one() >= MOST:
        raise ShareRefused(f"device {code!r} has {MOST} links already: end one")
    token = secrets.token_urlsafe(32)
    values = {
        "digest": _digest(token), "device": device.id, "code": code, "department": device.department,
        "expires": expires, "note": note,
    }  # fmt: skip
    try:
        share = Share(*conn.execute(_ADD, values).one())
    except ProgrammingError as error:
        if isinstance(error.orig, InsufficientPrivilege):
            raise RowDenied(f"you may not share device {code!r}") from None
        raise
    conn.execute(_NOTE, {"action": "create", "share": str(share.id), "device": code})
    return share, token


def list_shares(conn: Connection, code: str | None = None) -> list[Share]:
    """The links of a device, or of all, that the principal may see, newest first."""
    return [Share(*row) for row in conn.execute(_LIST, {"code": code})]


def revoke_share(conn: Connection, share: UUID) -> bool:
    """End a link; whether there was such a live one that the principal may end."""
    code = conn.execute(_REVOKE, {"id": share}).scalar()
    if code is None:
        return False
    conn.execute(_NOTE, {"action": "delete", "share": str(share), "device": code})
    return True


def shared_position(conn: Connection, token: str) -> dict[str, Any] | None:
    """Where the device of a link is now; None without such a link. A person's place is shown on duty only."""
    found = conn.execute(text("SELECT tracking.shared_position(:digest)"), {"digest": _digest(token)}).scalar()
    if found is None:
        return None
    person = Device(0, "", "", None, "", bool(found.pop("person")), duty=found.pop("duty"))
    if not may_keep(person, time.time()):
        found |= {"state": "off-duty", "time": None, "lon": None, "lat": None, "speed": None, "heading": None}
    return dict(found)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token[:200].encode()).digest()
