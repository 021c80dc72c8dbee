"""Adds to tracks what a client sends at once, by whoever may change the device."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from tracking.commands import require_change
from tracking.gateway.board import CHANNEL
from tracking.inputs.values import InputRefused
from tracking.judging import may_keep, not_ahead
from tracking.model import Device, Fix, Stored
from tracking.storing import cursor_of, store

#: Terminals' gateways hear of it, and so does the audit log.
_TELL = text("""
    SELECT pg_notify(:channel, ''), audit.append('create', 'track', CAST(:device AS text),
                                                 detail => jsonb_build_object('stored', CAST(:stored AS integer)))""")


@dataclass(frozen=True, slots=True)
class Added:
    """What became of it: how many instants came, are new, were there already, and were left out (off duty); and the
    first that is kept, Unix time [s]."""

    received: int
    stored: int
    present: int
    left_out: int
    first: float


def add_to_track(conn: Connection, device: Device, fixes: Sequence[Fix]) -> Added:
    """Store fixes of a device in the connection's transaction; what is there already stays as it is.

    Raises :class:`layers.features.RowDenied` where the principal may not change the device, and
    :class:`InputRefused` where nothing may be kept.
    """
    require_change(conn, device)
    now = time.time()
    kept = [Stored(device, not_ahead(fix, now)) for fix in fixes if may_keep(device, fix.time)]
    if not kept:
        raise InputRefused("nothing is kept: the person was off duty at every one of these instants")
    with cursor_of(conn) as cursor:
        new = store(cursor, kept, now)
    told = {"device": device.code, "channel": CHANNEL, "stored": new}
    conn.execute(_TELL, told)
    return Added(len(fixes), new, len(kept) - new, len(fixes) - len(kept), min(row.fix.time for row in kept))
