"""Puts positions into ``tracking.positions``: the one way, whatever protocol they came by.

One COPY into a temporary table and one INSERT … ON CONFLICT DO NOTHING: what was stored already changes nothing, so a
batch may be sent again after a doubtful end. Nobody is answered before the caller's transaction commits.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any, NamedTuple

import orjson
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, cursor
from psycopg2.extras import execute_values
from sqlalchemy import Connection

from tracking.model import UNFIT, Device, Fix, Stored

_STAGE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS stage_positions (
        device bigint, time timestamptz, variant integer, received timestamptz,
        lon double precision, lat double precision, speed real, heading smallint, altitude smallint,
        alarms bigint, status bigint, mileage double precision, doubt smallint, department text, more text
    ) ON COMMIT DELETE ROWS"""
_COPY = "COPY pg_temp.stage_positions FROM STDIN (FORMAT binary)"
_INSERT = """
    INSERT INTO tracking.positions (device, time, variant, received, geom,
        department, speed, heading, altitude, alarms, status, mileage, doubt, more)
    SELECT device, time, variant, received, CASE WHEN lon BETWEEN -180 AND 180 AND lat BETWEEN -90 AND 90
               THEN ST_SetSRID(ST_MakePoint(lon, lat), 4490) END,
           department, nullif(speed, 'NaN'), nullif(heading, -1), nullif(altitude, -32768), alarms, nullif(status, -1),
           nullif(mileage, 'NaN'), doubt, more::jsonb
    FROM pg_temp.stage_positions ORDER BY device, time, variant
    ON CONFLICT DO NOTHING"""
#: Fields of one row of the COPY, each behind its length: 13 of fixed width, then two texts.
_ROW = struct.Struct(">h iq iq ii iq id id if ih ih iq iq id ih")
_VARIANT = struct.Struct(">ddqqd")
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
#: Unix time of PostgreSQL's epoch.
_EPOCH = 946_684_800
_NAN = float("nan")
#: Longest ``more`` of a fix [bytes of JSON].
_LONGEST_MORE = 8192
_DAY, _BEIJING = 86_400, 8 * 3600
#: Length of a stretch of the layer ``trajectories`` [s].
LENGTH = 900
#: Seconds after a stretch's end from which on it may be drawn already, or may be being drawn.
_SOON = 20


class Quarantined(NamedTuple):
    """A message that could not be read, with its bytes."""

    protocol: str
    address: str | None
    device: str | None
    reason: str
    data: bytes


class Note(NamedTuple):
    """Something else that a device said; ``received`` is Unix time [s]."""

    device: Device
    received: float
    kind: str
    data: bytes


@contextmanager
def cursor_of(conn: Connection) -> Iterator[cursor]:
    """The driver's cursor in the connection's transaction, as the functions below take it."""
    own: Any = conn.connection.cursor()
    with own:
        yield own


def store(to: cursor, rows: Sequence[Stored], received: float) -> int:
    """Add fixes to the cursor's transaction; how many were not there yet. ``received`` is Unix time [s].

    Raises the driver's errors.
    """
    if not rows:
        return 0
    to.execute(_STAGE)
    if to.connection.get_transaction_status() == TRANSACTION_STATUS_IDLE:
        raise RuntimeError("positions are stored within a transaction: without one the stage is empty at once")
    to.copy_expert(_COPY, BytesIO(copied(rows, received)))
    to.execute(_INSERT)
    new: int = to.rowcount
    _touch(to, rows, received)
    return new


def clear_stage(to: cursor) -> None:
    """Before more is stored in the same transaction; its end does the same."""
    to.execute("TRUNCATE pg_temp.stage_positions")


def store_notes(to: cursor, notes: Sequence[Note]) -> None:
    """Add notes to the cursor's transaction; one that is there already stays."""
    _insert(
        to,
        "INSERT INTO tracking.notes (device, received, kind, data) VALUES %s ON CONFLICT DO NOTHING",
        [(n.device.id, n.received, n.kind, n.data[:65_536]) for n in notes],
        "(%s, to_timestamp(%s), %s, %s)",
    )


def quarantine(to: cursor, found: Sequence[Quarantined]) -> None:
    """Keep messages that could not be read: 8 KB of each."""
    _insert(
        to,
        "INSERT INTO tracking.quarantine (protocol, address, device, reason, data) VALUES %s",
        [
            (q.protocol, q.address, q.device and _plain(q.device)[:64], _plain(q.reason)[:500], q.data[:8192])
            for q in found
        ],
        "(%s, %s, %s, %s, %s)",
    )


def _plain(text: str) -> str:
    """Without what PostgreSQL's texts cannot hold."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def make_days(to: cursor, days: Iterable[int]) -> None:
    """Make the partitions of these days (days since 1970-01-01, GMT+8) that are missing."""
    wanted = sorted(days)
    if wanted:
        to.execute("SELECT tracking.make_days(ARRAY(SELECT date '1970-01-01' + d FROM unnest(%s) d))", (wanted,))


def day_of(at: float) -> int:
    """The day (GMT+8, since 1970-01-01) of a Unix time [s]."""
    return int((at + _BEIJING) // _DAY)


def copied(rows: Sequence[Stored], received: float) -> bytes:
    """The rows as binary COPY (PostgreSQL's documentation of COPY, Binary Format)."""
    now = int((received - _EPOCH) * 1_000_000)
    return b"".join((_HEADER, *(_row(device, fix, now) for device, fix in rows), _END))


def variant(fix: Fix) -> int:
    """Tells reports of one device and second apart, by what they say: signed 32 bits."""
    status = -1 if fix.status is None else fix.status
    speed = -1.0 if fix.speed is None else fix.speed
    code = zlib.crc32(_VARIANT.pack(fix.lon, fix.lat, fix.alarms, status, speed))
    return code - 0x1_0000_0000 if code & 0x8000_0000 else code


def _row(device: Device, fix: Fix, now: int) -> bytes:
    status = -1 if fix.status is None else fix.status
    fixed = _ROW.pack(
        15,
        8, device.id, 8, int((fix.time - _EPOCH) * 1_000_000), 4, variant(fix), 8, now, 8, fix.lon, 8, fix.lat,
        4, _NAN if fix.speed is None else fix.speed, 2, -1 if fix.heading is None else fix.heading & 0x7FFF,
        2, -32_768 if fix.altitude is None else fix.altitude, 8, fix.alarms, 8, status,
        8, _NAN if fix.mileage is None else fix.mileage, 2, fix.doubt,
    )  # fmt: skip
    return fixed + _text(device.department) + _text(_more(fix))


def _text(value: str | bytes | None) -> bytes:
    if value is None:
        return _NULL
    data = value.encode() if isinstance(value, str) else value
    return len(data).to_bytes(4) + data


def _more(fix: Fix) -> bytes | None:
    """The protocol's own values, and a place that the table's geometry cannot hold."""
    more = fix.more
    if not (-180 <= fix.lon <= 180 and -90 <= fix.lat <= 90):
        more = {**(more or {}), "lon": repr(fix.lon), "lat": repr(fix.lat)}
    if not more:
        return None
    encoded = orjson.dumps(more)
    return encoded if len(encoded) <= _LONGEST_MORE else orjson.dumps({"cut": len(encoded)})


def _touch(to: cursor, rows: Sequence[Stored], received: float) -> None:
    """Note which stretches of track have to be drawn again (:mod:`tracking.stretches`)."""
    drawn = received - _SOON - LENGTH
    late: set[tuple[int, float]] = set()
    for device, fix in rows:
        begin = fix.time - fix.time % LENGTH
        if begin <= drawn and not fix.doubt & UNFIT:
            late |= {(device.id, begin), (device.id, begin + LENGTH)}  # whose line begins with this one's end
    _insert(
        to,
        "INSERT INTO tracking.touched (device, stretch) VALUES %s ON CONFLICT DO NOTHING",
        sorted(late),
        "(%s, to_timestamp(%s))",
    )


def _insert(to: cursor, statement: str, rows: Sequence[tuple[Any, ...]], template: str) -> None:
    if rows:
        execute_values(to, statement, rows, template, page_size=500)
