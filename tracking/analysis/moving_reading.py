"""Reads moving features: which device a feature stands for, and the hours of its track."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text

from layers.features import FeatureNotFound
from layers.registry import find_layer
from tracking.model import UNFIT, Device
from tracking.tracks import Track, read_device, read_track

#: The layers whose features move: the code of a feature's device, and the time that the feature is about.
_FEATURES = {
    "devices": text(
        "SELECT code, NULL AS began, NULL AS ended FROM city.devices WHERE id = :item AND code IS NOT NULL"
    ),
    "positions": text("SELECT device, NULL, NULL FROM city.positions WHERE id = :item"),
    "trajectories": text("SELECT device, began, ended FROM city.trajectories WHERE id = :item"),
}
#: A field of each by which it is told from a city's own layer of that name.
MOVING = {"devices": "terminal", "positions": "heard", "trajectories": "speed_most"}
# A step of an index for each hour: how many positions there are does not matter.
_HOURS = text("""
    WITH RECURSIVE hours AS (
        (SELECT date_bin('1 hour', time, 'epoch') AS hour FROM tracking.positions
         WHERE device = :device AND time >= :begin AND time < :end AND doubt & :unfit = 0 ORDER BY time LIMIT 1)
        UNION ALL
        SELECT (SELECT date_bin('1 hour', p.time, 'epoch') FROM tracking.positions p
                WHERE p.device = :device AND p.time >= h.hour + interval '1 hour' AND p.time < :end
                  AND p.doubt & :unfit = 0 ORDER BY p.time LIMIT 1)
        FROM hours h WHERE h.hour IS NOT NULL)
    SELECT hour FROM hours WHERE hour IS NOT NULL LIMIT :most""")
_HOUR = timedelta(hours=1)
#: No position is older, and none is later.
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class MovingFeature:
    """A feature that stands for a device, over the time that it is about: ``begin`` to before ``end``."""

    device: Device
    begin: datetime
    end: datetime

    @property
    def brief(self) -> bool:
        """Whether it is about a few minutes, and not about as long as there are positions."""
        return self.end < _LAST


def find_moving(conn: Connection, collection: str, item: int) -> MovingFeature:
    """The moving feature behind an item of one of :data:`MOVING`.

    Raises :class:`layers.features.FeatureNotFound`, :class:`tracking.tracks.DeviceNotFound` and
    :class:`layers.registry.LayerNotFound` for whoever may not see it, its device, or positions.
    """
    find_layer(conn, "positions")
    row = conn.execute(_FEATURES[collection], {"item": item}).one_or_none()
    if row is None:
        raise FeatureNotFound(f"layer {collection!r} has no feature {item}")
    code, began, ended = row
    last = ended + timedelta(microseconds=1) if ended else _LAST
    return MovingFeature(read_device(conn, code), began or _FIRST, last)


def read_hours(
    conn: Connection, moving: MovingFeature, begin: datetime | None, end: datetime | None, most: int
) -> tuple[Track | None, datetime | None]:
    """The fixes of the first ``most`` hours with any from that of ``begin`` to that of ``end``, whole hours each, and
    where the next one begins.

    A brief feature is read as a whole. A look at a person's track is audited.
    """
    if moving.brief:
        return read_track(conn, moving.device, moving.begin, moving.end).fit(), None
    first, last = _hour(begin or _FIRST), _hour(end or _LAST) + _HOUR
    values = {"device": moving.device.id, "begin": first, "end": last, "unfit": int(UNFIT), "most": most + 1}
    found = list(conn.execute(_HOURS, values).scalars())
    if not found:
        return None, None
    track = read_track(conn, moving.device, found[0], found[:most][-1] + _HOUR).fit()
    return track, found[most] if len(found) > most else None


def _hour(at: datetime) -> datetime:
    """When its hour (UTC) begins, within the time that there are positions of."""
    return min(max(at, _FIRST), _LAST).astimezone(UTC).replace(minute=0, second=0, microsecond=0)
