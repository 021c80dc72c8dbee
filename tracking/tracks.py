"""Reads what is stored: devices, and their tracks as arrays."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from layers.registry import find_layer
from tracking.judging import jumps
from tracking.model import UNFIT, Device, Doubt

type Floats = NDArray[np.float64]
type Ints = NDArray[np.int64]

#: Fixes of one track that are read at once: ten days at one a second.
MOST = 864_000
_COLUMNS = ("time", "lon", "lat", "speed", "heading", "mileage", "received", "status", "alarms", "doubt")
# One value of bytes instead of rows of objects: a device's day comes in a few milliseconds.
_TRACK = text("""
    SELECT string_agg(float8send(extract(epoch FROM time)::float8) || float8send(coalesce(ST_X(geom), 'NaN'))
        || float8send(coalesce(ST_Y(geom), 'NaN')) || float8send(coalesce(speed, 'NaN')::float8)
        || float8send(coalesce(heading, 'NaN'::float8)) || float8send(coalesce(mileage, 'NaN'))
        || float8send(extract(epoch FROM received)::float8) || float8send(coalesce(status, -1)::float8)
        || float8send(alarms::float8) || float8send(doubt::float8), ''::bytea)
    FROM (SELECT * FROM tracking.positions WHERE device = :device AND time >= :begin AND time < :end
          ORDER BY time, variant LIMIT :most) AS track""")
_DEVICE = text("""
    SELECT id, code, name, department, kind, person, enabled, speed_limit, duty FROM city.devices
    WHERE code = ANY (:codes) OR CAST(:codes AS text[]) IS NULL ORDER BY id LIMIT :most""")
#: Devices of one city.
MOST_DEVICES = 100_000


class DeviceNotFound(LookupError):
    """No device of that code, or not for whoever asks."""


@dataclass(frozen=True, slots=True)
class Track:
    """Fixes of one device in order of time, arrays of shape (n,).

    ``time`` and ``received`` are Unix times [s], ``lon`` and ``lat`` CGCS2000 degrees, ``speed`` [km/h],
    ``heading`` [°], ``mileage`` [km]; what was not told is NaN, a ``status`` that was not -1. ``doubt`` has the bits of
    :class:`tracking.model.Doubt`.
    """

    device: Device
    time: Floats
    lon: Floats
    lat: Floats
    speed: Floats
    heading: Floats
    mileage: Floats
    received: Floats
    status: Ints
    alarms: Ints
    doubt: Ints

    def __len__(self) -> int:
        return len(self.time)

    def chosen(self, rows: NDArray[Any]) -> "Track":
        """The fixes that a mask or indices choose."""
        return Track(self.device, *(getattr(self, name)[rows] for name in self.__slots__[1:]))

    def fit(self) -> "Track":
        """The fixes that may be used: without doubt about place and time, one per instant."""
        fit = self.chosen((self.doubt & int(UNFIT)) == 0)
        return fit.chosen(np.diff(fit.time, prepend=-np.inf) > 0)


def read_devices(conn: Connection, codes: list[str] | None = None) -> list[Device]:
    """The devices of these codes, or all, that the connection's principal may see.

    Raises :class:`layers.registry.LayerNotFound` where it may see none at all.
    """
    find_layer(conn, "devices")
    rows = conn.execute(_DEVICE, {"codes": codes, "most": MOST_DEVICES})
    return [
        Device(r.id, r.code, r.name or r.code, r.department, r.kind or "other", bool(r.person), r.enabled is not False,
               r.speed_limit, r.duty)
        for r in rows if r.code
    ]  # fmt: skip


def read_device(conn: Connection, code: str) -> Device:
    """The device of that code. Raises :class:`DeviceNotFound`."""
    found = read_devices(conn, [code])
    if not found:
        raise DeviceNotFound(f"there is no device {code[:80]!r}")
    return found[0]


def read_track(conn: Connection, device: Device, begin: datetime, end: datetime) -> Track:
    """The stored fixes of a device in ``[begin, end)`` that the connection's principal may see, jumps marked.

    A look at the track of a device that a person carries is audited. At most :data:`MOST` fixes come, the first ones.
    """
    if device.person:
        note_look(conn, device, begin, end)
    values = {"device": device.id, "begin": begin, "end": end, "most": MOST}
    data = conn.execute(_TRACK, values).scalar()
    table = np.frombuffer(bytes(data or b""), ">f8").reshape(-1, len(_COLUMNS)).T.astype(np.float64)
    columns: dict[str, Any] = dict(zip(_COLUMNS, table, strict=True))
    whole = {name: columns[name].astype(np.int64) for name in ("status", "alarms", "doubt")}
    good = np.flatnonzero((whole["doubt"] & int(UNFIT)) == 0)
    odd = good[jumps(columns["time"][good], columns["lon"][good], columns["lat"][good])]
    whole["doubt"][odd] |= int(Doubt.JUMP)
    return Track(device, **{**columns, **whole})


def note_look(conn: Connection, device: Device, begin: datetime, end: datetime) -> None:
    """Enter into the audit log that somebody looks at a person's track."""
    conn.execute(
        text(
            "SELECT audit.append('read', 'track', :device, detail => jsonb_build_object('begin', :begin, 'end', :end))"
        ),
        {"device": device.code, "begin": begin.isoformat(), "end": end.isoformat()},
    )
