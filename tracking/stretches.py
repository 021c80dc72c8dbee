"""Draws the layer ``trajectories``: the track of each device by quarters of an hour, once each is over.

Late reports touch quarters that are drawn already (``tracking.touched``): those are drawn again, so the layer is that
of the whole track in whatever order it came.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO

import numpy as np
import shapely
from numpy.typing import NDArray
from psycopg2.extensions import cursor

from tracking.judging import jumps
from tracking.model import UNFIT
from tracking.storing import LENGTH

#: Seconds after its end at which a stretch is drawn, and the gap over which a line goes on from the one before.
SETTLE, GAP = 60, 300
#: A device that moves less [m] in a stretch has stood.
LEAST = 20.0
#: Devices whose fixes are held at once.
_DEVICES = 500

_FIXES = """
    SELECT string_agg(float8send(device::float8) || float8send(extract(epoch FROM time)::float8)
        || float8send(ST_X(geom)) || float8send(ST_Y(geom)) || float8send(coalesce(speed, 'NaN')::float8), ''::bytea)
    FROM (SELECT DISTINCT ON (device, time) device, time, geom, speed FROM tracking.positions
          WHERE device = ANY (%(devices)s) AND time >= to_timestamp(%(begin)s) AND time < to_timestamp(%(end)s)
            AND doubt & %(unfit)s = 0 AND geom IS NOT NULL
          ORDER BY device, time, variant) AS fixes"""
_STAGE = """
    CREATE TEMPORARY TABLE IF NOT EXISTS stage_stretches (
        device bigint, stretch timestamptz, line geometry, began timestamptz, ended timestamptz, points bigint,
        speed_most double precision
    ) ON COMMIT DELETE ROWS"""
# GRS 1980 is CGCS2000's ellipsoid to 0.1 mm.
_DRAW = """
    INSERT INTO city.trajectories AS t (geom, key, device, name, department, began, ended, points, length, speed_mean,
                                        speed_most)
    SELECT placed, key, code, name, department, began, ended, points, metres,
           metres / nullif(extract(epoch FROM ended - began), 0) * 3.6, speed_most
    FROM (SELECT s.*, ST_SetSRID(s.line, 4490) AS placed, d.code, d.name, d.department,
                 d.code || ' ' || to_char(s.stretch AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MI"Z"') AS key,
                 ST_LengthSpheroid(s.line, 'SPHEROID["GRS 1980",6378137,298.257222101]') AS metres
          FROM pg_temp.stage_stretches s JOIN city.devices d ON d.id = s.device) AS drawn
    WHERE metres >= %s
    ON CONFLICT (key) DO UPDATE SET
        geom = excluded.geom, name = excluded.name, department = excluded.department, began = excluded.began,
        ended = excluded.ended, points = excluded.points, length = excluded.length, speed_mean = excluded.speed_mean,
        speed_most = excluded.speed_most
    WHERE (t.points, t.began, t.ended) IS DISTINCT FROM (excluded.points, excluded.began, excluded.ended)"""
_MARK = "SELECT extract(epoch FROM upto)::float8 FROM tracking.marks WHERE name = 'stretches'"
_SET_MARK = """
    INSERT INTO tracking.marks VALUES ('stretches', to_timestamp(%s))
    ON CONFLICT (name) DO UPDATE SET upto = excluded.upto"""
_TOUCHED = """
    DELETE FROM tracking.touched WHERE ctid = ANY (ARRAY(SELECT ctid FROM tracking.touched ORDER BY stretch LIMIT 5000))
    RETURNING device, extract(epoch FROM stretch)::float8"""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A device's line in one quarter: ``fixes`` of shape (n, 4), time, longitude, latitude and speed."""

    device: int
    begin: float
    fixes: NDArray[np.float64]


def draw_due(to: cursor, now: float) -> int:
    """Draw the quarters that are over and not drawn, and the touched ones; how many quarters were looked at.

    At most a day's at once, so that a long pause is caught up in several transactions.
    """
    to.execute(_MARK)
    row = to.fetchone()
    last = now - SETTLE - (now - SETTLE) % LENGTH
    begin = max(row[0] if row else last - LENGTH, last - 30 * 86_400)
    quarters = [begin + n * LENGTH for n in range(int((last - begin) // LENGTH))][:96]
    to.execute("SELECT id FROM city.devices ORDER BY id")
    devices = [found[0] for found in to.fetchall()]
    for quarter in quarters:
        for at in range(0, len(devices), _DEVICES):
            draw(to, devices[at : at + _DEVICES], quarter)
    if quarters:
        to.execute(_SET_MARK, (quarters[-1] + LENGTH,))
    to.execute(_TOUCHED)
    touched: dict[float, list[int]] = {}
    for device, quarter in to.fetchall():
        touched.setdefault(quarter, []).append(device)
    for quarter, again in touched.items():
        draw(to, again, quarter)
    return len(quarters) + len(touched)


def draw(to: cursor, devices: list[int], begin: float) -> None:
    """Draw one quarter of these devices. ``begin`` is Unix time [s]."""
    values = {"devices": devices, "begin": begin - GAP, "end": begin + LENGTH, "unfit": int(UNFIT)}
    to.execute(_FIXES, values)
    (data,) = to.fetchone() or (None,)
    table = np.frombuffer(bytes(data or b""), ">f8").reshape(-1, 5).astype(np.float64)
    lines = list(_lines(cut(table, begin)))
    if lines:
        to.execute(_STAGE)
        to.copy_expert("COPY pg_temp.stage_stretches FROM STDIN", StringIO("".join(lines)))
        to.execute(_DRAW, (LEAST,))
        to.execute("TRUNCATE pg_temp.stage_stretches")


def cut(table: NDArray[np.float64], begin: float) -> Iterator[Stretch]:
    """The stretches in rows of device, time, longitude, latitude and speed, sorted by device and time.

    A line begins with the last fix before the quarter, if that is not long ago, so that lines join.
    """
    for rows in np.split(table, np.flatnonzero(np.diff(table[:, 0])) + 1) if len(table) else ():
        fixes = rows[~jumps(rows[:, 1], rows[:, 2], rows[:, 3])]
        first = int(np.searchsorted(fixes[:, 1], begin))
        if first < len(fixes) and len(fixes) - max(first - 1, 0) >= 2:
            yield Stretch(int(rows[0, 0]), begin, fixes[max(first - 1, 0) :, 1:])


def _lines(stretches: Iterable[Stretch]) -> Iterator[str]:
    for stretch in stretches:
        fixes = stretch.fixes
        line = shapely.to_wkb(shapely.linestrings(fixes[:, 1:3]), hex=True)
        speeds = fixes[~np.isnan(fixes[:, 3]), 3]
        most = repr(float(speeds.max())) if len(speeds) else "\\N"
        times = (datetime.fromtimestamp(at, UTC).isoformat() for at in (stretch.begin, fixes[0, 0], fixes[-1, 0]))
        began, first, last = times
        yield f"{stretch.device}\t{began}\t{line}\t{first}\t{last}\t{len(fixes)}\t{most}\n"
