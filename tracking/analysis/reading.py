"""The tracks that a process looks at, with what is wrong about the question."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, text

from layers.registry import find_layer
from tracking.judging import jumps
from tracking.model import UNFIT
from tracking.tracks import MOST, DeviceNotFound, Track, read_devices, read_track

#: The longest time that one question may be about.
LONGEST = timedelta(days=31)
#: Fixes that one question may be about.
MOST_FIXES = 5_000_000
_DAY = timedelta(days=1)
_FLEET = text("""
    SELECT string_agg(float8send(device::float8) || float8send(extract(epoch FROM time)::float8)
        || float8send(ST_X(geom)) || float8send(ST_Y(geom)), ''::bytea)
    FROM (SELECT DISTINCT ON (device, time) device, time, geom FROM tracking.positions
          WHERE time >= :begin AND time < :end AND device = ANY (:devices) AND doubt & :unfit = 0 AND geom IS NOT NULL
          ORDER BY device, time, variant LIMIT :most) AS fixes""")


class AnalysisRefused(ValueError):
    """A track cannot be analysed as asked; the message names the input."""


def period(begin: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The two ends in UTC; what has no zone is UTC. Raises :class:`AnalysisRefused`."""
    try:
        first, last = (at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC) for at in (begin, end))
    except OverflowError:
        raise AnalysisRefused("inputs 'begin' and 'end' lie beyond the calendar") from None
    if not first < last:
        raise AnalysisRefused(
            f"input 'end': {last:%Y-%m-%dT%H:%M:%SZ} is not after 'begin', {first:%Y-%m-%dT%H:%M:%SZ}"
        )
    if last - first > LONGEST:
        raise AnalysisRefused(f"inputs 'begin' and 'end': more than {LONGEST.days} days at once; ask for less")
    return first, last


def tracks(conn: Connection, codes: Sequence[str], begin: datetime, end: datetime) -> Iterator[Track]:
    """The usable fixes of these devices, in the order given; each look at a person's is audited.

    Raises :class:`AnalysisRefused`, :class:`tracking.tracks.DeviceNotFound`, and
    :class:`layers.registry.LayerNotFound` for whoever may not read positions at all.
    """
    first, last = period(begin, end)
    find_layer(conn, "positions")
    seen = 0
    found = {device.code: device for device in read_devices(conn, list(codes))}
    for code in codes:
        if code not in found:
            raise DeviceNotFound(f"there is no device {code[:80]!r}")
    for code in dict.fromkeys(codes):
        track = read_track(conn, found[code], first, last)
        if len(track) == MOST:
            raise AnalysisRefused(f"device {code!r} has more than {MOST} fixes in that time; ask for less")
        if (seen := seen + len(track)) > MOST_FIXES:
            raise AnalysisRefused(f"these devices have more than {MOST_FIXES} fixes in that time; ask for less")
        yield track.fit()


@dataclass(frozen=True, slots=True)
class Fleet:
    """Usable fixes of many devices, sorted by device and time, each (n,): feature id, Unix time [s], degrees."""

    device: NDArray[np.int64]
    time: NDArray[np.float64]
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]


def fleet(conn: Connection, begin: datetime, end: datetime) -> Fleet:
    """The fixes of every vehicle that may be seen; people's are left out, since each look at theirs is audited.

    Raises :class:`AnalysisRefused`, :class:`layers.registry.LayerNotFound`.
    """
    first, last = period(begin, end)
    find_layer(conn, "positions")
    devices = [device.id for device in read_devices(conn) if not device.person]
    parts, count = [np.zeros((0, 4))], 0
    while first < last:
        until = min(first + _DAY, last)
        values = {"begin": first, "end": until, "devices": devices, "unfit": int(UNFIT), "most": MOST_FIXES + 1}
        part = np.frombuffer(bytes(conn.execute(_FLEET, values).scalar() or b""), ">f8").reshape(-1, 4)
        if (count := count + len(part)) > MOST_FIXES:
            raise AnalysisRefused(f"there are more than {MOST_FIXES} fixes in that time; ask for less")
        parts.append(part.astype(np.float64))
        first = until
    table = np.vstack(parts)
    table = table[np.lexsort((table[:, 1], table[:, 0]))]
    table = np.vstack([np.zeros((0, 4)), *(_without_jumps(rows) for rows in _by_device(table))])
    return Fleet(table[:, 0].astype(np.int64), *table[:, 1:].T)


def named_fleet(conn: Connection, codes: Sequence[str], begin: datetime, end: datetime) -> Fleet:
    """The fixes of these devices, as :func:`tracks` reads them."""
    found = sorted(tracks(conn, codes, begin, end), key=lambda track: track.device.id)
    device = np.repeat([track.device.id for track in found], [len(track) for track in found])
    columns = ([np.zeros(0), *(getattr(track, name) for track in found)] for name in ("time", "lon", "lat"))
    return Fleet(device.astype(np.int64), *map(np.concatenate, columns))


def _by_device(table: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    return np.split(table, np.flatnonzero(np.diff(table[:, 0])) + 1) if len(table) else []


def _without_jumps(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows[~jumps(rows[:, 1], rows[:, 2], rows[:, 3])]
