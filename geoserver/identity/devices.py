"""Secrets of terminals (车载终端, handhelds). Each is shown once and only its SHA-256 kept."""

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, text

from geoserver.accounts import AccountError
from geoserver.identity.sessions import digest

_DEVICE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,63}")
#: Live secrets of one device at most: the old and the new one while they change.
MOST_SECRETS = 2


@dataclass(frozen=True, slots=True)
class DeviceSecret:
    """A secret as people see it."""

    id: UUID
    device: str
    made: datetime
    made_by: str
    revoked: datetime | None


def make_device_secret(conn: Connection, device: str, made_by: str) -> tuple[str, UUID]:
    """A new secret of 32 hexadecimal digits (it fits JT/T 808's 鉴权码), and its id. Raises :class:`AccountError`."""
    if not _DEVICE.fullmatch(device):
        raise AccountError("a device's id has 1 to 64 letters, digits, '_', '.' and '-'")
    if sum(s.revoked is None for s in list_device_secrets(conn, device)) >= MOST_SECRETS:
        raise AccountError(f"device {device!r} has {MOST_SECRETS} secrets already: revoke one")
    secret = secrets.token_hex(16)
    made: UUID = conn.execute(text("""
        INSERT INTO access.device_secrets (device, digest, made_by) VALUES (:device, :digest, :made_by)
        RETURNING id"""),
        {"device": device, "digest": digest(secret), "made_by": made_by}).scalar_one()  # fmt: skip
    return secret, made


def verify_device(conn: Connection, device_id: str, secret: str) -> bool:
    """Whether the device has that live secret."""
    if not _DEVICE.fullmatch(device_id):
        return False
    rows = conn.execute(
        text("""
        SELECT digest FROM access.device_secrets WHERE device = :device AND revoked IS NULL"""),
        {"device": device_id},
    )
    given = digest(secret)
    return any([hmac.compare_digest(bytes(found), given) for found in rows.scalars()])


def list_device_secrets(conn: Connection, device: str | None = None) -> list[DeviceSecret]:
    """The secrets of a device, or of all, newest first."""
    rows = conn.execute(text("""
        SELECT id, device, made, made_by, revoked FROM access.device_secrets
        WHERE device = :device OR CAST(:device AS text) IS NULL ORDER BY made DESC, id LIMIT 10000"""),
        {"device": device})  # fmt: skip
    return [DeviceSecret(*row) for row in rows]


def revoke_device_secret(conn: Connection, secret: UUID) -> bool:
    """End a secret; whether there was such a live one."""
    return conn.execute(text("""
        UPDATE access.device_secrets SET revoked = now() WHERE id = :id AND revoked IS NULL"""),
        {"id": secret}).rowcount == 1  # fmt: skip
