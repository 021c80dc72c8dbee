"""Follows units that were sent: a task is under way once its unit has set off, and arrived by the unit's position.

What counts is what is stored, by whatever way it came and however late: a gateway that starts again goes on from the
mark that the last one left.
"""

import asyncio
import logging
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import groupby
from typing import NamedTuple

import numpy as np
import psycopg2
from psycopg2.extensions import connection, cursor
from psycopg2.extras import execute_values

from tracking.dispatching.model import FOLLOWED, Place, progress
from tracking.gateway.connection import connect
from tracking.model import UNFIT

LOGGER = logging.getLogger("citymap")
#: Seconds between looks, and by which transactions of others may be late with what they received before.
EVERY, _OVERLAP = 3.0, 60.0
#: Tasks that are followed at once, and fixes of one look.
_MOST_TASKS, _MOST_FIXES = 10_000, 500_000

_OPEN = """
    SELECT t.id, d.id, extract(epoch FROM t.assigned)::float8, ST_X(ST_StartPoint(t.geom)), ST_Y(ST_StartPoint(t.geom)),
           ST_X(ST_EndPoint(t.geom)), ST_Y(ST_EndPoint(t.geom)), coalesce(t.within, 100)
    FROM city.unit_tasks t JOIN city.devices d ON d.code = t.device WHERE t.state = ANY (%s) ORDER BY t.id LIMIT %s"""
_FIXES = """
    SELECT device, extract(epoch FROM time)::float8, ST_X(geom), ST_Y(geom) FROM tracking.positions
    WHERE device = ANY (%s) AND time >= %s AND received >= %s AND geom IS NOT NULL AND doubt & %s = 0
    ORDER BY device, time, variant LIMIT %s"""
_CAME = """
    UPDATE city.unit_tasks t SET state = CASE WHEN n.arrived IS NULL THEN 'under-way' ELSE 'arrived' END,
        under_way = coalesce(t.under_way, to_timestamp(n.left_at)), arrived = to_timestamp(n.arrived)
    FROM (VALUES %s) AS n (id, left_at, arrived)
    WHERE t.id = n.id AND (t.state = 'assigned' OR (t.state = 'under-way' AND n.arrived IS NOT NULL))"""
_MARK = "SELECT extract(epoch FROM upto)::float8 FROM tracking.marks WHERE name = 'tasks'"
_LOOKED = """
    INSERT INTO tracking.marks VALUES ('tasks', to_timestamp(%s))
    ON CONFLICT (name) DO UPDATE SET upto = excluded.upto"""


class _Followed(NamedTuple):
    id: int
    device: int
    assigned: float
    start: Place
    place: Place
    within: float


class Following:
    """The tasks of the city, looked at every few seconds; several gateways may look at the same."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: connection | None = None

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await asyncio.to_thread(self.look)
            except psycopg2.Error as error:
                LOGGER.warning("tasks wait for the database: %s", str(error).strip().split("\n")[0])
                self.close()
            except Exception:  # terminals go on being taken in, whatever it is
                LOGGER.exception("tasks could not be followed")
                self.close()

    def look(self) -> None:
        """One look. Raises :class:`psycopg2.Error`."""
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url)
        with self._connection.cursor() as cursor:
            follow(cursor, time.time())
        self._connection.commit()

    def close(self) -> None:
        """Close the connection to the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def follow(to: cursor, now: float) -> None:
    """Enter which units have set off and arrived since the last look, by what was stored; ``now`` is Unix time [s]."""
    to.execute(_OPEN, (list(FOLLOWED), _MOST_TASKS))
    tasks = [_Followed(row[0], row[1], row[2], row[3:5], row[5:7], row[7]) for row in to.fetchall()]
    to.execute(_MARK)
    mark = to.fetchone()
    if tasks:
        came = list(_came(to, tasks, (now if mark is None else mark[0]) - _OVERLAP))
        if came:
            execute_values(to, _CAME, came, "(%s::bigint, %s::float8, %s::float8)")
        to.execute(_LOOKED, (now,))  # a mark that stays behind makes the next look longer, and loses nothing


def _came(to: cursor, tasks: list[_Followed], since: float) -> Iterable[tuple[int, float | None, float | None]]:
    oldest = min(task.assigned for task in tasks)
    devices = sorted({task.device for task in tasks})
    times = (datetime.fromtimestamp(at, UTC) for at in (oldest, since))
    to.execute(_FIXES, (devices, *times, UNFIT, _MOST_FIXES))
    fixes = {device: np.array([row[1:] for row in rows]) for device, rows in groupby(to.fetchall(), lambda row: row[0])}
    for task in tasks:
        track = fixes.get(task.device)
        track = None if track is None else track[track[:, 0] >= task.assigned]
        if track is not None and len(track):
            left, arrived = progress(task.start, task.place, task.within, track[:, 0], track[:, 1:])
            if left is not None or arrived is not None:
                yield task.id, left, arrived
