"""The tracks that a process looks at, with what is wrong about the question."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from layers.registry import find_layer
from tracking.tracks import MOST, DeviceNotFound, Track, read_devices, read_track

#: The longest time that one question may be about.
LONGEST = timedelta(days=31)


class AnalysisRefused(ValueError):
    """A track cannot be analysed as asked; the message names the input."""


def period(begin: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The two ends in UTC; what has no zone is UTC. Raises :class:`AnalysisRefused`."""
    first, last = (at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC) for at in (begin, end))
    if not first < last:
        raise AnalysisRefused(f"input 'end': {last:%Y-%m-%dT%H:%M:%SZ} is not after 'begin', {first:%Y-%m-%dT%H:%M:%SZ}")
    if last - first > LONGEST:
        raise AnalysisRefused(f"inputs 'begin' and 'end': more than {LONGEST.days} days at once; ask for less")
    return first, last


def tracks(conn: Connection, codes: Sequence[str], begin: datetime, end: datetime) -> Iterator[Track]:
    """The usable fixes of these devices, in the order given; each look at a person's is audited.

    Raises :class:`AnalysisRefused`, :class:`tracking.tracks.DeviceNotFound`, and
    :class:`layers.registry.LayerNotFound` for whoever may not read positions at all.
    """
    find_layer(conn, "positions")
    first, last = period(begin, end)
    found = {device.code: device for device in read_devices(conn, list(codes))}
    for code in codes:
        if code not in found:
            raise DeviceNotFound(f"there is no device {code[:80]!r}")
    for code in dict.fromkeys(codes):
        track = read_track(conn, found[code], first, last)
        if len(track) == MOST:
            raise AnalysisRefused(f"device {code!r} has more than {MOST} fixes in that time; ask for less")
        yield track.fit()
